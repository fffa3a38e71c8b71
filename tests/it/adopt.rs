//! Moving in: the histories of other tools, written as those tools write them.
//!
//! `tests/tools` has the same with the tools themselves, as far as they are in Rust.

mod in_place;
mod rehearsal;
mod rows;

use dunlin::{
    Adoption, AdoptionState, Error, ErrorKind, Migrator, Origin, Registry, Scratch, State, Tool,
};
use dunlin_tests::{TestDatabase, registry};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\n";
const TEAMS: &str =
    "CREATE TABLE teams (id bigint DEFAULT 7);\nCREATE INDEX teams_id ON teams (id);\n";
const MORE: &str = "CREATE TABLE more (id bigint);\n";

/// The history of a tool, and a folder with its first two migrations and a new one.
struct History {
    tool: Tool,
    sql: &'static str,
    /// Its table as SQL writes it.
    table: &'static str,
    /// The three files.
    files: [&'static str; 3],
    /// What stands around the statements of each.
    around: (&'static str, &'static str),
}

macro_rules! history {
    ($tool:ident, $file:literal, $table:literal, $files:expr) => {
        history!($tool, $file, $table, $files, ("", ""))
    };
    ($tool:ident, $file:literal, $table:literal, $files:expr, $around:expr) => {
        History {
            tool: Tool::$tool,
            sql: include_str!(concat!("../sql/histories/", $file)),
            table: $table,
            files: $files,
            around: $around,
        }
    };
}

const NUMBERED: [&str; 3] = ["1_users.sql", "2_teams.sql", "3_more.sql"];
const SQLX: History = history!(Sqlx, "sqlx.sql", "_sqlx_migrations", NUMBERED);
const REFINERY: History = history!(
    Refinery,
    "refinery.sql",
    "refinery_schema_history",
    ["V1__users.sql", "V2__teams.sql", "V3__more.sql"]
);
const FLYWAY: History = history!(
    Flyway,
    "flyway.sql",
    "flyway_schema_history",
    ["V1__users.sql", "V2__teams.sql", "V3__more.sql"]
);
const PRISMA: History = history!(
    Prisma,
    "prisma.sql",
    "_prisma_migrations",
    [
        "20240301083000_users/migration.sql",
        "20240302083000_teams/migration.sql",
        "20240303083000_more/migration.sql"
    ]
);
const DIESEL: History = history!(
    Diesel,
    "diesel.sql",
    "__diesel_schema_migrations",
    [
        "2024-03-01-083000_users/up.sql",
        "2024-03-02-083000_teams/up.sql",
        "2024-03-03-083000_more/up.sql"
    ]
);
const GOLANG_MIGRATE: History = history!(
    GolangMigrate,
    "golang-migrate.sql",
    "schema_migrations",
    ["1_users.up.sql", "2_teams.up.sql", "3_more.up.sql"]
);
const GOOSE: History =
    history!(Goose, "goose.sql", "goose_db_version", NUMBERED, ("-- +goose Up\n", ""));
const DBMATE: History = history!(
    Dbmate,
    "dbmate.sql",
    "schema_migrations",
    ["20240301083000_users.sql", "20240302083000_teams.sql", "20240303083000_more.sql"],
    ("-- migrate:up\n", "-- migrate:down\n")
);
const SQL_MIGRATE: History =
    history!(SqlMigrate, "sql-migrate.sql", "gorp_migrations", NUMBERED, ("-- +migrate Up\n", ""));
const TERN: History = history!(
    Tern,
    "tern.sql",
    "schema_version",
    NUMBERED,
    ("", "---- create above / drop below ----\nSELECT 1;\n")
);
const DATED: [&str; 3] = ["20240301-users.sql", "20240302-teams.sql", "20240303-more.sql"];
const SEQUELIZE: History = history!(Sequelize, "sequelize.sql", "\"SequelizeMeta\"", DATED);
const TABLE: History = history!(Table, "table.sql", "applied_migrations", DATED);

impl History {
    fn origin(&self) -> Origin {
        match self.tool {
            Tool::Table => Origin::new(self.tool).table(self.table),
            tool => Origin::new(tool),
        }
    }

    fn registry(&self) -> Registry {
        self.registry_of([USERS, TEAMS, MORE])
    }

    fn registry_of(&self, texts: [&str; 3]) -> Registry {
        let (before, after) = self.around;
        let texts = texts.map(|text| format!("{before}{text}{after}"));
        let files: Vec<_> =
            self.files.iter().zip(&texts).map(|(name, text)| (*name, text.as_str())).collect();
        registry(&files)
    }

