//! Settings that would outlive their file.

use crate::check::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::lexer::TokenKind;
use crate::rule::Rule;
use crate::source::Span;
use crate::statement::Statement;
use crate::statement::cursor::Cursor;

/// A setting that a statement makes for the session.
struct Made {
    /// Its name, where the text says it.
    name: Option<String>,
    span: Span,
}

/// What a statement does to the settings of the session.
enum Change {
    Made(Option<String>),
    Reset(String),
    ResetAll,
}

/// The settings that last when the file is done: one finding for all of them.
///
/// Without a transaction there is no `SET LOCAL`, so a file that says `no-transaction` has no
/// other way, and nothing is found there.
pub(super) fn check(sql: &Sql<'_>) -> Option<Diagnostic> {
    if !sql.transactional {
        return None;
    }
    let mut left: Vec<Made> = Vec::new();
    for statement in sql.statements {
        match change(sql, statement) {
            Some(Change::Made(name)) => left.push(Made { name, span: statement.span }),
            Some(Change::Reset(name)) => left.retain(|made| made.name.as_ref() != Some(&name)),
            // RESET ALL leaves the role as it is.
            Some(Change::ResetAll) => left.retain(|made| {
                made.name.as_deref().is_some_and(|name| matches!(name, ROLE | AUTHORIZATION))
            }),
            None => left
                .extend(set_config(sql, statement).map(|name| Made { name, span: statement.span })),
        }
    }
    let first = left.first()?;
    let headline = match &first.name {
        Some(name) => format!("the setting `{name}` would outlive this file"),
        None => "a setting would outlive this file".to_owned(),
    };
    let problem = Diagnostic::new(Rule::LeakingSetting, headline)
        .at(Place::span(sql.file, first.span, ""))
        .note("Dunlin puts it back when the file is done, so that neither the next migration nor the application has it");
    let problem = match left.len() - 1 {
        0 => problem,
        1 => problem.note("so would one more in this file"),
        n => problem.note(format!("so would {n} more in this file")),
    };
    Some(problem.help("write `SET LOCAL`, or `true` as the last argument of `set_config`: it ends with the file's transaction"))
}

const ROLE: &str = "role";
const AUTHORIZATION: &str = "session_authorization";

fn change(sql: &Sql<'_>, statement: &Statement) -> Option<Change> {
    let mut cursor = Cursor::new(sql.file.text(), &sql.lexed.tokens[statement.tokens.clone()]);
    if cursor.eat_words("RESET") {
        if cursor.is_word("ALL") {
            return Some(Change::ResetAll);
        }
        return setting(&mut cursor).map(Change::Reset);
    }
    if !cursor.eat_words("SET") || cursor.eat_words("LOCAL") {
        return None;
    }
    if cursor.eat_words("SESSION CHARACTERISTICS") {
        return Some(Change::Made(Some("session characteristics".to_owned())));
    }
    // `SESSION` alone is a noise word, and the beginning of `SESSION AUTHORIZATION`.
    let ahead = cursor;
    if cursor.eat_words("SESSION") && cursor.is_word("AUTHORIZATION") {
        cursor = ahead;
    }
    // Both belong to the transaction and end with it.
    if cursor.is_word("CONSTRAINTS") || cursor.is_word("TRANSACTION") {
        return None;
    }
    let name = setting(&mut cursor)?;
    let _sign = cursor.eat_words("TO") || cursor.eat(TokenKind::Operator);
    // `SET ROLE TO none` is how a setting called role is set, and does the same.
    let is_reset = cursor.is_word("DEFAULT") || (name == ROLE && cursor.is_word("NONE"));
    Some(if is_reset { Change::Reset(name) } else { Change::Made(Some(name)) })
}

/// The name of a setting, of which some have a spelling of their own.
fn setting(cursor: &mut Cursor<'_>) -> Option<String> {
    for (words, name) in [
        ("TIME ZONE", "timezone"),
        ("SESSION AUTHORIZATION", AUTHORIZATION),
        ("XML OPTION", "xmloption"),
        ("NAMES", "client_encoding"),
        ("SCHEMA", "search_path"),
    ] {
        if cursor.eat_words(words) {
            return Some(name.to_owned());
        }
    }
    let name = cursor.name();
    (!name.is_empty()).then(|| name.join("."))
}

/// The name that `set_config(name, value, false)` sets, if the statement calls it so.
fn set_config(sql: &Sql<'_>, statement: &Statement) -> Option<Option<String>> {
    // Others hold calls that run later, such as a function's body or a view.
    if !matches!(statement.command, "SELECT" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "MERGE")
    {
        return None;
    }
    let mut cursor = Cursor::new(sql.file.text(), &sql.lexed.tokens[statement.tokens.clone()]);
    while cursor.token().is_some() {
        if !cursor.eat_words("set_config") {
            cursor.advance();
            continue;
        }
        let mut call = cursor;
        if !call.eat(TokenKind::OpenParen) {
            continue;
        }
        let name = call.string();
        if pass_comma(&mut call) && pass_comma(&mut call) && is_false(&mut call) {
            return Some(name);
        }
    }
    None
}

/// Moves behind the next comma of these arguments.
fn pass_comma(call: &mut Cursor<'_>) -> bool {
    while call.token().is_some() && !call.is(TokenKind::CloseParen) {
        if call.eat(TokenKind::Comma) {
            return true;
        }
        call.skip();
    }
    false
}

fn is_false(call: &mut Cursor<'_>) -> bool {
    let _name = call.eat_words("is_local") && call.eat(TokenKind::Operator);
    call.option_value()
        .is_some_and(|value| matches!(value.as_str(), "false" | "f" | "off" | "no" | "0"))
}
