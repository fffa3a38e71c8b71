//! The few statements this crate runs itself, blocking.
//!
//! Each runs on a thread and a current-thread runtime of its own: blocking inside the caller's
//! tokio runtime panics, and a connection that outlives its statement would be in the way of
//! `CREATE DATABASE … TEMPLATE`.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::address::{Address, USER};
use crate::error::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// `NAMEDATALEN` less its terminating zero byte.
pub(crate) const LONGEST_NAME: usize = 63;

/// Runs one statement in the database `postgres` and returns the first column.
pub(crate) fn run(address: &Address, statement: &str) -> Result<Vec<String>, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("dunlin-sandbox".to_owned());
        let spawned = thread.spawn_scoped(scope, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(Failure::Thread)?.block_on(query(address, statement))
        });
        match spawned.map_err(Failure::Thread)?.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

async fn query(address: &Address, statement: &str) -> Result<Vec<String>, Failure> {
    let mut config = tokio_postgres::Config::new();
    let _ = config
        .host_path(&address.socket_dir)
        .port(address.port)
        .user(USER)
        .dbname("postgres")
        .connect_timeout(CONNECT_TIMEOUT)
        .application_name("dunlin-sandbox");
    let (client, connection) = config.connect(NoTls).await.map_err(Failure::Server)?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(statement).await.map_err(Failure::Server)?;
    drop(client);
    // Until the goodbye is sent; otherwise the server logs a lost connection.
    crate::error::ignore(connection.await, "the answer is complete");
    let first = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    Ok(messages.iter().filter_map(first).collect())
}

/// Why a statement has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Thread(std::io::Error),
    Server(tokio_postgres::Error),
}

impl Failure {
    pub(crate) fn is(&self, state: &SqlState) -> bool {
        matches!(self, Self::Server(error) if error.code() == Some(state))
    }

    /// The whole of what the server said, under a headline.
    pub(crate) fn into_error(self, headline: String) -> Error {
        let error = Error::new(headline);
        let cause = match self {
            Self::Thread(cause) => return error.because(cause),
            Self::Server(cause) => cause,
        };
        let Some(db) = cause.as_db_error() else { return error.because(cause) };
        let mut error = error.note(format!("{} (SQLSTATE {})", db.message(), db.code().code()));
        if let Some(detail) = db.detail() {
            error = error.note(detail);
        }
        if let Some(hint) = db.hint() {
            error = error.help(hint);
        }
        error
    }
}

/// A name in SQL text.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
