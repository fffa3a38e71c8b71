//! Moving in: the histories of other tools, written as those tools write them.
//!
//! `tests/tools` has the same with the tools themselves, as far as they are in Rust.

mod in_place;

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

/// Without a zone a time is in that of the session, but for diesel, whose sessions are in UTC.
#[tokio::test]
async fn a_time_without_a_zone_is_read_in_the_session_s() {
    const TOKYO: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'Asia/Tokyo'); END $$";
    let moves = |history: History| async move {
        let (database, migrations) = (history.database().await, history.registry());
        database.run(TOKYO).await;
        let migrator = Migrator::new(&migrations).unproved(true);
        let adoption = migrator.adoption(database.pool(), &history.origin()).await.unwrap();
        assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
        let times = "SELECT to_char(executed_at AT TIME ZONE 'UTC', 'DD HH24:MI') FROM migrations ORDER BY id";
        database.texts(times).await
    };
    assert_eq!(moves(GOOSE).await, ["29 23:10", "01 23:30"]);
    assert_eq!(moves(FLYWAY).await, ["29 23:30", "01 23:30"]);
    assert_eq!(moves(DIESEL).await, ["01 08:30", "02 08:30"]);
    assert_eq!(moves(SQLX).await, ["01 08:30", "02 08:30"]);
}

/// The rows of Flyway that are not simply applied.
#[tokio::test]
async fn flyway_s_other_rows() {
    let database = FLYWAY.database().await;
    database
        .run(
            "DELETE FROM flyway_schema_history; INSERT INTO flyway_schema_history VALUES \
             (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"app\"', NULL, 'ana', '2024-01-01', 0, true), \
             (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'ana', '2024-01-02', 0, true), \
             (2, '2', 'teams', 'SQL', 'V2__teams.sql', 1, 'ana', '2024-01-03', 0, true), \
             (3, '2', 'teams', 'UNDO_SQL', 'U2__teams.sql', 1, 'ana', '2024-01-04', 0, true), \
             (4, NULL, 'views', 'SQL', 'R__views.sql', 77, 'ana', '2024-01-05', 0, true), \
             (5, NULL, 'views', 'SQL', 'R__views.sql', 78, 'ana', '2024-01-06', 0, true), \
             (6, '8', 'dropped', 'SQL', 'V8__dropped.sql', 1, 'ana', '2024-01-07', 0, true), \
             (7, '8', 'dropped', 'DELETE', 'V8__dropped.sql', 1, 'ana', '2024-01-08', 0, true), \
             (8, '3', 'more', 'SQL', 'V3__more.sql', 1, 'ana', '2024-01-09', 0, false)",
        )
        .await;
    let adoption = looked(&FLYWAY.registry(), &database, &FLYWAY.origin()).await;
    assert_eq!(
        states(&adoption),
        ["V1__users found", "V2__teams undone", "V3__more failed", "views left out"]
    );
    let error = format!("{:#}", adoption.allowed(true).unwrap_err());
    assert!(
        error.starts_with("`V3__more` stands against taking over the history of Flyway\n"),
        "{error}"
    );
    assert!(error.contains("`flyway repair` removes the failed row"), "{error}");
}

#[tokio::test]
async fn prisma_s_unfinished_row() {
    let database = PRISMA.database().await;
    database
        .run("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20240303083000_more')")
        .await;
    let adoption = looked(&PRISMA.registry(), &database, &PRISMA.origin()).await;
    assert_eq!(adoption.entries()[2].state(), AdoptionState::Unfinished);
    let error = format!("{:#}", adoption.allowed(true).unwrap_err());
    assert!(error.contains("`prisma migrate resolve --applied <name>`"), "{error}");
}

