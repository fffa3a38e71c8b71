//! How far a file has come, and the notes of it in its row.
//!
//! **Invariant:** a note is written as the user and the role the run began with.

use std::time::Instant;

use dunlin_core::statement::{InTransaction, Statement};
use tokio_postgres::Error as PostgresError;

use crate::applied::Progress;
use crate::error::{Error, is_lost};
use crate::event::Direction;
use crate::execute::Execution;
use crate::script::SqlText;

impl Execution<'_, '_> {
    /// The statement that notes that so much is done.
    pub(super) fn record_of(&self, name: &str, progress: Progress, begun: Instant) -> String {
        match self.direction {
            Direction::Up => self.history.advance(name, progress, begun.elapsed()),
            Direction::Down if progress.n_done == progress.n_statements => {
                self.history.undone(name, Some(begun.elapsed()))
            }
            Direction::Down => self.history.advance_undo(name, progress),
        }
    }

    /// Writes to the history table as the user and the role the run began with, whatever the file
    /// has set.
    pub(crate) async fn record(&self, statement: &str) -> Result<(), PostgresError> {
        let guard = self.session.guard().map(|it| format!("SELECT {it}; ")).unwrap_or_default();
        let result = self
            .session
            .run(&format!(
                "BEGIN READ WRITE; {guard}{} {statement}; COMMIT",
                self.session.as_itself()
            ))
            .await;
        if result.as_ref().is_err_and(|error| !is_lost(error)) {
            // The batch began a transaction that the error aborted.
            self.session.run("ROLLBACK").await?;
        }
        result
    }

    /// The statements ran, and the table does not know how far.
    pub(super) fn progress_unrecorded(
        &self,
        name: &str,
        sql: &SqlText<'_>,
        progress: Progress,
        error: PostgresError,
    ) -> Error {
        let n = sql.statements.len();
        if let Some(made) = self.lost_lock(name, &error) {
            let done = done_sentence(progress.n_done, n);
            return made.note(format!("it runs without a transaction: {done}")).note(self.state());
        }
        let doing = format!("recording how far {} has come", self.subject(name));
        Error::from_postgres(&doing, error)
            .place(Some(sql.place_of(progress.n_done.saturating_sub(1))))
            .note(format!("it runs without a transaction: {}", done_sentence(progress.n_done, n)))
            .note(self.state())
            .help(format!(
                "if the run says that it was cut off: {}; then start again",
                self.history.progress_by_hand(name, progress.n_done, progress.n_done)
            ))
    }
}

/// So many statements are done, and the next one is begun, if that is to be noted before it runs.
pub(super) fn progress_at(sql: &SqlText<'_>, n_done: usize) -> Progress {
    let is_marked = sql.statements.get(n_done).is_some_and(|next| needs_mark(next, sql));
    let n_begun = if is_marked { n_done + 1 } else { n_done };
    Progress { n_done, n_begun, n_statements: sql.statements.len() }
}

/// Whether a statement cannot be one transaction with its record: PostgreSQL refuses it in one, or a
/// procedure or a block commits by itself.
pub(super) fn needs_mark(statement: &Statement, sql: &SqlText<'_>) -> bool {
    let commits = |text: &str| {
        let text = text.to_ascii_uppercase();
        ["COMMIT", "ROLLBACK", "CALL"].iter().any(|word| text.contains(word))
    };
    match statement.in_transaction {
        InTransaction::Never(_) | InTransaction::Sometimes(_) => true,
        InTransaction::Allowed => match statement.command {
            "CALL" => true,
            "DO" => commits(statement.text(sql.text)),
            _ => false,
        },
    }
}

/// Which statements are done, in words.
pub(super) fn done_sentence(n_done: usize, n: usize) -> String {
    match n_done {
        0 => format!("none of its {n} statement(s) is done"),
        1 => format!("statement 1 of {n} is done and stays done"),
        _ => format!("statements 1 to {n_done} of {n} are done and stay done"),
    }
}
