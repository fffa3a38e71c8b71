//! Running a file without a transaction: statement by statement, each recorded.
//!
//! What PostgreSQL lets run in a transaction is committed together with its record, so it is done and
//! recorded or neither. The rest is recorded as begun before and as done behind it.
//!
//! **Invariant:** the row says which statements are done and which one was begun, so that a run that
//! was cut off is continued, and a statement of which nobody knows whether it took effect is never
//! repeated silently.

mod progress;
mod refusal;
mod resuming;

use std::time::Instant;

use dunlin_core::statement::{InTransaction, Statement};
use tokio_postgres::Error as PostgresError;

use self::progress::{needs_mark, progress_at};
use self::refusal::{Refused, lost_statement, may_repeat};
use self::resuming::in_another_session;
use crate::applied::Kind;
use crate::error::{Error, Result, cause};
use crate::event::Event;
use crate::execute::{Execution, Undo, UndoCode, row, stored_undo};
use crate::execute_failure::tried;
use crate::history::{Row, StoredTexts};
use crate::log::Action;
use crate::pipeline::{existing_relations, question_about_existing};
use crate::plan::Step;
use crate::registry::Code;
use crate::script::SqlText;

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
                    let failed = tried(failed.await, tries.n_failed);
                    return Err(in_another_session(failed, sql, n_done));
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
        let set = format!("SET lock_timeout TO {timeout}");
        self.session.run(&self.session.guarded(&set)).await
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
