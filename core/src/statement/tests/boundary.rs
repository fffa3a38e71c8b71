//! Where statements begin and end.

use super::{one, statements};
use crate::source::Span;
use crate::statement::{Kind, Unbalanced};

/// Compares the texts of the statements, none of which is unbalanced.
#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    let found = statements(sql);
    let texts: Vec<_> = found.iter().map(|statement| statement.text(sql)).collect();
    assert_eq!(texts, expected, "in {sql:?}");
    assert!(found.iter().all(|statement| statement.unbalanced.is_none()), "in {sql:?}");
}

#[test]
fn semicolons_split() {
    check("", &[]);
    check(" ; /* a; */ ;; -- b;\n", &[]);
    check("a;b;", &["a", "b"]);
    check("-- x\n a /* y */ ; b -- z", &["a", "b"]);
    check(
        "a ';' \";\" $$;$$ $x$;$x$ E'\\';' -- ;\n; b",
        &["a ';' \";\" $$;$$ $x$;$x$ E'\\';'", "b"],
    );
    let terminated: Vec<_> = statements("a; b").iter().map(|found| found.terminated).collect();
    assert_eq!(terminated, [true, false]);
}

#[test]
fn parentheses_hold_a_statement_together() {
    let rule = "CREATE RULE r AS ON INSERT TO t DO (a; b)";
    check(&format!("{rule}; c"), &[rule, "c"]);
    check("a ((;) (;)) ; b", &["a ((;) (;))", "b"]);
}

#[test]
fn a_body_between_begin_atomic_and_end_is_part_of_its_function() {
    for body in [
        "BEGIN ATOMIC END",
        "BEGIN ATOMIC ; END",
        "BEGIN ATOMIC SELECT 1; END",
        "begin /* x */ atomic select case when true then 1 end; select 2; end",
        "BEGIN ATOMIC SELECT 1 AS end; SELECT t.end FROM t; SELECT 1 end; END",
        "BEGIN ATOMIC SELECT begin atomic FROM t; END",
        "BEGIN ATOMIC SELECT (SELECT CASE 1 WHEN 1 THEN 2 END); END",
    ] {
        for head in [
            "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int",
            "create or replace procedure \"begin\"()",
            "CREATE OR REPLACE FUNCTION begin() RETURNS atomic",
        ] {
            let function = format!("{head} {body}");
            check(&format!("a; {function}; b"), &["a", &function, "b"]);
            check(&function, &[&function]);
        }
    }
}

#[test]
fn begin_and_atomic_elsewhere_open_nothing() {
    check("CREATE FUNCTION begin() AS 'x'; b", &["CREATE FUNCTION begin() AS 'x'", "b"]);
    check("SELECT begin atomic; END", &["SELECT begin atomic", "END"]);
    check("BEGIN; CREATE TABLE f (a int); END", &["BEGIN", "CREATE TABLE f (a int)", "END"]);
    check(
        "CREATE VIEW function AS SELECT begin atomic; a",
        &["CREATE VIEW function AS SELECT begin atomic", "a"],
    );
    check("CREATE FUNCTION f(begin atomic); a", &["CREATE FUNCTION f(begin atomic)", "a"]);
    check(
        "CREATE FUNCTION f() \"begin\" atomic; a",
        &["CREATE FUNCTION f() \"begin\" atomic", "a"],
    );
}

#[test]
fn a_backslash_ends_what_stands_before_it() {
    let sql = "\\restrict it's\nSELECT 1; \\c x; y\nSELECT 2 \\gset\n\\.";
    let found = statements(sql);
    let texts: Vec<_> = found.iter().map(|statement| statement.text(sql)).collect();
    assert_eq!(texts, ["\\restrict it's", "SELECT 1", "\\c x; y", "SELECT 2", "\\gset", "\\."]);
    let psql: Vec<_> = found.iter().map(|found| found.kind == Kind::PsqlCommand).collect();
    assert_eq!(psql, [true, false, true, false, true, true]);
}

#[test]
fn data_of_copy_belongs_to_no_statement() {
    check("COPY t FROM STDIN;\nit's; not sql\n\\.\nSELECT 1;", &["COPY t FROM STDIN", "SELECT 1"]);
}

/// The only statement of `sql` is unbalanced at the character behind each `^` of `marked`.
#[track_caller]
fn unbalanced(marked: &str) -> Unbalanced {
    let sql = marked.replace('^', "");
    let found = one(&sql).unbalanced.expect("the statement is unbalanced");
    let marks: Vec<_> = marked
        .match_indices('^')
        .enumerate()
        .map(|(before, (offset, _))| offset - before)
        .collect();
    let places: Vec<_> = match found {
        Unbalanced::OpenParen { paren, semicolon } => {
            std::iter::once(paren).chain(semicolon).map(|span: Span| span.start).collect()
        }
        Unbalanced::CloseParen { paren } => vec![paren.start],
        Unbalanced::Atomic { begin } => vec![begin.start],
    };
    assert_eq!(places, marks, "in {marked:?}");
    found
}

#[test]
fn what_is_not_closed_is_pointed_at() {
    for marked in [
        "a ^(b",
        "a (b) ^(c (d)",
        "CREATE TABLE t ^(a numeric(1,2)^; CREATE TABLE u (a int);",
        "CREATE TABLE t (a int CHECK ^(a > 0^; CREATE TABLE u (a int);",
        // What the later statements leave open is not the cause.
        "CREATE TABLE t ^(a int^; CREATE TABLE u (a int;",
        "CREATE TABLE t ^(a int CHECK (a > 0^; CREATE TABLE u (a int));",
        "CREATE RULE r AS ON INSERT TO t DO (a; b) WHERE ^(c^; d",
    ] {
        assert!(matches!(unbalanced(marked), Unbalanced::OpenParen { .. }));
    }
    let function = "CREATE FUNCTION f() RETURNS int ^BEGIN ATOMIC SELECT 1 END; SELECT 2;";
    assert!(matches!(unbalanced(function), Unbalanced::Atomic { .. }));
}

#[test]
fn what_closes_nothing_is_pointed_at_and_closes_nothing() {
    for marked in ["a^)", "^)", "a^) b)", "a (b)^) c"] {
        assert!(matches!(unbalanced(marked), Unbalanced::CloseParen { .. }));
    }
    let sql = "a); (b; c); d";
    let texts: Vec<_> = statements(sql).iter().map(|found| found.text(sql).to_owned()).collect();
    assert_eq!(texts, ["a)", "(b; c)", "d"]);
}