    /// A database that the tool has migrated twice.
    async fn database(&self) -> TestDatabase {
        let database = TestDatabase::new();
        database.run(&format!("{USERS}{TEAMS}{}", self.sql)).await;
        database
    }

    /// Everything in the tool's table, with where each row lies.
    async fn rows(&self, database: &TestDatabase) -> Vec<String> {
        let question =
            format!("SELECT concat_ws(' ', ctid, xmin, t.*) FROM {} t ORDER BY 1", self.table);
        database.texts(&question).await
    }
}

/// What is known without a comparison.
async fn looked(migrations: &Registry, database: &TestDatabase, origin: &Origin) -> Adoption {
    let adoption = Migrator::new(migrations).adoption(database.pool(), origin).await;
    adoption.unwrap_or_else(|error| panic!("{error:#}"))
}

/// The whole way: looked at, rehearsed if need be, recorded.
async fn moved_in(
    migrations: &Registry,
    database: &TestDatabase,
    origin: &Origin,
) -> Result<usize, Error> {
    let migrator = Migrator::new(migrations);
    let mut adoption = migrator.adoption(database.pool(), origin).await?;
    adoption.allowed(true)?;
    if adoption.wants_rehearsal() {
        let scratch = TestDatabase::new();
        let mut client = scratch.client().await;
        adoption = migrator.rehearse(database.pool(), adoption, Scratch::new(&mut client)).await?;
    }
    migrator.adopt_from(database.pool(), &adoption).await
}

fn states(adoption: &Adoption) -> Vec<String> {
    let entry = |it: &dunlin::Adopting| {
        let proof = it.proof().map(|it| format!(" {}", it.as_str())).unwrap_or_default();
        format!("{} {}{proof}", it.name(), it.state().as_str())
    };
    adoption.entries().iter().map(entry).collect()
}

const ROWS: &str = "SELECT concat_ws(' ', name, kind, \
    checksum = 'sha256:' || encode(sha256(convert_to(up_text, 'UTF8')), 'hex'), \
    CASE WHEN executed_at > now() - interval '1 hour' THEN 'now' ELSE to_char(executed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') END, \
    applied_by, duration_ms || ' ms') FROM migrations ORDER BY id";

async fn has_no_table(database: &TestDatabase) -> bool {
    database.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'migrations%'").await == 0
}

/// Each is proved in its way, recorded with its times, and only what is new runs afterwards.
async fn moves_in(history: History, expected: [&str; 2]) {
    let (database, migrations) = (history.database().await, history.registry());
    let before = history.rows(&database).await;
    let n = moved_in(&migrations, &database, &history.origin()).await;
    assert_eq!(n.unwrap_or_else(|error| panic!("{error:#}")), 2);
    assert_eq!(database.texts(ROWS).await, expected);
    assert_eq!(history.rows(&database).await, before, "it is theirs");
    let again = moved_in(&migrations, &database, &history.origin()).await.unwrap();
    assert_eq!(again, 0);
    let log = "SELECT concat_ws(' ', action, outcome, name) FROM migrations_log ORDER BY id";
    let names: Vec<_> = migrations.iter().map(|it| it.name()).collect();
    assert_eq!(
        database.texts(log).await,
        [format!("adopt done {}", names[0]), format!("adopt done {}", names[1])]
    );
    let migrator = Migrator::new(&migrations);
    let report = migrator.apply(database.pool()).await.unwrap_or_else(|error| panic!("{error:#}"));
    let done: Vec<_> = report.done().iter().map(|it| it.name().to_owned()).collect();
    assert_eq!(done, [names[2]]);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert!(status.entries().iter().all(|it| it.state() == State::Applied), "{status:?}");
}

#[tokio::test]
async fn sqlx() {
    moves_in(
        SQLX,
        [
            "1_users adopted t 2024-03-01 08:30:00.123456 12 ms",
            "2_teams adopted t 2024-03-02 08:30:00.000000",
        ],
    )
    .await;
}

#[tokio::test]
async fn refinery() {
    moves_in(
        REFINERY,
        [
            "V1__users adopted t 2024-03-01 08:30:00.123457",
            "V2__teams adopted t 2024-03-02 08:30:00.500000",
        ],
    )
    .await;
}

#[tokio::test]
async fn flyway() {
    moves_in(
        FLYWAY,
        [
            "V1__users adopted t 2024-03-01 08:30:00.000000 ana 12 ms",
            "V2__teams adopted t 2024-03-02 08:30:00.000000 ben 3 ms",
        ],
    )
    .await;
}

#[tokio::test]
async fn prisma() {
    moves_in(
        PRISMA,
        [
            "20240301083000_users adopted t 2024-03-01 08:30:00.000000 2000 ms",
            "20240302083000_teams adopted t 2024-03-02 08:30:00.000000 500 ms",
        ],
    )
    .await;
}

#[tokio::test]
async fn diesel() {
    moves_in(
        DIESEL,
        [
            "2024-03-01-083000_users adopted t 2024-03-01 08:30:00.000000",
            "2024-03-02-083000_teams adopted t 2024-03-02 08:30:00.000000",
        ],
    )
    .await;
}

#[tokio::test]
async fn golang_migrate() {
    moves_in(GOLANG_MIGRATE, ["1_users adopted t now", "2_teams adopted t now"]).await;
}

#[tokio::test]
async fn goose() {
    moves_in(
        GOOSE,
        [
            "1_users adopted t 2024-03-01 08:10:00.000000",
            "2_teams adopted t 2024-03-02 08:30:00.000000",
        ],
    )
    .await;
}

#[tokio::test]
async fn dbmate() {
    moves_in(DBMATE, ["20240301083000_users adopted t now", "20240302083000_teams adopted t now"])
        .await;
}

#[tokio::test]
async fn sql_migrate() {
    moves_in(
        SQL_MIGRATE,
        [
            "1_users adopted t 2024-03-01 08:30:00.000000",
            "2_teams adopted t 2024-03-02 08:30:00.000000",
        ],
    )
    .await;
}

#[tokio::test]
async fn tern() {
    moves_in(TERN, ["1_users adopted t now", "2_teams adopted t now"]).await;
}

#[tokio::test]
async fn sequelize() {
    moves_in(SEQUELIZE, ["20240301-users adopted t now", "20240302-teams adopted t now"]).await;
}

#[tokio::test]
async fn an_older_table_of_another_name() {
    moves_in(
        TABLE,
        [
            "20240301-users adopted t 2024-03-01 08:30:00.000000",
            "20240302-teams adopted t 2024-03-02 08:30:00.000000",
        ],
    )
    .await;
}

#[tokio::test]
async fn each_history_is_recognised_as_what_it_is() {
    for history in [
        SQLX,
        REFINERY,
        FLYWAY,
        PRISMA,
        DIESEL,
        GOLANG_MIGRATE,
        GOOSE,
        DBMATE,
        SQL_MIGRATE,
        TERN,
        SEQUELIZE,
    ] {
        let database = history.database().await;
        let origins = Migrator::new(&history.registry()).origins(database.pool()).await.unwrap();
        let tools: Vec<_> = origins.iter().map(Origin::tool).collect();
        assert_eq!(tools, [history.tool]);
        assert!(!origins[0].is_in_place());
    }
}

/// The rows of the files as they were on Windows, and as an editor saved them.
#[tokio::test]
async fn files_that_were_applied_with_other_line_ends_are_the_same() {
    for change in [
        "replace(t, E'\\n', E'\\r\\n')",
        "E'\\uFEFF' || t",
        "E'\\uFEFF' || replace(t, E'\\n', E'\\r\\n')",
    ] {
        let database = SQLX.database().await;
        let checksum = format!(
            "sha384(convert_to((SELECT {change} FROM (SELECT E'{TEAMS}' AS t) x), 'UTF8'))"
        )
        .replace("teams_id ON", "teams_id ON");
        database
            .run(&format!("UPDATE _sqlx_migrations SET checksum = {checksum} WHERE version = 2"))
            .await;
        let adoption = looked(&SQLX.registry(), &database, &SQLX.origin()).await;
        assert_eq!(
            states(&adoption),
            ["1_users found checksum", "2_teams found checksum", "3_more pending"],
            "{change}"
        );
    }
}

#[tokio::test]
async fn everything_that_stands_against_it_is_told_and_nothing_is_written() {
    let database = SQLX.database().await;
    database
        .run(
            "INSERT INTO _sqlx_migrations VALUES (7, 'gone', '2024-03-07 08:30:00+00', TRUE, '\\x00', 1), \
             (3, 'more', '2024-03-08 08:30:00+00', FALSE, '\\x00', -1)",
        )
        .await;
    let edited = SQLX.registry_of([USERS, "CREATE TABLE teams (id uuid);\n", MORE]);
    let before = SQLX.rows(&database).await;
    let error = moved_in(&edited, &database, &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    let text = format!("{error:#}");
    let sums = text
        .lines()
        .filter(|line| line.contains("SHA-384") || line.contains("of the file"))
        .count();
    assert_eq!(sums, 2, "{text}");
    let without_sums: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("SHA-384") && !line.contains("of the file"))
        .collect();
    assert_eq!(
        without_sums.join("\n"),
        "3 migrations stand against taking over the history of sqlx

changed: `2_teams` is not the file that sqlx applied on 2024-03-02 08:30:00 UTC
 --> migrations/2_teams.sql:1:1

unfinished: `3_more` (more) was begun by sqlx on 2024-03-08 08:30:00 UTC, and its end is not recorded
 --> migrations/3_more.sql:1:1

not here: `7` (gone) was applied by sqlx on 2024-03-07 08:30:00 UTC, and is no migration here

note: nothing was changed
help: restore the file as it was applied; LF and CRLF were tried, with and without a byte order mark, but not a mixture
help: if you know that the edit changes nothing, vouch for it: `Migrator::accept(\"2_teams\")` records it as unverified
help: put the file back, under the name it had
help: or leave it out of the new history: `Migrator::accept(\"7\")`; what it did stays in the database
help: settle it in sqlx first: mend the schema, then delete its row, or set `success` if it is all there"
    );
    assert!(has_no_table(&database).await);
    assert_eq!(SQLX.rows(&database).await, before);
    database.no_locks().await;
}

#[tokio::test]
async fn what_a_person_vouches_for_is_recorded_as_unverified_or_left_out() {
    let database = SQLX.database().await;
    database.run("INSERT INTO _sqlx_migrations VALUES (7, 'gone', now(), TRUE, '\\x00', 1)").await;
    let edited = SQLX.registry_of([USERS, "CREATE TABLE teams (id bigint);\n", MORE]);
    let migrator = Migrator::new(&edited).accept("2_teams").accept("7");
    let adoption = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap();
    assert_eq!(
        states(&adoption),
        ["1_users found checksum", "2_teams accepted", "3_more pending", "7 left out"]
    );
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    let status = migrator.verify(database.pool()).await.unwrap();
    let states: Vec<_> = status.entries().iter().map(dunlin::Entry::state).collect();
    assert_eq!(states, [State::Applied, State::Unverified, State::Pending]);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "3_more");
    // Nobody has to vouch again for what was left out, as long as there is nothing else.
    let again = looked(&edited, &database, &SQLX.origin()).await;
    assert_eq!((again.is_nothing(), again.n_elsewhere()), (true, 1));
    assert_eq!(moved_in(&edited, &database, &SQLX.origin()).await.unwrap(), 0);
    database.run("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 7").await;
    assert!(!looked(&edited, &database, &SQLX.origin()).await.is_nothing());
}

