//! Identifiers that PostgreSQL cuts.

use std::collections::BTreeSet;

use super::printable;
use crate::check::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::lexer::{Token, TokenKind};
use crate::rule::Rule;

/// `NAMEDATALEN - 1` of every PostgreSQL that was not compiled otherwise.
const IDENTIFIER_MAX: usize = 63;

/// The identifiers of `CREATE` and `ALTER` that are cut, each once.
///
/// Only there: a name that is cut where it is made is cut in the same way where it is used.
pub(super) fn check(sql: &Sql<'_>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for statement in sql.statements {
        if !(statement.command.starts_with("CREATE") || statement.command.starts_with("ALTER")) {
            continue;
        }
        for token in &sql.lexed.tokens[statement.tokens.clone()] {
            let Some(name) = name(token, sql.file.text()) else { continue };
            if name.len() > IDENTIFIER_MAX && told.insert(name.clone()) {
                found.push(problem(sql, token, &name));
            }
        }
    }
    found
}

fn problem(sql: &Sql<'_>, token: &Token, name: &str) -> Diagnostic {
    Diagnostic::new(Rule::LongIdentifier, format!("an identifier of {} bytes", name.len()))
        .at(Place::span(sql.file, token.span, ""))
        .note(format!(
            "PostgreSQL keeps the first {IDENTIFIER_MAX}, so the name becomes `{}`",
            printable(cut(name))
        ))
        .help("choose a shorter name, or write the one it becomes")
}

/// As PostgreSQL cuts: whole characters only (`pg_mbcliplen`).
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(IDENTIFIER_MAX)]
}

/// The name an identifier stands for; only its length has to be right.
fn name(token: &Token, text: &str) -> Option<String> {
    let written = token.text(text);
    if written.len() <= IDENTIFIER_MAX {
        return None;
    }
    match token.kind {
        TokenKind::Word => Some(written.to_ascii_lowercase()),
        TokenKind::QuotedIdentifier => {
            let (prefix, body) = written.split_once('"')?;
            let body = body.strip_suffix('"')?.replace("\"\"", "\"");
            Some(if prefix.is_empty() { body } else { unescaped(&body) })
        }
        _ => None,
    }
}

/// The body of `U&"..."` with its `\0061` and `\+000061` decoded. Another escape character, chosen
/// with UESCAPE, is not known here; then the name counts as longer than it is, and is seldom used.
fn unescaped(body: &str) -> String {
    let mut decoded = String::new();
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        decoded.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (skipped, digits) = match behind.as_bytes().first() {
            Some(b'+') => (1, 6),
            Some(b'\\') => (0, 0),
            _ => (0, 4),
        };
        let code = behind.get(skipped..skipped + digits).filter(|_| digits > 0);
        match code.and_then(|it| u32::from_str_radix(it, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                decoded.push(character);
                rest = &behind[skipped + digits..];
            }
            None => {
                decoded.push('\\');
                rest = behind.strip_prefix('\\').unwrap_or(behind);
            }
        }
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        assert_eq!(unescaped(r"d\0061t\+000061"), "data");
        assert_eq!(unescaped(r"a\\b\x"), r"a\b\x");
        assert_eq!(unescaped(r"\00e9\"), "é\\");
        assert_eq!(unescaped("plain"), "plain");
    }

    #[test]
    fn a_character_is_not_cut_in_two() {
        assert_eq!(cut(&"é".repeat(40)), "é".repeat(31));
        assert_eq!(cut(&"a".repeat(64)), "a".repeat(63));
    }
}
