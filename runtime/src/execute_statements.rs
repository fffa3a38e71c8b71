//! Running a file without a transaction: statement by statement, each recorded.
//!
//! What PostgreSQL lets run in a transaction is committed together with its record, so it is done and
//! recorded or neither. The rest is recorded as begun before and as done behind it.
//!
//! **Invariant:** the row says which statements are done and which one was begun, so that a run that
//! was cut off is continued, and a statement of which nobody knows whether it took effect is never
//! repeated silently.

use std::time::Instant;

use dunlin_core::statement::{InTransaction, Statement};
use tokio_postgres::Error as PostgresError;

use crate::applied::{Kind, Progress};
use crate::error::{Error, ErrorKind, Result, cause, is_lost};
use crate::event::{Direction, Event};
use crate::execute::{Execution, Undo, UndoCode, row, stored_undo};
use crate::execute_evidence::Evidence;
use crate::execute_failure::tried;
use crate::history::{Row, StoredTexts};
use crate::log::Action;
use crate::pipeline::{existing_relations, question_about_existing};
use crate::plan::Step;
use crate::quote::literal;
use crate::registry::Code;
use crate::script::SqlText;

/// A statement that failed, and where its effects may be.
struct Refused {
    error: PostgresError,
    /// Whether it and its record were one transaction.
    is_whole: bool,
    /// Whether the record failed, or the commit of both.
    in_record: bool,
}

impl Execution<'_, '_> {
    /// Applies a migration without a transaction, behind what an earlier run has done of it.
    pub(crate) async fn apply_statements(&mut self, step: &Step, sql: &SqlText<'_>) -> Result<()> {
        let name = step.migration.name;
        let n_done = match step.progress {
            Some(progress) => {
                let stored = self.history.texts(self.session, &[name]).await?;
                let stored = stored.into_iter().next().and_then(|it| it.up).unwrap_or_default();
                self.resume(name, progress, &stored, sql).await?
            }
            None => 0,
        };
        let progress = progress_at(sql, n_done);
        let row = Row { progress: Some(progress), ..row(step.migration, Kind::SqlNoTransaction) };
        let record = match step.progress {
            None => self.history.insert_unlogged(&row),
            // What was cut off was the last one.
            Some(_) if n_done == sql.statements.len() => {
                self.history.logged(Action::Apply, "duration_ms", self.history.update(&row))
            }
            Some(_) => self.history.update(&row),
        };
        if let Err(error) = self.record(&record).await {
            return Err(self.progress_unrecorded(name, sql, progress, error));
        }
        let existing = self.existing(name, sql).await?;
        self.run_statements(name, sql, n_done, None).await?;
        self.restore(name, sql).await?;
        self.tell_summary(name, sql, &existing);
        self.tidy_behind(name, sql).await
    }

    /// Undoes a migration without a transaction, behind what an earlier run has done; its row goes
    /// when all is done.
    pub(crate) async fn undo_statements(&mut self, undo: &Undo<'_>) -> Result<()> {
        let UndoCode::Sql { path, text, transactional } = &undo.how else { return Ok(()) };
        let (name, sql) = (undo.name, SqlText::new(path, text));
        let texts = self.history.texts(self.session, &[name]).await?.into_iter().next();
        let progress = texts.as_ref().and_then(StoredTexts::undo_progress);
        let n_done = match progress {
            Some(progress) => {
                let stored = texts.as_ref().and_then(|it| it.down.as_deref()).unwrap_or_default();
                let resumed = self.resume(name, progress, stored, &sql).await;
                resumed.map_err(|error| error.in_migration(name))?
            }
            None => 0,
        };
        let begun = self.begin(name, Some(&sql), n_done);
        let stored = stored_undo(text, Code::Sql { transactional: *transactional });
        // What was cut off may have been the last one.
        let record = if n_done == sql.statements.len() {
            self.history.undone(name, None)
        } else {
            self.history.begin_undo(name, &stored, progress_at(&sql, n_done))
        };
        let before = texts.filter(|_| progress.is_none());
        let result = self.undo_behind(name, &sql, n_done, &record, before.as_ref()).await;
        self.end(name, begun, result.map(|()| None)).await
    }

