//! The grammar check against PostgreSQL's own parser.
//!
//! In a transaction that has failed, the server parses each statement before it refuses to run it:
//! SQLSTATE 25P02 means that the grammar has the statement, anything else that it has not. So whole
//! bodies of SQL are judged without a table in sight: the examples in `tests/sql/examples/`,
//! statements made from the synopses in `tests/sql/grammar/`, and mutations of both.
//!
//! Everyday runs are bounded and always the same. `DUNLIN_SYNTAX_SWEEP=200000` mutates so many
//! statements, `DUNLIN_SYNTAX_SEED` others, and both print the figures that DESIGN.md gives.

mod disagreements;
mod generate;
mod mutate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use dunlin_core::lexer::lex;
use dunlin_core::source::byte_of_character;
use dunlin_core::statement::{Kind, Statement, split};
use dunlin_core::syntax::{self, words::Category};
use dunlin_core::{Diagnostic, SourceFile};
use dunlin_tests::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::error::ErrorPosition;

use self::generate::{Generated, Grammar, Random};

/// How many statements are made from the synopses: more than twice as many as bring up every
/// alternative.
const N_GENERATED: usize = 6_000;
/// How many mutations are tried, unless the environment asks for more.
const N_MUTATED: usize = 5_000;
/// Longer statements are not mutated: most of their mutations would be alike.
const MAX_MUTATED_BYTES: usize = 500;

const GRAMMAR: [&str; 4] = [
    include_str!("../sql/grammar/base.txt"),
    include_str!("../sql/grammar/dml.txt"),
    include_str!("../sql/grammar/ddl.txt"),
    include_str!("../sql/grammar/util.txt"),
];

const EXAMPLES: [&str; 9] = [
    include_str!("../sql/examples/administration.sql"),
    include_str!("../sql/examples/forms.sql"),
    include_str!("../sql/examples/more_queries.sql"),
    include_str!("../sql/examples/names.sql"),
    include_str!("../sql/examples/newer.sql"),
    include_str!("../sql/examples/tables.sql"),
    include_str!("../sql/examples/indexes_and_views.sql"),
    include_str!("../sql/examples/functions.sql"),
    include_str!("../sql/examples/queries.sql"),
];

/// Places of names, each `?`.
const NAMED: [&str; 72] = [
    "CREATE TABLE ? (a int)",
    "CREATE TABLE ?.t (a int)",
    "CREATE TABLE t (? int)",
    "CREATE TABLE t (? text NOT NULL, b int)",
    "CREATE TABLE t (a ?)",
    "CREATE TABLE t (a int CONSTRAINT ? CHECK (a > 0))",
    "CREATE TABLE t (a int, CONSTRAINT ? UNIQUE (a))",
    "CREATE TABLE t (a int, PRIMARY KEY (a, ?))",
    "CREATE TABLE t (a int, FOREIGN KEY (?) REFERENCES u (?))",
    "CREATE TABLE t (a int, EXCLUDE USING gist (? WITH &&, b WITH =))",
    "CREATE TABLE t (a int) PARTITION BY RANGE (?)",
    "ALTER TABLE ? RENAME TO u",
    "ALTER TABLE t RENAME TO ?",
    "ALTER TABLE t RENAME COLUMN ? TO a",
    "ALTER TABLE t RENAME ? TO a",
    "ALTER TABLE t ADD COLUMN ? int",
    "ALTER TABLE t ADD ? int",
    "ALTER TABLE t DROP COLUMN ?",
    "ALTER TABLE t ALTER COLUMN ? SET NOT NULL",
    "ALTER TABLE t ALTER ? TYPE text",
    "ALTER TABLE t OWNER TO ?",
    "ALTER TABLE t ENABLE TRIGGER ?",
    "ALTER TABLE t DROP CONSTRAINT ?",
    "CREATE INDEX ? ON t (a)",
    "CREATE INDEX i ON ? (a)",
    "CREATE INDEX i ON t (?)",
    "CREATE INDEX i ON t (a, ? DESC)",
    "CREATE INDEX i ON t (a ?)",
    "CREATE VIEW ? AS SELECT 1",
    "CREATE VIEW v (?) AS SELECT 1",
    "CREATE FUNCTION ?() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f(? int) RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f(a ?) RETURNS ? LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f() RETURNS TABLE (? int) LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f() RETURNS int LANGUAGE ? AS ''",
    "DROP FUNCTION ?(int)",
    "CREATE TYPE ? AS ENUM ('a')",
    "CREATE TYPE t AS (? int)",
    "CREATE DOMAIN ? AS int",
    "CREATE SCHEMA ?",
    "CREATE SEQUENCE ?",
    "CREATE EXTENSION ?",
    "CREATE ROLE ?",
    "CREATE POLICY ? ON t",
    "CREATE TRIGGER ? BEFORE UPDATE OF a ON t EXECUTE FUNCTION f()",
    "CREATE TRIGGER g BEFORE UPDATE OF ? ON t EXECUTE FUNCTION f(?)",
    "CREATE STATISTICS ? ON a, b FROM t",
    "DROP TABLE ?",
    "GRANT SELECT ON ? TO a",
    "GRANT a TO ?",
    "COMMENT ON COLUMN t.? IS 'x'",
    "SET ? = 1",
    "SET a TO ?",
    "INSERT INTO ? VALUES (1)",
    "INSERT INTO t (a, ?) VALUES (1, 2)",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (?) DO UPDATE SET ? = 1",
    "UPDATE ? SET a = 1",
    "UPDATE t SET ? = 1",
    "DELETE FROM t WHERE ? = 1",
    "SELECT ? FROM t",
    "SELECT t.? FROM t",
    "SELECT 1 AS ?",
    "SELECT 1 ?",
    "SELECT * FROM ?",
    "SELECT * FROM t ?",
    "SELECT * FROM t JOIN u AS ? USING (?)",
    "SELECT ?(1)",
    "SELECT a::?",
    "SELECT f(? => 1)",
    "SELECT a FROM t ORDER BY ?",
    "SELECT sum(a) OVER ? FROM t WINDOW ? AS ()",
    "WITH ? AS (SELECT 1) SELECT 1",
];
/// Of the statements with keywords as names, one in so many is judged in everyday runs.
const KEYWORD_SHARE: usize = 8;

