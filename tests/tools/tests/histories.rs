//! Real histories: a tool migrates a database from a folder, and Dunlin moves in with the same folder.

use std::path::{Path, PathBuf};

use diesel::Connection as _;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use dunlin::{AdoptionState, Migrator, Origin, Proof, Registry, Scratch, State, Tool};
use dunlin_tests::{TestDatabase, connect, folder, registry_of};
use sqlx::Connection as _;

const USERS: &str =
    "CREATE TABLE users (\n    id bigint PRIMARY KEY,\n    email text NOT NULL DEFAULT ''\n);\n";
const TEAMS: &str =
    "-- Größe: naïve, 表\nCREATE TABLE teams (id bigint);\nCREATE INDEX teams_id ON teams (id);\n";
const MORE: &str = "CREATE TABLE more (id bigint);\n";

/// A file as it is on a disk.
#[derive(Clone, Copy, Debug)]
enum Bytes {
    Unix,
    Windows,
}

impl Bytes {
    fn of(self, text: &str) -> String {
        match self {
            Self::Unix => text.to_owned(),
            Self::Windows => text.replace('\n', "\r\n"),
        }
    }
}

async fn sqlx(database: &TestDatabase, folder: &Path) {
    // It takes URLs alone.
    let config: tokio_postgres::Config = database.connection_string().parse().unwrap();
    let [tokio_postgres::config::Host::Unix(socket)] = config.get_hosts() else { unreachable!() };
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(config.get_ports()[0])
        .username(config.get_user().unwrap())
        .database(config.get_dbname().unwrap());
    let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
    migrator.run(&mut connection).await.unwrap();
}

async fn refinery(database: &TestDatabase, folder: &Path) {
    let mut client = connect(&database.connection_string()).await;
    let migrations = refinery::load_sql_migrations(folder).unwrap();
    let report = refinery::Runner::new(&migrations).run_async(&mut client).await.unwrap();
    assert_eq!(report.applied_migrations().len(), migrations.len());
}

