//! Tokens put together are the text, and places lead back to where they are.
#![no_main]

use dunlin_core::Location;
use dunlin_core::lexer::{lex, same_code};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sql: &str| {
    let lexed = lex(sql);
    let mut end = 0;
    for token in &lexed.tokens {
        assert_eq!(token.span.start, end);
        assert!(token.span.end > token.span.start && sql.is_char_boundary(token.span.end));
        end = token.span.end;
        if end < 2_000 {
            assert_eq!(Location::of_byte(sql, end).to_byte(sql), end);
        }
    }
    assert_eq!(end, sql.len());
    if let Some(unterminated) = lexed.unterminated {
        let last = lexed.tokens.last().unwrap();
        assert_eq!(unterminated.opened.start, last.span.start);
        assert!(unterminated.opened.end <= last.span.end);
    }
    assert!(same_code(sql, sql));
});
