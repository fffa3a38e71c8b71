//! Running one step, with its row.
//!
//! **Invariant:** a transactional migration and its row are one transaction. What a migration sets is
//! given back inside that transaction, before the row is written, so it reaches neither the row nor
//! the next migration.

use std::time::Instant;

use dunlin_core::{Checksum, Place};
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::applied::Kind;
use crate::budget::LockBudget;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, cause};
use crate::event::{Direction, Event, Observer};
use crate::history::{History, Row};
use crate::pipeline::{Job, Record};
use crate::plan::Step;
use crate::registry::{Code, Migration, RustMigration};
use crate::report::{Done, Report};
use crate::script::SqlText;
use crate::session::Session;

/// A run in progress.
pub(crate) struct Execution<'e, 'c> {
    pub(crate) session: &'e mut Session<'c>,
    pub(crate) history: &'e History,
    pub(crate) observer: &'e dyn Observer,
    pub(crate) report: Report,
    /// How many migrations of this run are not done yet, the current one included.
    pub(crate) n_left: usize,
    /// Which way they run.
    pub(crate) direction: Direction,
    /// What each may spend on locks.
    pub(crate) budget: LockBudget,
}

/// What is to be undone, from the build or from the history table.
#[derive(Debug)]
pub(crate) struct Undo<'a> {
    pub(crate) name: &'a str,
    pub(crate) how: UndoCode<'a>,
}

/// How it is undone.
pub(crate) enum UndoCode<'a> {
    Sql { path: String, text: &'a str, transactional: bool },
    Rust { path: &'static str, run: RustMigration },
}

impl std::fmt::Debug for UndoCode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sql { path, .. } => f.debug_tuple("Sql").field(path).finish(),
            Self::Rust { path, .. } => f.debug_tuple("Rust").field(path).finish(),
        }
    }
}

impl Undo<'_> {
    /// The undo as a job, if it is SQL in a transaction.
    fn job(&self) -> Option<Job<'_>> {
        match &self.how {
            UndoCode::Sql { path, text, transactional: true } => {
                Some(Job { name: self.name, path, text, record: Record::Delete })
            }
            UndoCode::Sql { .. } | UndoCode::Rust { .. } => None,
        }
    }
}

impl Execution<'_, '_> {
    /// Applies migrations in order; those in a SQL transaction that follow each other travel together.
    pub(crate) async fn apply(&mut self, steps: &[Step]) -> Result<()> {
        let job = |step: &Step| {
            let Migration { name, up, .. } = step.migration;
            let record = Record::Insert(step.migration);
            matches!(up.code, Code::Sql { transactional: true }).then_some(Job {
                name,
                path: up.path,
                text: up.text,
                record,
            })
        };
        let mut rest = steps;
        while let [first, others @ ..] = rest {
            let jobs: Vec<_> = rest.iter().map_while(job).collect();
            if jobs.is_empty() {
                self.apply_alone(first).await?;
                rest = others;
            } else {
                self.pipeline(&jobs).await?;
                rest = &rest[jobs.len()..];
            }
        }
        Ok(())
    }

