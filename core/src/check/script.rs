//! Rules over the text of one file.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::directive;
use crate::filename::Part;
use crate::folder::{CheckedFile, Language, LoadedFile, Script, Transaction};
use crate::lexer::{Unterminated, UnterminatedKind, lex};
use crate::rule::Rule;
use crate::rust_source::functions;
use crate::source::{SourceFile, Span};
use crate::statement::{self, InTransaction, Kind, Statement, Unbalanced};

/// Checks one file and says what it is.
pub(crate) fn check(loaded: LoadedFile, diagnostics: &mut Vec<Diagnostic>) -> CheckedFile {
    let file = loaded.file;
    nul_character(&file, diagnostics);
    let language = if file.text().trim().is_empty() {
        diagnostics.push(blank(&file, loaded.name.part));
        // With the function that is missing taken for granted, so that one mistake is one error.
        if loaded.name.part == Part::Rust {
            Language::Rust { has_down: false }
        } else {
            Language::Sql { transactional: true }
        }
    } else if loaded.name.part == Part::Rust {
        rust(&file, diagnostics)
    } else {
        sql(&file, loaded.transaction, diagnostics)
    };
    CheckedFile {
        name: loaded.name,
        script: Script { path: loaded.path, file, run: None, checksum: loaded.checksum, language },
    }
}

fn nul_character(file: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(at) = file.text().find('\0') {
        diagnostics.push(
            Diagnostic::new(Rule::NulCharacter, "a NUL character")
                .at(Place::span(file, Span::new(at, at + 1), ""))
                .note("PostgreSQL ends a text at NUL, so everything behind it would be lost")
                .help("remove it; a file full of them was saved as UTF-16: save it as UTF-8"),
        );
    }
}

fn blank(file: &SourceFile, part: Part) -> Diagnostic {
    let diagnostic = Diagnostic::new(Rule::BlankFile, "a blank file").at(Place::file(file.path()));
    match part {
        Part::Up => diagnostic
            .help("write the migration, or, if it must do nothing, a comment that says why"),
        Part::Down => diagnostic
            .help("write the undo, or remove the file: a migration without one cannot be undone"),
        Part::Rust => diagnostic
            .help("write `pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()>`"),
    }
}

fn rust(file: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) -> Language {
    let found = functions(file.text());
    if !found.up {
        diagnostics.push(
            Diagnostic::new(Rule::MissingUp, "a migration in Rust without `up`")
                .at(Place::file(file.path()))
                .help("add `pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { ... }`"),
        );
    }
    Language::Rust { has_down: found.down }
}

fn sql(
    file: &Arc<SourceFile>,
    transaction: Transaction,
    diagnostics: &mut Vec<Diagnostic>,
) -> Language {
    let lexed = lex(file.text());
    let (directives, problems) = directive::read(file, &lexed.tokens);
    diagnostics.extend(problems);
    let transactional = !directives.no_transaction && transaction != Transaction::None;
    if let Some(open) = &lexed.unterminated {
        // Everything behind it is inside it, so nothing more can be said about this file.
        diagnostics.push(unterminated(file, open));
        return Language::Sql { transactional };
    }
    let statements = statement::split(file.text(), &lexed);
    let never = |it: &Statement| matches!(it.in_transaction, InTransaction::Never(_));
    let needs_none = !statements.is_empty() && statements.iter().all(never);
    let transactional = transactional && !(transaction == Transaction::AsNeeded && needs_none);
    for statement in &statements {
        diagnostics.extend(statement_problem(file, statement, transactional));
    }
    Language::Sql { transactional }
}

