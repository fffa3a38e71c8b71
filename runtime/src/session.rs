//! One connection for the length of a run: sending, and leaving it as it was.
//!
//! **Invariant:** whatever ends the run (success, an error, a dropped future, a panic), the server
//! session is left without an open transaction, without our lock and with the settings it had, or
//! it is not used again. The order of messages on one connection guarantees it: what is queued here
//! runs before anything the application sends later.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio_postgres::{Client, Error as PostgresError, SimpleQueryMessage, SimpleQueryRow};

use crate::belongings::{self, Belongings};
use crate::database::Connection;
use crate::lock;
use crate::prepared::Statements;
use crate::quote::literal;
use crate::settings::{self, Settings};

/// A connection with the duty to clean up.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    connection: Connection<'a>,
    /// The key of the advisory lock, while it may be held.
    lock: Option<i64>,
    /// The backend that was given it. Behind a pooler it need not be the one that answers next.
    lock_backend: i32,
    /// What the session has to get back; known once a migration may have changed it.
    settings: Option<Settings>,
    /// What gives it the settings migrations run with.
    working: String,
    /// What it owned when the run began.
    belongings: Belongings,
    /// The statements it has prepared for us.
    statements: Statements,
    /// Whether a transaction may be open.
    in_transaction: bool,
}

/// The answers to one batch of statements that is already on the wire.
pub(crate) struct Answers(
    Pin<Box<dyn Stream<Item = Result<SimpleQueryMessage, PostgresError>> + Send>>,
);

/// A batch that failed, and how many of its statements had been completed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) n_completed: usize,
    pub(crate) error: PostgresError,
}

/// How often a lock is looked for behind a pooler, and the pause in between.
const STRAY_TRIES: usize = 20;
/// How often the session that has it is then to be ended, should it be busy each time.
const STRAY_ENDINGS: usize = 500;
const STRAY_PAUSE: Duration = Duration::from_millis(10);

