//! What is said of a step that failed: the state of the database now, and what to do next.
//!
//! **Invariant:** each of these errors says what became of the step and what else the run has changed,
//! and names a next step. What cannot be known from here is said to be unknown.

use dunlin_core::Place;
use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

use crate::applied::Progress;
use crate::error::{Error, ErrorKind, cause, is_lost};
use crate::event::Direction;
use crate::execute::Execution;
use crate::history::StoredTexts;
use crate::lock::is_of_another;
use crate::quote::literal;
use crate::session::text;

impl Execution<'_, '_> {
    /// A failure inside the transaction, with `COMMIT` already on the wire behind it.
    ///
    /// What the server has refused, it rolls back; a connection that broke leaves it open how far the
    /// server has come.
    pub(crate) async fn failed_on_the_way(
        &mut self,
        name: &str,
        place: Place,
        error: PostgresError,
    ) -> Error {
        if error.as_db_error().is_none() {
            return lost(name, error);
        }
        self.failed(name, place, error).await
    }

    /// A failure inside the transaction: everything of this migration is rolled back.
    pub(crate) async fn failed(&mut self, name: &str, place: Place, error: PostgresError) -> Error {
        if let Some(made) = self.lost_lock(name, &error) {
            return self.rolled_back(name, made).await;
        }
        let headline = format!("{} failed: {}", self.subject(name), cause(&error));
        let kind = if is_lost(&error) { ErrorKind::Connection } else { ErrorKind::Migration };
        let aborted = error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION);
        let made = Error::new(kind, headline).place(Some(place)).because(error);
        // Only a migration in Rust can go on behind an error.
        let made = if aborted {
            made.note("one of its statements failed before, and it did not return that error").help(
                "return the error with `?`; let a statement that may fail do so behind a SAVEPOINT",
            )
        } else {
            made
        };
        self.rolled_back(name, made).await
    }

    /// What to say if another session answers than the one of this run.
    pub(crate) fn lost_lock(&self, name: &str, error: &PostgresError) -> Option<Error> {
        if !is_of_another(error) {
            return None;
        }
        let headline = format!("the migration lock was lost in {}", self.subject(name));
        Some(Error::new(ErrorKind::Pooler, headline)
            .note("another session holds it: a migration has given it away, or a pooler in transaction mode hands each transaction to another session")
            .help("for migrations connect to the server itself, or to a pool in session mode"))
    }

    /// A failure in the last batch: `INSERT` or `DELETE` of the row, then `COMMIT`.
    pub(crate) async fn unrecorded(
        &mut self,
        name: &str,
        place: Place,
        at_commit: bool,
        error: PostgresError,
    ) -> Error {
        if error.as_db_error().is_none() {
            return lost(name, error);
        }
        let (what, why) = if at_commit {
            (
                "failed at COMMIT",
                "its statements ran; what the server checks last, such as a deferred constraint, failed",
            )
        } else {
            (
                "could not be recorded",
                "its statements ran; writing its row in the history table did not",
            )
        };
        let kind = if is_lost(&error) { ErrorKind::Connection } else { ErrorKind::Migration };
        let made = Error::new(kind, format!("{} {what}: {}", self.subject(name), cause(&error)))
            .place(Some(place))
            .because(error)
            .note(why);
        self.rolled_back(name, made).await
    }

    /// The error a migration in Rust returned.
    pub(crate) async fn failed_in_rust(&mut self, name: &str, place: Place, error: Error) -> Error {
        let error = error.of_rust_migration(&self.subject(name), place);
        self.rolled_back(name, error).await
    }

    /// A migration in Rust has ended the transaction around it.
    pub(crate) async fn ended_its_transaction(
        &mut self,
        name: &str,
        place: Place,
        transaction: Option<String>,
    ) -> Error {
        let question = format!(
            "ROLLBACK; SELECT pg_catalog.pg_xact_status({}::pg_catalog.xid8) AS status",
            literal(&transaction.unwrap_or_default())
        );
        let rows = self.session.rows(&question).await.unwrap_or_default();
        let status = rows
            .first()
            .and_then(|row| text(row, "status"))
            .unwrap_or("either committed or rolled back");
        Error::new(
            ErrorKind::Migration,
            format!("{} ended its own transaction", self.subject(name)),
        )
        .place(Some(place))
        .note(format!(
            "what it did before that is {status}, and the history table does not know of it; {}",
            self.state()
        ))
        .help("remove COMMIT and ROLLBACK from it, look what it has left behind, and start again")
    }

    /// A migration of which some statements are done for good was turned into one with a transaction.
    pub(crate) fn begun_without_transaction(
        &self,
        name: &str,
        path: &str,
        progress: Progress,
    ) -> Error {
        let Progress { n_begun, n_statements, .. } = progress;
        let subject = match self.direction {
            Direction::Up => format!("migration `{name}`"),
            Direction::Down => format!("undo of `{name}`"),
        };
        Error::new(
            ErrorKind::Drift,
            format!("the unfinished {subject} was begun without a transaction, and now has one"),
        )
        .place(Some(Place::file(path)))
        .note(format!(
            "up to statement {n_begun} of {n_statements} it was run and would be run again"
        ))
        .note("nothing was changed by this run")
        .help("restore the line `-- dunlin: no-transaction` to continue behind what is done")
        .help(match self.direction {
            Direction::Up => format!(
                "or undo by hand what is done, and begin anew: {}; then start again",
                self.history.delete(name)
            ),
            Direction::Down => format!(
                "or undo by hand what is left, and say so: {}; then start again",
                self.history.delete(name)
            ),
        })
    }

    /// A migration is to be applied of which an undo without a transaction was cut off.
    pub(crate) fn undo_unfinished(&self, texts: &StoredTexts) -> Error {
        let name = &texts.name;
        let Progress { n_done, n_statements, .. } = texts.undo_progress().unwrap_or_default();
        Error::new(ErrorKind::Drift, format!("the undo of `{name}` was begun and is not finished"))
            .note(format!("{n_done} of its {n_statements} statement(s) are done; nothing was changed by this run"))
            .help("undo it again, which continues behind what is done; then apply")
    }

    /// Rolls back and adds the state of the database and the next step.
    async fn rolled_back(&mut self, name: &str, error: Error) -> Error {
        let next_step = self.next_step(name, &error);
        // «`x` is rolled back» would sound as if its undo had worked.
        let what = match self.direction {
            Direction::Up => format!("`{name}`"),
            Direction::Down => format!("the undo of `{name}`"),
        };
        let rolled_back = match self.session.roll_back().await {
            Ok(()) => format!("{what} is rolled back"),
            Err(_) => format!("the connection is lost, so the server rolls {what} back"),
        };
        error.note(format!("{rolled_back}; {}", self.state())).help(next_step)
    }

    /// What stays although the run failed.
    pub(crate) fn state(&self) -> String {
        let (done, left) = match self.direction {
            Direction::Up => ("applied by this run and stay", "pending"),
            Direction::Down => ("undone by this run and stay so", "still to be undone"),
        };
        let n_left = self.n_left;
        let names: Vec<_> = self.report.done.iter().map(|it| format!("`{}`", it.name)).collect();
        match names.as_slice() {
            [] if self.report.history_created => {
                format!(
                    "nothing else was changed by this run, except that it created the history table; {n_left} {left}"
                )
            }
            [] => format!("nothing else was changed by this run, {n_left} {left}"),
            [one] => format!("{one} was {}, {n_left} {left}", done.replace("stay", "stays")),
            [first, .., last] => {
                format!(
                    "{} migrations, {first} to {last}, were {done}, {n_left} {left}",
                    names.len()
                )
            }
        }
    }

    fn next_step(&self, name: &str, error: &Error) -> String {
        let mend = match (error.kind(), error.code(), self.direction) {
            (ErrorKind::Connection, _, _) => "start again",
            (_, Some(&SqlState::INSUFFICIENT_PRIVILEGE), _) => {
                "grant the right, or migrate as a role that has it, and start again"
            }
            (_, _, Direction::Up) => "mend the migration or the data and start again",
            (_, _, Direction::Down) => "mend the undo or the data and undo again",
        };
        format!("{mend}: the run continues with `{name}`")
    }

    /// What failed, for the beginning of a headline.
    pub(crate) fn subject(&self, name: &str) -> String {
        match self.direction {
            Direction::Up => format!("migration `{name}`"),
            Direction::Down => format!("undo of `{name}`"),
        }
    }
}

/// Adds that it was tried again and again, if it was.
pub(crate) fn tried(error: Error, n_failed: u32) -> Error {
    let times = match n_failed {
        0 => return error,
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    error
        .note(format!("it was tried {times}; each statement waits for a lock only briefly, so that the application goes on"))
        .help("end what holds the lock, or allow more: `Migrator::lock_timeout`, `Migrator::lock_retries`")
}

/// The connection broke, so the outcome is not known here. The next run asks the table.
pub(crate) fn lost(name: &str, error: PostgresError) -> Error {
    Error::new(
        ErrorKind::Connection,
        format!("the connection broke during migration `{name}`: {}", cause(&error)),
    )
    .because(error)
    .note(format!(
        "`{name}` and its row were committed together or not at all; from here that cannot be told"
    ))
    .help("start again: the run asks the history table first and does nothing twice")
}
