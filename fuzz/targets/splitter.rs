//! Statements cover what matters, in order, and each is the same alone.
#![no_main]

use dunlin_core::lexer::{Token, TokenKind, lex};
use dunlin_core::statement::split;
use libfuzzer_sys::fuzz_target;

/// Whether nothing is left out: only semicolons, data of COPY and what PostgreSQL ignores.
fn is_between(tokens: &[Token]) -> bool {
    let mut kinds = tokens.iter().filter(|it| !it.is_trivia()).map(|it| it.kind);
    kinds.all(|kind| matches!(kind, TokenKind::Semicolon | TokenKind::CopyData))
}

fuzz_target!(|sql: &str| {
    let lexed = lex(sql);
    let (mut token, mut byte) = (0, 0);
    for statement in split(sql, &lexed) {
        assert!(statement.span.start >= byte && statement.span.end > statement.span.start);
        assert!(is_between(&lexed.tokens[token..statement.tokens.start]));
        let text = statement.text(sql);
        let alone = split(text, &lex(text));
        assert_eq!(alone.len(), 1, "{text:?}");
        assert_eq!(alone[0].command, statement.command, "{text:?}");
        assert_eq!(alone[0].kind, statement.kind, "{text:?}");
        assert_eq!(alone[0].in_transaction, statement.in_transaction, "{text:?}");
        assert!(statement.headline(sql).lines().count() <= 1);
        (token, byte) = (statement.tokens.end, statement.span.end);
    }
    assert!(is_between(&lexed.tokens[token..]));
});
