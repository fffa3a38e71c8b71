//! How much stack a statement needs to be parsed.
//!
//! The parser descends into itself: a parenthesis costs it up to 5 kB of stack without optimisation,
//! which is how a procedural macro runs. So before it sees a statement, its nesting is estimated from
//! the tokens, and the parser runs on a thread with that much room. A statement beyond every reason
//! is not parsed; PostgreSQL itself stops at a few thousand levels (`max_stack_depth`).

use crate::lexer::{Token, TokenKind};

/// The most that one token adds, in bytes. Measured: 3.4 kB for `[`, 4.7 kB for the three tokens of
/// `EXISTS (SELECT`; nothing costs more than its tokens times this.
const BYTES_PER_TOKEN: usize = 6 * 1024;

/// What the parser needs without any nesting.
const BASE_BYTES: usize = 512 * 1024;

/// So many levels need 48 MB of addresses, of which only what is used becomes memory, and a second in
/// the worst of the cases where the parser looks ahead at each level.
const MAX_TOKENS: usize = 8_000;

/// The parser compares each sign of an operator with all others.
const MAX_OPERATOR: usize = 256;

/// How many bytes of stack a statement needs, or nothing when it is not to be parsed.
pub(super) fn stack_bytes(tokens: &[Token]) -> Option<usize> {
    let mut groups: Vec<usize> = Vec::new();
    // The tokens of all open groups, each since its last comma: what stands behind a comma is not
    // nested in what stands before.
    let (mut load, mut group, mut most) = (0usize, 0usize, 0usize);
    let (mut operator, mut previous_end) = (0usize, 0usize);
    for token in tokens {
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment => continue,
            TokenKind::Comma | TokenKind::Semicolon => {
                load -= group;
                group = 0;
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => {
                load -= group;
                group = groups.pop().unwrap_or(0);
            }
            _ => {}
        }
        load += 1;
        group += 1;
        most = most.max(load);
        if matches!(token.kind, TokenKind::OpenParen | TokenKind::OpenBracket) {
            groups.push(group);
            group = 0;
        }
        let joins = token.kind == TokenKind::Operator && token.span.start == previous_end;
        operator = if joins { operator + token.span.end - token.span.start } else { 0 };
        previous_end = token.span.end;
        if operator > MAX_OPERATOR || most > MAX_TOKENS {
            return None;
        }
    }
    Some(BASE_BYTES + most * BYTES_PER_TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;

    fn tokens_of(sql: &str) -> Option<usize> {
        stack_bytes(&lex(sql).tokens).map(|bytes| (bytes - BASE_BYTES) / BYTES_PER_TOKEN)
    }

    #[test]
    fn what_is_closed_or_behind_a_comma_does_not_count() {
        assert_eq!(tokens_of("a"), Some(1));
        assert_eq!(tokens_of("a b c"), Some(3));
        assert_eq!(tokens_of("a(b, c, d)"), Some(4));
        assert_eq!(tokens_of("((((a))))"), Some(5));
        assert_eq!(tokens_of("f(g(h(1, 2), 3), 4)"), Some(8));
        assert_eq!(tokens_of("(1, 'a'), (2, 'b'), (3, 'c')"), Some(4));
        assert_eq!(tokens_of(") ) ( ]"), Some(3));
    }

    #[test]
    fn a_statement_beyond_reason_has_no_answer() {
        assert_eq!(tokens_of(&"(".repeat(MAX_TOKENS + 1)), None);
        assert_eq!(tokens_of(&"- ".repeat(MAX_TOKENS + 1)), None);
        assert_eq!(tokens_of(&format!("1{}1", "+".repeat(MAX_OPERATOR + 2))), None);
        assert!(tokens_of(&"(1, 2), ".repeat(100_000)).is_some());
    }
}