/// A folder that has nothing of a history is the wrong one.
#[tokio::test]
async fn a_history_of_which_nothing_is_here_is_refused() {
    let (database, others) = (SQLX.database().await, registry(&[("8_other.sql", MORE)]));
    let error = moved_in(&others, &database, &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.to_string(), "2 migrations stand against taking over the history of sqlx");
}

#[tokio::test]
async fn what_the_history_has_stays_and_what_is_new_is_added() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    assert_eq!(moved_in(&migrations, &database, &SQLX.origin()).await.unwrap(), 2);
    let before = database.texts("SELECT m::text FROM migrations m ORDER BY id").await;
    database
        .run(&format!("{MORE} INSERT INTO _sqlx_migrations VALUES (3, 'more', '2024-03-03 08:30:00+00', TRUE, sha384(convert_to(E'{MORE}', 'UTF8')), 5)"))
        .await;
    assert_eq!(moved_in(&migrations, &database, &SQLX.origin()).await.unwrap(), 1);
    let after = database.texts("SELECT m::text FROM migrations m ORDER BY id").await;
    assert_eq!(after[..2], before);
    assert_eq!(database.applied().await, ["1_users", "2_teams", "3_more"]);
    assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn a_tool_that_is_still_at_work_is_noticed() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    let adoption = looked(&migrations, &database, &SQLX.origin()).await;
    database.run("UPDATE _sqlx_migrations SET execution_time = 7").await;
    let error =
        Migrator::new(&migrations).adopt_from(database.pool(), &adoption).await.unwrap_err();
    assert_eq!(error.to_string(), "public._sqlx_migrations has changed since it was read");
    assert!(has_no_table(&database).await);
    database.no_locks().await;
}