    async fn undo_behind(
        &mut self,
        name: &str,
        sql: &SqlText<'_>,
        n_done: usize,
        record: &str,
        before: Option<&StoredTexts>,
    ) -> Result<()> {
        if let Err(error) = self.record(record).await {
            return Err(self.progress_unrecorded(name, sql, progress_at(sql, n_done), error));
        }
        let existing = self.existing(name, sql).await?;
        self.run_statements(name, sql, n_done, before).await?;
        self.restore(name, sql).await?;
        self.tell_summary(name, sql, &existing);
        self.tidy_behind(name, sql).await
    }

    /// Runs the statements behind the first `n_done`. `before` is the row of a migration whose undo
    /// begins, for the case that nothing comes of it.
    async fn run_statements(
        &mut self,
        name: &str,
        sql: &SqlText<'_>,
        n_done: usize,
        before: Option<&StoredTexts>,
    ) -> Result<()> {
        let begun = Instant::now();
        if let Err((index, error)) = self.replay_settings(sql, n_done).await {
            let refused = Refused { error, is_whole: true, in_record: false };
            return Err(self
                .statement_failed(name, sql, n_done, index, begun, refused, before)
                .await);
        }
        for (index, statement) in sql.statements.iter().enumerate().skip(n_done) {
            let (direction, told, at) = (self.direction, &sql.told(index), Instant::now());
            self.tell(&Event::StatementStarted { name, direction, statement: told });
            let is_whole = !needs_mark(statement, sql);
            let mut tries = self.budget.tries();
            loop {
                let record = self.record_of(name, progress_at(sql, index + 1), begun);
                if is_whole {
                    self.session.begins_transaction();
                }
                let running = self.run_statement(name, statement, sql, &record);
                let Err(refused) = self.watched(name, Some(told), running).await else { break };
                let pause = if may_repeat(statement, sql, &refused) {
                    tries.pause_after(&refused.error)
                } else {
                    None
                };
                let Some(pause) = pause else {
                    let failed =
                        self.statement_failed(name, sql, index, index, begun, refused, before);
                    return Err(tried(failed.await, tries.n_failed));
                };
                if is_whole {
                    let rolled_back = self.session.roll_back().await;
                    rolled_back.map_err(|error| {
                        lost_statement(&self.subject(name), sql, index, is_whole, error)
                    })?;
                }
                let reason = cause(&refused.error);
                self.pause(name, sql, &reason, tries.n_failed, pause).await?;
            }
            if is_whole {
                self.session.ended_transaction();
            }
            let duration = at.elapsed();
            self.tell(&Event::StatementFinished { name, direction, statement: told, duration });
        }
        Ok(())
    }

    /// The statement that notes that so much is done.
    fn record_of(&self, name: &str, progress: Progress, begun: Instant) -> String {
        match self.direction {
            Direction::Up => self.history.advance(name, progress, begun.elapsed()),
            Direction::Down if progress.n_done == progress.n_statements => {
                self.history.undone(name, Some(begun.elapsed()))
            }
            Direction::Down => self.history.advance_undo(name, progress),
        }
    }

    /// What the first statements have set for those behind them, which an earlier session has
    /// forgotten. Fails with the statement that was refused.
    async fn replay_settings(
        &self,
        sql: &SqlText<'_>,
        n_done: usize,
    ) -> Result<(), (usize, PostgresError)> {
        for (index, statement) in sql.statements.iter().take(n_done).enumerate() {
            if is_setting(statement, sql) {
                let run = self.session.run(statement.text(sql.text)).await;
                run.map_err(|error| (index, error))?;
            }
        }
        Ok(())
    }

