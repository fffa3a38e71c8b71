//! One database for each test on one private server.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use std::sync::OnceLock;

use dunlin_sandbox::{Database, Server};
use tokio_postgres::{Client, Config, NoTls, Row};

/// A database of its own; it is dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    database: Database,
    pool: Pool,
}

impl TestDatabase {
    /// A new, empty database.
    pub fn new() -> Self {
        let database = server().create_database().unwrap_or_else(|error| panic!("{error:#}"));
        let pool = pool(database.connection_string().as_str());
        Self { database, pool }
    }

    /// Where it is, as a connection string.
    pub fn connection_string(&self) -> String {
        self.database.connection_string()
    }

    /// A pool on it.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A connection of its own, outside the pool.
    pub async fn client(&self) -> Client {
        connect(&self.connection_string()).await
    }

    /// The rows of a query.
    pub async fn query(&self, sql: &str) -> Vec<Row> {
        self.client().await.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The first column of a query as texts.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        self.query(sql).await.iter().map(|row| row.get(0)).collect()
    }

    /// The single number a query returns.
    pub async fn number(&self, sql: &str) -> i64 {
        self.query(sql).await[0].get(0)
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) {
        self.client()
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// How many sessions hold the lock of a migrator. [`Gate`]s do not count: theirs has two keys.
    pub async fn n_locks(&self) -> i64 {
        self.number(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1",
        )
        .await
    }

    /// Waits until nobody holds the lock: a run that was cut off gives it back when the server comes
    /// to it.
    pub async fn no_locks(&self) {
        until("the lock is released", async || self.n_locks().await == 0).await;
    }

    /// A closed gate: a migration that runs [`Gate::PASS`] stops there until it is opened.
    pub async fn gate(&self) -> Gate {
        let client = self.client().await;
        client.batch_execute("SELECT pg_advisory_lock(1, 1)").await.unwrap();
        Gate(client)
    }

    /// How many sessions stand before a gate.
    pub async fn n_at_gate(&self) -> i64 {
        self.number(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted",
        )
        .await
    }

    /// Waits until that many sessions stand before a gate.
    pub async fn at_gate(&self, n: i64) {
        until("a migration stands before the gate", async || self.n_at_gate().await == n).await;
    }

    /// The names in the history table, in the order they were applied.
    pub async fn applied(&self) -> Vec<String> {
        self.texts("SELECT name FROM migrations ORDER BY id").await
    }
}

/// Holds migrations up until it is opened.
#[derive(Debug)]
pub struct Gate(Client);

impl Gate {
    /// Statements that pass the gate, and wait while it is closed, as long as it takes.
    pub const PASS: &'static str =
        "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(1, 1);";

    /// Lets everyone pass.
    pub async fn open(self) {
        self.0.batch_execute("SELECT pg_advisory_unlock(1, 1)").await.unwrap();
    }
}

/// Asks again and again until something is so, for a minute.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(60), asking).await;
    assert!(outcome.is_ok(), "waited a minute, and it never came to pass that {what}");
}

/// The server of this process: of the version that `DUNLIN_TEST_POSTGRES` names, 14 to 18, fetched if
/// it is not installed; else whichever is found.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // Where there are many processors many tests run at once, and some have many connections.
        let builder = Server::builder().setting("max_connections", "500");
        let major = std::env::var("DUNLIN_TEST_POSTGRES").ok().map(|major| {
            major
                .parse()
                .unwrap_or_else(|_| panic!("DUNLIN_TEST_POSTGRES is `{major}`, not a version"))
        });
        let builder = match major {
            Some(major) => builder.postgres_version(major),
            None => builder,
        };
        let server = builder.start().unwrap_or_else(|error| panic!("{error:#}"));
        assert!(
            major.is_none_or(|major| server.major_version() == major),
            "not the server that was asked for"
        );
        server
    })
}

/// A pool for a connection string.
pub fn pool(connection_string: &str) -> Pool {
    pool_of(4, connection_string)
}

/// A pool of so many connections.
pub fn pool_of(size: usize, connection_string: &str) -> Pool {
    let config: Config = connection_string.parse().unwrap();
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config, NoTls, manager)).max_size(size).build().unwrap()
}

/// A connection whose task runs until the client is dropped.
pub async fn connect(connection_string: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(connection_string, NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    client
}