/// A connection in a failed transaction.
struct Oracle {
    client: Client,
    major: u32,
}

/// Where the server's parser stopped.
#[derive(Debug)]
struct Refusal {
    at: Option<usize>,
    message: String,
}

impl Oracle {
    async fn of(database: &TestDatabase) -> Self {
        let client = database.client().await;
        let version = database.number("SELECT current_setting('server_version_num')::bigint").await;
        client.batch_execute("BEGIN").await.unwrap();
        let _failed = client.batch_execute("SELECT 1 / 0").await.unwrap_err();
        Self { client, major: u32::try_from(version / 10_000).unwrap() }
    }

    /// What the server's parser says to one statement that is no transaction control.
    async fn ask(&self, sql: &str) -> Result<(), Refusal> {
        let error = self.client.simple_query(sql).await.expect_err(sql);
        let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
        if error.code().code() == "25P02" {
            return Ok(());
        }
        let at = match error.position() {
            Some(ErrorPosition::Original(position)) => {
                Some(byte_of_character(sql, usize::try_from(*position).unwrap()))
            }
            _ => None,
        };
        Err(Refusal { at, message: error.message().to_owned() })
    }
}

/// What the build says to one statement.
fn ours(sql: &str) -> Option<Diagnostic> {
    let file = Arc::new(SourceFile::new("migrations/0001_a.sql", sql));
    let lexed = lex(file.text());
    let statements = split(file.text(), &lexed);
    let statements: Vec<&Statement> = statements.iter().collect();
    syntax::check(&file, &lexed, &statements).into_iter().next()
}

fn place(problem: &Diagnostic, sql: &str) -> usize {
    problem.place().unwrap().location().to_byte(sql)
}

/// Whether a text is one statement that may be given to the oracle, and nothing else is wrong with.
fn is_askable(sql: &str) -> bool {
    let lexed = lex(sql);
    let statements = split(sql, &lexed);
    let [statement] = statements.as_slice() else { return false };
    lexed.unterminated.is_none()
        && statement.unbalanced.is_none()
        && !statement.terminated
        && matches!(statement.kind, Kind::Ordinary | Kind::CopyToStdout)
}

/// The statements of the examples. `-- @15` in front of one says that 15 is the first version to
/// know it.
fn examples() -> Vec<Generated> {
    let mut found = Vec::new();
    for text in EXAMPLES {
        let mut before = 0;
        for statement in split(text, &lex(text)) {
            let comments = &text[before..statement.span.start];
            let since = comments.lines().find_map(|line| line.strip_prefix("-- @"));
            let since = since.map_or(0, |version| version.parse().unwrap());
            found.push(Generated { sql: statement.text(text).to_owned(), since });
            before = statement.span.end;
        }
    }
    found
}

