//! Our cutting of SQL into statements against the server's: it answers each statement with one
//! `CommandComplete`, so the numbers must be equal. Everything is rolled back.

use std::cell::Cell;

use dunlin_core::lexer::lex;
use dunlin_core::statement::split;
use dunlin_tests::TestDatabase;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio_postgres::{Client, SimpleQueryMessage};

static SAMPLES: dunlin::Registry = dunlin::embed_migrations!("../migrations");

/// What the statements below speak of.
const OBJECTS: &str = "CREATE TABLE t (a int, b text); CREATE TABLE u (a int); \
    CREATE RULE twice AS ON INSERT TO u DO ALSO (SELECT 1; INSERT INTO t VALUES (1); SELECT 2); \
    CREATE RULE never AS ON DELETE TO u DO INSTEAD NOTHING";

/// Statements that are hard to find the end of. Each is one, without its semicolon.
const STATEMENTS: [&str; 46] = [
    "SELECT 1",
    "SELECT ';', E'\\';', $$;$$, $a$;$$;$a$, U&'\\003B', N';', B'1', X'F'",
    "SELECT 'it''s;', '\\', ';', E'\\\\', ';', E'''', ';'",
    "SELECT 'a'\n  ';b' AS \";\"",
    "SELECT 'a' -- ;\n ';b'",
    "SELECT E'a'\n'\\';' -- '\n, 1",
    "SELECT U&'!003B;' UESCAPE '!', U&\"a;\" FROM (SELECT 1 AS \"a;\") x",
    "SELECT \"a\"\";\" FROM (SELECT 1 AS \"a\"\";\") AS x",
    "SELECT $é$;$é$, $_1$;'$_1$, $A$ $a$; $A$",
    "SELECT a$b$ FROM (SELECT 1 AS a$b$) AS x WHERE ';' <> ''",
    "SELECT 1 /* ; /* ' ; */ \" ; */ + 1",
    "SELECT 5 */* ; */ 3",
    "SELECT 1 +-- ;\n 2",
    "SELECT 1 - - 1, @ -1, 2*-1",
    "SELECT 1., .5, 1e5, 1.5e-3",
    "SELECT (ARRAY[1,2,3])[1:2], '1'::int",
    "SELECT CASE WHEN true THEN CASE WHEN false THEN 1 END END AS end",
    "SELECT make_interval(days := 1, hours => 2)",
    "(SELECT 1) UNION ((SELECT 2))",
    "VALUES (1, ';'), (2, ')')",
    "TABLE t",
    "WITH x AS (INSERT INTO t VALUES (1, ';') RETURNING *) SELECT * FROM x",
    "INSERT INTO u VALUES (1)",
    "DELETE FROM u",
    "SELECT 1 AS begin",
    "SELECT * INTO TEMP x FROM t",
    "CREATE TEMP TABLE x AS SELECT 1 AS atomic",
    "EXPLAIN SELECT 1",
    "SET LOCAL work_mem TO '1MB'",
    "COMMENT ON TABLE t IS 'it''s; '",
    "SAVEPOINT s",
    "PREPARE p AS SELECT ';'",
    "DECLARE c CURSOR FOR SELECT ';'",
    "NOTIFY x, ';'",
    "DO $$ BEGIN PERFORM ';'; END; $$",
    "DO LANGUAGE plpgsql 'BEGIN PERFORM 1; END;'",
    "CREATE SCHEMA x CREATE TABLE y (a int) CREATE VIEW z AS SELECT ';' AS s",
    "CREATE RULE r AS ON UPDATE TO t DO ALSO (SELECT 1; SELECT ';)'; DELETE FROM u)",
    "CREATE RULE r AS ON UPDATE TO t DO ALSO NOTHING",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $f$ SELECT 1; SELECT 2; $f$",
    "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1; SELECT 2;'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END",
    "CREATE OR REPLACE PROCEDURE p(x int) begin atomic INSERT INTO t VALUES (x, 'END;'); SELECT (SELECT 1 AS begin); end",
    "CREATE PROCEDURE p() BEGIN ATOMIC END",
    "CREATE FUNCTION atomic(begin int) RETURNS TABLE (a int) LANGUAGE sql BEGIN ATOMIC ; SELECT a FROM t; ; END",
];

/// What may stand between statements, each with at least one semicolon where it is used so.
const BETWEEN: [&str; 9] =
    ["", " ", "\n", "\r\n", "/* ; */", "-- ;'\"$$(\n", " ;; ", "/* /* ' */ ( */", "\t\u{c}"];

/// Runs a text in a transaction that is rolled back; gives the number of completed statements, or
/// the error.
async fn n_completed(client: &Client, sql: &str) -> Result<usize, tokio_postgres::Error> {
    client.batch_execute("BEGIN").await?;
    let completed = client.simple_query(sql).await.map(|messages| {
        messages.iter().filter(|it| matches!(it, SimpleQueryMessage::CommandComplete(_))).count()
    });
    client.batch_execute("ROLLBACK; DEALLOCATE ALL").await?;
    completed
}

