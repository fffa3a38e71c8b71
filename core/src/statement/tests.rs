//! Tables of statements and what is found in them.

mod boundary;
mod command;
mod effect;
mod property;

use super::{Statement, split};
use crate::lexer::lex;

fn statements(sql: &str) -> Vec<Statement> {
    split(sql, &lex(sql))
}

/// The only statement of a text.
#[track_caller]
fn one(sql: &str) -> Statement {
    let mut found = statements(sql);
    assert_eq!(found.len(), 1, "statements in {sql:?}");
    found.remove(0)
}

#[test]
fn the_headline_is_the_first_line_within_a_limit() {
    let check = |sql: &str, expected: &str| assert_eq!(one(sql).headline(sql), expected);
    check("\n-- why\n SELECT 1 ;", "SELECT 1");
    check("SELECT 1\n", "SELECT 1");
    check("CREATE TABLE t ( \r\n id int\n)", "CREATE TABLE t ( …");
    check(&"é".repeat(72), &"é".repeat(72));
    check(&"é".repeat(73), &format!("{} …", "é".repeat(72)));
    check(&format!("a{}b", " ".repeat(80)), "a …");
    check("'\n'", "' …");
}