    /// How many statements of an interrupted migration or undo are done, if that can be told.
    pub(crate) async fn resume(
        &self,
        name: &str,
        progress: Progress,
        stored: &str,
        sql: &SqlText<'_>,
    ) -> Result<usize> {
        let Progress { n_done, n_begun, .. } = progress;
        let subject = self.subject(name);
        let stored = SqlText::new(name, stored);
        let statement = |sql: &SqlText<'_>, index: usize| {
            sql.statements.get(index).map(|it| it.text(sql.text).to_owned())
        };
        let edited = (0..n_done).find(|&index| statement(&stored, index) != statement(sql, index));
        if let Some(index) = edited {
            return Err(Error::new(
                ErrorKind::Drift,
                format!(
                    "the {n_done} completed statement(s) of the unfinished {subject} were edited"
                ),
            )
            .place(Some(sql.place_of(index)))
            .note("nothing was changed; an earlier run completed them as they were")
            .help("restore these statements; the ones behind them may be edited"));
        }
        let Some(begun) = sql.statements.get(n_done).filter(|_| n_begun > n_done) else {
            return Ok(n_done);
        };
        let is_set = self.replay_settings(sql, n_done).await.is_ok();
        let evidence = if is_set {
            self.evidence(begun, sql).await
        } else {
            Ok(Evidence::Unknown(Vec::new()))
        };
        self.restore(name, sql).await?;
        match evidence.map_err(|error| {
            Error::from_looking(&format!("looking what became of {subject}"), error)
        })? {
            Evidence::Done => Ok(n_done + 1),
            Evidence::Missing | Evidence::Harmless => Ok(n_done),
            Evidence::Unknown(facts) => Err(self.cut_off(name, n_done, sql, facts)),
        }
    }

    /// Nobody knows whether a statement took effect, or what it left is not what it makes.
    fn cut_off(&self, name: &str, n_done: usize, sql: &SqlText<'_>, facts: Vec<String>) -> Error {
        let (table, name_literal, number) = (&self.history.qualified, literal(name), n_done + 1);
        let (subject, n_statements) = (self.subject(name), sql.statements.len());
        let what_it_says = if facts.is_empty() {
            "; whether this one took effect cannot be told from here"
        } else {
            ""
        };
        let made = Error::new(
            ErrorKind::Migration,
            format!("{subject} was cut off in statement {number} of {n_statements}"),
        )
        .place(Some(sql.place_of(n_done)))
        .note(format!("{}{what_it_says}", done_sentence(n_done, n_statements)));
        let made =
            facts.into_iter().fold(made, Error::note).note("nothing was changed by this run");
        // The last statement of an undo takes the row with it.
        let done = if self.direction == Direction::Down && number == n_statements {
            self.history.delete(name)
        } else {
            format!("UPDATE {table} SET statements_done = {number} WHERE name = {name_literal}")
        };
        made.help(format!("look. If it took effect: {done};")).help(format!(
            "if it did not: UPDATE {table} SET statements_begun = {n_done} WHERE name = {name_literal}; then start again"
        ))
    }

    /// Runs one statement and notes that it is done.
    async fn run_statement(
        &self,
        migration: &str,
        statement: &Statement,
        sql: &SqlText<'_>,
        record: &str,
    ) -> Result<(), Refused> {
        let is_whole = !needs_mark(statement, sql);
        let refused = |error| Refused { error, is_whole, in_record: false };
        self.clear_the_way(migration, statement, sql).await.map_err(refused)?;
        self.allow_waiting(sql, statement).await.map_err(refused)?;
        let text = statement.text(sql.text);
        if !is_whole {
            self.session.run(text).await.map_err(refused)?;
            let recorded = self.record(record).await;
            return recorded.map_err(|error| Refused { error, is_whole, in_record: true });
        }
        // A file may have made transactions read-only behind which it does nothing but read.
        let guard = self.session.guard().map(|it| format!("; SELECT {it}")).unwrap_or_default();
        let begin = self.session.send(&format!("BEGIN READ WRITE{guard}")).await;
        let begin = begin.map_err(refused)?;
        let body = self.session.send(text).await.map_err(refused)?;
        let record = format!("{} {record}; COMMIT", self.session.as_itself());
        let recorded = self.session.send(&record).await.map_err(refused)?;
        let _n_begun = begin.finish().await.map_err(|it| refused(it.error))?;
        match body.finish().await {
            Ok(_) => match recorded.finish().await {
                Ok(_) => Ok(()),
                Err(it) => Err(Refused { error: it.error, is_whole, in_record: true }),
            },
            Err(failure) => Err(refused(failure.error)),
        }
    }

    /// `CREATE INDEX CONCURRENTLY` and its like make nobody wait, but wait themselves for every older
    /// transaction, and leave an invalid index when they are cut off; so they may wait, and what
    /// validates a constraint may as well. A file that sets `lock_timeout` itself is left alone; its directive counts for every statement.
    async fn allow_waiting(
        &self,
        sql: &SqlText<'_>,
        statement: &Statement,
    ) -> Result<(), PostgresError> {
        if sql.text.contains("lock_timeout") && sql.directives.lock_timeout.is_none() {
            return Ok(());
        }
        let timeout = match (sql.directives.lock_timeout, statement.in_transaction) {
            (Some(timeout), _) => timeout.as_millis(),
            (None, InTransaction::Never(_)) => self.budget.patient_timeout.as_millis(),
            (None, _) if sql.validates(statement) => self.budget.patient_timeout.as_millis(),
            (None, InTransaction::Sometimes(_) | InTransaction::Allowed) => {
                self.budget.lock_timeout.as_millis()
            }
        };
        let guard = self.session.guard_of_session();
        self.session.run(&format!("SELECT {guard}; SET lock_timeout TO {timeout}")).await
    }

    /// Statement `index` was refused, or lost with its connection, behind `n_done`.
    #[expect(clippy::too_many_arguments, reason = "all of it is said")]
    async fn statement_failed(
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
        if let Some(made) = self.lost_lock(name, &error) {
            let done = done_sentence(n_done, n);
            return made.note(format!("it runs without a transaction: {done}")).note(self.state());
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
        let note = match (self.direction, before) {
            (Direction::Down, Some(before)) if is_untouched => self.history.withdraw_undo(before),
            (Direction::Down, _) => self.history.advance_undo(name, known),
            (Direction::Up, _) => self.history.advance(name, known, begun.elapsed()),
        };
        if let Err(second) = self.record(&note).await {
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
    fn progress_unrecorded(
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
        let rows = self.session.set_working().await.map_err(|error| {
            let lost = self.lost_lock(name, &error).map(|made| made.note(self.state()));
            lost.unwrap_or_else(|| {
                let doing = format!("giving back the settings that `{name}` changed");
                Error::from_postgres(&doing, error)
            })
        })?;
        self.tell_given_back(name, sql, &rows);
        Ok(())
    }

    /// Removes what a file without a transaction may have made for the length of the session.
    async fn tidy_behind(&mut self, name: &str, sql: &SqlText<'_>) -> Result<()> {
        let traces = sql.residue.now.or(self.wary);
        self.wary = self.wary.or(sql.residue.later);
        if traces.belongings { self.tidy(name).await } else { Ok(()) }
    }
}

/// So many statements are done, and the next one is begun, if that is to be noted before it runs.
fn progress_at(sql: &SqlText<'_>, n_done: usize) -> Progress {
    let is_marked = sql.statements.get(n_done).is_some_and(|next| needs_mark(next, sql));
    let n_begun = if is_marked { n_done + 1 } else { n_done };
    Progress { n_done, n_begun, n_statements: sql.statements.len() }
}

/// Whether a statement cannot be one transaction with its record: PostgreSQL refuses it in one, or a
/// procedure or a block commits by itself.
fn needs_mark(statement: &Statement, sql: &SqlText<'_>) -> bool {
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

/// Whether a statement that was refused may run again: it was rolled back with its record, or is one of
/// those that PostgreSQL itself divides, and what is left of it is cleared away first. A procedure may
/// have committed a part.
fn may_repeat(statement: &Statement, sql: &SqlText<'_>, refused: &Refused) -> bool {
    let is_divided =
        matches!(statement.in_transaction, InTransaction::Never(_) | InTransaction::Sometimes(_));
    !needs_mark(statement, sql) || is_divided && !refused.in_record
}

/// Whether a statement does nothing but set something for those behind it.
fn is_setting(statement: &Statement, sql: &SqlText<'_>) -> bool {
    if matches!(statement.command, "SET" | "RESET") {
        return true;
    }
    let text = statement.text(sql.text).to_ascii_lowercase();
    let call = text.strip_prefix("select").map(str::trim_start).unwrap_or_default();
    let call = call.strip_prefix("pg_catalog.").unwrap_or(call);
    call.starts_with("set_config") && call.ends_with(')') && call.matches('(').count() == 1
}

/// Which statements are done, in words.
fn done_sentence(n_done: usize, n: usize) -> String {
    match n_done {
        0 => format!("none of its {n} statement(s) is done"),
        1 => format!("statement 1 of {n} is done and stays done"),
        _ => format!("statements 1 to {n_done} of {n} are done and stay done"),
    }
}

fn lost_statement(
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
