//! A statement that failed: whether it may run again, and what is said of it.

use std::time::Instant;

use dunlin_core::statement::{InTransaction, Statement};
use tokio_postgres::Error as PostgresError;

use super::progress::{done_sentence, needs_mark, progress_at};
use crate::applied::Progress;
use crate::error::{Error, ErrorKind, cause, is_lost};
use crate::event::Direction;
use crate::execute::Execution;
use crate::history::StoredTexts;
use crate::script::SqlText;

/// A statement that failed, and where its effects may be.
pub(super) struct Refused {
    pub(super) error: PostgresError,
    /// Whether it and its record were one transaction.
    pub(super) is_whole: bool,
    /// Whether the record failed, or the commit of both.
    pub(super) in_record: bool,
}

impl Execution<'_, '_> {
    /// Statement `index` was refused, or lost with its connection, behind `n_done`.
    #[expect(clippy::too_many_arguments, reason = "all of it is said")]
    pub(super) async fn statement_failed(
        &mut self,
        name: &str,
        sql: &SqlText<'_>,
        n_done: usize,
        index: usize,
        begun: Instant,
        refused: Refused,
        before: Option<&StoredTexts>,
    ) -> Error {
        let Refused { error, is_whole, in_record } = refused;
        let n = sql.statements.len();
        if !is_whole && in_record {
            return self.progress_unrecorded(name, sql, progress_at(sql, index + 1), error);
        }
        if is_lost(&error) {
            return lost_statement(&self.subject(name), sql, index, is_whole, error);
        }
        if is_whole && let Err(error) = self.session.roll_back().await {
            return lost_statement(&self.subject(name), sql, index, is_whole, error);
        }
        let elsewhere = |made: Error| {
            let done = done_sentence(n_done, n);
            made.note(format!("it runs without a transaction: {done}")).note(self.state())
        };
        if let Some(made) = self.lost_lock(name, &error) {
            return elsewhere(made);
        }
        let place = error.as_db_error().filter(|_| !in_record);
        let place = match place {
            Some(db) => sql.place_in_statement(index, db),
            None => sql.place_of(index),
        };
        let made = Error::new(
            ErrorKind::Migration,
            format!("{} failed: {}", self.subject(name), cause(&error)),
        )
        .place(Some(place))
        .because(error);
        let made = if in_record {
            made.note("it ran; committing it together with its record failed, so it is rolled back")
        } else {
            made
        };
        let is_untouched = self.direction == Direction::Down && n_done == 0;
        let standing = match self.direction {
            Direction::Up => String::new(),
            Direction::Down if is_untouched => format!("; `{name}` still counts as applied"),
            Direction::Down => format!("; `{name}` counts as half undone"),
        };
        let made = made
            .note(format!("it runs without a transaction: {}{standing}", done_sentence(n_done, n)))
            .note(self.state());
        // The server said no, so it is known that the statement is not done.
        let known = Progress { n_done, n_begun: n_done, n_statements: n };
        let note = self.note_of_refusal(name, known, begun, before);
        if let Err(second) = self.record(&note).await {
            // Then it was the other session that refused the statement, with settings of its own.
            if let Some(lost) = self.lost_lock(name, &second) {
                return elsewhere(lost).note(format!("the other session had said: {made}"));
            }
            return made.note(format!("this could not be recorded: {}", cause(&second))).help(
                format!(
                    "tell the history table: {}; then mend statement {} and start again",
                    self.history.progress_by_hand(name, known.n_done, known.n_begun),
                    index + 1
                ),
            );
        }
        let again = match self.direction {
            Direction::Up => "start again",
            Direction::Down => "undo again",
        };
        let made =
            made.help(format!("mend statement {} and {again}: the run continues there", index + 1));
        match self.restore(name, sql).await {
            Ok(()) => made,
            Err(second) => made.note(second.to_string()),
        }
    }

    /// The statement that notes how far the file has come when the next statement was refused.
    fn note_of_refusal(
        &self,
        name: &str,
        known: Progress,
        begun: Instant,
        before: Option<&StoredTexts>,
    ) -> String {
        match (self.direction, before) {
            (Direction::Down, Some(before)) if known.n_done == 0 => {
                self.history.withdraw_undo(before)
            }
            (Direction::Down, _) => self.history.advance_undo(name, known),
            (Direction::Up, _) => self.history.advance(name, known, begun.elapsed()),
        }
    }
}

/// Whether a statement that was refused may run again: it was rolled back with its record, or is one of
/// those that PostgreSQL itself divides, and what is left of it is cleared away first. A procedure may
/// have committed a part.
pub(super) fn may_repeat(statement: &Statement, sql: &SqlText<'_>, refused: &Refused) -> bool {
    let is_divided =
        matches!(statement.in_transaction, InTransaction::Never(_) | InTransaction::Sometimes(_));
    !needs_mark(statement, sql) || is_divided && !refused.in_record
}

pub(super) fn lost_statement(
    subject: &str,
    sql: &SqlText<'_>,
    index: usize,
    is_whole: bool,
    error: PostgresError,
) -> Error {
    let (n, number) = (sql.statements.len(), index + 1);
    let made = Error::new(
        ErrorKind::Connection,
        format!("the connection broke during {subject}: {}", cause(&error)),
    )
    .place(Some(sql.place_of(index)))
    .because(error)
    .note(format!("it runs without a transaction: {}", done_sentence(index, n)));
    if is_whole {
        return made
            .note(format!("statement {number} and its record were committed together or not at all; from here that cannot be told"))
            .help("start again: the run asks the history table first and does nothing twice");
    }
    made.note(format!("whether statement {number} took effect cannot be told from here"))
        .help("start again: the run looks, and says what is to be done if it cannot tell either")
}