#[tokio::test]
async fn a_dirty_version_must_be_settled_first() {
    let (database, migrations) = (GOLANG_MIGRATE.database().await, GOLANG_MIGRATE.registry());
    database.run("UPDATE schema_migrations SET dirty = true").await;
    let error = moved_in(&migrations, &database, &GOLANG_MIGRATE.origin()).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "`2_teams` stands against taking over the history of golang-migrate

failed: `2_teams` is dirty: it failed in golang-migrate, and nobody knows what of it took effect
 --> migrations/2_teams.up.sql:1:1

note: nothing was changed
help: settle it in golang-migrate first: mend the schema, then `migrate ... force <version>` to the version it really has"
    );
    database.run("UPDATE schema_migrations SET (version, dirty) = (9, false)").await;
    let error = moved_in(&migrations, &database, &GOLANG_MIGRATE.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    for part in [
        "the database is at version 9 of golang-migrate, and no migration here has it\n",
        "or leave it out of the new history: `Migrator::accept(\"9\")`; what is older and here counts as applied, and",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(has_no_table(&database).await);
    let migrator = Migrator::new(&migrations).accept("9").unproved(true);
    let adoption = migrator.adoption(database.pool(), &GOLANG_MIGRATE.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 3);
}

#[tokio::test]
async fn what_the_migrations_make_in_another_way_is_told_thing_by_thing() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    database
        .run(
            "ALTER TABLE users DROP COLUMN email; DROP INDEX teams_id; ALTER TABLE teams ALTER id SET DEFAULT 8; \
             CREATE TABLE audit (id serial PRIMARY KEY, at timestamptz); CREATE INDEX users_by_id ON users (id)",
        )
        .await;
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    assert_eq!(
        format!("{error:#}"),
        "the database is not what the recorded migrations make: 3 things differ

differs: column public.teams.id
  by the migrations: bigint default 7
  in the database:   bigint default 8

lacking: index public.teams.teams_id is not in the database
  by the migrations: CREATE INDEX teams_id ON public.teams USING btree (id)

lacking: column public.users.email is not in the database
  by the migrations: text

besides: table public.audit is made by no migration

besides: index public.users.users_by_id is made by no migration

note: the recorded migrations were run on a scratch server and its schema was compared; nothing was changed in the database
help: if the database is right, somebody has edited a migration or changed the schema by hand: make the files what was applied, or add a migration for the difference after moving in
help: if you know that the difference does no harm: `Migrator::unproved` records the migrations as unverified"
    );
    assert!(has_no_table(&database).await);
    database
        .run("ALTER TABLE users ADD COLUMN email text; CREATE INDEX teams_id ON teams (id); ALTER TABLE teams ALTER id SET DEFAULT 7")
        .await;
    let migrator = Migrator::new(&migrations);
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let scratch = TestDatabase::new();
    let mut client = scratch.client().await;
    let scratch = Scratch::new(&mut client);
    let adoption = migrator.rehearse(database.pool(), adoption, scratch).await.unwrap();
    let besides: Vec<_> = adoption.differences().iter().map(dunlin::Difference::object).collect();
    assert_eq!(besides, ["table public.audit", "index public.users.users_by_id"]);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
}

/// What a rehearsal says of each migration: state, name and proof.
async fn rehearsed(
    migrations: &Registry,
    database: &TestDatabase,
    origin: &Origin,
) -> Result<Adoption, Error> {
    let adoption = looked(migrations, database, origin).await;
    let scratch = TestDatabase::new();
    let mut client = scratch.client().await;
    let migrator = Migrator::new(migrations);
    migrator.rehearse(database.pool(), adoption, Scratch::new(&mut client)).await
}

fn proofs(adoption: &Adoption) -> Vec<String> {
    let proof = |it: &dunlin::Adopting| it.proof().map_or("none", dunlin::Proof::as_str);
    adoption.entries().iter().map(|it| format!("{} {}", it.name(), proof(it))).collect()
}

/// A history of diesel with as many migrations as texts, all of them recorded but the last.
async fn diesel_with(texts: &[&str], live: &str) -> (TestDatabase, Registry) {
    let database = TestDatabase::new();
    database.run(live).await;
    database.run(DIESEL.sql).await;
    database.run("DELETE FROM __diesel_schema_migrations").await;
    let names: Vec<_> =
        (1..=texts.len()).map(|n| format!("2024-03-0{n}-083000_m{n}/up.sql")).collect();
    for n in 1..texts.len() {
        let insert =
            format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('2024030{n}083000')");
        database.run(&insert).await;
    }
    let files: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().copied()).collect();
    (database, registry(&files))
}

