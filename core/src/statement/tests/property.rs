//! Properties of the lexer and the splitter on texts nobody would write.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::statements;
use crate::lexer::{Lexed, Token, TokenKind, lex, same_code};
use crate::statement::{Statement, split};

/// What is most likely to confuse, whole and in pieces.
const FRAGMENTS: &[&str] = &[
    "'",
    "''",
    "\"",
    "\"\"",
    "E'",
    "e'",
    "U&'",
    "u&\"",
    "N'",
    "B'",
    "x'",
    "\\",
    "\\'",
    "\\\\",
    "$$",
    "$",
    "$a$",
    "$é$",
    "$1",
    "a$b$",
    "--",
    "-- x\n",
    "/*",
    "*/",
    "/* ; */",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    ";",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "..",
    ":",
    "::",
    ":=",
    "+",
    "-",
    "*",
    "/",
    "=",
    "@",
    "{",
    "\0",
    "\u{a0}",
    "\u{feff}",
    "é",
    "日本",
    "a",
    "_",
    "1",
    "1.",
    ".5",
    "1e5",
    "0x",
    "BEGIN",
    "ATOMIC",
    "END",
    "CASE",
    "CREATE",
    "OR REPLACE",
    "FUNCTION",
    "PROCEDURE",
    "BEGIN ATOMIC",
    "CREATE FUNCTION f() BEGIN ATOMIC",
    "COPY t FROM STDIN;\n",
    "\\.\n",
    "\\restrict it's\n",
    "TABLE",
    "IF NOT EXISTS",
    "INDEX",
    "ON",
    "ALTER",
    "DROP",
    "SCHEMA",
    "WITH",
    "AS",
    "SEARCH",
    "SET",
    "REINDEX",
    "SUBSCRIPTION",
    "TYPE",
    "ADD VALUE",
    "RENAME TO",
    "COMMIT",
    "PREPARE",
    "TRANSACTION",
    "TO",
];

fn nasty() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        6 => select(FRAGMENTS).prop_map(str::to_owned),
        2 => select(FRAGMENTS).prop_map(|word| format!("{word} ")),
        1 => any::<String>(),
    ];
    vec(fragment, 0..40).prop_map(|fragments| fragments.concat())
}

/// Statements that end where they end, however they are surrounded.
const WHOLE: &[&str] = &[
    "SELECT 1",
    "SELECT ';', E'\\';', $$;$$, $a$;$$;$a$, \";\", U&'\\003B'",
    "SELECT E'a'\n'\\';' -- ';\n, 1",
    "SELECT a$b$ /* ; /* ' */ */ FROM t",
    "CREATE TABLE t (a int, b text DEFAULT ';')",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
    "CREATE OR REPLACE PROCEDURE p(a int) begin atomic SELECT 1 AS end; SELECT (2); end",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $f$ SELECT 1; $f$",
    "DO $$ BEGIN COMMIT; END; $$",
    "BEGIN",
    "END",
    "COMMIT",
];

const BETWEEN: &[&str] =
    &[" ", "\n", "\r\n", "/* ; */", "-- ;'\"$$(\n", ";", "/* /* ' */ ( */", "\t\u{b}\u{c}"];

fn significant(lexed: &Lexed) -> Vec<usize> {
    let ignored = |token: &Token| token.is_trivia() || token.kind == TokenKind::CopyData;
    (0..lexed.tokens.len()).filter(|&index| !ignored(&lexed.tokens[index])).collect()
}

/// What a statement is, apart from where it is.
fn nature(statement: &Statement) -> impl PartialEq + std::fmt::Debug {
    (
        statement.command,
        statement.kind,
        statement.in_transaction,
        statement.effects.clone(),
        statement.unbalanced.map(|unbalanced| std::mem::discriminant(&unbalanced)),
    )
}

