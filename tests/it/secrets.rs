//! A password is in no message, event or table.

use std::sync::{Arc, Mutex};

use dunlin::{ErrorKind, Event, Migrator, Registry};
use dunlin_sandbox::Server;
use dunlin_tests::{Gate, TestDatabase, connect, pool, registry, rendered, until};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

const PASSWORD: &str = "correct-horse-battery";
const WRONG: &str = "hunter2-hunter2";

/// A server of its own, on which the role `keeper` needs its password.
async fn server_with_password() -> Server {
    let server = Server::start().unwrap_or_else(|error| panic!("{error:#}"));
    let admin = connect(&server.connection_string("postgres")).await;
    admin
        .batch_execute(&format!("CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{PASSWORD}'"))
        .await
        .unwrap();
    let hba = server.data_dir().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    std::fs::write(&hba, format!("local all keeper scram-sha-256\n{rules}")).unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let without = string(&server, "nonsense");
    until("the server asks for the password", async || {
        let refused = tokio_postgres::connect(&without, NoTls).await.err();
        refused.is_some_and(|error| error.code() == Some(&SqlState::INVALID_PASSWORD))
    })
    .await;
    server
}

fn string(server: &Server, password: &str) -> String {
    let string = server.connection_string("postgres").replace("user=postgres", "user=keeper");
    format!("{string} password={password}")
}

/// Everything a run can be heard saying.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

impl Ear {
    fn hear(&self, text: &str) {
        self.0.lock().unwrap().push_str(&format!("{text}\n"));
    }

    async fn run(&self, registry: &Registry, connection_string: &str) -> Option<dunlin::Error> {
        let ear = self.clone();
        let observer = move |event: &Event<'_>| ear.hear(&format!("{event:?}"));
        let migrator = Migrator::new(registry).observer(observer);
        self.hear(&format!("{migrator:?}"));
        let result = migrator.apply(&pool(connection_string)).await;
        match result {
            Ok(report) => {
                self.hear(&format!("{report:?}"));
                None
            }
            Err(error) => {
                self.hear(&rendered(&error));
                self.hear(&format!("{error} {:?}", error.db_error()));
                Some(error)
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_password() {
    let server = server_with_password().await;
    let ear = Ear::default();
    let error = ear.run(&registry(&[("1_a.sql", "SELECT 1;")]), &string(&server, WRONG)).await;
    assert_eq!(
        rendered(&error.unwrap()),
        "\
no connection to the database: password authentication failed for user \"keeper\" (28P01)
  = note: nothing was changed
  = help: correct user or password in the connection string"
    );
    assert!(!ear.0.lock().unwrap().contains(WRONG));
}

#[tokio::test]
async fn runs_of_all_kinds() {
    let server = server_with_password().await;
    let there = string(&server, PASSWORD);
    let ear = Ear::default();
    let first = ("1_a.sql", "CREATE TABLE a (id int);");
    let kinds = [
        ear.run(&registry(&[first]), &there).await,
        ear.run(&registry(&[first, ("2_b.sql", "DROP TABLE nope;")]), &there).await,
        ear.run(&registry(&[("1_a.sql", "CREATE TABLE edited (id int);")]), &there).await,
        ear.run(
            &registry(&[first, ("2_b.sql", "SELECT pg_terminate_backend(pg_backend_pid());")]),
            &there,
        )
        .await,
        ear.run(&registry(&[first]), &there.replace("dbname=postgres", "dbname=nonesuch")).await,
        ear.run(&registry(&[first]), &format!("host=/nowhere user=keeper password={PASSWORD}"))
            .await,
    ];
    let kinds = kinds.map(|error| error.map(|error| error.kind()));
    let lost = Some(ErrorKind::Connection);
    let expected = [None, Some(ErrorKind::Migration), Some(ErrorKind::Drift), lost, lost, lost];
    assert_eq!(kinds, expected);

    let admin = connect(&server.connection_string("postgres")).await;
    let rows = admin.query("SELECT m::text FROM migrations m", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    ear.hear(rows[0].get(0));
    let heard = ear.0.lock().unwrap().clone();
    assert!(heard.contains("keeper") && !heard.contains(PASSWORD), "{heard}");
}

/// Who waits is told what the holder runs, and so is the log.
#[tokio::test]
async fn what_a_holder_runs() {
    let database = TestDatabase::new();
    let text = format!("SET LOCAL app.password = '{PASSWORD}'; {}", Gate::PASS);
    let migrations = registry(&[("1_a.sql", &text)]);
    let _report = Migrator::new(&registry(&[])).apply(database.pool()).await.unwrap();
    let gate = database.gate().await;
    let holding = database.pool().clone();
    let holder = tokio::spawn(async move { Migrator::new(&migrations).apply(&holding).await });
    database.at_gate(1).await;
    let ear = Ear::default();
    let told = ear.clone();
    let observer = move |event: &Event<'_>| told.hear(&format!("{event:?}"));
    let other = registry(&[("1_a.sql", "SELECT 1;")]);
    let migrator = Migrator::new(&other).observer(observer);
    let migrator = migrator.lock_wait(std::time::Duration::from_millis(100));
    let error = migrator.apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    ear.hear(&format!("{error:#}"));
    let who = migrator.lock_holder(database.pool()).await.unwrap().unwrap();
    assert!(migrator.unlock(database.pool(), who.pid).await.unwrap());
    assert!(holder.await.unwrap().is_err());
    drop(gate);
    for row in database.texts("SELECT l::text FROM migrations_log l WHERE action = 'unlock'").await
    {
        ear.hear(&row);
    }
    let heard = ear.0.lock().unwrap().clone();
    // By an event, the error and the log.
    assert!(heard.matches("SET LOCAL app.password...").count() >= 3, "{heard}");
    assert!(!heard.contains(PASSWORD), "{heard}");
}
