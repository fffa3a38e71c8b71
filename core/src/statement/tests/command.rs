//! What statements are, and where they may run.

use super::one;
use crate::statement::InTransaction::{self, Allowed, Never, Sometimes};
use crate::statement::TransactionControl::{
    Begin, Commit, Prepare, Rollback, Savepoint, SetSessionCharacteristics, SetTransaction,
};
use crate::statement::{Kind, TransactionControl};

#[track_caller]
fn check_command(expected: &str, statements: &[&str]) {
    for sql in statements {
        assert_eq!(one(sql).command, expected, "in {sql:?}");
    }
}

#[track_caller]
fn check_in_transaction(expected: InTransaction, statements: &[&str]) {
    for sql in statements {
        assert_eq!(one(sql).in_transaction, expected, "in {sql:?}");
        let other_case = sql.to_ascii_lowercase().replace(' ', "/**/\n");
        assert_eq!(one(&other_case).in_transaction, expected, "in {other_case:?}");
    }
}

#[track_caller]
fn check_kind(expected: Kind, statements: &[&str]) {
    for sql in statements {
        assert_eq!(one(sql).kind, expected, "in {sql:?}");
        let commented = sql.replace(' ', " -- x;\n");
        assert_eq!(one(&commented).kind, expected, "in {commented:?}");
    }
}

#[track_caller]
fn check_control(expected: TransactionControl, statements: &[&str]) {
    check_kind(Kind::Transaction(expected), statements);
    check_in_transaction(Allowed, statements);
}

#[test]
fn commands_have_names() {
    check_command(
        "CREATE TABLE",
        &["create table t (a int)", "CREATE TEMP TABLE IF NOT EXISTS t ()"],
    );
    check_command(
        "CREATE TABLE AS",
        &["CREATE TABLE t AS SELECT 1", "CREATE TABLE t (a) AS TABLE u"],
    );
    check_command("CREATE MATERIALIZED VIEW", &["CREATE MATERIALIZED VIEW v AS SELECT 1"]);
    check_command("CREATE INDEX", &["CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"]);
    check_command("CREATE ROLE", &["CREATE USER u", "CREATE GROUP g"]);
    check_command("ALTER TEXT SEARCH DICTIONARY", &["ALTER TEXT SEARCH DICTIONARY d (a)"]);
    check_command("DROP OPERATOR CLASS", &["DROP OPERATOR CLASS c USING btree"]);
    check_command(
        "ALTER DEFAULT PRIVILEGES",
        &["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO u"],
    );
    check_command("REFRESH MATERIALIZED VIEW", &["REFRESH MATERIALIZED VIEW CONCURRENTLY v"]);
    check_command("SET CONSTRAINTS", &["SET CONSTRAINTS ALL DEFERRED"]);
    check_command("SET", &["SET x = 1", "SET LOCAL x TO 1", "SET TIME ZONE 'UTC'", "SET ROLE r"]);
    check_command("SET", &["SET SESSION x = 1", "SET LOCAL TIME ZONE 'UTC'"]);
    check_command("SET TRANSACTION", &["SET SESSION TRANSACTION READ ONLY"]);
    check_command("DISCARD PLANS", &["DISCARD PLANS"]);
    check_command("DISCARD SEQUENCES", &["DISCARD SEQUENCES"]);
    check_command("DISCARD TEMP", &["DISCARD TEMP", "discard temporary"]);
    check_command("COPY", &["COPY t (a) FROM '/file'", "COPY (SELECT 1) TO PROGRAM 'cat'"]);
    check_command("DO", &["DO $$ BEGIN END $$"]);
    check_command("SELECT", &["SELECT 1", "(SELECT 1) UNION SELECT 2", "((SELECT 1))"]);
    check_command("END", &["END"]);
    check_command("CREATE", &["CREATE TABEL t (a int)", "CREATE"]);
    check_command("ALTER", &["ALTER TABEL t"]);
    check_command("DROP", &["DROP"]);
    check_command("statement", &["SELCT 1", "'a'", "\"select\"", "()", "1"]);
}

#[test]
fn behind_with_the_command_counts() {
    check_command("INSERT", &["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a"]);
    check_command("DELETE", &["WITH RECURSIVE update (x) AS MATERIALIZED (TABLE t) DELETE FROM t"]);
    check_command(
        "SELECT",
        &[
            "WITH a AS (SELECT 1), values AS NOT MATERIALIZED (SELECT 2) SELECT 3",
            "WITH a AS (SELECT 1) (SELECT 2)",
            "WITH RECURSIVE a(b) AS (SELECT 1) SEARCH DEPTH FIRST BY b, c SET d SELECT 1",
            "WITH RECURSIVE a(b) AS (SELECT 1) SEARCH BREADTH FIRST BY b SET s
             CYCLE b, c SET d TO point '(1,1)' DEFAULT point '(0,0)' USING e, f AS (SELECT 2) SELECT 1",
        ],
    );
    check_command("WITH", &["WITH", "WITH a AS (SELECT 1)", "WITH a SELCT 1"]);
}

