//! One connection for the length of a run: sending, and leaving it as it was.
//!
//! **Invariant:** whatever ends the run (success, an error, a dropped future, a panic), the server
//! session is left without an open transaction, without our lock and with the settings it had, or
//! it is not used again. The order of messages on one connection guarantees it: what is queued here
//! runs before anything the application sends later.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio_postgres::{Client, Error as PostgresError, SimpleQueryMessage, SimpleQueryRow};

use crate::database::Connection;
use crate::quote::literal;

/// How often the server looks whether we are still there while it runs a statement.
const CLIENT_CHECK_INTERVAL_MS: &str = "2000";

/// A connection with the duty to clean up.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    connection: Connection<'a>,
    /// The key of the advisory lock, while it may be held.
    lock: Option<i64>,
    /// What gives the session its settings back; known once a migration may have changed them.
    restore: Option<String>,
    /// What gives it the settings migrations run with.
    working: String,
    user: String,
    role: String,
    /// Whether a transaction may be open.
    in_transaction: bool,
}

/// The answers to one batch of statements that is already on the wire.
pub(crate) struct Answers(
    Pin<Box<dyn Stream<Item = Result<SimpleQueryMessage, PostgresError>> + Send>>,
);

/// The settings of a session as a run found them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) session_user: String,
    /// `none`, or what the application has `SET ROLE` to.
    pub(crate) role: String,
    /// What the application has `SET`, with its value.
    pub(crate) changed: Vec<(String, String)>,
    /// `server_version_num`, 150018.
    pub(crate) server_version: u32,
}

/// A batch that failed, and how many of its statements had been completed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) n_completed: usize,
    pub(crate) error: PostgresError,
}

impl<'a> Session<'a> {
    pub(crate) const fn new(connection: Connection<'a>) -> Self {
        Self {
            connection,
            lock: None,
            restore: None,
            working: String::new(),
            user: String::new(),
            role: String::new(),
            in_transaction: false,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.connection
    }

    /// Puts a batch of statements on the wire without waiting for anything.
    ///
    /// Batches sent one after the other travel together and are answered in order.
    pub(crate) async fn send(&self, sql: &str) -> Result<Answers, PostgresError> {
        Ok(Answers(Box::pin(self.connection.simple_query_raw(sql).await?)))
    }

    /// Sends a batch and returns the rows of all its statements.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        self.send(sql).await?.rows().await
    }

    /// Sends a batch and waits until it is done.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), PostgresError> {
        self.send(sql).await?.finish().await.map(|_| ()).map_err(|failure| failure.error)
    }

    /// From now on the lock may be held. Called before it is asked for.
    pub(crate) const fn may_hold_lock(&mut self, key: i64) {
        self.lock = Some(key);
    }

    /// The server said that the lock is not ours.
    pub(crate) const fn has_no_lock(&mut self) {
        self.lock = None;
    }

    /// Gives the session the settings migrations run with; `settings` are those it has now.
    pub(crate) async fn prepare(
        &mut self,
        settings: &Settings,
        lock_timeout: Duration,
    ) -> Result<(), PostgresError> {
        self.restore = Some(settings.restoring(Vec::new()));
        self.working = settings.restoring(settings.of_migrations(lock_timeout));
        self.user.clone_from(&settings.session_user);
        self.role.clone_from(&settings.role);
        self.run(&self.working).await
    }

    /// The beginning of a transaction in which the session is who it was when the run began, whatever
    /// a migration has set; it ends with a semicolon.
    ///
    /// Setting the user forgets the role, also when it is the same user, so that is not done in vain.
    pub(crate) fn beginning_as_itself(&self) -> String {
        let (user, role) = (literal(&self.user), literal(&self.role));
        format!(
            "BEGIN READ WRITE; \
             SELECT pg_catalog.set_config('session_authorization', {user}, true) WHERE session_user <> {user}; \
             SELECT pg_catalog.set_config('role', {role}, true);"
        )
    }

    /// Statements that undo what a migration has set. They also work in a transaction.
    pub(crate) fn working(&self) -> &str {
        &self.working
    }

    /// A transaction may be open from now on.
    pub(crate) const fn begins_transaction(&mut self) {
        self.in_transaction = true;
    }

    /// The server said that the transaction is over.
    pub(crate) const fn ended_transaction(&mut self) {
        self.in_transaction = false;
    }

    /// Ends an open transaction, if the connection still stands.
    pub(crate) async fn roll_back(&mut self) -> Result<(), PostgresError> {
        self.run("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Gives the lock and the settings back and ends the session's duty.
    pub(crate) async fn release(mut self) -> Result<(), PostgresError> {
        let cleanup = self.cleanup();
        if cleanup.is_empty() {
            return Ok(());
        }
        let result = self.run(&cleanup).await;
        if result.is_ok() {
            (self.lock, self.restore, self.in_transaction) = (None, None, false);
        }
        result
    }

    /// What is still to be done, as one batch; empty when the session is clean.
    fn cleanup(&self) -> String {
        let mut statements = Vec::new();
        if self.in_transaction {
            statements.push("ROLLBACK".to_owned());
        }
        // The lock first: releasing it is not undone if a later statement of the batch fails.
        if let Some(key) = self.lock {
            statements.push(format!("SELECT pg_catalog.pg_advisory_unlock({key})"));
        }
        if let Some(restore) = &self.restore {
            statements.push(restore.clone());
        }
        statements.join("; ")
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let cleanup = self.cleanup();
        if cleanup.is_empty() {
            return;
        }
        // Sending happens in the first poll; nobody waits for the answer, and the connection's own
        // task reads it. A connection that is closed already takes nothing, and holds nothing.
        {
            let mut sending = pin!(self.connection.simple_query_raw(&cleanup));
            match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(_) | Poll::Pending => {}
            }
        }
        self.connection.discard();
    }
}