/// The same text with other whitespace and other comments.
fn laid_out_anew(sql: &str) -> String {
    let mut text = String::new();
    for token in lex(sql).tokens {
        let old = token.text(sql);
        text.push_str(match token.kind {
            // A line end can be what joins two strings, and `\.` at the start of a line ends data.
            TokenKind::Whitespace if old.contains(['\n', '\r']) => "\n\t",
            TokenKind::Whitespace => "  ",
            TokenKind::LineComment => "-- other",
            TokenKind::BlockComment if old.ends_with("*/") => "/*other*/",
            _ => old,
        });
    }
    text
}

proptest! {
    #[test]
    fn tokens_concatenate_to_the_text(sql in nasty()) {
        let mut end = 0;
        for token in lex(&sql).tokens {
            prop_assert_eq!(token.span.start, end);
            prop_assert!(token.span.end > token.span.start);
            prop_assert!(sql.is_char_boundary(token.span.end));
            end = token.span.end;
        }
        prop_assert_eq!(end, sql.len());
    }

    #[test]
    fn what_is_unterminated_is_the_last_token(sql in nasty()) {
        let lexed = lex(&sql);
        if let (Some(unterminated), Some(last)) = (lexed.unterminated, lexed.tokens.last()) {
            prop_assert_eq!(unterminated.opened.start, last.span.start);
            prop_assert!(unterminated.opened.end <= last.span.end);
        }
    }

    #[test]
    fn statements_cover_every_token_that_matters(sql in nasty()) {
        let lexed = lex(&sql);
        let mut left = significant(&lexed).into_iter().peekable();
        for statement in split(&sql, &lexed) {
            while left.next_if(|&index| index < statement.tokens.start).is_some_and(|index| {
                assert_eq!(lexed.tokens[index].kind, TokenKind::Semicolon);
                true
            }) {}
            prop_assert_eq!(left.peek(), Some(&statement.tokens.start));
            prop_assert_eq!(lexed.tokens[statement.tokens.start].span.start, statement.span.start);
            let mut last = statement.tokens.start;
            while let Some(index) = left.next_if(|&index| index < statement.tokens.end) {
                last = index;
            }
            prop_assert_eq!(last + 1, statement.tokens.end);
            prop_assert_eq!(lexed.tokens[last].span.end, statement.span.end);
            let next = left.peek().map(|&index| lexed.tokens[index].kind);
            let follows = next == Some(TokenKind::Semicolon);
            prop_assert!(statement.terminated == follows
                || lexed.tokens[last].kind == TokenKind::PsqlCommand);
        }
        prop_assert!(left.all(|index| lexed.tokens[index].kind == TokenKind::Semicolon));
    }

    #[test]
    fn a_statement_cut_out_is_the_same_statement(sql in nasty()) {
        for statement in statements(&sql) {
            let alone = statements(statement.text(&sql));
            prop_assert_eq!(alone.len(), 1);
            prop_assert_eq!(nature(&alone[0]), nature(&statement));
            prop_assert!(alone[0].headline(statement.text(&sql)).lines().count() <= 1);
        }
    }

    #[test]
    fn statements_put_together_come_apart_again(
        parts in vec((vec(select(BETWEEN), 0..4), select(WHOLE)), 0..8),
        end in vec(select(BETWEEN), 0..4),
    ) {
        let mut sql = String::new();
        for (before, statement) in &parts {
            sql.push_str(&before.concat());
            sql.push_str(statement);
            sql.push_str(" ;");
        }
        sql.push_str(&end.concat());
        let expected: Vec<_> = parts.iter().map(|&(_, statement)| statement).collect();
        let found = statements(&sql);
        let texts: Vec<_> = found.iter().map(|statement| statement.text(&sql)).collect();
        prop_assert_eq!(texts, expected);
        prop_assert!(found.iter().all(|statement| statement.unbalanced.is_none()));
    }

    #[test]
    fn layout_and_comments_change_nothing(sql in nasty()) {
        let other = laid_out_anew(&sql);
        prop_assert!(same_code(&sql, &other), "{:?}", other);
        let (found, others) = (statements(&sql), statements(&other));
        prop_assert_eq!(found.len(), others.len());
        for (a, b) in found.iter().zip(&others) {
            prop_assert_eq!(nature(a), nature(b));
        }
    }
}
