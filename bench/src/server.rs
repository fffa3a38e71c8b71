//! The server everything runs on: private, durable, and quiet.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use dunlin_sandbox::Server;
use tokio_postgres::{Client, NoTls};

use crate::Result;

/// What differs from PostgreSQL's defaults, and why.
const SETTINGS: [(&str, &str); 6] = [
    // The sandbox switches these off; here commits are what is measured.
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    // Whoever runs while the server tidies up would be the slowest.
    ("autovacuum", "off"),
    ("checkpoint_timeout", "1h"),
    ("max_wal_size", "8GB"),
];

/// A running server.
#[derive(Debug)]
pub struct Measured {
    server: Server,
}

/// How to get to a database.
#[derive(Clone, Debug)]
pub struct Address {
    /// A folder with a socket, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub database: String,
}

impl Address {
    /// In libpq's form, which tokio-postgres reads as well.
    #[must_use]
    pub fn connection_string(&self) -> String {
        let Self { host, port, database } = self;
        format!("host={host} port={port} user=postgres dbname={database} sslmode=disable")
    }
}

impl Measured {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When there is no PostgreSQL to be had.
    pub fn start() -> Result<Self> {
        let builder = SETTINGS
            .iter()
            .fold(Server::builder(), |builder, (name, value)| builder.setting(*name, *value));
        Ok(Self { server: builder.start().map_err(|error| format!("{error:#}"))? })
    }

    /// What was set, in words.
    #[must_use]
    pub fn settings() -> String {
        SETTINGS.map(|(name, value)| format!("`{name} = {value}`")).join(", ")
    }

    /// PostgreSQL's version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.server.version()
    }

    /// The unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.server.socket_dir().join(format!(".s.PGSQL.{}", self.server.port()))
    }

    /// A database over the unix socket.
    #[must_use]
    pub fn direct(&self, database: &str) -> Address {
        Address {
            host: self.server.socket_dir().display().to_string(),
            port: self.server.port(),
            database: database.to_owned(),
        }
    }

    /// A new database of this name, on a machine that has nothing left to write: what one run leaves
    /// to the disk is not to be paid for by the next.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn create(&self, database: &str) -> Result<()> {
        let admin = connect(&self.direct("postgres")).await?;
        admin.batch_execute(&format!("CREATE DATABASE {database} TEMPLATE template0")).await?;
        tokio::task::spawn_blocking(nix::unistd::sync).await?;
        Ok(())
    }

    /// Removes databases. Several at once, because the first costs a checkpoint and the others nothing.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn drop(&self, databases: &[String]) -> Result<()> {
        let admin = connect(&self.direct("postgres")).await?;
        for database in databases {
            admin.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await?;
        }
        Ok(())
    }

    /// How many of the migrations' tables, with index and comment, are in a database.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn n_done(&self, database: &str) -> Result<usize> {
        let client = connect(&self.direct(database)).await?;
        let row = client
            .query_one(
                "SELECT count(*) FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND NOT i.indisprimary \
                 WHERE c.relname ~ '^[a-z]+_[0-9]{4}$' AND obj_description(c.oid) LIKE 'Number %'",
                &[],
            )
            .await?;
        Ok(usize::try_from(row.get::<_, i64>(0))?)
    }

    /// The processor time that the server and its processes, past and present, have used so far.
    ///
    /// # Errors
    ///
    /// When `/proc` is not Linux'.
    pub fn cpu(&self) -> io::Result<Duration> {
        let pid = fs::read_to_string(self.server.data_dir().join("postmaster.pid"))?;
        let pid: u32 = pid.lines().next().unwrap_or_default().parse().map_err(io::Error::other)?;
        let mut total = finished_children(pid)?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        for child in children.split_whitespace() {
            // One that has ended in between is counted as finished the next time.
            let Ok(statistics) = fs::read_to_string(format!("/proc/{child}/schedstat")) else {
                continue;
            };
            let nanoseconds = statistics.split(' ').next().unwrap_or_default().parse();
            total += Duration::from_nanos(nanoseconds.map_err(io::Error::other)?);
        }
        Ok(total)
    }
}

/// `cutime` and `cstime` of proc(5), in hundredths of a second.
fn finished_children(pid: u32) -> io::Result<Duration> {
    let statistics = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = statistics.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks: u64 = fields
        .split(' ')
        .skip(13)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or_default())
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// A connection whose task runs until the client is dropped.
///
/// # Errors
///
/// What the driver says.
pub async fn connect(address: &Address) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(&address.connection_string(), NoTls).await?;
    drop(tokio::spawn(connection));
    Ok(client)
}