async fn diesel(database: &TestDatabase, folder: &Path) {
    let (url, folder) = (database.connection_string(), folder.to_owned());
    let run = move || {
        let mut connection = diesel::PgConnection::establish(&url).unwrap();
        let source = FileBasedMigrations::from_path(folder).unwrap();
        let _versions = connection.run_pending_migrations(source).unwrap();
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

/// Two migrations, which the tool has applied.
fn applied(names: [&str; 2], bytes: Bytes) -> PathBuf {
    let texts = [USERS, TEAMS].map(|text| bytes.of(text));
    folder(&[(names[0], &texts[0]), (names[1], &texts[1])])
}

/// Moves in, and gives what was found: name, state, proof.
async fn moves_in(database: &TestDatabase, migrations: &Registry, tool: Tool) -> Vec<String> {
    let migrator = Migrator::new(migrations);
    let origins = migrator.origins(database.pool()).await.unwrap();
    assert_eq!(origins.iter().map(Origin::tool).collect::<Vec<_>>(), [tool]);
    let table =
        format!("SELECT concat_ws(' ', ctid, xmin, t.*) FROM {} t ORDER BY 1", origins[0].shown());
    let before = database.texts(&table).await;
    let mut adoption = migrator.adoption(database.pool(), &origins[0]).await.unwrap();
    if adoption.wants_rehearsal() {
        let scratch = TestDatabase::new();
        let mut client = scratch.client().await;
        let scratch = Scratch::new(&mut client);
        adoption = migrator.rehearse(database.pool(), adoption, scratch).await.unwrap();
    }
    let n = migrator.adopt_from(database.pool(), &adoption).await.unwrap();
    assert_eq!(n, 2);
    assert_eq!(database.texts(&table).await, before, "it is theirs");
    let times = "SELECT count(*) FROM migrations WHERE executed_at > now() - interval '10 minutes' AND kind = 'adopted'";
    assert_eq!(database.number(times).await, 2, "both have just been applied");
    let entry = |it: &dunlin::Adopting| {
        format!("{} {} {}", it.name(), it.state().as_str(), it.proof().map_or("", Proof::as_str))
    };
    adoption.entries().iter().map(entry).collect()
}

/// What is new is applied, and nothing else.
async fn goes_on(database: &TestDatabase, migrations: &Registry) {
    let migrator = Migrator::new(migrations);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert!(status.entries().iter().all(|it| it.state() == State::Applied), "{status:?}");
    assert_eq!(database.number("SELECT count(*) FROM more").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlx_s_history_is_proved_by_its_checksums() {
    for bytes in [Bytes::Unix, Bytes::Windows] {
        let database = TestDatabase::new();
        let path = applied(["20240301083000_users.sql", "20240302083000_teams.sql"], bytes);
        sqlx(&database, &path).await;
        std::fs::write(path.join("20240303083000_more.sql"), MORE).unwrap();
        let migrations = registry_of(&path, &[]);
        assert_eq!(
            moves_in(&database, &migrations, Tool::Sqlx).await,
            [
                "20240301083000_users found checksum",
                "20240302083000_teams found checksum",
                "20240303083000_more pending "
            ],
            "{bytes:?}"
        );
        goes_on(&database, &migrations).await;
        std::fs::remove_dir_all(path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_applied_on_windows_is_the_same_on_unix() {
    let names = ["1_users.sql", "2_teams.sql"];
    let (database, path) = (TestDatabase::new(), applied(names, Bytes::Windows));
    sqlx(&database, &path).await;
    std::fs::remove_dir_all(path).unwrap();
    let path = applied(names, Bytes::Unix);
    std::fs::write(path.join("3_more.sql"), MORE).unwrap();
    let migrations = registry_of(&path, &[]);
    assert_eq!(
        moves_in(&database, &migrations, Tool::Sqlx).await,
        ["1_users found checksum", "2_teams found checksum", "3_more pending "]
    );
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_sqlx_applied_and_somebody_edited_is_told() {
    let (database, path) =
        (TestDatabase::new(), applied(["1_users.sql", "2_teams.sql"], Bytes::Unix));
    sqlx(&database, &path).await;
    std::fs::write(path.join("2_teams.sql"), TEAMS.replace("id bigint", "id  bigint")).unwrap();
    let migrations = registry_of(&path, &[]);
    let migrator = Migrator::new(&migrations);
    let adoption = migrator.adoption(database.pool(), &Origin::new(Tool::Sqlx)).await.unwrap();
    assert_eq!(adoption.entries()[1].state(), AdoptionState::Changed);
    let error = migrator.adopt_from(database.pool(), &adoption).await.unwrap_err();
    assert_eq!(error.to_string(), "`2_teams` stands against taking over the history of sqlx");
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refinery_s_history_is_proved_by_its_checksums() {
    for bytes in [Bytes::Unix, Bytes::Windows] {
        let database = TestDatabase::new();
        let path = applied(["V1__users.sql", "V2__teams.sql"], bytes);
        refinery(&database, &path).await;
        std::fs::write(path.join("V3__more.sql"), MORE).unwrap();
        let migrations = registry_of(&path, &[]);
        assert_eq!(
            moves_in(&database, &migrations, Tool::Refinery).await,
            ["V1__users found checksum", "V2__teams found checksum", "V3__more pending "],
            "{bytes:?}"
        );
        goes_on(&database, &migrations).await;
        std::fs::remove_dir_all(path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn diesel_s_history_is_proved_by_what_its_migrations_make() {
    let database = TestDatabase::new();
    let path =
        applied(["2024-03-01-083000_users/up.sql", "2024-03-02-083000_teams/up.sql"], Bytes::Unix);
    for name in ["2024-03-01-083000_users", "2024-03-02-083000_teams"] {
        std::fs::write(path.join(name).join("down.sql"), "SELECT 1;\n").unwrap();
    }
    diesel(&database, &path).await;
    std::fs::create_dir(path.join("2024-03-03-083000_more")).unwrap();
    std::fs::write(path.join("2024-03-03-083000_more/up.sql"), MORE).unwrap();
    let migrations = registry_of(&path, &[]);
    assert_eq!(
        moves_in(&database, &migrations, Tool::Diesel).await,
        [
            "2024-03-01-083000_users found schema",
            "2024-03-02-083000_teams found schema",
            "2024-03-03-083000_more pending "
        ]
    );
    goes_on(&database, &migrations).await;
    std::fs::remove_dir_all(path).unwrap();
}
