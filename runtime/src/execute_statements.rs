//! Running a file without a transaction: statement by statement, each recorded.
//!
//! **Invariant:** the row says which statements are done and which one was begun, so that a run that
//! was cut off is continued, and a statement of which nobody knows whether it took effect is never
//! repeated silently.

use std::time::Instant;

use dunlin_core::statement::{InTransaction, Object, Statement, Verb};
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::applied::{Kind, Progress};
use crate::error::{Error, ErrorKind, Result, cause, is_lost};
use crate::event::Event;
use crate::execute::{Execution, row};
use crate::history::Row;
use crate::pipeline::{existing_relations, question_about_existing};
use crate::plan::Step;
use crate::quote::{identifier, literal};
use crate::script::SqlText;
use crate::session::text;

impl Execution<'_, '_> {
    /// Applies a migration without a transaction, behind what an earlier run has done of it.
    pub(crate) async fn statements(&mut self, step: &Step, sql: &SqlText<'_>) -> Result<()> {
        let n_statements = sql.statements.len();
        let n_done = match step.progress {
            Some(progress) => self.resume(step, progress, sql).await?,
            None => 0,
        };
        let begun = Instant::now();
        let mut progress = Progress { n_done, n_begun: n_statements.min(n_done + 1), n_statements };
        let row = Row { progress: Some(progress), ..row(step.migration, Kind::SqlNoTransaction) };
        let record = if step.progress.is_some() {
            self.history.update(&row)
        } else {
            self.history.insert_unlogged(&row)
        };
        if let Err(error) = self.record(&record).await {
            return Err(self.progress_unrecorded(row.name, sql, progress, error));
        }
        let existing = self.existing(row.name, sql).await?;
        for (index, statement) in sql.statements.iter().enumerate().skip(n_done) {
            let result = self
                .told_statement(row.name, sql, index, self.run_statement(row.name, statement, sql))
                .await;
            if let Err(error) = result {
                return Err(self
                    .statement_failed(row.name, sql, progress, index, begun, error)
                    .await);
            }
            progress.n_done = index + 1;
            progress.n_begun = n_statements.min(index + 2);
            let note = self.history.advance(row.name, progress, begun.elapsed());
            if let Err(error) = self.record(&note).await {
                return Err(self.progress_unrecorded(row.name, sql, progress, error));
            }
        }
        self.restore(row.name, sql).await?;
        self.tell_summary(row.name, sql, &existing);
        self.tidy_behind(row.name, sql).await
    }

    /// Undoes a migration without a transaction; its row goes when all is done.
    pub(crate) async fn undo_statements(&mut self, name: &str, sql: &SqlText<'_>) -> Result<()> {
        let begun = Instant::now();
        let existing = self.existing(name, sql).await?;
        for (index, statement) in sql.statements.iter().enumerate() {
            let running = self.session.run(statement.text(sql.text));
            if let Err(error) = self.told_statement(name, sql, index, running).await {
                if is_lost(&error) {
                    return Err(lost_statement(&self.subject(name), sql, index, error));
                }
                let place = error.as_db_error().map(|db| sql.place_in_statement(index, db));
                self.restore(name, sql).await?;
                let done = done_sentence(index, sql.statements.len());
                return Err(Error::new(ErrorKind::Migration, format!("undo of `{name}` failed: {}", cause(&error)))
                    .place(place)
                    .because(error)
                    .note(format!("it runs without a transaction: {done}; `{name}` still counts as applied"))
                    .note(self.state())
                    .help("mend the undo so that it can be repeated from its first statement, and start again"));
            }
        }
        self.restore(name, sql).await?;
        let record = self.history.undone(name, Some(begun.elapsed()));
        if let Err(error) = self.record(&record).await {
            let doing = format!("removing the row of `{name}`");
            return Err(Error::from_postgres(&doing, error)
                .note(format!("its undo is done, but `{name}` still counts as applied"))
                .help(format!("remove the row: {};", self.history.delete(name))));
        }
        self.tell_summary(name, sql, &existing);
        self.tidy_behind(name, sql).await
    }