fn n_ours(sql: &str) -> usize {
    split(sql, &lex(sql)).len()
}

async fn prepared() -> (TestDatabase, Client) {
    let database = TestDatabase::new();
    database.run(OBJECTS).await;
    let client = database.client().await;
    (database, client)
}

#[tokio::test]
async fn each_statement_is_one() {
    let (_database, client) = prepared().await;
    for statement in STATEMENTS {
        let completed = n_completed(&client, statement).await;
        let completed = completed.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        assert_eq!((completed, n_ours(statement)), (1, 1), "{statement}");
    }
}

#[tokio::test]
async fn the_samples_and_their_undos() {
    let database = TestDatabase::new();
    let client = database.client().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let sql = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let ups = SAMPLES.iter().filter_map(|it| sql(&format!("{}.sql", it.name())));
    let downs = SAMPLES.iter().filter_map(|it| sql(&format!("{}.down.sql", it.name())));
    let mut downs: Vec<_> = downs.collect();
    downs.reverse();
    let texts: Vec<_> = ups.chain(downs).collect();
    assert_eq!(texts.len(), 13 + 13);
    client.batch_execute("BEGIN").await.unwrap();
    let mut n_statements = 0;
    for text in &texts {
        let messages = client.simple_query(text).await;
        let messages = messages.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let is_end =
            |it: &&SimpleQueryMessage| matches!(it, SimpleQueryMessage::CommandComplete(_));
        assert_eq!(messages.iter().filter(is_end).count(), n_ours(text), "{text}");
        n_statements += n_ours(text);
    }
    assert!(n_statements > 100, "{n_statements}");
    // All together, as one text.
    client.batch_execute("ROLLBACK").await.unwrap();
    let all = texts.join(";\n");
    assert_eq!(n_completed(&client, &all).await.unwrap(), n_statements);
    assert_eq!(n_ours(&all), n_statements);
}

/// A property over texts, with a server.
fn check(
    strategy: impl Strategy<Value = String>,
    property: impl Fn(&str, Result<usize, tokio_postgres::Error>) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (_database, client) = runtime.block_on(prepared());
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config)
        .run(&strategy, |sql| property(&sql, runtime.block_on(n_completed(&client, &sql))));
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn statements_in_any_order_and_layout() {
    let part = (vec(select(&BETWEEN[..]), 0..3), select(&STATEMENTS[..]));
    let texts = (vec(part, 1..6), vec(select(&BETWEEN[..]), 0..3)).prop_map(|(parts, end)| {
        let parts: Vec<_> =
            parts.iter().map(|(before, sql)| format!("{}{sql}", before.concat())).collect();
        format!("{};{}", parts.join(";"), end.concat())
    });
    let n_compared = Cell::new(0);
    check(texts, |sql, completed| match completed {
        Ok(n_completed) => {
            n_compared.set(n_compared.get() + 1);
            prop_assert_eq!(n_ours(sql), n_completed);
            Ok(())
        }
        // Two that make one object. How far the server came is not told here.
        Err(error) => {
            let is_conflict = error.code().is_some_and(|code| code.code().starts_with("42"));
            prop_assert!(
                is_conflict && error.code().map(|code| code.code()) != Some("42601"),
                "{}",
                error
            );
            Err(TestCaseError::reject("the statements exclude each other"))
        }
    });
    assert!(n_compared.get() > 100, "{n_compared:?}");
}

/// What is most likely to confuse, in pieces that need not fit.
const FRAGMENTS: [&str; 30] = [
    "'", "''", "\"", "E'", "U&'", "N'", "\\'", "\\\\", "$$", "$a$", "a$b$", "$1", "--", "\n", "/*",
    "*/", "/* ; */", ";", "(", ")", ",", "1", "a", "SELECT ", "+", "::", "é", "-- '\n", " ", "x'",
];

#[test]
fn what_the_server_finds_unterminated_we_do() {
    let texts = vec(select(&FRAGMENTS[..]), 0..12)
        .prop_map(|fragments| format!("SELECT 1{}", fragments.concat()));
    let (n_well, n_unterminated) = (Cell::new(0), Cell::new(0));
    check(texts, |sql, completed| {
        let ours = lex(sql).unterminated.is_some();
        match completed {
            Ok(n_completed) => {
                n_well.set(n_well.get() + 1);
                prop_assert!(!ours);
                prop_assert_eq!(n_ours(sql), n_completed);
            }
            Err(error) => {
                let message = error.as_db_error().map_or("", |db| db.message());
                if message.starts_with("unterminated") {
                    n_unterminated.set(n_unterminated.get() + 1);
                    prop_assert!(ours, "{}", message);
                }
            }
        }
        Ok(())
    });
    assert!(n_well.get() > 20 && n_unterminated.get() > 20, "{n_well:?} {n_unterminated:?}");
}
