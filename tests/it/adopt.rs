//! Moving in: the histories of other tools, written as those tools write them.
//!
//! `tests/tools` has the same with the tools themselves, as far as they are in Rust.

mod in_place;
mod rehearsal;
mod rows;
mod standing;

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