/// A gap in the history: the rehearsal runs what is recorded, and nothing else.
#[tokio::test]
async fn a_migration_that_was_left_out_there_is_late_here() {
    let database = TestDatabase::new();
    database.run(&format!("{USERS}{MORE}{}", GOOSE.sql)).await;
    database.run("UPDATE goose_db_version SET version_id = 3 WHERE version_id = 2").await;
    let migrations = GOOSE.registry();
    let adoption = looked(&migrations, &database, &GOOSE.origin()).await;
    assert_eq!(states(&adoption), ["1_users found", "2_teams late", "3_more found"]);
    assert_eq!(moved_in(&migrations, &database, &GOOSE.origin()).await.unwrap(), 2);
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "2_teams");
}

#[tokio::test]
async fn a_table_that_is_called_otherwise_or_lies_elsewhere_is_named() {
    let (database, migrations) = (TestDatabase::new(), SQLX.registry());
    let migrator = Migrator::new(&migrations);
    let error = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "no history of sqlx: there is no table `_sqlx_migrations` in any schema
  |
  = note: nothing was changed
  = help: if the tool was told to use another table, name it: `Origin::table(\"...\")`"
            .replace("  |\n", "")
    );
    database.run("CREATE SCHEMA one; CREATE SCHEMA two").await;
    for schema in ["one", "two"] {
        database.run(&format!("SET search_path = {schema}; {}{USERS}{TEAMS}", SQLX.sql)).await;
    }
    let error = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
    assert_eq!(
        format!("{error:#}"),
        "2 tables could be the history of sqlx
  = note: nothing was changed
  = help: name it: `Origin::new(Tool::Sqlx).schema(\"one\").table(\"_sqlx_migrations\")`
  = help: name it: `Origin::new(Tool::Sqlx).schema(\"two\").table(\"_sqlx_migrations\")`"
    );
    let error = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("there is two._sqlx_migrations, which looks like the history of sqlx: `Origin::new(Tool::Sqlx).schema(\"two\").table(\"_sqlx_migrations\")`"), "{text}");
    // One of them has nothing in it.
    database
        .run("CREATE TABLE rows AS TABLE two._sqlx_migrations; DELETE FROM two._sqlx_migrations")
        .await;
    let adoption = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap();
    assert_eq!(adoption.table().unwrap(), "one._sqlx_migrations");
    database.run("INSERT INTO two._sqlx_migrations TABLE rows; DROP TABLE rows").await;
    database.run("ALTER TABLE two._sqlx_migrations RENAME TO \"My.Table\"").await;
    let origin = SQLX.origin().schema("two").table("My.Table");
    let adoption = migrator.adoption(database.pool(), &origin).await.unwrap();
    assert_eq!(adoption.table().unwrap(), "two.\"My.Table\"");
    let error = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("there is one._sqlx_migrations, which looks like the history of sqlx: `Origin::new(Tool::Sqlx)`"), "{text}");
    let error =
        migrator.adoption(database.pool(), &DIESEL.origin().table("_sqlx_migrations")).await;
    assert_eq!(error.unwrap_err().to_string(), "one._sqlx_migrations is no history of diesel");
    let error = migrator.adoption(database.pool(), &TABLE.origin()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "no older tracking table: there is no table `applied_migrations` in any schema"
    );
}

#[tokio::test]
async fn a_role_needs_to_read_their_table_and_to_make_ours() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    let role = format!("mover_{}", std::process::id());
    database.run(&format!("CREATE ROLE {role}; CREATE SCHEMA own AUTHORIZATION {role}")).await;
    let mut client = database.client().await;
    client
        .batch_execute(&format!("SET SESSION AUTHORIZATION {role}; SET search_path = own, public"))
        .await
        .unwrap();
    let migrator = Migrator::new(&migrations);
    let error = migrator.adoption(&mut client, &SQLX.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("permission denied for table _sqlx_migrations"), "{text}");
    database.run(&format!("GRANT SELECT ON _sqlx_migrations TO {role}")).await;
    let adoption = migrator.adoption(&mut client, &SQLX.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(&mut client, &adoption).await.unwrap(), 2);
    assert_eq!(database.number("SELECT count(*) FROM own.migrations").await, 2);
    drop(client);
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
