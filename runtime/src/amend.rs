//! Correcting the history by hand: the verbs that write rows and run no migration.
//!
//! Separate from the engine because here a person knows better than the server. Each verb takes the
//! lock, changes everything in one transaction or nothing, and is written to the log.

use std::time::{Duration, Instant};

use crate::applied::{Applied, Kind};
use crate::database::Database;
use crate::drift::Drift;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Holder;
use crate::execute::row;
use crate::history::{Glance, History, State};
use crate::log::{Action, Outcome};
use crate::migrator::{Migrator, released, unknown_target};
use crate::plan::{self, Target};
use crate::registry::{Code, Migration};
use crate::report::{Done, Report};
use crate::session::Session;
use crate::watch::Onlooker;
use crate::{lock, stale};

/// What [`Migrator::mark`] says of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mark {
    /// It counts as applied, with the text of this build; nothing is run.
    Applied,
    /// It counts as pending; nothing is undone.
    Pending,
    /// The statement in which it was interrupted took effect: the next run continues behind it.
    StatementDone,
    /// The statement in which it was interrupted had no effect: the next run repeats it.
    StatementNotDone,
}

/// What [`Migrator::repair`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Repaired {
    repaired: Vec<Drift>,
    left: Vec<Drift>,
}

impl Repaired {
    /// The disagreements that are settled: the rows have the names, checksums and texts of this build.
    #[must_use]
    pub fn repaired(&self) -> &[Drift] {
        &self.repaired
    }

    /// Those that a row cannot settle, such as a migration this build does not have.
    #[must_use]
    pub fn left(&self) -> &[Drift] {
        &self.left
    }
}