impl<'a> Session<'a> {
    pub(crate) fn new(connection: Connection<'a>) -> Self {
        Self {
            connection,
            lock: None,
            lock_backend: 0,
            settings: None,
            working: String::new(),
            belongings: Belongings::default(),
            statements: Statements::new(),
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

    /// Gives the connection up: its pool does not lend it again.
    pub(crate) fn discard(&mut self) {
        self.connection.discard();
    }

    /// From now on the lock may be held. Called before it is asked for.
    pub(crate) const fn may_hold_lock(&mut self, key: i64) {
        self.lock = Some(key);
    }

    /// The lock is ours, and this backend has it.
    pub(crate) const fn holds_lock_in(&mut self, backend: i32) {
        self.lock_backend = backend;
    }

    /// Whether this backend was given the lock.
    pub(crate) const fn has_lock_in(&self, backend: i32) -> bool {
        self.lock_backend == backend
    }

    /// An expression for the beginning of a transaction that fails if the lock is somebody else's.
    pub(crate) fn guard(&self) -> Option<String> {
        self.lock.map(lock::guard)
    }

    /// A question that takes the lock again if a migration has given it away.
    fn regain(&self) -> Option<String> {
        self.lock.map(|key| lock::regain(key, self.lock_backend))
    }

    /// An expression that fails if another session answers than the one that was given the lock.
    pub(crate) fn guard_of_session(&self) -> String {
        lock::of_backend(self.lock_backend)
    }

    /// Statements that only the session which was given the lock runs. Behind a pooler another one may
    /// answer, which would keep settings, and has others. All rows are those of the statements.
    pub(crate) fn guarded(&self, sql: &str) -> String {
        format!("SELECT WHERE {} <> 0; {sql}", self.guard_of_session())
    }

    /// The server said that the lock is not ours.
    pub(crate) const fn has_no_lock(&mut self) {
        self.lock = None;
    }

    /// Gives the session the settings migrations run with; `settings` are those it has now, and
    /// `undeclared` the names of more that migrations speak of. `belongings` are what it owns now.
    pub(crate) async fn prepare(
        &mut self,
        settings: Settings,
        belongings: Belongings,
        undeclared: &BTreeSet<String>,
        lock_timeout: Duration,
    ) -> Result<(), PostgresError> {
        let question = settings::question_about(undeclared);
        let batch = self.guarded(&format!("{question}{}", settings.working(lock_timeout)));
        let settings = self.settings.insert(settings);
        self.belongings = belongings;
        let answers = Answers(Box::pin(self.connection.simple_query_raw(&batch).await?));
        for row in &answers.rows().await? {
            if let (Some(name), Some(value)) = (text(row, "name"), text(row, "value")) {
                settings.undeclared.push((name.to_owned(), value.to_owned()));
            }
        }
        let regain = self.regain().map(|it| format!("; {it}")).unwrap_or_default();
        let working = self.settings.as_ref().map(|it| it.working(lock_timeout));
        self.working = format!("{}{regain}", working.unwrap_or_default());
        Ok(())
    }

    /// Statements for a transaction in which the session is to be who it was when the run began, and
    /// have its lock, whatever a migration has done; they end with a semicolon. Who it is ends with it.
    ///
    /// Setting the user forgets the role, also when it is the same user, so that is not done in vain.
    pub(crate) fn as_itself(&self) -> String {
        let Some(Settings { session_user, role, .. }) = &self.settings else {
            return String::new();
        };
        let (user, role) = (literal(session_user), literal(role));
        let regain = self.regain().map(|it| format!(" {it};")).unwrap_or_default();
        format!(
            "SELECT pg_catalog.set_config('session_authorization', {user}, true) WHERE session_user <> {user}; \
             SELECT pg_catalog.set_config('role', {role}, true);{regain}"
        )
    }

    /// The statements that are prepared for this run. What is still there in the end is removed then.
    pub(crate) const fn statements(&mut self) -> &mut Statements {
        &mut self.statements
    }

    /// Removes what migrations have made that would live as long as the session, and says what.
    pub(crate) async fn tidy(&self) -> Result<Vec<String>, PostgresError> {
        let owned = self.rows(&self.guarded(belongings::QUESTION)).await?;
        let new = Belongings::of(&owned).since(&self.belongings).without(&self.statements);
        if !new.is_empty() {
            self.run(&self.guarded(&new.removal())).await?;
        }
        Ok(new.described())
    }

    /// Statements that undo what a migration has set, and take the lock again if it has given that away.
    /// They also work in a transaction. The answer names what had another value, as `given_back`.
    pub(crate) fn working(&self) -> &str {
        &self.working
    }

    /// The same outside of a transaction that has made sure of the lock.
    pub(crate) async fn set_working(&self) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        self.rows(&self.guarded(&self.working)).await
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
        let rows = self.rows_of_its_own(&cleanup).await?;
        let settings = self.settings.take();
        (self.lock, self.in_transaction) = (None, false);
        let (Some(rows), Some(settings)) = (rows, settings) else {
            self.statements.are_removed();
            return Ok(());
        };
        let touched: Vec<_> = rows.iter().filter_map(|row| text(row, "touched")).collect();
        if !touched.is_empty() {
            let reset = self.guarded(&settings.resetting(&touched));
            match self.rows_of_its_own(&reset).await {
                // Refused or not: they have their values back.
                Ok(_) | Err(_) => {}
            }
        }
        let new = Belongings::of(&rows).since(&self.belongings);
        if !new.is_empty() {
            let _rows = self.rows_of_its_own(&self.guarded(&new.removal())).await?;
        }
        self.statements.are_removed();
        Ok(())
    }

    /// The answers of the session that was given the lock to what only that one may run; nothing if it is
    /// gone.
    ///
    /// Behind a pooler another one may answer: it refuses, and after a while the right one comes. If it
    /// does not, it is ended while nobody uses it.
    async fn rows_of_its_own(
        &self,
        sql: &str,
    ) -> Result<Option<Vec<SimpleQueryRow>>, PostgresError> {
        let backend = self.lock_backend;
        for _ in 0..STRAY_TRIES {
            match self.rows(sql).await {
                Err(error) if lock::is_of_another(&error) => {}
                answered => return answered.map(Some),
            }
            let there = format!(
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = {backend}) AS is_there"
            );
            if self.rows(&there).await?.first().and_then(|row| text(row, "is_there")) != Some("t") {
                return Ok(None);
            }
            tokio::time::sleep(STRAY_PAUSE).await;
        }
        let ending = format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
             WHERE pid = {backend} AND state = 'idle'; \
             SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = {backend}) AS is_there"
        );
        for _ in 0..STRAY_ENDINGS {
            let rows = self.rows(&ending).await?;
            if rows.last().and_then(|row| text(row, "is_there")) != Some("t") {
                break;
            }
            tokio::time::sleep(STRAY_PAUSE).await;
        }
        Ok(None)
    }

    /// What is still to be done, as one batch; empty when the session is clean.
    fn cleanup(&self) -> String {
        let mut duties = Vec::new();
        // The lock first: releasing it is not undone if a later statement of the batch fails.
        if let Some(key) = self.lock {
            duties.push(format!("SELECT pg_catalog.pg_advisory_unlock({key})"));
        }
        if let Some(settings) = &self.settings {
            duties.push(settings.restoring());
            duties.push(belongings::QUESTION.to_owned());
        }
        let duties = match duties.join("; ") {
            duties if duties.is_empty() || self.lock_backend == 0 => duties,
            duties => self.guarded(&duties),
        };
        match (self.in_transaction, duties.is_empty()) {
            (false, _) => duties,
            (true, true) => "ROLLBACK".to_owned(),
            (true, false) => format!("ROLLBACK; {duties}"),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let cleanup = Some(self.cleanup()).filter(|it| !it.is_empty());
        // Each in a message of its own: one that is not there, or not any more, is an error, and an error
        // takes back what else its message has done.
        let messages: Vec<_> = cleanup.into_iter().chain(self.statements.removals()).collect();
        if messages.is_empty() {
            return;
        }
        // Sending happens in the first poll; nobody waits for the answer, and the connection's own
        // task reads it. A connection that is closed already takes nothing, and holds nothing.
        for message in &messages {
            let mut sending = pin!(self.connection.simple_query_raw(message));
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
    pub(crate) async fn finish(self) -> Result<usize, Failure> {
        self.each(drop).await
    }

    /// As [`finish`](Self::finish), but returns the rows of all its statements.
    pub(crate) async fn finish_with_rows(self) -> Result<Vec<SimpleQueryRow>, Failure> {
        let mut rows = Vec::new();
        let _n_completed = self.each(|row| rows.push(row)).await?;
        Ok(rows)
    }

    async fn each(mut self, mut on_row: impl FnMut(SimpleQueryRow)) -> Result<usize, Failure> {
        let mut n_completed = 0;
        while let Some(message) = self.0.next().await {
            match message {
                Ok(SimpleQueryMessage::CommandComplete(_)) => n_completed += 1,
                Ok(SimpleQueryMessage::Row(row)) => on_row(row),
                Ok(_) => {}
                Err(error) => return Err(Failure { n_completed, error }),
            }
        }
        Ok(n_completed)
    }
}

/// The text of a column, or nothing when it is null or absent.
pub(crate) fn text<'a>(row: &'a SimpleQueryRow, column: &str) -> Option<&'a str> {
    row.try_get(column).ok().flatten()
}