/// Statements made from the synopses.
fn generated(n: usize, seed: u64) -> Vec<Generated> {
    let mut grammar = Grammar::parse(&GRAMMAR);
    let mut random = Random(seed);
    let statements: Vec<_> = (0..n)
        .map(|index| grammar.generate(index % grammar.n_starts(), &mut random))
        .filter(|it| is_askable(&it.sql))
        .collect();
    let (all, unused) = grammar.coverage();
    assert!(unused * 20 < all, "{unused} of {all} alternatives never came up in {n} statements");
    statements
}

#[expect(clippy::print_stdout, reason = "the figures are what a sweep is run for")]
fn tell(figures: &dyn std::fmt::Display) {
    println!("{figures}");
}

/// The whole number in an environment variable.
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}")))
}

#[tokio::test]
async fn every_form_of_every_command_is_accepted() {
    let database = TestDatabase::new();
    let oracle = Oracle::of(&database).await;
    let mut bodies = examples();
    let n_examples = bodies.len();
    bodies.extend(generated(N_GENERATED, asked("DUNLIN_SYNTAX_SEED").unwrap_or(7)));
    let (mut wrong, mut gaps) = (String::new(), 0);
    for Generated { sql, since } in &bodies {
        // What this server does not know yet is another version's, and accepted as such.
        if *since <= oracle.major
            && let Err(refusal) = oracle.ask(sql).await
        {
            writeln!(wrong, "the body is wrong: {}\n{sql}\n", refusal.message).unwrap();
        }
        match ours(sql) {
            Some(problem) if !mutate::is_known_gap(sql, place(&problem, sql)) => {
                writeln!(wrong, "refused: {problem}\n{sql}\n").unwrap();
            }
            Some(_) => gaps += 1,
            None => {}
        }
    }
    let n_generated = bodies.len() - n_examples;
    tell(&format_args!("{n_examples} examples, {n_generated} generated, {gaps} in known gaps"));
    assert!(wrong.is_empty(), "{wrong}");
    assert!(gaps * 500 < bodies.len(), "{gaps} known gaps among {}", bodies.len());
}

#[tokio::test]
async fn mutations_are_judged_as_the_server_judges_them() {
    let database = TestDatabase::new();
    let oracle = Oracle::of(&database).await;
    let n = asked("DUNLIN_SYNTAX_SWEEP").map_or(N_MUTATED, |n| usize::try_from(n).unwrap());
    let mut random = Random(asked("DUNLIN_SYNTAX_SEED").unwrap_or(88_172_645_463_325_252));
    let mut bodies = examples();
    bodies.extend(generated(N_GENERATED, random.0 ^ 7));
    bodies.retain(|it| it.sql.len() <= MAX_MUTATED_BYTES && it.since <= oracle.major);
    let mut tally = Tally::default();
    while tally.n < n {
        let original = &bodies[random.below(bodies.len())].sql;
        let Some(mutation) = mutate::mutate(original, &mut random) else { continue };
        if is_askable(&mutation.sql) {
            let theirs = oracle.ask(&mutation.sql).await;
            tally.count(&mutation, theirs, ours(&mutation.sql).as_ref());
        }
    }
    tell(&tally);
    tally.verdict();
}

#[tokio::test]
async fn keywords_are_names_where_the_server_takes_them() {
    let database = TestDatabase::new();
    let oracle = Oracle::of(&database).await;
    let share = if asked("DUNLIN_SYNTAX_SWEEP").is_some() { 1 } else { KEYWORD_SHARE };
    let mut tally = Tally::default();
    for (word, keyword) in Category::ALL.into_iter().flat_map(Category::words).enumerate() {
        for (place, template) in NAMED.iter().enumerate() {
            let sql = template.replace('?', keyword);
            if (word + place) % share == 0 && is_askable(&sql) {
                let theirs = oracle.ask(&sql).await;
                let mutation = mutate::Mutation { kind: "name", sql, keyword: None };
                tally.count(&mutation, theirs, ours(&mutation.sql).as_ref());
            }
        }
    }
    tell(&format_args!("keywords as names: {tally}"));
    assert_eq!(tally.false_rejections.len(), 0, "{tally}");
    let accepted = tally.n_false_acceptances();
    assert!(accepted * 20 < tally.refused, "{accepted} false acceptances: {tally}");
}