/// The history says that a column and a table are gone, and they are not.
#[tokio::test]
async fn what_a_recorded_migration_drops_must_be_gone() {
    let texts = [
        "CREATE TABLE users (id bigint, old text);\nCREATE TABLE legacy (id bigint);",
        "ALTER TABLE users DROP COLUMN old;",
        "DROP TABLE legacy;",
        MORE,
    ];
    let live = "CREATE TABLE users (id bigint, old text); CREATE TABLE legacy (id bigint);";
    let (database, migrations) = diesel_with(&texts, live).await;
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    let text = format!("{error:#}");
    for line in [
        "the database is not what the recorded migrations make: 2 things differ\n",
        "left: table public.legacy is in the database, although `2024-03-03-083000_m3` drops it\n",
        "left: column public.users.old is in the database, although `2024-03-02-083000_m2` drops it\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(has_no_table(&database).await);
    database.run("DROP TABLE legacy; ALTER TABLE users DROP COLUMN old").await;
    assert_eq!(moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap(), 3);
}

/// Only work that shows in the end proves anything.
#[tokio::test]
async fn a_migration_whose_work_does_not_show_is_recorded_as_unverified() {
    let texts = [
        "CREATE TABLE users (id bigint);",
        "INSERT INTO users VALUES (1);",
        "CREATE VIEW one AS SELECT 1 AS one;",
        "CREATE OR REPLACE VIEW one AS SELECT 1 AS one, 2 AS two;\nALTER TABLE users ADD COLUMN name text;",
        "ALTER TABLE users RENAME COLUMN name TO title;",
        "GRANT SELECT ON users TO PUBLIC;",
        MORE,
    ];
    let live = texts[..6].join("\n");
    let (database, migrations) = diesel_with(&texts, &live).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    assert_eq!(adoption.differences(), []);
    assert_eq!(
        proofs(&adoption),
        [
            "2024-03-01-083000_m1 schema",
            "2024-03-02-083000_m2 none",
            "2024-03-03-083000_m3 none",
            "2024-03-04-083000_m4 schema",
            "2024-03-05-083000_m5 schema",
            "2024-03-06-083000_m6 none",
            "2024-03-07-083000_m7 none",
        ]
    );
    let migrator = Migrator::new(&migrations);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 6);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (3, 1));
}

/// What somebody has made by hand and a pending migration makes as well.
#[tokio::test]
async fn what_a_pending_migration_makes_and_is_there_already_is_told() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    database.run(&format!("{MORE} CREATE TABLE hers (id bigint)")).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    let told: Vec<_> = adoption
        .differences()
        .iter()
        .map(|it| format!("{} {} {}", it.object(), it.besides(), it.stands_against()))
        .collect();
    assert_eq!(
        told,
        [
            "table public.hers is made by no migration false",
            "table public.more is there already, and `2024-03-03-083000_more`, which is pending, makes it false",
        ]
    );
}

/// Each kind of thing that an inventory holds is made by one migration, and lacks in the database.
#[tokio::test]
async fn every_kind_of_thing_is_compared() {
    let kinds = [
        "CREATE COLLATION plain FROM \"C\";",
        "CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';\n\
         CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = same);",
        "CREATE TYPE pair AS (a int, b int);\n\
         CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE sql AS 'SELECT 1, 2';\n\
         CREATE CAST (text AS pair) WITH FUNCTION pair_of(text);",
        "CREATE TEXT SEARCH CONFIGURATION simple_too (COPY = pg_catalog.simple);",
        "CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = pg_catalog.simple);",
        "CREATE OPERATOR FAMILY alone USING btree;",
        "CREATE OPERATOR CLASS cls FOR TYPE int4 USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4);",
        "CREATE PUBLICATION all_of_it FOR ALL TABLES;",
        MORE,
    ];
    let (database, migrations) = diesel_with(&kinds[..8], &kinds[..8].join("\n")).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    assert!(!adoption.differences().iter().any(|it| it.stands_against()));
    let unproved: Vec<_> =
        proofs(&adoption).into_iter().filter(|it| it.ends_with("none")).collect();
    assert_eq!(unproved, ["2024-03-08-083000_m8 none"]);
    let (database, migrations) = diesel_with(&kinds, "").await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    let lacking: Vec<_> = adoption.differences().iter().map(|it| it.object().to_owned()).collect();
    for object in [
        "collation public.plain",
        "operator public.=== (text, text)",
        "cast text as public.pair",
        "text search configuration public.simple_too",
        "text search dictionary public.words",
        "operator family public.alone using btree",
        "operator class public.cls using btree",
        "publication all_of_it",
    ] {
        assert!(lacking.iter().any(|it| it == object), "{object}: {lacking:?}");
    }
}

