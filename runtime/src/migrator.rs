//! The engine's table of contents.

mod announcement;
mod footing;
mod judgement;
mod options;
mod reconnecting;
mod run;
mod tracking_table;
mod undoing;

use std::time::Duration;

pub(crate) use self::footing::released;
pub(crate) use self::judgement::unknown_target;
use crate::budget::LockBudget;
use crate::database::Database;
use crate::drift::refused;
use crate::error::Result;
use crate::event::Observer;
use crate::history::Table;
use crate::log::LogTable;
use crate::plan::{self, Plan, Target};
use crate::policy::Policies;
use crate::registry::Registry;
use crate::report::Report;
use crate::session::Session;
use crate::status::Status;
use crate::{handover, stale, trace};

/// Brings a database to where a [`Registry`] says it should be.
///
/// ```no_run
/// static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../migrations");
///
/// # async fn start(pool: deadpool_postgres::Pool) -> dunlin::Result<()> {
/// let report = dunlin::Migrator::new(&MIGRATIONS).apply(&pool).await?;
/// println!("{} migrations applied", report.done().len());
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
///
/// Every verb may be dropped at any point. Each transactional migration is then applied together with
/// its row or not at all; those that were on their way to the server already, at most 64, may still
/// be applied. The lock is released and the settings of the session are given back before any later
/// query on that connection. A connection of a pool is closed instead of being returned, and the
/// server gives up the statement it is in the middle of within some 2 seconds (PostgreSQL 14 and
/// later); on a borrowed connection it is not interrupted. The next run continues where this one got.
#[must_use]
pub struct Migrator<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) table: Table,
    pub(crate) policies: Policies,
    pub(crate) primary_wait: Duration,
    pub(crate) lock_wait: Duration,
    budget: LockBudget,
    pub(crate) observer: Box<dyn Observer + 'a>,
    /// What a person says about another tool's history.
    #[cfg(feature = "adopt")]
    pub(crate) vouching: crate::adopt::Vouching,
}

/// How long a starter waits for another one by default.
const DEFAULT_LOCK_WAIT: Duration = Duration::from_secs(300);

impl<'a> Migrator<'a> {
    /// A migrator with the default policies.
    pub fn new(registry: &'a Registry) -> Self {
        Self {
            registry,
            table: Table {
                schema: None,
                name: registry.history_table.to_owned(),
                log: LogTable::default(),
                build: None,
            },
            policies: Policies::default(),
            primary_wait: Duration::ZERO,
            lock_wait: DEFAULT_LOCK_WAIT,
            budget: LockBudget::default(),
            observer: trace::first_observer(),
            #[cfg(feature = "adopt")]
            vouching: crate::adopt::Vouching::default(),
        }
    }

    /// Applies everything that is pending, each migration in its own transaction.
    ///
    /// With nothing pending this is one round trip, takes no lock, writes nothing and needs only
    /// `SELECT` on the history table. Otherwise it takes the lock, reads the history again, refuses
    /// before anything runs if anything has drifted, and stops at the first failure.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind). What had been applied before a failure stays: [`Error::report`](crate::Error::report) lists it.
    pub async fn apply(&self, database: impl Database) -> Result<Report> {
        self.apply_to(database, Target::Latest).await
    }

    /// As [`apply`](Self::apply), up to and including a migration or a version.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply), and [`ErrorKind::Target`](crate::ErrorKind::Target) when the target names nothing.
    pub async fn apply_to(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Report> {
        self.applied(database.link(), target.into()).await
    }

    /// Undoes migrations, newest version first: [`Target::Back`] so many, or everything newer than
    /// [`Target::To`].
    ///
    /// The undo of this build is used; for a migration this build does not know, the one that was
    /// stored when it was applied. On a pool it survives a broken connection, as [`apply`](Self::apply)
    /// does.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind). [`ErrorKind::NoUndo`](crate::ErrorKind::NoUndo) before anything runs if one of them has no undo.
    pub async fn roll_back(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Report> {
        self.rolled_back(database.link(), target.into()).await
    }

    /// What is applied, pending, changed or missing. Reads only, without the lock.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind); drift is no error here.
    pub async fn status(&self, database: impl Database) -> Result<Status> {
        stale::check(self.registry)?;
        let session = Session::new(database.link().connect().await?);
        let (history, state) = self.read(&session).await?;
        let drift = self.drift(&session, &history, &state).await?;
        Ok(Status::new(self.registry, &state.applied, state.exists, drift))
    }

    /// As [`status`](Self::status), but drift is an error. Pending migrations are not drift.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Drift`](crate::ErrorKind::Drift) with every edited or missing migration and a diff of each edited one.
    pub async fn verify(&self, database: impl Database) -> Result<Status> {
        let status = self.status(database).await?;
        let (against, _tolerated) = plan::judged(status.drift().to_vec(), self.policies);
        if against.is_empty() { Ok(status) } else { Err(refused(against, self.registry)) }
    }

    /// What [`apply`](Self::apply) would do. Reads only, without the lock.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub async fn plan(&self, database: impl Database) -> Result<Plan> {
        self.plan_to(database, Target::Latest).await
    }

    /// What [`apply_to`](Self::apply_to) would do. Reads only, without the lock.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan), and [`ErrorKind::Target`](crate::ErrorKind::Target) when the target names nothing.
    pub async fn plan_to(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Plan> {
        let target = target.into();
        stale::check(self.registry)?;
        let session = Session::new(database.link().connect().await?);
        let (history, state) = self.read(&session).await?;
        self.planned(&session, &history, &state, &target).await
    }

    /// What [`apply_to`](Self::apply_to) would do, as a script for `psql` that somebody else can run:
    /// each migration in its transaction, together with its row in the history table. Reads only,
    /// without the lock.
    ///
    /// The script does not wait for other migrators, and tries nothing again; the unique names of the
    /// history table keep a migration from being applied twice.
    ///
    /// # Errors
    ///
    /// As [`plan_to`](Self::plan_to), and [`ErrorKind::Target`](crate::ErrorKind::Target) when one of the migrations is in Rust
    /// or was interrupted.
    pub async fn script(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<String> {
        let target = target.into();
        stale::check(self.registry)?;
        let session = Session::new(database.link().connect().await?);
        let (mut history, state) = self.read(&session).await?;
        let plan = self.planned(&session, &history, &state, &target).await?;
        handover::script(&mut history, &state, &plan, self.budget.lock_timeout)
    }

    /// Turns an older tracking table that has only `id`, `name` and `executed_at` into the history
    /// table, by adding the other columns. Its rows stay; they count as applied and unverified.
    ///
    /// Returns whether there was something to do.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::History`](crate::ErrorKind::History) when the table is not such a table, and when it has a name more than once.
    pub async fn adopt(&self, database: impl Database) -> Result<bool> {
        let (mut session, glance) = self.reach_writable(database.link()).await?;
        let result = self.take_over(&mut session, &glance).await;
        released(session, result).await
    }
}

impl std::fmt::Debug for Migrator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Migrator")
            .field("registry", &self.registry.folder())
            .field("table", &self.table)
            .field("policies", &self.policies)
            .field("primary_wait", &self.primary_wait)
            .field("lock_wait", &self.lock_wait)
            .finish_non_exhaustive()
    }
}
