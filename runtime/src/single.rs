//! A whole run as one transaction, on request: all of it is applied or nothing.
//!
//! Separate from the pipeline because nothing may be told as done before the only `COMMIT`, and a lock
//! that is not to be had sends the run back to its beginning.

use std::time::Duration;

use dunlin_core::{Place, directive};
use tokio_postgres::Error as PostgresError;

use crate::applied::Kind;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, cause};
use crate::event::Event;
use crate::execute::{Begun, Execution, row};
use crate::execute_failure::{lost, tried};
use crate::history::Row;
use crate::invalid_index;
use crate::pipeline::sets_transaction;
use crate::plan::Step;
use crate::quote::identifier;
use crate::registry::{Code, RustMigration, Script};
use crate::script::SqlText;
use crate::session::text;

/// Why a step of the transaction stopped it.
enum Stop {
    /// The server refused a statement; with the number of statements of the text that were completed.
    Refused(usize, PostgresError),
    /// A migration in Rust returned an error.
    InRust(Error),
}

impl Execution<'_, '_> {
    /// Applies all steps in one transaction.
    pub(crate) async fn apply_as_one(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.may_join(step)?;
        }
        let mut tries = self.budget.tries();
        loop {
            let is_first = tries.n_failed == 0;
            let (stopped_at, begun, stop) = match self.attempt(steps, is_first).await? {
                Ok(done) => {
                    for (step, (begun, duration)) in steps.iter().zip(done) {
                        self.end(step.migration.name, begun, Ok(Some(duration))).await?;
                    }
                    return Ok(());
                }
                Err(stopped) => stopped,
            };
            let script = stopped_at.migration.up;
            let (name, sql) =
                (stopped_at.migration.name, SqlText::new(script.path, script.run_text));
            let (pause, reason) = match &stop {
                Stop::Refused(_, error) => (tries.pause_after(error), cause(error)),
                Stop::InRust(error) => (tries.pause_after_code(error.code()), error.to_string()),
            };
            let Some(pause) = pause else {
                let error = self.failed_as_one(name, script, &sql, stop).await;
                return self.end(name, begun, Err(tried(error, tries.n_failed))).await;
            };
            self.session.roll_back().await.map_err(|error| lost(name, error))?;
            self.pause(name, &sql, &reason, tries.n_failed, pause).await?;
        }
    }

    /// Whether a migration can be part of a larger transaction.
    fn may_join(&self, step: &Step) -> Result<()> {
        let script = step.migration.up;
        let fact = match script.code {
            Code::Sql { transactional: false } => "runs without a transaction",
            Code::Sql { .. } if step.progress.is_some() => "was begun without a transaction",
            Code::Sql { .. } if sets_transaction(script.run_text) => {
                "sets the mode of its transaction, which must come first in one"
            }
            Code::Sql { .. } | Code::Rust(_) => return Ok(()),
        };
        let name = step.migration.name;
        let headline = format!("`{name}` cannot be part of one transaction with others: it {fact}");
        Err(Error::new(ErrorKind::Migration, headline)
            .place(Some(Place::file(script.path)))
            .note(self.state())
            .help(format!("apply up to `{name}` without `single_transaction` first"))
            .in_migration(name))
    }

    /// One attempt, with what each step took, or the step that stopped it.
    async fn attempt<'s>(
        &mut self,
        steps: &'s [Step],
        is_first: bool,
    ) -> Result<Result<Vec<(Begun, Duration)>, (&'s Step, Begun, Stop)>> {
        let guard = self.session.guard().map(|it| format!("; SELECT {it}")).unwrap_or_default();
        self.session.begins_transaction();
        let name = |step: &Step| step.migration.name;
        let mut done = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let script = step.migration.up;
            let sql = matches!(script.code, Code::Sql { .. })
                .then(|| SqlText::new(script.path, script.run_text));
            let begun = match is_first {
                true => self.begin(name(step), sql.as_ref(), 0),
                false => Begun::now(sql.as_ref()),
            };
            let opened =
                if index == 0 { self.session.run(&format!("BEGIN{guard}")).await } else { Ok(()) };
            let result = match (opened, script.code) {
                (Err(error), _) => Err(Stop::Refused(0, error)),
                (Ok(()), Code::Rust(run)) => self.join_rust(step, run).await,
                (Ok(()), Code::Sql { .. }) => self.join_sql(step, sql.as_ref()).await,
            };
            let duration = begun.at.elapsed();
            let kind = if sql.is_some() { Kind::Sql } else { Kind::Rust };
            let row = Row { duration: Some(duration), ..row(step.migration, kind) };
            let recorded = match result {
                Ok(()) => {
                    let n = begun.n_statements.unwrap_or_default();
                    let recorded = self.session.run(&self.history.insert(&row)).await;
                    recorded.map_err(|error| Stop::Refused(n, error))
                }
                Err(stop) => Err(stop),
            };
            if let Err(stop) = recorded {
                return Ok(Err((step, begun, stop)));
            }
            done.push((begun, duration));
        }
        let Some(last) = steps.last() else { return Ok(Ok(done)) };
        if let Err(error) = self.session.run("COMMIT").await {
            let place = Place::file(last.migration.up.path);
            let error = self.unrecorded(name(last), place, true, error).await;
            let begun = done.pop().map_or_else(|| Begun::now(None), |(begun, _)| begun);
            return Err(self
                .end(name(last), begun, Err(error))
                .await
                .err()
                .unwrap_or_else(|| Error::new(ErrorKind::Migration, "the run failed at COMMIT")));
        }
        self.session.ended_transaction();
        Ok(Ok(done))
    }

    async fn join_sql(&mut self, step: &Step, sql: Option<&SqlText<'_>>) -> Result<(), Stop> {
        let Some(sql) = sql else { return Ok(()) };
        let name = step.migration.name;
        let refused = |error| Stop::Refused(0, error);
        let timeout = sql.directives.lock_timeout.unwrap_or(self.budget.lock_timeout);
        let set = format!("SET LOCAL lock_timeout TO {}", timeout.as_millis());
        self.session.run(&set).await.map_err(refused)?;
        if let Some(question) = invalid_index::question(sql) {
            for row in &self.session.rows(&question).await.map_err(refused)? {
                let part = |column| identifier(text(row, column).unwrap_or_default());
                let invalid = format!("{}.{}", part("nspname"), part("relname"));
                self.session.run(&format!("DROP INDEX {invalid}")).await.map_err(refused)?;
                let message = format!("Dropped the invalid index {invalid}");
                self.tell(&Event::Progress { name, message: &message });
            }
        }
        let body = self.session.send(sql.text).await.map_err(refused)?;
        let ran = body.finish().await;
        let _n = ran.map_err(|failure| Stop::Refused(failure.n_completed, failure.error))?;
        let traces = sql.residue.now.or(self.wary);
        self.wary = self.wary.or(sql.residue.later);
        if traces.settings {
            let rows = self.session.rows(self.session.working()).await.map_err(refused)?;
            self.tell_given_back(name, sql, &rows);
        }
        if traces.belongings {
            let _removed = self.session.tidy().await.map_err(refused)?;
        }
        self.tell_summary(name, sql, &[]);
        Ok(())
    }

    async fn join_rust(&mut self, step: &Step, run: RustMigration) -> Result<(), Stop> {
        let refused = |error| Stop::Refused(0, error);
        let timeout = directive::of_rust(step.migration.up.text).lock_timeout;
        let timeout = timeout.unwrap_or(self.budget.lock_timeout);
        let transaction = "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id";
        let set = format!("SET LOCAL lock_timeout TO {}; {transaction}", timeout.as_millis());
        let id = |rows: &[tokio_postgres::SimpleQueryRow]| {
            rows.first().and_then(|row| row.get("id").map(str::to_owned))
        };
        let before = id(&self.session.rows(&set).await.map_err(refused)?);
        let mut context = Context::new(self.session.client(), self.observer, step.migration.name);
        run(&mut context).await.map_err(Stop::InRust)?;
        let after = id(&self.session.rows(transaction).await.map_err(refused)?);
        if before != after {
            return Err(Stop::InRust(
                Error::custom("it ended the transaction of the run")
                    .help("remove COMMIT and ROLLBACK from it, and look what it has left behind"),
            ));
        }
        let _rows = self.session.rows(self.session.working()).await.map_err(refused)?;
        let _removed = self.session.tidy().await.map_err(refused)?;
        self.wary = crate::residue::Traces::ALL;
        Ok(())
    }

    async fn failed_as_one(
        &mut self,
        name: &str,
        script: Script,
        sql: &SqlText<'_>,
        stop: Stop,
    ) -> Error {
        let error = match stop {
            Stop::InRust(error) => self.failed_in_rust(name, Place::file(script.path), error).await,
            Stop::Refused(n_completed, error) => {
                let place = match (script.code, error.as_db_error()) {
                    (Code::Sql { .. }, Some(db)) => sql.place_in_batch(n_completed, db),
                    _ => Place::file(script.path),
                };
                self.failed(name, place, error).await
            }
        };
        error.note("the run is one transaction, so everything before it is rolled back as well")
    }
}
