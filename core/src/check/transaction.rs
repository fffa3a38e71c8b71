//! Rules over what may stand in the transaction that Dunlin begins and ends.
//!
//! **Invariant:** what is left out of a file is blanked and not cut, so that every position stays.

use crate::diagnostic::{Diagnostic, Place};
use crate::filename::Part;
use crate::rule::Rule;
use crate::source::Span;
use crate::statement::{InTransaction, Kind, Statement, TransactionControl};

use super::script::Sql;

/// `BEGIN` and `COMMIT` around everything else in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapper<'a> {
    begin: &'a Statement,
    inside: &'a [Statement],
    end: &'a Statement,
    modes: bool,
}

impl<'a> Wrapper<'a> {
    /// The wrapper of a file, if there is one and no other transaction control inside of it.
    pub(crate) fn of(sql: &Sql<'a>) -> Option<Self> {
        let [begin, inside @ .., end] = sql.statements else { return None };
        let Kind::Transaction(TransactionControl::Begin { modes }) = begin.kind else {
            return None;
        };
        let ends =
            matches!(end.kind, Kind::Transaction(TransactionControl::Commit { and_chain: false }));
        (ends && !inside.iter().any(is_boundary)).then_some(Self { begin, inside, end, modes })
    }

    /// Whether Dunlin's own transaction does what the wrapper asks for.
    fn can_be_dropped(self, sql: &Sql<'_>) -> bool {
        sql.transactional && !self.modes
    }

    /// The text that is sent: the file's, with the wrapper blanked, if it can be dropped. A `;`
    /// that stays is an empty statement, of which there may be any number.
    pub(crate) fn dropped_from(self, sql: &Sql<'_>) -> Option<String> {
        if !self.can_be_dropped(sql) {
            return None;
        }
        let mut text = sql.file.text().to_owned();
        blank(&mut text, self.begin.span);
        blank(&mut text, self.end.span);
        Some(text)
    }

    /// What is said about the wrapper.
    pub(crate) fn finding(self, sql: &Sql<'_>) -> Diagnostic {
        let at = Place::span(sql.file, self.begin.span, "");
        let also = Place::span(sql.file, self.end.span, "");
        let (begin, end) = (self.begin.command, self.end.command);
        if self.can_be_dropped(sql) {
            return Diagnostic::new(
                Rule::WrappedTransaction,
                format!("`{begin}` and `{end}` around the file are left out of what runs"),
            )
            .at(at)
            .also(also)
            .note("Dunlin runs each file in a transaction, together with its row in the history table")
            .help("leave them out of new migrations; a released one stays as it is");
        }
        let problem =
            Diagnostic::new(Rule::TransactionControl, format!("`{begin}` in a migration"));
        if sql.transactional {
            problem
                .at(Place::span(sql.file, self.begin.span, "with a mode of its own"))
                .also(also)
                .note("around a whole file they would be left out, but Dunlin's transaction does not have this mode")
                .help(format!("remove `{begin}` and `{end}` if the migration does not depend on the mode"))
        } else {
            problem
                .at(at)
                .also(also)
                .note("each statement of a `no-transaction` file is committed and recorded on its own")
                .help("remove both, or, to have one transaction, remove the directive")
        }
    }

    /// The statements it encloses.
    pub(crate) const fn inside(self) -> &'a [Statement] {
        self.inside
    }
}

/// Turns a part of a text into spaces; line ends stay.
fn blank(text: &mut String, span: Span) {
    let blanked: String =
        span.text(text).bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(span.start..span.end, &blanked);
}

fn is_boundary(statement: &Statement) -> bool {
    matches!(statement.kind, Kind::Transaction(control) if control.is_boundary())
}

/// Transaction control that is left in a file.
pub(crate) fn control(sql: &Sql<'_>, statement: &Statement) -> Option<Diagnostic> {
    if !is_boundary(statement) {
        return None;
    }
    let problem = Diagnostic::new(
        Rule::TransactionControl,
        format!("`{}` in a migration", statement.command),
    )
    .at(Place::span(sql.file, statement.span, ""));
    Some(if sql.transactional {
        problem
            .note("the file and its row in the history table are one transaction, which Dunlin begins and ends")
            .help("remove it; what must commit on its own belongs in a migration of its own")
    } else {
        problem
            .note("each statement of a `no-transaction` file is committed and recorded on its own")
            .help("remove it; what must be one transaction belongs in a migration without the directive")
    })
}

/// Whether a text holds statements, and only such as refuse to run in a transaction.
pub(crate) fn is_all_refusing(statements: &[Statement]) -> bool {
    !statements.is_empty() && statements.iter().all(refuses)
}

fn refuses(statement: &Statement) -> bool {
    matches!(statement.in_transaction, InTransaction::Never(_))
}

/// Statements that refuse to run in a transaction, in a file that is one.
pub(crate) fn refusals(sql: &Sql<'_>) -> Option<Diagnostic> {
    if !sql.transactional {
        return None;
    }
    let first = sql.statements.iter().find(|it| refuses(it))?;
    let InTransaction::Never(command) = first.in_transaction else { return None };
    let n_more = sql.statements.iter().filter(|it| refuses(it)).count() - 1;
    let place = Place::span(sql.file, first.span, "");
    // A setting for the statement behind it is no reason to split the file.
    let other = sql
        .statements
        .iter()
        .find(|it| !refuses(it) && !is_boundary(it) && !matches!(it.command, "SET" | "RESET"));
    let problem = match other {
        None => not_in_transaction(command).at(place),
        Some(other) => mixed_transaction(sql, command, place, other),
    };
    Some(match n_more {
        0 => problem,
        1 => problem.note("so does one more statement of this file"),
        _ => problem.note(format!("so do {n_more} more statements of this file")),
    })
}

fn not_in_transaction(command: &str) -> Diagnostic {
    Diagnostic::new(Rule::NotInTransaction, format!("`{command}` cannot run in a transaction"))
        .note("Dunlin runs each file in a transaction unless the file says otherwise")
        .help("begin the file with the line `-- dunlin: no-transaction`")
}

fn mixed_transaction(sql: &Sql<'_>, command: &str, place: Place, other: &Statement) -> Diagnostic {
    let headline = format!("`{command}` cannot run in a transaction, and this file is one");
    let label = "this can, and is undone if what follows it fails";
    let problem = Diagnostic::new(Rule::MixedTransaction, headline)
        .at(place)
        .also(Place::span(sql.file, other.span, label));
    let directive = "`-- dunlin: no-transaction`";
    let at_once = format!(
        "begin this file with the line {directive}, if each of its statements may be committed on its own"
    );
    if sql.part == Part::Down {
        return problem.help(at_once);
    }
    problem
        .help(format!("move it to a migration of its own behind this one, which begins with the line {directive}"))
        .help(format!("or {at_once}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_keeps_its_lines() {
        let mut text = "START\r\n/* é */ TRANSACTION;\nSELECT 1;".to_owned();
        let span = Span::new(0, text.find("SELECT").unwrap() - 1);
        blank(&mut text, span);
        assert_eq!(text, format!("{}\n{}\nSELECT 1;", " ".repeat(6), " ".repeat(21)));
    }
}
