//! Where the check and the server are known to disagree: DESIGN.md lists it, and whoever is refused wrongly
//! has ways out.

use dunlin_core::{Folder, Options};
use dunlin_tests::{TestDatabase, folder};

use super::{Oracle, mutate, ours, place};

/// Statements that PostgreSQL's grammar has and that are refused all the same, by what they show.
/// DESIGN.md lists them.
const GAPS: &[(&str, &str)] = &[
    ("an empty select list before ON CONFLICT", "INSERT INTO t SELECT ON CONFLICT DO NOTHING"),
    (
        "a query in parentheses and more in a rule",
        "CREATE RULE r AS ON UPDATE TO t DO (SELECT 1) ORDER BY 1",
    ),
    ("what only tables have, of a view", "ALTER VIEW v SET TABLESPACE s"),
    ("`statistics` as a column of an index", "ALTER INDEX i ALTER statistics SET STATISTICS 5"),
    ("a label of what can have none", "SECURITY LABEL ON CONVERSION c IS 'x'"),
    ("NOTNULL twice", "SELECT a NOTNULL NOTNULL"),
    ("a value without parentheses in ROWS FROM", "SELECT 1 FROM ROWS FROM (current_date, f())"),
    ("several columns for one", "CREATE TABLE t (a int REFERENCES u (b, c))"),
    (
        "a row as what a trigger sees",
        "CREATE TRIGGER g AFTER UPDATE ON t REFERENCING OLD ROW AS o EXECUTE FUNCTION f()",
    ),
    ("a function named `operator`", "CREATE INDEX ON t (operator (\"a\"))"),
    ("the name of an option in quotes", "REINDEX (\"verbose\") TABLE t"),
    ("a cursor named like a direction", "MOVE BACKWARD BACKWARD"),
    ("a window named like a function with keywords", "SELECT f() OVER (substring) FROM t"),
    ("an array of a type named `is`", "COMMENT ON TYPE IS[] IS NULL"),
];
/// Statements that PostgreSQL's grammar has not and that are taken all the same, by what they show.
/// DESIGN.md lists them.
const TAKEN: &[(&str, &str)] = &[
    ("bytes that are no characters in the database's encoding", r"SELECT E'\xff'"),
    ("operators in a row that do not associate", "SELECT a LIKE b LIKE c"),
    ("keywords as the names of types or functions", "CREATE TABLE t (a xmlforest)"),
    ("a window where an index wants a plain function", "CREATE INDEX i ON t (f(x) OVER ())"),
    ("values of keywords with a dot behind them", "SELECT current_user.a"),
    ("a word before a role twice", "DROP GROUP GROUP g"),
    ("a command that ends behind its table", "COPY t"),
    (
        "a constraint trigger without FOR EACH ROW",
        "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
    ),
    ("half of a bound", "CREATE TABLE t PARTITION OF u FOR VALUES WITH (MODULUS 4)"),
];
/// As [`GAPS`], of what only PostgreSQL 14 takes.
const GAPS_OF_14: &[(&str, &str)] =
    &[("a word directly behind a number", "SELECT 1 FROM t WHERE a = 1AND b")];

#[tokio::test]
async fn a_known_gap_has_its_ways_out() {
    let database = TestDatabase::new();
    let oracle = Oracle::of(&database).await;
    let design = include_str!("../../../DESIGN.md");
    let of_14 = GAPS_OF_14.iter().map(|gap| (gap, ", which PostgreSQL 14 takes apart"));
    for ((gap, sql), only) in GAPS.iter().map(|gap| (gap, "")).chain(of_14) {
        assert!(
            design.contains(&format!("* {gap}{only}: `{sql}`")),
            "DESIGN.md lacks {gap}: {sql}"
        );
        let theirs = oracle.ask(sql).await;
        assert_eq!(theirs.is_ok(), only.is_empty() || oracle.major == 14, "{gap}: {theirs:?}");
        let problem = ours(sql).unwrap_or_else(|| panic!("no gap any more: {gap}: {sql}"));
        assert!(mutate::is_known_gap(sql, place(&problem, sql)), "{gap}: {problem}");
        let text = problem.to_string();
        assert!(
            text.contains("-- dunlin: syntax off") && text.contains("syntax = false"),
            "{text}"
        );
        let is_accepted = |text: String, syntax: bool| {
            let folder = folder(&[("0001_a.sql", &text)]);
            let options = Options { syntax, ..Options::default() };
            let accepted = Folder::read(&folder, "migrations", &options).is_accepted();
            std::fs::remove_dir_all(folder).unwrap();
            accepted
        };
        assert!(!is_accepted(format!("{sql};\n"), true), "{gap}");
        assert!(is_accepted(format!("{sql};\n"), false), "{gap}");
        assert!(is_accepted(format!("-- dunlin: syntax off\n{sql};\n"), true), "{gap}");
        assert!(is_accepted(format!("SELECT 1;\n-- dunlin: syntax off\n{sql};\n"), true), "{gap}");
    }
}

#[tokio::test]
async fn what_is_taken_wrongly_is_listed() {
    let database = TestDatabase::new();
    let oracle = Oracle::of(&database).await;
    let design = include_str!("../../../DESIGN.md");
    for (kind, sql) in TAKEN {
        assert!(design.contains(&format!("* {kind}: `{sql}`")), "DESIGN.md lacks {kind}: {sql}");
        assert!(oracle.ask(sql).await.is_err(), "the server has it: {sql}");
        assert!(ours(sql).is_none(), "refused now, and still listed: {sql}");
    }
}
