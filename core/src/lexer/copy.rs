//! `COPY ... FROM STDIN;`, behind which a dump holds data that is not SQL.
//!
//! Apart from the scanner because it is the one place where the meaning of earlier tokens decides
//! how the text goes on. Data has quotes and semicolons of its own, and a file made by `pg_dump` can
//! hold many tables: read as SQL it would give a hundred complaints that hide the one that matters.

use super::{Token, TokenKind};

/// Watches the tokens go by.
#[derive(Default)]
pub(super) struct CopyFinder {
    /// STDIN was seen since the last semicolon, so the statement is worth a look.
    stdin: bool,
}

impl CopyFinder {
    /// Whether the last token is the semicolon of a COPY FROM STDIN.
    pub(super) fn ends_copy(&mut self, sql: &str, tokens: &[Token]) -> bool {
        let Some((last, before)) = tokens.split_last() else { return false };
        match last.kind {
            TokenKind::Word if !self.stdin => {
                self.stdin = is_stdin(sql, last);
                false
            }
            TokenKind::Semicolon if self.stdin => {
                self.stdin = false;
                is_copy_from_stdin(sql, before)
            }
            _ => false,
        }
    }
}

fn is_copy_from_stdin(sql: &str, tokens: &[Token]) -> bool {
    let mut from_stdin = false;
    let mut later: Option<&Token> = None;
    for token in tokens.iter().rev() {
        if matches!(token.kind, TokenKind::Semicolon | TokenKind::CopyData) {
            break;
        }
        if !token.is_trivia() {
            from_stdin |=
                later.is_some_and(|later| is_stdin(sql, later) && token.is_word(sql, "from"));
            later = Some(token);
        }
    }
    from_stdin && later.is_some_and(|first| first.is_word(sql, "copy"))
}

/// PostgreSQL's grammar takes STDOUT for the same, in both directions.
fn is_stdin(sql: &str, token: &Token) -> bool {
    token.is_word(sql, "stdin") || token.is_word(sql, "stdout")
}
