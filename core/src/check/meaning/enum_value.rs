//! Enum values that are added and used in one transaction.
//!
//! PostgreSQL lets `ALTER TYPE ... ADD VALUE` run in a transaction since version 12, and refuses
//! the value until that transaction is committed (55P04): it would be in indexes, and a rollback
//! would remove its row. Since version 17 it is not refused if the type is as young as the value;
//! 14 to 16 refuse that too, so it is found here.

use super::printable;
use crate::check::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::lexer::{Token, TokenKind, lex};
use crate::rule::Rule;
use crate::source::Span;
use crate::statement::cursor::{Cursor, string_value};
use crate::statement::{Object, Statement, Verb};

/// A value that was added, and nothing has used yet.
struct Added {
    value: String,
    span: Span,
    /// Whether the file creates the type too.
    is_own: bool,
}

/// The first use of each value behind the statement that adds it.
pub(super) fn check(sql: &Sql<'_>) -> Vec<Diagnostic> {
    if !sql.transactional {
        return Vec::new();
    }
    let mut own_types: Vec<String> = Vec::new();
    let mut added: Vec<Added> = Vec::new();
    let mut found = Vec::new();
    for statement in sql.statements {
        if !added.is_empty() && may_use(statement) {
            for (value, span) in strings(sql, statement) {
                if let Some(at) = added.iter().position(|it| it.value == value) {
                    found.push(problem(sql, &added.remove(at), span));
                }
            }
        }
        for effect in statement.effects.iter().filter(|effect| effect.object == Object::Type) {
            let Some(name) = effect.name.as_deref().map(bare) else { continue };
            let is_own = own_types.iter().any(|own| own == name);
            match &effect.verb {
                Verb::Created => own_types.push(name.to_owned()),
                Verb::Renamed { to } if is_own => own_types.push(bare(to).to_owned()),
                Verb::ValueAdded { value } if !value.is_empty() => {
                    added.push(Added { value: value.clone(), span: statement.span, is_own });
                }
                _ => {}
            }
        }
    }
    found
}

fn problem(sql: &Sql<'_>, added: &Added, used: Span) -> Diagnostic {
    let problem = Diagnostic::new(
        Rule::EnumValueUsed,
        format!(
            "the enum value `{}` is used in the transaction that adds it",
            printable(&added.value)
        ),
    )
    .at(Place::span(sql.file, used, "used here"))
    .also(Place::span(sql.file, added.span, "added here"));
    if added.is_own {
        return problem
            .note("PostgreSQL before version 17 refuses this (55P04), although the file creates the type as well")
            .help("write the value into `CREATE TYPE`");
    }
    problem
        .note("until that is committed PostgreSQL refuses to use the value (55P04)")
        .help("move this statement to the next migration: each file is a transaction of its own")
}

/// The last part of a name: types of one name in two schemas are rarer than one type that is
/// written with its schema and without.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether strings in a statement can be values. In `ALTER TYPE` they name labels, and those may be
/// new (`ADD VALUE 'b' AFTER 'a'`); in a comment they are prose.
fn may_use(statement: &Statement) -> bool {
    !matches!(statement.command, "ALTER TYPE" | "COMMENT" | "SECURITY LABEL")
}

/// The values of the strings of a statement, also of those in code that the statement runs or
/// checks at once: the body of `DO`, and that of a function in SQL.
fn strings(sql: &Sql<'_>, statement: &Statement) -> Vec<(String, Span)> {
    let text = sql.file.text();
    let tokens = &sql.lexed.tokens[statement.tokens.clone()];
    let mut found = Vec::new();
    for token in tokens {
        let Some(value) = string_value(token, text) else { continue };
        if token.kind == TokenKind::DollarString && runs_its_body(text, statement, tokens) {
            // Both delimiters are equally long.
            let start = token.span.start + (token.text(text).len() - value.len()) / 2;
            found.extend(lex(&value).tokens.iter().filter_map(|inner| {
                let span = Span::new(start + inner.span.start, start + inner.span.end);
                string_value(inner, &value).map(|value| (value, span))
            }));
        }
        found.push((value, token.span));
    }
    found
}

fn runs_its_body(text: &str, statement: &Statement, tokens: &[Token]) -> bool {
    match statement.command {
        "DO" => true,
        "CREATE FUNCTION" | "CREATE PROCEDURE" => {
            let mut cursor = Cursor::new(text, tokens);
            cursor.skip_past("LANGUAGE") && cursor.option_value().as_deref() == Some("sql")
        }
        _ => false,
    }
}
