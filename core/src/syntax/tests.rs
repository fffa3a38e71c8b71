//! What no text may do to the check. What it says is in `tests/folders/syntax*`, whether that is
//! PostgreSQL's judgement in `tests/it/syntax_oracle.rs` of the workspace.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::lexer::lex;
use crate::statement::split;

fn problems(sql: &str) -> Vec<Diagnostic> {
    let file = Arc::new(SourceFile::new("migrations/0001_a.sql", sql));
    let lexed = lex(file.text());
    let statements = split(file.text(), &lexed);
    check(&file, &lexed, &statements.iter().collect::<Vec<_>>())
}

/// Whether a text is checked at all, and accepted: with a mistake behind it, it is refused.
#[track_caller]
fn accepts(sql: &str) {
    let start: String = sql.chars().take(60).collect();
    assert_eq!(problems(sql).len(), 0, "{start}");
    assert_eq!(problems(&format!("{sql}, FROM FROM")).len(), 1, "{start}");
}

#[test]
fn depth_overflows_no_stack() {
    let nested = |n: usize, open: &str, middle: &str, close: &str| {
        format!("SELECT {}{middle}{}", open.repeat(n), close.repeat(n))
    };
    let forms = [
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("EXISTS (SELECT ", "1", ")"),
        ("ARRAY[", "1", "]"),
        ("CASE WHEN ", "true", " THEN 1 END"),
        ("NOT ", "true", ""),
        ("- ", "1", ""),
        ("1 + ", "1", ""),
        ("a[", "1", "]"),
        ("CAST(", "1", " AS int)"),
        ("1 IN (", "1", ")"),
        ("(1, ", "1", ")"),
    ];
    for (open, middle, close) in forms {
        accepts(&nested(200, open, middle, close));
        // As deep as is parsed at all, and far deeper, closed and not closed.
        for n in [1_300, 100_000] {
            let _any = problems(&nested(n, open, middle, close));
            let _any = problems(&nested(n, open, middle, ""));
        }
    }
    assert_eq!(problems(&nested(100_000, "(", "1 1", ")")).len(), 0);
}

#[test]
fn many_and_long_statements_are_judged() {
    let row = "(1, 'abc', 2.5, now()), ";
    let insert = |n: usize| format!("INSERT INTO t VALUES {}(2)", row.repeat(n));
    let texts = [
        (insert(5_000), 0),
        (format!("{} FROM FROM", insert(5_000)), 1),
        (format!("SELECT (a IN ({}2)) foo bar baz", "1, ".repeat(50_000)), 1),
        ("SELECT a FROM t WHERE name date value time text zone;\n".repeat(1_000), 1_000),
        ("INSERT INTO t (values, time) SELECT 1;\n".repeat(1_000), 0),
        // These would take the parser minutes, and so are not parsed.
        (format!("SELECT a{}", ".b".repeat(500_000)), 0),
        (format!("SELECT 1 {} 1", "<".repeat(500_000)), 0),
    ];
    for (sql, n_problems) in texts {
        let what: String = sql.chars().take(60).collect();
        assert_eq!(problems(&sql).len(), n_problems, "{what}");
    }
}

#[test]
fn no_more_is_parsed_again_than_is_allowed() {
    let texts = [
        "SELECT a FROM t WHERE name date value time text zone",
        "SELEC a FROM t",
        "SELECT a FROM t WHER b ORDER BY c d e",
        "INSERT INTO t (values, time) SELECT 1 FROM FROM",
        "CREATE TABLE t (a int b int, c int,)",
    ];
    for sql in texts {
        for allowed in [0, 40, 100, 250, 1_000] {
            let file = Arc::new(SourceFile::new("migrations/0001_a.sql", sql));
            let lexed = lex(file.text());
            let statements = split(file.text(), &lexed);
            let before = parse::PARSED_BYTES.get();
            let (mut forms, mut causes) = (Budget::new(allowed), Budget::new(allowed));
            let _told = problem(&file, &statements[0], &lexed.tokens, &mut forms, &mut causes);
            let parsed = parse::PARSED_BYTES.get() - before;
            assert!(parsed <= sql.len() + 2 * allowed, "{sql}, {allowed}: {parsed}");
        }
    }
}

/// Words and signs in any order, which come further into the grammar than letters.
fn tokens() -> impl Strategy<Value = String> {
    let words: Vec<&str> =
        words::Category::ALL.into_iter().flat_map(words::Category::words).collect();
    let token = prop_oneof![
        3 => select(words),
        2 => select(vec!["a", "t", "1", "'x'", "\"q\"", "(", ")", "[", "]", ",", ".", "*", "=", "::", ";"]),
        1 => select(vec!["$1", "$$x$$", "E'\\n'", "U&'x'", "B'1'", ":=", "=>", ":", "`", "<>", "||", "--x\n", "é"]),
    ];
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_judged(sql in prop_oneof![any::<String>(), tokens()]) {
        let n_statements = split(&sql, &lex(&sql)).len();
        let found = problems(&sql);
        prop_assert!(found.len() <= n_statements);
        for problem in found {
            // Its place is one in the text, and the way out is named.
            let location = problem.place().unwrap().location();
            prop_assert!(location.to_byte(&sql) <= sql.len());
            prop_assert!(problem.to_string().contains("-- dunlin: syntax off"));
        }
    }
}

/// Any word is the name of an option to the grammar; which of them there are, is told when it runs.
#[test]
fn options_of_a_granted_role_are_words() {
    accepts("GRANT a TO b WITH GRANT FALSE");
    accepts("GRANT a TO b WITH SET TRUE, other FALSE");
    assert_eq!(problems("GRANT a TO b WITH SET TRUE, FALSE").len(), 1);
    assert_eq!(problems("REVOKE a FROM b WITH other FALSE").len(), 1);
}