/// How the two judgements compare.
#[derive(Default)]
struct Tally {
    n: usize,
    accepted: usize,
    refused: usize,
    /// Refused by us and not by the server, with what we said.
    false_rejections: Vec<String>,
    /// Accepted by us and not by the server, by what the server says.
    false_acceptances: BTreeMap<String, Vec<String>>,
    gaps: usize,
    /// Refusals with the caret where the server has it.
    same_place: usize,
    /// Mistyped keywords, and those for which the right one was proposed.
    misspelt: usize,
    proposed: usize,
}

impl Tally {
    fn count(
        &mut self,
        mutation: &mutate::Mutation,
        theirs: Result<(), Refusal>,
        ours: Option<&Diagnostic>,
    ) {
        self.n += 1;
        let sql = &mutation.sql;
        match (theirs, ours) {
            (Ok(()), None) => self.accepted += 1,
            (Ok(()), Some(problem)) if mutate::is_known_gap(sql, place(problem, sql)) => {
                self.accepted += 1;
                self.gaps += 1;
            }
            (Ok(()), Some(problem)) => {
                self.accepted += 1;
                self.false_rejections.push(format!("{}: {problem}\n{sql}", mutation.kind));
            }
            (Err(refusal), None) => {
                self.refused += 1;
                let class = refusal.message.split(" at or near").next().unwrap().to_owned();
                let class = class.split('"').next().unwrap().to_owned();
                self.false_acceptances
                    .entry(class)
                    .or_default()
                    .push(format!("{} ({})", sql, mutation.kind));
            }
            (Err(refusal), Some(problem)) => {
                self.refused += 1;
                let (here, there) = (place(problem, sql), refusal.at.unwrap_or(sql.len()));
                // A comma with nothing behind it is shown itself, and not what follows.
                let is_comma = sql[here..].starts_with(',')
                    && sql[here + 1..].trim_start().len() == sql[there..].len();
                self.same_place += usize::from(here == there || is_comma);
                if let Some(keyword) = &mutation.keyword {
                    self.misspelt += 1;
                    let proposal = format!("did you mean `{keyword}`?");
                    self.proposed +=
                        usize::from(problem.to_string().to_lowercase().contains(&proposal));
                }
            }
        }
    }

    fn n_false_acceptances(&self) -> usize {
        self.false_acceptances.values().map(Vec::len).sum()
    }

    /// The bounds are those of a parser that is known; figures are in DESIGN.md.
    fn verdict(&self) {
        let rejected = self.false_rejections.len();
        assert!(rejected * 1000 <= self.accepted, "{rejected} false rejections: {self}");
        let accepted = self.n_false_acceptances();
        assert!(accepted * 60 <= self.refused, "{accepted} false acceptances: {self}");
        assert!(self.same_place * 100 >= self.refused * 90, "places: {self}");
        assert!(self.proposed * 100 >= self.misspelt * 60, "proposals: {self}");
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} mutations: {} valid, {} invalid", self.n, self.accepted, self.refused)?;
        writeln!(
            f,
            "false rejections: {}, and {} in known gaps",
            self.false_rejections.len(),
            self.gaps
        )?;
        for rejection in self.false_rejections.iter().take(40) {
            writeln!(f, "    {rejection}")?;
        }
        writeln!(f, "false acceptances: {}", self.n_false_acceptances())?;
        for (class, statements) in &self.false_acceptances {
            writeln!(f, "  {} {class}", statements.len())?;
            for statement in statements.iter().take(40) {
                writeln!(f, "      {}", statement.replace('\n', " "))?;
            }
        }
        writeln!(f, "caret where the server has it: {} of {}", self.same_place, self.refused)?;
        write!(f, "mistyped keywords: {}, the right one proposed: {}", self.misspelt, self.proposed)
    }
}

#[tokio::test]
async fn the_keywords_are_the_servers() {
    let database = TestDatabase::new();
    let category = |code: &str| match code {
        "U" => Category::Unreserved,
        "C" => Category::ColumnName,
        "T" => Category::FunctionName,
        _ => Category::Reserved,
    };
    let words = database.query("SELECT word, catcode::text FROM pg_get_keywords()").await;
    assert!(words.len() > 400);
    let major = dunlin_tests::server().major_version();
    for row in words {
        let (word, code): (&str, &str) = (row.get(0), row.get(1));
        let ours = Category::of(word).unwrap_or_else(|| panic!("`{word}` is missing"));
        // `system_user` is reserved since 16, see `words`; `json` names columns since 17, and in 16 it
        // was a keyword already.
        let is_young = word == "system_user" || word == "json" && major == 16;
        assert!(ours == category(code) || is_young, "{word}: {ours:?}");
    }
}