impl Answers {
    /// Waits for the end of the batch and returns its rows.
    pub(crate) async fn rows(self) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        match self.rows_until_error().await {
            (rows, None) => Ok(rows),
            (_, Some(error)) => Err(error),
        }
    }

    /// The rows of the statements before the one that failed, and its error.
    pub(crate) async fn rows_until_error(mut self) -> (Vec<SimpleQueryRow>, Option<PostgresError>) {
        let mut rows = Vec::new();
        while let Some(message) = self.0.next().await {
            match message {
                Ok(SimpleQueryMessage::Row(row)) => rows.push(row),
                Ok(_) => {}
                Err(error) => return (rows, Some(error)),
            }
        }
        (rows, None)
    }

    /// Waits for the end of the batch and counts its statements.
    pub(crate) async fn finish(mut self) -> Result<usize, Failure> {
        let mut n_completed = 0;
        while let Some(message) = self.0.next().await {
            match message {
                Ok(SimpleQueryMessage::CommandComplete(_)) => n_completed += 1,
                Ok(_) => {}
                Err(error) => return Err(Failure { n_completed, error }),
            }
        }
        Ok(n_completed)
    }
}

impl Settings {
    /// The timeouts of a migration: brief waits for locks, and none of the limits a role may have for
    /// its queries, which would kill an index build at the same point in every start. When this
    /// process dies or the run is dropped, the server shall notice in the middle of a statement:
    /// until then it keeps the lock that other starters wait for.
    fn of_migrations(&self, lock_timeout: Duration) -> Vec<String> {
        let mut timeouts = vec![
            set("lock_timeout", &lock_timeout.as_millis().to_string()),
            set("statement_timeout", "0"),
            set("idle_in_transaction_session_timeout", "0"),
        ];
        if self.server_version >= 170_000 {
            timeouts.push(set("transaction_timeout", "0"));
        }
        if self.server_version >= 140_000 {
            // Where the server cannot ask, any value but 0 is an error (manual, 20.3.2).
            let able = if self.server_version >= 150_000 { "linux|darwin|bsd" } else { "linux" };
            let interval = set("client_connection_check_interval", CLIENT_CHECK_INTERVAL_MS);
            timeouts.push(format!("{interval} WHERE pg_catalog.version() ~ '{able}'"));
        }
        timeouts
    }

    /// `RESET ALL` touches neither session user nor role and forgets what the application had set,
    /// so the user comes first, the application's settings next, then `others`, and last the role,
    /// which may have fewer rights.
    fn restoring(&self, others: Vec<String>) -> String {
        let mut statements =
            vec![set("session_authorization", &self.session_user), "RESET ALL".to_owned()];
        statements.extend(self.changed.iter().map(|(name, value)| set(name, value)));
        statements.extend(others);
        statements.push(set("role", &self.role));
        statements.join("; ")
    }
}

fn set(name: &str, value: &str) -> String {
    format!("SELECT pg_catalog.set_config({}, {}, false)", literal(name), literal(value))
}

/// The text of a column, or nothing when it is null or absent.
pub(crate) fn text<'a>(row: &'a SimpleQueryRow, column: &str) -> Option<&'a str> {
    row.try_get(column).ok().flatten()
}