    /// Undoes migrations in order.
    pub(crate) async fn undo(&mut self, undos: &[Undo<'_>]) -> Result<()> {
        let mut rest = undos;
        while let [first, others @ ..] = rest {
            let jobs: Vec<_> = rest.iter().map_while(Undo::job).collect();
            if jobs.is_empty() {
                self.undo_alone(first).await?;
                rest = others;
            } else {
                self.pipeline(&jobs).await?;
                rest = &rest[jobs.len()..];
            }
        }
        Ok(())
    }

    async fn apply_alone(&mut self, step: &Step) -> Result<()> {
        let migration = step.migration;
        let n_skipped = step.progress.map_or(0, |progress| progress.n_done);
        let begun = self.begin(migration.name, n_skipped);
        let script = migration.up;
        let result = match script.code {
            Code::Rust(run) => {
                let record = self.history.insert(&row(migration, Kind::Rust));
                self.in_rust(migration.name, script.path, run, &record).await
            }
            Code::Sql { .. } => {
                self.statements(step, &SqlText::new(script.path, script.run_text)).await
            }
        };
        self.end(migration.name, begun, result)
    }

    async fn undo_alone(&mut self, undo: &Undo<'_>) -> Result<()> {
        let begun = self.begin(undo.name, 0);
        let record = self.history.delete(undo.name);
        let result = match &undo.how {
            UndoCode::Rust { path, run } => self.in_rust(undo.name, path, *run, &record).await,
            UndoCode::Sql { path, text, .. } => {
                self.undo_statements(undo.name, &SqlText::new(path, text), &record).await
            }
        };
        self.end(undo.name, begun, result)
    }

    pub(crate) fn begin(&self, name: &str, n_skipped_statements: usize) -> Instant {
        self.tell(&Event::MigrationStarted {
            name,
            direction: self.direction,
            n_skipped_statements,
        });
        Instant::now()
    }

    pub(crate) fn end(&mut self, name: &str, begun: Instant, result: Result<()>) -> Result<()> {
        let duration = begun.elapsed();
        match result {
            Ok(()) => {
                self.n_left -= 1;
                self.report.done.push(Done { name: name.to_owned(), duration });
                self.tell(&Event::MigrationFinished { name, direction: self.direction, duration });
                Ok(())
            }
            Err(error) => Err(error.in_migration(name).with_report(self.report.clone())),
        }
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.observer.on_event(event);
    }

    pub(crate) fn tell_summary(&self, name: &str, sql: &SqlText<'_>, existing: &[String]) {
        for message in sql.summary(existing) {
            self.tell(&Event::Progress { name, message: &message });
        }
    }

    /// A function of the application and its row, one transaction.
    async fn in_rust(
        &mut self,
        name: &str,
        path: &str,
        run: RustMigration,
        record: &str,
    ) -> Result<()> {
        self.session.begins_transaction();
        let transaction = "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id";
        let before = self
            .session
            .rows(&format!("BEGIN; {transaction}"))
            .await
            .map_err(|error| lost(name, error))?;
        let mut context = Context::new(self.session.client(), self.observer, name);
        if let Err(error) = run(&mut context).await {
            let state = self.roll_back_and_tell(name).await;
            return Err(error.of_rust_migration(name, Place::file(path), self.verb()).note(state));
        }
        // A statement that was built at run time may have ended the transaction all the same.
        let after = match self.session.rows(transaction).await {
            Ok(rows) => rows,
            Err(error) => return Err(self.undone(name, Some(Place::file(path)), error).await),
        };
        let id =
            |rows: &[SimpleQueryRow]| rows.first().and_then(|row| row.get("id").map(str::to_owned));
        if id(&before) != id(&after) {
            return Err(Error::new(
                ErrorKind::Migration,
                format!("migration `{name}` ended its own transaction"),
            )
            .place(Some(Place::file(path)))
            .note("what it did before is committed, but it is not recorded as applied")
            .help("remove COMMIT and ROLLBACK from it, also inside procedures it calls"));
        }
        let restored =
            self.session.send(self.session.working()).await.map_err(|error| lost(name, error))?;
        let recorded = self
            .session
            .send(&format!("{record}; COMMIT"))
            .await
            .map_err(|error| lost(name, error))?;
        if let Err(failure) = restored.finish().await {
            return Err(self.undone(name, Some(Place::file(path)), failure.error).await);
        }
        if let Err(failure) = recorded.finish().await {
            let at_commit = failure.n_completed > 0;
            return Err(self.unrecorded(name, Place::file(path), at_commit, failure.error).await);
        }
        self.session.ended_transaction();
        Ok(())
    }

    /// A failure inside the transaction: everything of this migration is rolled back.
    pub(crate) async fn undone(
        &mut self,
        name: &str,
        place: Option<Place>,
        error: PostgresError,
    ) -> Error {
        if error.as_db_error().is_none() {
            return lost(name, error);
        }
        let state = self.roll_back_and_tell(name).await;
        let headline = format!("migration `{name}` failed{}: {}", self.verb(), cause(&error));
        Error::new(ErrorKind::Migration, headline).place(place).because(error).note(state)
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
        let state = self.roll_back_and_tell(name).await;
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
        Error::new(ErrorKind::Migration, format!("migration `{name}` {what}: {}", cause(&error)))
            .place(Some(place))
            .because(error)
            .note(why)
            .note(state)
    }

    async fn roll_back_and_tell(&mut self, name: &str) -> String {
        let rolled_back = match self.session.roll_back().await {
            Ok(()) => format!("`{name}` is rolled back"),
            Err(_) => format!("the connection is lost, so the server rolls `{name}` back"),
        };
        format!("{rolled_back}; {}", self.state())
    }

    /// What stays although the run failed.
    pub(crate) fn state(&self) -> String {
        let (done, left) = match self.direction {
            Direction::Up => ("applied by this run and stay", "pending"),
            Direction::Down => ("undone by this run and stay so", "still applied"),
        };
        let names: Vec<_> = self.report.done.iter().map(|it| format!("`{}`", it.name)).collect();
        match names.as_slice() {
            [] => format!("nothing else was changed by this run, {} {left}", self.n_left),
            [one] => format!("{one} was {}, {} {left}", done.replace("stay", "stays"), self.n_left),
            [first, .., last] => format!(
                "{} migrations, {first} to {last}, were {done}, {} {left}",
                names.len(),
                self.n_left
            ),
        }
    }

    pub(crate) const fn verb(&self) -> &'static str {
        match self.direction {
            Direction::Up => "",
            Direction::Down => " to be undone",
        }
    }
}

/// The row of a migration of this build.
pub(crate) fn row(migration: &'static Migration, kind: Kind) -> Row<'static> {
    let down_text = migration
        .down
        .filter(|down| matches!(down.code, Code::Sql { .. }))
        .map(|down| down.run_text);
    Row {
        name: migration.name,
        checksum: Checksum::to_string(&migration.checksum),
        kind,
        up_text: migration.up.text,
        down_text,
        progress: None,
    }
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
