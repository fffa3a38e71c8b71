//! Rules over the text of one file.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::directive::{self, Allowance};
use crate::filename::Part;
use crate::folder::{CheckedFile, Language, LoadedFile, Script, Transaction};
use crate::known::Known;
use crate::lexer::{Lexed, Unterminated, UnterminatedKind, lex};
use crate::options::Options;
use crate::rule::Rule;
use crate::rust_source::functions;
use crate::source::{SourceFile, Span};
use crate::statement::{self, Kind, Statement, Unbalanced};

use super::transaction::{self, Wrapper};
use super::{grammar, meaning};

/// Checks one file and says what it is.
pub(crate) fn check(
    loaded: LoadedFile,
    options: &Options,
    known: &mut Known,
    diagnostics: &mut Vec<Diagnostic>,
) -> CheckedFile {
    let is_usual = loaded.transaction == Transaction::One && loaded.name.part != Part::Rust;
    let (part, n_found) = (loaded.name.part, diagnostics.len());
    let file = loaded.file;
    let checksum = loaded.checksum;
    let before = Some(&options.known).filter(|before| is_usual && before.is_comparable(known));
    if before.is_some_and(|before| before.has(part, file.text())) {
        known.add(part, file.text());
        let language = Language::Sql { transactional: true };
        return CheckedFile {
            name: loaded.name,
            script: Script { path: loaded.path, file, run: None, checksum, language },
            allowances: Vec::new(),
        };
    }
    nul_character(&file, diagnostics);
    let checked = if file.text().trim().is_empty() {
        diagnostics.push(blank(&file, loaded.name.part));
        // With the function that is missing taken for granted, so that one mistake is one error.
        if loaded.name.part == Part::Rust {
            Language::Rust { has_down: false }.into()
        } else {
            Language::Sql { transactional: true }.into()
        }
    } else if loaded.name.part == Part::Rust {
        rust(&file, diagnostics).into()
    } else {
        sql(&file, loaded.name.part, loaded.transaction, options, diagnostics)
    };
    let Checked { language, run, allowances } = checked;
    let is_plain = language == Language::Sql { transactional: true } && run.is_none();
    if is_usual && is_plain && allowances.is_empty() && diagnostics.len() == n_found {
        known.add(part, file.text());
    }
    CheckedFile {
        name: loaded.name,
        script: Script { path: loaded.path, file, run, checksum, language },
        allowances,
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
    diagnostics.extend(directive::read_rust(file).1);
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

/// A SQL file, cut into statements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sql<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) lexed: &'a Lexed,
    /// Those that run: without a wrapper that is left out.
    pub(crate) statements: &'a [Statement],
    pub(crate) transactional: bool,
    pub(crate) part: Part,
}

/// What a file is, found by checking it.
#[derive(Debug)]
struct Checked {
    language: Language,
    run: Option<String>,
    allowances: Vec<Allowance>,
}

impl From<Language> for Checked {
    fn from(language: Language) -> Self {
        Self { language, run: None, allowances: Vec::new() }
    }
}

fn sql(
    file: &Arc<SourceFile>,
    part: Part,
    transaction: Transaction,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Checked {
    let lexed = lex(file.text());
    let (directives, problems) = directive::read(file, &lexed.tokens);
    diagnostics.extend(problems);
    let transactional = !directives.no_transaction && transaction != Transaction::None;
    let mut checked = Checked {
        allowances: directives.allowances.clone(),
        ..Checked::from(Language::Sql { transactional })
    };
    if let Some(open) = &lexed.unterminated {
        // Everything behind it is inside it, so nothing more can be said about this file.
        diagnostics.push(unterminated(file, open));
        return checked;
    }
    let statements = statement::split(file.text(), &lexed);
    let transactional = transactional
        && !(transaction == Transaction::AsNeeded && transaction::is_all_refusing(&statements));
    checked.language = Language::Sql { transactional };
    let mut sql = Sql { file, lexed: &lexed, statements: &statements, transactional, part };
    if let Some(wrapper) = Wrapper::of(&sql) {
        diagnostics.push(wrapper.finding(&sql));
        checked.run = wrapper.dropped_from(&sql);
        sql.statements = wrapper.inside();
    }
    let mut sound = Vec::new();
    for statement in sql.statements {
        match statement_problem(&sql, statement) {
            Some(problem) => diagnostics.push(problem),
            None => sound.push(statement),
        }
    }
    grammar::check(&sql, &directives, &sound, options, diagnostics);
    diagnostics.extend(transaction::refusals(&sql));
    meaning::check(&sql, options, diagnostics);
    checked
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

/// What a statement must not be. One statement has at most one problem of this kind.
fn statement_problem(sql: &Sql<'_>, statement: &Statement) -> Option<Diagnostic> {
    if let Some(open) = &statement.unbalanced {
        return Some(unbalanced(sql.file, open));
    }
    let problem = |rule, headline: String| {
        Diagnostic::new(rule, headline).at(Place::span(sql.file, statement.span, ""))
    };
    match statement.kind {
        Kind::PsqlCommand => Some(psql_command(sql, statement)),
        Kind::CopyFromStdin => Some(
            problem(Rule::CopyFromStdin, "`COPY ... FROM STDIN` in a migration".to_owned())
                .note("the rows would have to follow the statement on the wire, and a migration carries only SQL")
                .help("write the rows as `INSERT INTO ... VALUES ...`; `pg_dump --inserts` does so"),
        ),
        Kind::Transaction(_) => transaction::control(sql, statement),
        Kind::CopyToStdout => Some(
            problem(Rule::CopyToStdout, "`COPY ... TO STDOUT` in a migration".to_owned())
                .note("the server would send the rows to us, and there is nowhere to put them")
                .help("remove it, or copy into a table: `CREATE TABLE ... AS`"),
        ),
        Kind::Ordinary => None,
    }
}

fn psql_command(sql: &Sql<'_>, statement: &Statement) -> Diagnostic {
    let text = statement.text(sql.file.text());
    let command = text.split_whitespace().next().unwrap_or_default();
    let problem = Diagnostic::new(Rule::PsqlCommand, format!("`{command}` is a command of psql"))
        .at(Place::span(sql.file, statement.span, ""));
    match command {
        "\\restrict" | "\\unrestrict" => problem
            .note("pg_dump writes it around a dump, so that psql runs no other commands in between")
            .help("remove the line"),
        "\\connect" | "\\c" => problem
            .note("only the program psql knows it; a migration runs in the database of its connection")
            .help("remove the line"),
        "\\i" | "\\ir" | "\\include" | "\\include_relative" => problem
            .note("only the program psql knows it; a migration is the text of one file")
            .help("write the text of that file here"),
        _ => problem
            .note("only the program psql knows it, the server does not")
            .help("remove the line, and write what it did in SQL"),
    }
}
