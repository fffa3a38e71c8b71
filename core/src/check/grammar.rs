//! PostgreSQL's grammar over the statements of one file, and the directive that leaves some out.

use std::sync::Arc;

use super::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::directive::Directives;
use crate::options::Options;
use crate::rule::Rule;
use crate::source::{SourceFile, Span};
use crate::statement::{Kind, Statement};

/// Checks the statements that have no other problem. What else was found in the file is known.
pub(super) fn check(
    sql: &Sql<'_>,
    directives: &Directives,
    sound: &[&Statement],
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut left_out = Vec::new();
    for &comment in &directives.syntax_off_at {
        match below(sql, comment) {
            Some(statement) => left_out.push(statement.span),
            None => diagnostics.push(nothing_below(sql.file, comment)),
        }
    }
    if directives.syntax_off || !options.syntax || is_template(sql.file, diagnostics) {
        return;
    }
    let statements: Vec<_> = sound
        .iter()
        .copied()
        .filter(|statement| !left_out.contains(&statement.span) && has_grammar(statement))
        .filter(|statement| !is_blamed(sql.file, statement, diagnostics))
        .collect();
    #[cfg(feature = "syntax")]
    diagnostics.extend(crate::syntax::check(sql.file, sql.lexed, &statements));
    #[cfg(not(feature = "syntax"))]
    drop(statements);
}

/// Whether a statement is one of PostgreSQL, and none that has a problem wherever it stands.
fn has_grammar(statement: &Statement) -> bool {
    match statement.kind {
        Kind::Ordinary | Kind::CopyToStdout => true,
        Kind::Transaction(control) => !control.is_boundary(),
        Kind::CopyFromStdin | Kind::PsqlCommand => false,
    }
}

/// Whether the text is not yet SQL: another tool would fill something in.
fn is_template(file: &SourceFile, diagnostics: &[Diagnostic]) -> bool {
    let unsupported = diagnostics.iter().filter(|it| it.rule() == Rule::UnsupportedFeature);
    unsupported.filter_map(Diagnostic::place).any(|place| place.path() == file.path())
}

/// Whether something is wrong in a statement already, such as a NUL character.
fn is_blamed(file: &SourceFile, statement: &Statement, diagnostics: &[Diagnostic]) -> bool {
    let places = diagnostics.iter().filter_map(Diagnostic::place);
    let excerpts =
        places.filter(|it| it.path() == file.path()).filter_map(|it| it.excerpt.as_ref());
    let (start, end) = (statement.span.start, statement.span.end);
    excerpts.into_iter().any(|it| it.span.start < end && start < it.span.end)
}

/// The statement directly below a comment.
fn below<'a>(sql: &Sql<'a>, comment: Span) -> Option<&'a Statement> {
    let text = sql.file.text();
    let statement = sql.statements.iter().find(|statement| statement.span.start >= comment.end)?;
    let index = sql.lexed.tokens.partition_point(|token| token.span.start < comment.start);
    let is_next = sql.lexed.tokens[index..statement.tokens.start].iter().all(|it| it.is_trivia());
    // Behind a statement on its line, it would seem to speak of that one.
    let line_start = text[..comment.start].rfind('\n').map_or(0, |newline| newline + 1);
    let begins_line = text[line_start..comment.start].trim().is_empty();
    (is_next && begins_line).then_some(statement)
}

fn nothing_below(file: &Arc<SourceFile>, comment: Span) -> Diagnostic {
    Diagnostic::new(Rule::MisplacedDirective, "no statement begins below this line")
        .at(Place::span(file, comment, ""))
        .note("`syntax off` speaks of the statement directly below it, or, at the top of a file, of the whole file")
        .help("put it on a line of its own directly above a statement")
}