#[test]
fn transaction_control() {
    check_control(
        Begin { modes: false },
        &["BEGIN", "begin work", "BEGIN TRANSACTION", "START TRANSACTION"],
    );
    check_control(
        Begin { modes: true },
        &[
            "BEGIN READ ONLY",
            "BEGIN WORK DEFERRABLE",
            "START TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        ],
    );
    check_control(
        Commit { and_chain: false },
        &["COMMIT", "COMMIT WORK", "COMMIT AND NO CHAIN", "END", "END TRANSACTION"],
    );
    check_control(
        Commit { and_chain: true },
        &["COMMIT AND CHAIN", "END AND CHAIN", "COMMIT TRANSACTION AND CHAIN"],
    );
    check_control(Rollback { and_chain: false }, &["ROLLBACK", "ABORT", "ABORT WORK"]);
    check_control(
        Rollback { and_chain: true },
        &["ROLLBACK TRANSACTION AND CHAIN", "ABORT AND CHAIN"],
    );
    check_control(Prepare, &["PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION $$x$$"]);
    check_control(
        Savepoint,
        &[
            "SAVEPOINT a",
            "RELEASE a",
            "RELEASE SAVEPOINT a",
            "ROLLBACK TO a",
            "ROLLBACK WORK TO SAVEPOINT a",
        ],
    );
    check_control(
        SetTransaction,
        &[
            "SET TRANSACTION READ ONLY",
            "SET LOCAL TRANSACTION READ ONLY",
            "SET TRANSACTION SNAPSHOT 'x'",
        ],
    );
    check_control(
        SetSessionCharacteristics,
        &["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"],
    );
}

#[test]
fn what_only_looks_like_transaction_control() {
    check_kind(
        Kind::Ordinary,
        &[
            "PREPARE transaction AS SELECT 1",
            "SET transaction TO 1",
            "SET transaction = 1",
            "SET SESSION AUTHORIZATION r",
            "START SLAVE",
            "\"BEGIN\"",
            "DO 'BEGIN COMMIT; END'",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
            "COMMIT PREPARED 'x'",
            "ROLLBACK PREPARED 'x'",
        ],
    );
}

#[test]
fn copy_of_the_client_is_told_from_copy_of_the_server() {
    check_kind(
        Kind::CopyFromStdin,
        &[
            "COPY t FROM STDIN",
            "COPY s.t (from_, b) FROM stdin WITH (FORMAT csv)",
            "COPY t FROM STDOUT",
        ],
    );
    check_kind(
        Kind::CopyToStdout,
        &["COPY t TO STDOUT", "COPY (SELECT a FROM stdin) TO STDOUT CSV", "COPY t TO STDIN"],
    );
    check_kind(
        Kind::Ordinary,
        &[
            "COPY t FROM '/stdin'",
            "COPY t FROM PROGRAM 'stdin'",
            "COPY t TO '/x' (DELIMITER 'x')",
            "COPY",
        ],
    );
}

#[test]
fn some_statements_run_in_no_transaction() {
    check_in_transaction(Never("CREATE DATABASE"), &["CREATE DATABASE d"]);
    check_in_transaction(Never("DROP DATABASE"), &["DROP DATABASE d", "DROP DATABASE IF EXISTS d"]);
    check_in_transaction(
        Never("ALTER DATABASE SET TABLESPACE"),
        &["ALTER DATABASE d SET TABLESPACE t", "ALTER DATABASE d WITH TABLESPACE = t"],
    );
    check_in_transaction(Never("CREATE TABLESPACE"), &["CREATE TABLESPACE t LOCATION '/x'"]);
    check_in_transaction(Never("DROP TABLESPACE"), &["DROP TABLESPACE IF EXISTS t"]);
    check_in_transaction(
        Never("ALTER SYSTEM"),
        &["ALTER SYSTEM SET a = 1", "ALTER SYSTEM RESET ALL"],
    );
    check_in_transaction(Never("VACUUM"), &["VACUUM", "VACUUM (ANALYZE) t", "VACUUM ANALYZE t"]);
    check_in_transaction(
        Never("CREATE INDEX CONCURRENTLY"),
        &[
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
        ],
    );
    check_in_transaction(
        Never("DROP INDEX CONCURRENTLY"),
        &["DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY IF EXISTS i"],
    );
    check_in_transaction(
        Never("ALTER TABLE ... DETACH CONCURRENTLY"),
        &["ALTER TABLE IF EXISTS ONLY s.t DETACH PARTITION s.p CONCURRENTLY"],
    );
    check_in_transaction(Never("COMMIT PREPARED"), &["COMMIT PREPARED 'x'"]);
    check_in_transaction(Never("ROLLBACK PREPARED"), &["ROLLBACK PREPARED 'x'"]);
    check_in_transaction(Never("DISCARD ALL"), &["DISCARD ALL"]);
    check_in_transaction(Never("CLUSTER"), &["CLUSTER", "CLUSTER VERBOSE", "CLUSTER (VERBOSE)"]);
    check_in_transaction(Sometimes("CLUSTER"), &["CLUSTER t", "CLUSTER VERBOSE t USING i"]);
}

#[test]
fn reindex_depends_on_its_target_and_options() {
    check_in_transaction(
        Never("REINDEX CONCURRENTLY"),
        &[
            "REINDEX INDEX CONCURRENTLY i",
            "REINDEX SCHEMA CONCURRENTLY s",
            "REINDEX (CONCURRENTLY) TABLE t",
            "REINDEX (VERBOSE, CONCURRENTLY ON) TABLE t",
            "REINDEX (CONCURRENTLY FALSE, CONCURRENTLY 'true') TABLE t",
            "REINDEX (CONCURRENTLY OFF) TABLE CONCURRENTLY t",
        ],
    );
    check_in_transaction(
        Sometimes("REINDEX TABLE"),
        &[
            "REINDEX TABLE t",
            "REINDEX (CONCURRENTLY OFF) TABLE t",
            "REINDEX (CONCURRENTLY, CONCURRENTLY 0) TABLE t",
        ],
    );
    check_in_transaction(
        Sometimes("REINDEX INDEX"),
        &["REINDEX INDEX i", "REINDEX (VERBOSE FALSE) INDEX i"],
    );
    check_in_transaction(Never("REINDEX SCHEMA"), &["REINDEX SCHEMA s"]);
    check_in_transaction(
        Never("REINDEX DATABASE"),
        &["REINDEX DATABASE", "REINDEX (VERBOSE) DATABASE d"],
    );
    check_in_transaction(Never("REINDEX SYSTEM"), &["REINDEX SYSTEM d"]);
}

#[test]
fn subscriptions_depend_on_their_options() {
    let create = |options: &str| {
        one(&format!("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p {options}")).in_transaction
    };
    let never = Never("CREATE SUBSCRIPTION ... WITH (create_slot = true)");
    for options in ["", "WITH (enabled = false)", "WITH (create_slot)", "WITH (connect = on)"] {
        assert_eq!(create(options), never, "{options}");
    }
    for options in [
        "WITH (connect = false)",
        "WITH (enabled = false, create_slot = 'off')",
        "WITH (\"create_slot\" = 0)",
    ] {
        assert_eq!(create(options), Allowed, "{options}");
    }
    check_in_transaction(
        Never("ALTER SUBSCRIPTION ... REFRESH"),
        &["ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = false)"],
    );
    check_in_transaction(
        Never("ALTER SUBSCRIPTION with refresh"),
        &[
            "ALTER SUBSCRIPTION s SET PUBLICATION p, q",
            "ALTER SUBSCRIPTION s ADD PUBLICATION p WITH (refresh)",
        ],
    );
    check_in_transaction(
        Sometimes("ALTER SUBSCRIPTION ... SET (failover)"),
        &["ALTER SUBSCRIPTION s SET (binary, failover = true)"],
    );
    check_in_transaction(
        Sometimes("ALTER SUBSCRIPTION ... SET (two_phase)"),
        &["ALTER SUBSCRIPTION s SET (two_phase)"],
    );
    check_in_transaction(Sometimes("DROP SUBSCRIPTION"), &["DROP SUBSCRIPTION s"]);
    check_in_transaction(
        Allowed,
        &[
            "ALTER SUBSCRIPTION s DROP PUBLICATION p WITH (refresh = false)",
            "ALTER SUBSCRIPTION s SET (binary)",
        ],
    );
}

#[test]
fn everything_else_runs_in_a_transaction() {
    check_in_transaction(
        Allowed,
        &[
            "ANALYZE t",
            "DISCARD PLANS",
            "DISCARD SEQUENCES",
            "DISCARD TEMP",
            "DISCARD TEMPORARY",
            "CREATE INDEX i ON t (concurrently)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "ALTER TABLE t DETACH PARTITION p",
            "ALTER TABLE t DETACH PARTITION p FINALIZE",
            "ALTER DATABASE d SET tablespace = x",
            "ALTER DATABASE d SET tablespace TO x",
            "ALTER DATABASE d RENAME TO tablespace",
            "ALTER DATABASE d CONNECTION LIMIT 1",
            "ALTER TYPE t ADD VALUE 'x'",
            "ALTER TABLESPACE t RENAME TO u",
            "CREATE TABLE database (a int)",
            "DO 'VACUUM'",
            "CALL vacuum()",
            "SELECT 1",
            "SELCT",
        ],
    );
}