fn unterminated(file: &Arc<SourceFile>, open: &Unterminated) -> Diagnostic {
    let (rule, headline, help) = match &open.kind {
        UnterminatedKind::String => (
            Rule::UnterminatedString,
            "unterminated string".to_owned(),
            "close it with `'`, or write `''` for a quote inside the string".to_owned(),
        ),
        UnterminatedKind::QuotedIdentifier => (
            Rule::UnterminatedIdentifier,
            "unterminated quoted identifier".to_owned(),
            "close it with `\"`".to_owned(),
        ),
        UnterminatedKind::DollarString { tag } => (
            Rule::UnterminatedDollarQuote,
            format!("unterminated dollar quote `{tag}`"),
            format!("close it with `{tag}`, written in the same way"),
        ),
        UnterminatedKind::BlockComment { .. } => (
            Rule::UnterminatedComment,
            "unterminated comment".to_owned(),
            "close it with `*/`; comments nest, so each `/*` needs its own".to_owned(),
        ),
    };
    let diagnostic = Diagnostic::new(rule, headline)
        .at(Place::span(file, open.opened, "opened here and never closed"))
        .help(help);
    match open.kind {
        UnterminatedKind::BlockComment { nested: Some(nested) } => {
            diagnostic.also(Place::span(file, nested, "this one inside it is not closed either"))
        }
        _ => diagnostic,
    }
}

fn unbalanced(file: &Arc<SourceFile>, unbalanced: &Unbalanced) -> Diagnostic {
    let problem = |headline: &str, at: Span, label: &str| {
        Diagnostic::new(Rule::UnbalancedParenthesis, headline).at(Place::span(file, at, label))
    };
    match *unbalanced {
        Unbalanced::OpenParen { paren, semicolon } => {
            let problem = problem("a parenthesis that is never closed", paren, "opened here and never closed")
                .note("a `;` inside parentheses ends no statement, so the rest of the file belongs to this one")
                .help("close it with `)`");
            match semicolon {
                Some(semicolon) => {
                    problem.also(Place::span(file, semicolon, "perhaps before this `;`"))
                }
                None => problem,
            }
        }
        Unbalanced::CloseParen { paren } => problem("a `)` without its `(`", paren, "")
            .help("remove it, or open the parenthesis it closes"),
        Unbalanced::Atomic { begin } => {
            problem("`BEGIN ATOMIC` without its `END`", begin, "opened here and never closed")
                .note("the rest of the file belongs to this function body")
                .help("end the body with `END;`")
        }
    }
}

/// What a statement must not be, given how its file runs. One statement has at most one problem.
fn statement_problem(
    file: &Arc<SourceFile>,
    statement: &Statement,
    transactional: bool,
) -> Option<Diagnostic> {
    if let Some(open) = &statement.unbalanced {
        return Some(unbalanced(file, open));
    }
    let problem = |rule, headline: String| {
        Diagnostic::new(rule, headline).at(Place::span(file, statement.span, ""))
    };
    match statement.kind {
        Kind::PsqlCommand => {
            let command = statement.text(file.text()).split_whitespace().next().unwrap_or_default();
            Some(
                problem(Rule::PsqlCommand, format!("`{command}` is a command of psql"))
                    .note("only the program psql knows it, the server does not")
                    .help("remove the line, and write what it did in SQL"),
            )
        }
        Kind::CopyFromStdin => Some(
            problem(Rule::CopyFromStdin, "`COPY ... FROM STDIN` in a migration".to_owned())
                .note("the rows would have to follow the statement on the wire, and a migration carries only SQL")
                .help("write the rows as `INSERT INTO ... VALUES ...`; `pg_dump --inserts` does so"),
        ),
        Kind::Transaction(control) if control.is_boundary() => {
            let problem = problem(Rule::TransactionControl, format!("`{}` in a migration", statement.command));
            Some(if transactional {
                problem
                    .note("the file and its row in the history table are one transaction, which Dunlin begins and ends")
                    .help("remove it; what must commit on its own belongs in a migration of its own")
            } else {
                problem
                    .note("each statement of a `no-transaction` file is committed and recorded on its own")
                    .help("remove it; what must be one transaction belongs in a migration without the directive")
            })
        }
        Kind::Transaction(_) | Kind::CopyToStdout | Kind::Ordinary => match statement.in_transaction {
            InTransaction::Never(command) if transactional => Some(
                problem(Rule::NotInTransaction, format!("`{command}` cannot run in a transaction"))
                    .note("Dunlin runs each file in a transaction unless the file says otherwise")
                    .help("move it to a migration of its own that begins with the line `-- dunlin: no-transaction`"),
            ),
            InTransaction::Never(_) | InTransaction::Sometimes(_) | InTransaction::Allowed => None,
        },
    }
}
