//! Running one step, with its row.
//!
//! **Invariant:** a transactional migration and its row are one transaction. What a migration sets is
//! given back inside that transaction, before the row is written, so it reaches neither the row nor
//! the next migration.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use dunlin_core::{Checksum, Place, directive};
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::applied::Kind;
use crate::budget::LockBudget;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, cause};
use crate::event::{Direction, Event, Observer};
use crate::execute_failure::{lost, tried};
use crate::history::{History, Row, StoredTexts, measure};
use crate::lock::is_of_another;
use crate::log::{Action, Outcome};
use crate::pipeline::{Job, Record};
use crate::plan::Step;
use crate::registry::{Code, Migration, RustMigration};
use crate::report::{Done, Report};
use crate::residue::Traces;
use crate::script::SqlText;
use crate::session::{Session, text};
use crate::trace::Trace;
use crate::watch::Watch;

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
    /// Who looks at what takes long.
    pub(crate) watch: Watch,
    /// The span of the migration it is at.
    pub(crate) trace: Trace,
    /// What code that texts may call can leave behind in the session.
    pub(crate) wary: Traces,
}

/// A migration that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    pub(crate) at: Instant,
    pub(crate) n_statements: Option<usize>,
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
    Rust { path: &'static str, text: &'static str, run: RustMigration },
}

/// A function of the application, with the file it is in.
#[derive(Clone, Copy)]
struct RustFunction<'f> {
    path: &'f str,
    text: &'f str,
    run: RustMigration,
}