impl Migrator<'_> {
    /// Records everything up to a target as applied without running it: for a database that has the
    /// schema already, by another tool or by hand.
    ///
    /// What is applied stays as it is. The report lists what was recorded.
    ///
    /// # Errors
    ///
    /// As [`apply_to`](Self::apply_to); nothing is recorded then.
    pub async fn baseline(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Report> {
        let (target, begun) = (target.into(), Instant::now());
        stale::check(self.registry)?;
        let database = database.link();
        let onlooker = database.onlooker();
        let (mut session, glance) = self.reach_writable(database).await?;
        let result = self.baseline_locked(&mut session, &glance, &onlooker, &target, begun).await;
        released(session, result).await
    }

    async fn baseline_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
        target: &Target,
        begun: Instant,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, onlooker).await?);
        let plan = self.planned(session, &history, &state, target).await?;
        let history_created = self.create(session, &mut history, &state).await?;
        let changes: Vec<_> = plan
            .steps
            .iter()
            .map(|step| {
                let row =
                    history.row_by_hand(step.migration, Kind::Baseline, step.progress.is_some());
                history.logged(Action::Baseline, "NULL::pg_catalog.int8", row)
            })
            .collect();
        self.change(session, "recording the baseline", &changes).await?;
        let done = plan.steps.iter().map(|step| Done {
            name: step.migration.name.to_owned(),
            n_statements: None,
            duration: Duration::ZERO,
        });
        Ok(Report {
            done: done.collect(),
            history_created,
            n_total: state.n_finished() + plan.steps.len(),
            duration: begun.elapsed(),
        })
    }

    /// Settles what was edited and what was renamed in favour of this build: the rows get its names,
    /// checksums and texts. Nothing is run, and what an edit would have changed is not in the database.
    ///
    /// [`status`](Self::status) shows beforehand what it would settle.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; nothing is changed then.
    pub async fn repair(&self, database: impl Database) -> Result<Repaired> {
        stale::check(self.registry)?;
        let database = database.link();
        let onlooker = database.onlooker();
        let (mut session, glance) = self.reach_writable(database).await?;
        let result = self.repair_locked(&mut session, &glance, &onlooker).await;
        released(session, result).await
    }

    async fn repair_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
    ) -> Result<Repaired> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, onlooker).await?);
        let drift = self.drift(session, &history, &state).await?;
        let (repaired, left): (Vec<_>, Vec<_>) = drift
            .into_iter()
            .partition(|it| matches!(it, Drift::Changed { .. } | Drift::Renamed { .. }));
        if repaired.is_empty() {
            return Ok(Repaired { repaired, left });
        }
        let _created = self.create(session, &mut history, &state).await?;
        let changes: Vec<_> = repaired
            .iter()
            .filter_map(|it| {
                let name = match it {
                    Drift::Renamed { to, .. } => to,
                    other => other.name(),
                };
                let migration = self.registry.get(name)?;
                Some(history.logged(
                    Action::Repair,
                    "NULL::pg_catalog.int8",
                    history.take_over(it.name(), migration),
                ))
            })
            .collect();
        self.change(session, "repairing the history table", &changes).await?;
        Ok(Repaired { repaired, left })
    }

    /// Says of one migration what only a person can know. Nothing is run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Target`] when there is no such migration, or nothing to say of it.
    pub async fn mark(&self, database: impl Database, name: &str, mark: Mark) -> Result<()> {
        stale::check(self.registry)?;
        let database = database.link();
        let onlooker = database.onlooker();
        let (mut session, glance) = self.reach_writable(database).await?;
        let result = self.mark_locked(&mut session, &glance, &onlooker, name, mark).await;
        released(session, result).await
    }

    async fn mark_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
        name: &str,
        mark: Mark,
    ) -> Result<()> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, onlooker).await?);
        let found = state.applied.iter().find(|row| row.name == name);
        let (migration, unfinished) =
            (self.registry.get(name), found.and_then(Applied::unfinished));
        if migration.is_none() && found.is_none() {
            return Err(unknown_target(&plan::UnknownTarget::Name(name.to_owned())));
        }
        let nothing = |fact: &str| {
            Err(Error::new(ErrorKind::Target, format!("`{name}` {fact}"))
                .note("nothing was changed"))
        };
        let _created = self.create(session, &mut history, &state).await?;
        let is_undo = found.is_some_and(|row| row.kind() == Some(Kind::Undo.as_str()));
        let row = match (mark, migration, found, unfinished) {
            (Mark::Applied, Some(migration), found, _) => {
                history.row_by_hand(migration, Kind::Marked, found.is_some())
            }
            (Mark::Applied, None, _, _) => {
                return nothing("is not in this build, so its text is not known");
            }
            (Mark::Pending, _, Some(_), _) => history.delete(name),
            (Mark::Pending, _, None, _) => return nothing("is pending already"),
            (_, _, _, None) => return nothing("was not interrupted"),
            (Mark::StatementDone, _, _, Some(progress)) => {
                let n_done = progress.n_begun.max(progress.n_done);
                if is_undo && n_done == progress.n_statements {
                    history.delete(name)
                } else {
                    history.progress_by_hand(name, n_done, n_done)
                }
            }
            (Mark::StatementNotDone, _, _, Some(progress)) => {
                history.progress_by_hand(name, progress.n_done, progress.n_done)
            }
        };
        let logged = history.logged(Action::Mark, "NULL::pg_catalog.int8", row);
        self.change(session, &format!("marking `{name}`"), &[logged]).await
    }

    /// Who holds the migration lock now, if somebody does. Reads only.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn lock_holder(&self, database: impl Database) -> Result<Option<Holder>> {
        let session = Session::new(database.link().connect().await?);
        let glance = self.table.glance(&session).await?;
        lock::holder(&session, lock::key(&glance.history.lock_name(&glance.database))).await
    }

    /// Ends the session that holds the migration lock, if it is the one of this process id, which
    /// [`lock_holder`](Self::lock_holder) has shown. A transactional migration it is in the middle of
    /// is rolled back.
    ///
    /// Returns whether that session held the lock.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; a role may end its own sessions, and those of others with
    /// `pg_signal_backend`.
    pub async fn unlock(&self, database: impl Database, pid: i32) -> Result<bool> {
        let session = Session::new(database.link().connect().await?);
        let glance = self.table.glance(&session).await?;
        let key = lock::key(&glance.history.lock_name(&glance.database));
        let Some(holder) = lock::holder(&session, key).await?.filter(|it| it.pid == pid) else {
            return Ok(false);
        };
        let end = format!("SELECT pg_catalog.pg_terminate_backend({pid})");
        let ended = session.run(&end).await;
        ended.map_err(|error| {
            Error::from_postgres("ending the session that holds the lock", error)
        })?;
        let state = glance.history.state(&session, None, glance.summary.as_ref()).await?;
        self.log_unlock(&session, glance.history, &state, &holder).await?;
        Ok(true)
    }

    /// The holder's own session cannot tell what became of it.
    async fn log_unlock(
        &self,
        session: &Session<'_>,
        mut history: History,
        state: &State,
        holder: &Holder,
    ) -> Result<()> {
        let creation = history.begin_log(state)?;
        let (Some(log), None) = (history.log(), creation) else { return Ok(()) };
        let message = holder.to_string();
        let entry = log.entry(Action::Unlock, Outcome::Done, None, None, Some(&message));
        session.run(&entry).await.map_err(|error| {
            Error::from_postgres("writing to the log", error).note("the session is ended")
        })
    }
}

impl History {
    /// A row that a person vouches for; `is_there` says whether it takes the place of one.
    fn row_by_hand(&self, migration: &'static Migration, kind: Kind, is_there: bool) -> String {
        let row = row(migration, kind);
        if is_there { self.replace_unlogged(&row) } else { self.insert_unlogged(&row) }
    }

    /// The row of one name with the name, checksum and texts of a migration of this build.
    fn take_over(&self, name: &str, migration: &'static Migration) -> String {
        let kind = match migration.up.code {
            Code::Sql { transactional: true } => Kind::Sql,
            Code::Sql { transactional: false } => Kind::SqlNoTransaction,
            Code::Rust(_) => Kind::Rust,
        };
        self.take_over_unlogged(name, &row(migration, kind))
    }
}
