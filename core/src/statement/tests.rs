//! Tables of texts and their statements.

use super::{InTransaction, Kind, Statement, TransactionControl, split};
use crate::lexer::lex;

fn statements(sql: &str) -> Vec<Statement> {
    split(sql, &lex(sql))
}

#[track_caller]
fn one(sql: &str) -> Statement {
    let mut found = statements(sql);
    assert_eq!(found.len(), 1, "statements in {sql:?}");
    found.remove(0)
}

/// The texts of the statements.
#[track_caller]
fn check_split(sql: &str, expected: &[&str]) {
    let found: Vec<_> = statements(sql).iter().map(|statement| statement.text(sql)).collect();
    assert_eq!(found, expected, "in {sql:?}");
}

#[test]
fn semicolons_split() {
    check_split("", &[]);
    check_split(" ; /* a; */ ;; -- b;\n", &[]);
    check_split("a;b;", &["a", "b"]);
    check_split("-- x\n a /* y */ ; b -- z", &["a", "b"]);
    check_split(
        "a ';' \";\" $$;$$ $x$;$x$ E'\\';' -- ;\n; b",
        &["a ';' \";\" $$;$$ $x$;$x$ E'\\';'", "b"],
    );
}

#[test]
fn parentheses_hold_a_statement_together() {
    check_split(
        "CREATE RULE r AS ON INSERT TO t DO (a; b); c",
        &["CREATE RULE r AS ON INSERT TO t DO (a; b)", "c"],
    );
    check_split("a); b", &["a)", "b"]);
    check_split("a (; b); c", &["a (; b)", "c"]);
    check_split("a (; b", &["a (; b"]);
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
    ] {
        for head in [
            "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int",
            "create or replace procedure \"begin\"()",
            "CREATE OR REPLACE FUNCTION begin() RETURNS atomic",
        ] {
            let function = format!("{head} {body}");
            check_split(&format!("a; {function}; b"), &["a", &function, "b"]);
            check_split(&function, &[&function]);
        }
    }
    check_split("CREATE FUNCTION begin() AS 'x'; b", &["CREATE FUNCTION begin() AS 'x'", "b"]);
    check_split("SELECT begin atomic; END", &["SELECT begin atomic", "END"]);
    check_split("BEGIN; CREATE TABLE f (a int); END", &["BEGIN", "CREATE TABLE f (a int)", "END"]);
}

#[test]
fn transaction_control() {
    use TransactionControl::*;
    let cases = [
        ("BEGIN", Begin { modes: false }),
        ("begin work", Begin { modes: false }),
        ("BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE", Begin { modes: true }),
        ("START TRANSACTION", Begin { modes: false }),
        ("start /* x */ transaction read only", Begin { modes: true }),
        ("COMMIT", Commit { and_chain: false }),
        ("COMMIT AND NO CHAIN", Commit { and_chain: false }),
        ("COMMIT WORK AND CHAIN", Commit { and_chain: true }),
        ("END", Commit { and_chain: false }),
        ("END TRANSACTION AND CHAIN", Commit { and_chain: true }),
        ("ROLLBACK", Rollback { and_chain: false }),
        ("ROLLBACK TRANSACTION AND CHAIN", Rollback { and_chain: true }),
        ("ABORT", Rollback { and_chain: false }),
        ("PREPARE TRANSACTION 'x'", Prepare),
        ("SAVEPOINT a", Savepoint),
        ("RELEASE a", Savepoint),
        ("RELEASE SAVEPOINT a", Savepoint),
        ("ROLLBACK TO a", Savepoint),
        ("ROLLBACK WORK TO SAVEPOINT a", Savepoint),
        ("SET TRANSACTION READ ONLY", SetTransaction),
        ("SET LOCAL TRANSACTION READ ONLY", SetTransaction),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", SetSessionCharacteristics),
    ];
    for (sql, control) in cases {
        assert_eq!(one(sql).kind, Kind::Transaction(control), "in {sql:?}");
        assert_eq!(one(sql).in_transaction, InTransaction::Allowed, "in {sql:?}");
    }
    for sql in [
        "PREPARE transaction AS SELECT 1",
        "SET x TO 1",
        "SET transaction = 1",
        "\"BEGIN\"",
        "DO $$ BEGIN COMMIT; END $$",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
    ] {
        assert_eq!(one(sql).kind, Kind::Ordinary, "in {sql:?}");
    }
}