impl Begun {
    /// `sql` is nothing for a migration in Rust.
    pub(crate) fn now(sql: Option<&SqlText<'_>>) -> Self {
        Self { at: Instant::now(), n_statements: sql.map(|sql| sql.statements.len()) }
    }
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
        let fresh = |step: &Step| {
            let is_fresh = step.progress.is_none();
            let transactional = matches!(step.migration.up.code, Code::Sql { transactional: true });
            (is_fresh && transactional).then(|| job(step.migration, Record::Insert(step.migration)))
        };
        let begun: Vec<_> = steps.iter().filter(|it| it.progress.is_some()).collect();
        let names: Vec<_> = begun.iter().map(|it| it.migration.name).collect();
        if let Some(undo) = self.history.unfinished_undos(self.session, &names).await?.first() {
            return Err(self.undo_unfinished(undo).in_migration(&undo.name));
        }
        for step in begun {
            let checked = self.can_continue(step).await;
            checked.map_err(|error| error.in_migration(step.migration.name))?;
        }
        let mut rest = steps;
        while let [first, others @ ..] = rest {
            let jobs: Vec<_> = rest.iter().map_while(fresh).collect();
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

    /// Whether a migration that was interrupted can be taken up again. Asked of all of them before any
    /// migration runs.
    async fn can_continue(&self, step: &Step) -> Result<()> {
        let Some(progress) = step.progress else { return Ok(()) };
        let Migration { name, up, .. } = step.migration;
        if matches!(up.code, Code::Sql { transactional: false }) {
            let sql = SqlText::new(up.path, up.run_text);
            let stored = self.history.texts(self.session, &[name]).await?;
            let stored = stored.into_iter().next().and_then(|it| it.up).unwrap_or_default();
            let _n_done = self.resume(name, progress, &stored, &sql).await?;
        } else if progress.n_begun > 0 {
            return Err(self.begun_without_transaction(name, up.path, progress));
        }
        Ok(())
    }

    /// The same of an undo that was interrupted.
    async fn can_continue_undo(&self, undo: &Undo<'_>, texts: &StoredTexts) -> Result<()> {
        let Some(progress) = texts.undo_progress() else { return Ok(()) };
        match &undo.how {
            UndoCode::Sql { path, text, transactional: false } => {
                let stored = texts.down.as_deref().unwrap_or_default();
                let sql = SqlText::new(path, text);
                self.resume(undo.name, progress, stored, &sql).await.map(|_| ())
            }
            UndoCode::Sql { path, .. } if progress.n_begun > 0 => {
                Err(self.begun_without_transaction(undo.name, path, progress))
            }
            UndoCode::Rust { path, .. } if progress.n_begun > 0 => {
                Err(self.begun_without_transaction(undo.name, path, progress))
            }
            UndoCode::Sql { .. } | UndoCode::Rust { .. } => Ok(()),
        }
    }

    /// Undoes migrations in order.
    pub(crate) async fn undo(&mut self, undos: &[Undo<'_>]) -> Result<()> {
        let names: Vec<_> = undos.iter().map(|it| it.name).collect();
        for texts in self.history.unfinished_undos(self.session, &names).await? {
            for undo in undos.iter().filter(|it| it.name == texts.name) {
                let checked = self.can_continue_undo(undo, &texts).await;
                checked.map_err(|error| error.in_migration(undo.name))?;
            }
        }
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
        let script = migration.up;
        if matches!(script.code, Code::Sql { transactional: false }) {
            let sql = SqlText::new(script.path, script.run_text);
            let n_skipped = step.progress.unwrap_or_default().n_done;
            let begun = self.begin(migration.name, Some(&sql), n_skipped);
            let result = self.apply_statements(step, &sql).await;
            return self.end(migration.name, begun, result.map(|()| None)).await;
        }
        // What a run without a transaction has not begun leaves only a row behind.
        let Code::Rust(run) = script.code else {
            return self.pipeline(&[job(migration, Record::Replace(migration))]).await;
        };
        let row = row(migration, Kind::Rust);
        let record = match step.progress {
            Some(_) => self.history.replace(&row),
            None => self.history.insert(&row),
        };
        let begun = self.begin(migration.name, None, 0);
        let function = RustFunction { path: script.path, text: script.text, run };
        let result = self.in_rust_again(migration.name, function, &record).await;
        self.end(migration.name, begun, result).await
    }

    async fn undo_alone(&mut self, undo: &Undo<'_>) -> Result<()> {
        let UndoCode::Rust { path, text, run } = &undo.how else {
            return self.undo_statements(undo).await;
        };
        let record = self.history.undone(undo.name, None);
        let begun = self.begin(undo.name, None, 0);
        let function = RustFunction { path, text, run: *run };
        let result = self.in_rust_again(undo.name, function, &record).await;
        self.end(undo.name, begun, result).await
    }

    pub(crate) fn begin(
        &mut self,
        name: &str,
        sql: Option<&SqlText<'_>>,
        n_skipped_statements: usize,
    ) -> Begun {
        let (direction, begun) = (self.direction, Begun::now(sql));
        self.trace.begin(name, direction);
        let n_statements = begun.n_statements;
        self.tell(&Event::MigrationStarted { name, direction, n_statements, n_skipped_statements });
        begun
    }

    /// With the server's own measure, if it has told one.
    pub(crate) async fn end(
        &mut self,
        name: &str,
        begun: Begun,
        result: Result<Option<Duration>>,
    ) -> Result<()> {
        let (direction, Begun { at, n_statements }) = (self.direction, begun);
        match result {
            Ok(measured) => {
                self.n_left -= 1;
                let duration = measured.unwrap_or_else(|| at.elapsed());
                self.report.done.push(Done { name: name.to_owned(), n_statements, duration });
                self.tell(&Event::MigrationFinished { name, direction, n_statements, duration });
                self.trace.end();
                Ok(())
            }
            Err(error) => {
                // Otherwise there is nobody to tell.
                let is_there = !matches!(error.kind(), ErrorKind::Connection | ErrorKind::Pooler);
                let logged = if is_there {
                    let message = error.to_string();
                    self.log(Outcome::Failed, name, Some(at.elapsed()), &message).await
                } else {
                    Ok(())
                };
                // The commit of an entry waits for the disk, and with it all before.
                let is_durable = logged.is_ok() && self.history.log().is_some();
                let error = match logged {
                    Ok(()) => error,
                    Err(second) => {
                        error.note(format!("this attempt could not be logged: {}", cause(&second)))
                    }
                };
                let error =
                    if is_there && !is_durable { self.durable(name, error).await } else { error };
                Err(error.in_migration(name).with_report(self.report.clone()))
            }
        }
    }

    /// Makes the commits before a failure durable, which did not wait for the disk.
    pub(crate) async fn durable(&self, failed: &str, error: Error) -> Error {
        let Some(last) = self.report.done.last() else { return error };
        // Of what was undone no row is left; that of the undo that failed is.
        let row = match self.direction {
            Direction::Up => &last.name,
            Direction::Down => failed,
        };
        match self.session.run(&self.history.touch(row)).await {
            Ok(()) => error,
            Err(second) => error.note(format!(
                "whether the migrations before it survive a crash of the server in this second is not known: {}",
                cause(&second)
            )),
        }
    }

    /// Writes an entry about what is not part of a migration's own transaction.
    pub(crate) async fn log(
        &self,
        outcome: Outcome,
        name: &str,
        duration: Option<Duration>,
        message: &str,
    ) -> Result<(), PostgresError> {
        let Some(log) = self.history.log() else { return Ok(()) };
        let action = Action::of(self.direction);
        self.record(&log.entry(action, outcome, Some(name), duration, Some(message))).await
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.trace.scope(|| self.observer.on_event(event));
    }

    /// Tells what a text had changed in the session: the answer to [`Session::working`].
    pub(crate) fn tell_given_back(&self, name: &str, sql: &SqlText<'_>, rows: &[SimpleQueryRow]) {
        // Unless the text speaks of it, it was set for its statements by us.
        let is_its_own = |what: &&str| {
            *what != "lock_timeout"
                || sql.directives.lock_timeout.is_none() && sql.text.contains("lock_timeout")
        };
        self.tell_cleaned_up(name, given_back(rows).filter(is_its_own));
    }

    fn tell_cleaned_up<'w>(&self, name: &str, what: impl Iterator<Item = &'w str>) {
        let what: Vec<String> = what.map(str::to_owned).collect();
        if !what.is_empty() {
            self.tell(&Event::CleanedUp { name, what: &what });
        }
    }

    /// Removes what a migration has made for the length of the session, outside any transaction.
    pub(crate) async fn tidy(&self, name: &str) -> Result<()> {
        let removed = match self.session.tidy().await {
            Ok(removed) => removed,
            // It is in its own session, which is asked at the end of the run.
            Err(error) if is_of_another(&error) => return Ok(()),
            Err(error) => {
                let doing = format!("removing what `{name}` has left in the session");
                return Err(Error::from_postgres(&doing, error));
            }
        };
        self.tell_cleaned_up(name, removed.iter().map(String::as_str));
        Ok(())
    }

    pub(crate) fn tell_summary(&self, name: &str, sql: &SqlText<'_>, existing: &[String]) {
        for message in sql.summary(existing) {
            self.tell(&Event::Progress { name, message: &message });
        }
    }

    /// Calls a function of the application until it has got its locks, or has spent its budget.
    async fn in_rust_again(
        &mut self,
        name: &str,
        function: RustFunction<'_>,
        record: &str,
    ) -> Result<Option<Duration>> {
        let mut tries = self.budget.tries();
        loop {
            let error = match self.in_rust(name, function, record).await {
                Ok(measured) => return Ok(measured),
                Err(error) => error,
            };
            // Then it is rolled back.
            let pause = match error.kind() {
                ErrorKind::Migration => tries.pause_after_code(error.code()),
                _ => None,
            };
            let Some(pause) = pause else { return Err(tried(error, tries.n_failed)) };
            let reason = error.db_error().map_or_else(
                || error.to_string(),
                |db| format!("{} ({})", db.message(), db.code().code()),
            );
            // Which of its statements it was, the error knows, unless the function has made one of its own.
            let sql = SqlText::new(function.path, error.sql().unwrap_or_default());
            self.pause(name, &sql, &reason, tries.n_failed, pause).await?;
        }
    }

    /// A function of the application and its row, one transaction.
    async fn in_rust(
        &mut self,
        name: &str,
        function: RustFunction<'_>,
        record: &str,
    ) -> Result<Option<Duration>> {
        let RustFunction { path, text, run } = function;
        self.session.begins_transaction();
        let transaction = "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id";
        let whole = || Place::file(path);
        let timeout = directive::of_rust(text)
            .lock_timeout
            .map(|it| format!("SET LOCAL lock_timeout TO {}; ", it.as_millis()))
            .unwrap_or_default();
        let before = match self.session.rows(&format!("BEGIN; {timeout}{transaction}")).await {
            Ok(rows) => rows,
            Err(error) => return Err(self.failed(name, whole(), error).await),
        };
        let mut context = Context::new(self.session.client(), self.observer, name);
        if let Err(error) = self.watched(name, None, self.trace.within(run(&mut context))).await {
            return Err(self.failed_in_rust(name, whole(), error).await);
        }
        // A statement that was built at run time may have ended the transaction all the same.
        let after = match self.session.rows(transaction).await {
            Ok(rows) => rows,
            Err(error) => return Err(self.failed(name, whole(), error).await),
        };
        let id =
            |rows: &[SimpleQueryRow]| rows.first().and_then(|row| row.get("id").map(str::to_owned));
        if id(&before) != id(&after) {
            return Err(self.ended_its_transaction(name, whole(), id(&before)).await);
        }
        let restored =
            self.session.send(self.session.working()).await.map_err(|error| lost(name, error))?;
        let recorded = self
            .session
            .send(&format!("{}; COMMIT", self.history.measured(record, self.direction)))
            .await
            .map_err(|error| lost(name, error))?;
        let restored = match restored.rows().await {
            Ok(rows) => rows,
            Err(error) => return Err(self.failed_on_the_way(name, whole(), error).await),
        };
        let recorded = match recorded.finish_with_rows().await {
            Ok(rows) => rows,
            Err(failure) => {
                let at_commit = failure.n_completed > 0;
                return Err(self.unrecorded(name, whole(), at_commit, failure.error).await);
            }
        };
        self.session.ended_transaction();
        self.tell_cleaned_up(
            name,
            given_back(&restored).filter(|what| *what != "lock_timeout" || timeout.is_empty()),
        );
        // What its statements are, nobody has read.
        self.wary = Traces::ALL;
        self.tidy(name).await?;
        Ok(measure(&recorded))
    }
}

/// The settings that have got their values back.
fn given_back(rows: &[SimpleQueryRow]) -> impl Iterator<Item = &str> {
    rows.iter().filter_map(|row| text(row, "given_back"))
}

/// A migration as a job for the wire.
fn job(migration: &'static Migration, record: Record) -> Job<'static> {
    Job { name: migration.name, path: migration.up.path, text: migration.up.run_text, record }
}

/// An undo as the history table keeps it: a build without its file reads from the text alone how it
/// is to run, and the marks of other tools may stand in another file.
pub(crate) fn stored_undo(text: &str, code: Code) -> Cow<'_, str> {
    match code {
        Code::Sql { transactional: false } if directive::is_transactional(text) => {
            Cow::Owned(format!("-- dunlin: no-transaction\n{text}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// The row of a migration of this build.
pub(crate) fn row(migration: &'static Migration, kind: Kind) -> Row<'static> {
    let down_text = migration
        .down
        .filter(|down| matches!(down.code, Code::Sql { .. }))
        .map(|down| stored_undo(down.run_text, down.code));
    Row {
        name: migration.name,
        checksum: Checksum::to_string(&migration.checksum),
        kind,
        up_text: migration.up.text,
        down_text,
        is_breaking: match migration.up.code {
            Code::Sql { .. } => directive::of_sql(migration.up.text).breaking,
            Code::Rust(_) => directive::of_rust(migration.up.text).breaking,
        },
        duration: None,
        progress: None,
    }
}
