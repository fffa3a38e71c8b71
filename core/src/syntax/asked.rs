//! Statements of which PostgreSQL 15 has been asked: what it takes, and what it refuses close by.
//!
//! `tests/it/syntax_oracle.rs` of the workspace asks of far more; these need no server.

mod right;
mod wrong;

use std::sync::Arc;

use self::right::RIGHT;
use self::wrong::WRONG;
use crate::lexer::lex;
use crate::source::SourceFile;
use crate::statement::split;
use crate::syntax::check;

fn is_refused(sql: &str) -> bool {
    let file = Arc::new(SourceFile::new("1_a.sql", sql));
    let lexed = lex(file.text());
    let statements = split(file.text(), &lexed);
    !check(&file, &lexed, &statements.iter().collect::<Vec<_>>()).is_empty()
}

#[test]
fn what_postgresql_takes_is_accepted() {
    let refused: Vec<_> = RIGHT.iter().filter(|sql| is_refused(sql)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_is_next_to_it_is_refused() {
    let accepted: Vec<_> = WRONG.iter().filter(|sql| !is_refused(sql)).collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}
