//! The grammar check answers, and blames only what it was given.
#![no_main]

use std::sync::Arc;

use dunlin_core::lexer::lex;
use dunlin_core::statement::split;
use dunlin_core::{SourceFile, syntax};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sql: &str| {
    let file = Arc::new(SourceFile::new("migrations/0001_a.sql", sql));
    let lexed = lex(file.text());
    let statements = split(file.text(), &lexed);
    let found = syntax::check(&file, &lexed, &statements.iter().collect::<Vec<_>>());
    assert!(found.len() <= statements.len());
    for problem in found {
        let at = problem.place().unwrap().location().to_byte(file.text());
        assert!(statements.iter().any(|it| it.span.start <= at && at <= it.span.end + 1));
        assert!(problem.to_string().contains("-- dunlin: syntax off"));
    }
});