/// On a server of its own, a role that a migration creates is not made before.
#[tokio::test]
async fn a_role_that_a_migration_creates_is_left_to_it() {
    let role = format!("dunlin_reader_{}", std::process::id());
    let creates = format!("CREATE ROLE {role};\nCREATE TABLE users (id bigint);");
    let live = format!("{creates}\nCREATE POLICY own ON users TO {role} USING (true);");
    let (database, migrations) =
        diesel_with(&[&creates, "CREATE TABLE teams (id bigint);"], &live).await;
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let server = dunlin_sandbox::Server::start().unwrap();
    let scratch = server.create_database().unwrap();
    let address = scratch.connection_string();
    let (mut client, connection) =
        tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let migrator = Migrator::new(&migrations);
    let scratch = Scratch::new(&mut client).with_roles();
    let adoption = migrator.rehearse(database.pool(), adoption, scratch).await.unwrap();
    assert!(!adoption.differences().iter().any(|it| it.stands_against()));
    driving.abort();
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn without_a_comparison_nothing_is_recorded_unless_somebody_says_so() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let migrator = Migrator::new(&migrations);
    let error = migrator.adopt_from(database.pool(), &adoption).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing proves that 2 migrations here are those that diesel applied"
    );
    assert!(has_no_table(&database).await);
    let migrator = migrator.unproved(true);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (2, 1));
}

#[tokio::test]
async fn a_migration_that_fails_in_the_rehearsal_is_named_with_its_place() {
    let (database, migrations) = (
        DIESEL.database().await,
        DIESEL.registry_of([
            USERS,
            "CREATE TABLE teams (id bigint);\nGRANT SELECT ON teams TO nobody_here;\n",
            MORE,
        ]),
    );
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert_eq!(
        text,
        "the rehearsal failed at `2024-03-02-083000_teams`: role \"nobody_here\" does not exist (42704)
 --> migrations/2024-03-02-083000_teams/up.sql:2:1
  |
2 | GRANT SELECT ON teams TO nobody_here;
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: the recorded migrations were run on a scratch database, to compare what they make; nothing was changed in yours
  = help: if a migration needs what that server does not have, such as an extension, a role or data, rehearse on one that has it: `Migrator::rehearse`
  = help: or record the migrations as unverified without a rehearsal: `Migrator::unproved`"
    );
    assert!(has_no_table(&database).await);
    let scratch = SQLX.database().await;
    let mut client = scratch.client().await;
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let migrator = Migrator::new(&migrations);
    let error = migrator.rehearse(database.pool(), adoption, Scratch::new(&mut client)).await;
    assert!(
        error.unwrap_err().to_string().starts_with("the scratch database is not empty: it has ")
    );
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

/// Schemas that the search path names, other than `public`.
#[tokio::test]
async fn a_schema_of_one_s_own_is_compared_with_itself() {
    let (database, migrations) = (TestDatabase::new(), DIESEL.registry());
    database.run("CREATE SCHEMA app; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$").await;
    database.run(&format!("{USERS}{TEAMS}{}", DIESEL.sql)).await;
    assert_eq!(moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap(), 2);
    assert_eq!(database.texts("SELECT name FROM app.migrations ORDER BY id").await.len(), 2);
    // Or the history in a schema that is still to be made.
    let migrator = Migrator::new(&migrations).history_schema("ops").unproved(true);
    let adoption = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    assert_eq!(database.number("SELECT count(*) FROM ops.migrations").await, 2);
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
