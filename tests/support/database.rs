//! One database for each test on one private server.

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
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
        let server = Server::shared().unwrap_or_else(|error| panic!("{error:#}"));
        let database = server.create_database().unwrap_or_else(|error| panic!("{error:#}"));
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

    /// The names in the history table, in the order they were applied.
    pub async fn applied(&self) -> Vec<String> {
        self.texts("SELECT name FROM migrations ORDER BY id").await
    }
}

/// A pool for a connection string.
pub fn pool(connection_string: &str) -> Pool {
    let config: Config = connection_string.parse().unwrap();
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(config, NoTls, manager)).max_size(4).build().unwrap()
}

/// A connection whose task runs until the client is dropped.
pub async fn connect(connection_string: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(connection_string, NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    client
}