    /// How many statements of an interrupted migration are done, if that can be told.
    pub(crate) async fn resume(
        &self,
        step: &Step,
        progress: Progress,
        sql: &SqlText<'_>,
    ) -> Result<usize> {
        let name = step.migration.name;
        let Progress { n_done, n_begun, .. } = progress;
        let n_statements = sql.statements.len();
        let stored = self.history.texts(self.session, &[name]).await?;
        let stored = stored.into_iter().next().and_then(|texts| texts.up).unwrap_or_default();
        let stored = SqlText::new(name, &stored);
        let statement = |sql: &SqlText<'_>, index: usize| {
            sql.statements.get(index).map(|it| it.text(sql.text).to_owned())
        };
        let edited = (0..n_done).find(|&index| statement(&stored, index) != statement(sql, index));
        if let Some(index) = edited {
            return Err(Error::new(
                ErrorKind::Drift,
                format!("the {n_done} completed statement(s) of the unfinished migration `{name}` were edited"),
            )
            .place(Some(sql.place_of(index)))
            .note("nothing was changed; an earlier run completed them as they were")
            .help("restore these statements; the ones behind them may be edited"));
        }
        let is_known =
            n_begun <= n_done || sql.statements.get(n_done).is_some_and(builds_index_concurrently);
        if is_known {
            return Ok(n_done);
        }
        let (table, name_literal, number) = (&self.history.qualified, literal(name), n_done + 1);
        Err(Error::new(
            ErrorKind::Migration,
            format!("migration `{name}` was cut off in statement {number} of {n_statements}"),
        )
        .place(Some(sql.place_of(n_done)))
        .note(format!("{}; whether this one took effect cannot be told from here", done_sentence(n_done, n_statements)))
        .note("nothing was changed by this run")
        .help(format!("look. If it took effect: UPDATE {table} SET statements_done = {number} WHERE name = {name_literal};"))
        .help(format!("if it did not: UPDATE {table} SET statements_begun = {n_done} WHERE name = {name_literal}; then start again")))
    }

    /// Awaits the statement of this index and tells of it.
    async fn told_statement(
        &self,
        name: &str,
        sql: &SqlText<'_>,
        index: usize,
        running: impl Future<Output = Result<(), PostgresError>>,
    ) -> Result<(), PostgresError> {
        let (direction, statement, begun) = (self.direction, &sql.told(index), Instant::now());
        self.tell(&Event::StatementStarted { name, direction, statement });
        self.watched(name, Some(statement), running).await?;
        let duration = begun.elapsed();
        self.tell(&Event::StatementFinished { name, direction, statement, duration });
        Ok(())
    }

    async fn run_statement(
        &self,
        migration: &str,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<(), PostgresError> {
        self.drop_invalid_index(migration, statement).await?;
        self.allow_waiting(sql, statement).await?;
        self.session.run(statement.text(sql.text)).await
    }

    /// `CREATE INDEX CONCURRENTLY` and its like make nobody wait, but wait themselves for every older
    /// transaction, and leave an invalid index when they are cut off; so they may wait. A file that
    /// says something of its own about `lock_timeout` is left alone.
    async fn allow_waiting(
        &self,
        sql: &SqlText<'_>,
        statement: &Statement,
    ) -> Result<(), PostgresError> {
        if sql.text.contains("lock_timeout") {
            return Ok(());
        }
        let timeout = match statement.in_transaction {
            InTransaction::Never(_) => 0,
            InTransaction::Sometimes(_) | InTransaction::Allowed => {
                self.budget.lock_timeout.as_millis()
            }
        };
        self.session.run(&format!("SET lock_timeout TO {timeout}")).await
    }

    /// Removes what an interrupted `CREATE INDEX CONCURRENTLY` has left, so that `IF NOT EXISTS`
    /// cannot pass over an index that no query uses.
    async fn drop_invalid_index(
        &self,
        migration: &str,
        statement: &Statement,
    ) -> Result<(), PostgresError> {
        let index = statement.effects.iter().find(|it| {
            it.concurrently
                && it.object == Object::Index
                && it.verb == Verb::Created
                && it.name.is_some()
        });
        let (Some(index), Some(table)) =
            (index.and_then(|it| it.name.as_deref()), index.and_then(|it| it.on.as_deref()))
        else {
            return Ok(());
        };
        let question = format!(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class t \
             JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE t.oid = pg_catalog.to_regclass({}) AND NOT i.indisvalid AND c.relkind = 'i' \
             AND c.relname = (pg_catalog.parse_ident({}))[pg_catalog.array_upper(pg_catalog.parse_ident({}), 1)]",
            literal(table),
            literal(index),
            literal(index),
        );
        for row in &self.session.rows(&question).await? {
            let (schema, name) = (
                text(row, "nspname").unwrap_or_default(),
                text(row, "relname").unwrap_or_default(),
            );
            let invalid = format!("{}.{}", identifier(schema), identifier(name));
            self.session.run(&format!("DROP INDEX CONCURRENTLY {invalid}")).await?;
            let message =
                format!("Dropped the invalid index {invalid} that an interrupted run had left");
            self.tell(&Event::Progress { name: migration, message: &message });
        }
        Ok(())
    }

    /// `progress` is as it was recorded before the statement.
    async fn statement_failed(
        &mut self,
        name: &str,
        sql: &SqlText<'_>,
        progress: Progress,
        index: usize,
        begun: Instant,
        error: PostgresError,
    ) -> Error {
        if is_lost(&error) {
            return lost_statement(&self.subject(name), sql, index, error);
        }
        let n = sql.statements.len();
        let made = Error::new(
            ErrorKind::Migration,
            format!("migration `{name}` failed: {}", cause(&error)),
        )
        .place(error.as_db_error().map(|db| sql.place_in_statement(index, db)))
        .because(error)
        .note(format!("it runs without a transaction: {}", done_sentence(index, n)))
        .note(self.state());
        // The server said no, so it is known that the statement is not done.
        let known = Progress { n_begun: progress.n_done, ..progress };
        let note = self.history.advance(name, known, begun.elapsed());
        if let Err(second) = self.record(&note).await {
            return made.note(format!("this could not be recorded: {}", cause(&second))).help(
                format!(
                    "tell the history table: {}; then mend statement {} and start again",
                    self.progress_by_hand(name, known),
                    index + 1
                ),
            );
        }
        let made = made
            .help(format!("mend statement {} and start again: the run continues there", index + 1));
        match self.restore(name, sql).await {
            Ok(()) => made,
            Err(second) => made.note(second.to_string()),
        }
    }

    /// Writes to the history table as the user and the role the run began with, whatever the file
    /// has set.
    pub(crate) async fn record(&self, statement: &str) -> Result<(), PostgresError> {
        let result = self
            .session
            .run(&format!("{} {statement}; COMMIT", self.session.beginning_as_itself()))
            .await;
        if result.as_ref().is_err_and(|error| !is_lost(error)) {
            // The batch began a transaction that the error aborted.
            self.session.run("ROLLBACK").await?;
        }
        result
    }

    /// The statements ran, and the table does not know how far.
    fn progress_unrecorded(
        &self,
        name: &str,
        sql: &SqlText<'_>,
        progress: Progress,
        error: PostgresError,
    ) -> Error {
        let n = sql.statements.len();
        let doing = format!("recording how far migration `{name}` has come");
        Error::from_postgres(&doing, error)
            .place(Some(sql.place_of(progress.n_done.saturating_sub(1))))
            .note(format!("it runs without a transaction: {}", done_sentence(progress.n_done, n)))
            .note(self.state())
            .help(format!(
                "if the run says that it was cut off: {}; then start again",
                self.progress_by_hand(name, Progress { n_begun: progress.n_done, ..progress })
            ))
    }

    /// The statement with which a person tells the table how far a migration has come.
    fn progress_by_hand(&self, name: &str, progress: Progress) -> String {
        format!(
            "UPDATE {} SET statements_done = {}, statements_begun = {} WHERE name = {}",
            self.history.qualified,
            progress.n_done,
            progress.n_begun,
            literal(name)
        )
    }

    /// The tables of a file without a transaction that exist already, asked only if it matters.
    async fn existing(&self, name: &str, sql: &SqlText<'_>) -> Result<Vec<String>> {
        let question = question_about_existing(sql);
        if question.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.session.rows(&question).await;
        let rows = rows.map_err(|error| {
            Error::from_postgres(&format!("looking at the tables of `{name}`"), error)
                .note(self.state())
        })?;
        Ok(existing_relations(&rows))
    }

    async fn restore(&self, name: &str, sql: &SqlText<'_>) -> Result<()> {
        let rows = self.session.rows(self.session.working()).await.map_err(|error| {
            Error::from_postgres(&format!("giving back the settings that `{name}` changed"), error)
        })?;
        // Unless the file speaks of it, it was set for each statement by us.
        let is_its_own = |row: &SimpleQueryRow| {
            text(row, "given_back") != Some("lock_timeout") || sql.text.contains("lock_timeout")
        };
        let rows: Vec<_> = rows.into_iter().filter(is_its_own).collect();
        self.tell_given_back(name, &rows);
        Ok(())
    }

    /// Removes what a file without a transaction may have made for the length of the session.
    async fn tidy_behind(&mut self, name: &str, sql: &SqlText<'_>) -> Result<()> {
        let traces = sql.residue.now.or(self.wary);
        self.wary = self.wary.or(sql.residue.later);
        if traces.belongings { self.tidy(name).await } else { Ok(()) }
    }
}

/// Whether the outcome of a statement can be read from the catalogs.
fn builds_index_concurrently(statement: &Statement) -> bool {
    statement.effects.iter().any(|it| {
        it.concurrently && it.object == Object::Index && it.verb == Verb::Created && it.conditional
    })
}

/// Which statements are done, in words.
fn done_sentence(n_done: usize, n: usize) -> String {
    match n_done {
        0 => format!("none of its {n} statement(s) is done"),
        1 => format!("statement 1 of {n} is done and stays done"),
        _ => format!("statements 1 to {n_done} of {n} are done and stay done"),
    }
}

fn lost_statement(subject: &str, sql: &SqlText<'_>, index: usize, error: PostgresError) -> Error {
    let n = sql.statements.len();
    Error::new(
        ErrorKind::Connection,
        format!("the connection broke during {subject}: {}", cause(&error)),
    )
    .place(Some(sql.place_of(index)))
    .because(error)
    .note(format!("it runs without a transaction: {}", done_sentence(index, n)))
    .note(format!("whether statement {} took effect cannot be told from here", index + 1))
    .help("start again: the run looks, and says what is to be done if it cannot tell either")
}
