//! A password is in no message, event or table.

use std::sync::{Arc, Mutex};

use dunlin::{ErrorKind, Event, Migrator, Registry};
use dunlin_sandbox::Server;
use dunlin_tests::{connect, pool, registry, rendered, until};
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
