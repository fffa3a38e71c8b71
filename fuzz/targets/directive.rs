//! A directive is obeyed or told, and never both; nothing else is one.
#![no_main]

use std::sync::Arc;

use dunlin_core::SourceFile;
use dunlin_core::directive::{Directives, is_transactional, read};
use dunlin_core::lexer::lex;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sql: &str| {
    let file = Arc::new(SourceFile::new("migrations/0001_a.sql", sql));
    let text = file.text();
    let (directives, problems) = read(&file, &lex(text).tokens);
    assert_eq!(is_transactional(text), !directives.no_transaction);
    if !text.to_ascii_lowercase().contains("dunlin") {
        assert_eq!(directives, Directives::default());
        assert!(problems.is_empty());
    }
    for allowance in &directives.allowances {
        assert!(text.is_char_boundary(allowance.span.start));
        assert!(allowance.span.text(text).contains(allowance.rule.id()));
        assert!(allowance.span.text(text).contains(&allowance.reason));
    }
    for comment in &directives.syntax_off_at {
        assert!(comment.text(text).starts_with("--"));
    }
    for problem in problems {
        let place = problem.place().unwrap();
        assert!(place.location().to_byte(text) <= text.len());
        assert!(problem.to_string().contains(place.path()));
    }
});
