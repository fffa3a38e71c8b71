//! The engine's table of contents.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use crate::applied::Applied;
use crate::budget::{LockBudget, jittered};
use crate::database::{Database, Link, Running};
use crate::drift::{Drift, refused};
use crate::error::{Error, ErrorKind, Result, is_lost};
use crate::event::{Both, Direction, Event, Observer};
use crate::execute::{Execution, Undo, UndoCode};
use crate::history::{Glance, History, Identity, State, StoredTexts, Table};
use crate::log::{Action, LogTable, Outcome};
use crate::plan::{self, Plan, Target, UnknownTarget};
use crate::policy::{AheadPolicy, Policies, Policy};
use crate::primary::Waiting;
use crate::registry::{Code, Migration, Registry};
use crate::report::{Done, Report};
use crate::session::Session;
use crate::shape::OTHER_NAME;
use crate::status::Status;
use crate::summary::{Settled, Summary};
use crate::told::told;
use crate::trace::Trace;
use crate::watch::{Onlooker, Watch};
use crate::{duplicates, handover, lock, stale, trace};

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

/// One call of `apply`, over as many connections as it takes.
#[derive(Debug)]
struct Run {
    begun: Instant,
    /// What the last connection was to apply; empty before the first has come so far.
    planned: Vec<&'static str>,
    report: Report,
    onlooker: Onlooker,
    waiting: Waiting,
}

impl Run {
    /// Whether an earlier connection of this run broke.
    const fn is_resumed(&self) -> bool {
        !self.planned.is_empty()
    }
}

/// The pause before a broken connection is replaced; it doubles up to [`RECONNECT_PAUSE_MAX`], and
/// then the run gives up. A server that restarts is back by then.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(4);

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

    /// Keeps the history in a table of this name; by default the one that the macro's argument
    /// `history_table` names, and `migrations` without it.
    ///
    /// The name is taken as it is, capital letters and quotes included.
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.table.name = name.into();
        self
    }

    /// Keeps the history table in this schema, which is created if it does not exist.
    ///
    /// By default it is the first schema of the search path that exists when the run begins.
    pub fn history_schema(mut self, schema: impl Into<String>) -> Self {
        self.table.schema = Some(schema.into());
        self
    }

    /// Keeps the log in a table of this name; by default the history table's with `_log` behind it.
    ///
    /// The log lies in the schema of the history and is created with it. It holds every attempt, with
    /// its outcome, and is only added to. A role that may write the history and neither create the log
    /// nor write to it migrates without.
    pub fn log_table(mut self, name: impl Into<String>) -> Self {
        self.table.log = LogTable::Named(name.into());
        self
    }

    /// Keeps no log.
    pub fn without_log(mut self) -> Self {
        self.table.log = LogTable::Nowhere;
        self
    }

    /// What the log calls this build, such as a version or a commit: `env!("CARGO_PKG_VERSION")`.
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.table.build = Some(build.into());
        self
    }

    /// Whether a pending migration that is older than something applied is drift.
    ///
    /// By default it is not: it runs in its place, and [`Event::Late`] announces it.
    pub const fn strict_order(mut self, strict: bool) -> Self {
        self.policies.strict_order = strict;
        self
    }

    /// What to do when the database holds migrations that are newer than everything in this build.
    ///
    /// By default it runs and announces them ([`Event::DatabaseAhead`]), unless one was marked
    /// `-- dunlin: breaking`; then the error is of [`ErrorKind::Ahead`].
    pub const fn on_ahead(mut self, policy: AheadPolicy) -> Self {
        self.policies.ahead = policy;
        self
    }

    /// What to do when an applied file was edited; by default nothing runs.
    pub const fn on_changed(mut self, policy: Policy) -> Self {
        self.policies.changed = policy;
        self
    }

    /// What to do when something was applied that this build does not have, although it has newer
    /// ones; by default nothing runs.
    pub const fn on_missing(mut self, policy: Policy) -> Self {
        self.policies.missing = policy;
        self
    }

    /// What to do when another tool has migrated this database and this one has not, as
    /// `_sqlx_migrations` or `flyway_schema_history` with rows in it shows; by default nothing runs, and
    /// the error is of [`ErrorKind::OtherHistory`].
    ///
    /// Tables are looked for in the schema of the history table and in those of the search path, and only
    /// while the history is empty.
    pub const fn on_other_history(mut self, policy: Policy) -> Self {
        self.policies.other_history = policy;
        self
    }

    /// Applies everything that is pending in one transaction: all of it, or nothing.
    ///
    /// By default each migration is a transaction of its own. In one transaction an enum value cannot
    /// be used by the migration behind the one that adds it, every lock is held to the end, and a
    /// migration without a transaction is refused before anything runs. It takes two round trips for
    /// each migration. Undoing is not changed by it.
    pub const fn single_transaction(mut self, single: bool) -> Self {
        self.policies.single_transaction = single;
        self
    }

    /// How long whatever writes, from [`apply`](Self::apply) to [`mark`](Self::mark), waits for a server
    /// that can be written to; zero, the default, for not at all.
    ///
    /// It waits while the server is a standby, while the session is read-only, and on a pool also while
    /// the server starts, stops or cannot be reached. Each question is then asked on a new connection of
    /// the pool, which may lead to another server; a client is asked again itself. To `apply` with nothing pending
    /// a standby is as good as a primary, and nobody waits. [`Event::WaitingForPrimary`] tells of it.
    pub const fn wait_for_primary(mut self, wait: Duration) -> Self {
        self.primary_wait = wait;
        self
    }

    /// How long to wait while another migrator holds the lock, 5 minutes by default.
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// How long a statement of a migration may wait for a lock, 2 seconds by default; zero is without
    /// limit.
    ///
    /// A statement that waits for a table makes everybody behind it wait as well, so it waits briefly
    /// and is tried again (see [`lock_retries`](Self::lock_retries)). A file may say otherwise for
    /// itself: `-- dunlin: lock-timeout 10s`.
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.budget.lock_timeout = timeout;
        self
    }

    /// The same for what makes nobody wait: what builds or drops an index `CONCURRENTLY`, and
    /// `VALIDATE CONSTRAINT`. By default it is without limit, because an index build that is cut off
    /// begins anew; while it waits, [`Event::StatementProgress`] names the session it waits for.
    pub const fn lock_timeout_concurrently(mut self, timeout: Duration) -> Self {
        self.budget.patient_timeout = timeout;
        self
    }

    /// For how long a migration that could not get a lock, or met a deadlock or a serialization failure,
    /// is rolled back and tried again, with growing pauses; 1 minute by default, zero for never.
    ///
    /// In a file without a transaction it is the statement that is tried again, unless it is a procedure
    /// or a block, which may have committed a part. A function in Rust is called again.
    pub const fn lock_retries(mut self, retry_for: Duration) -> Self {
        self.budget.retry_for = retry_for;
        self
    }

    /// Tells this observer what happens, as well as those named before.
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observer = Box::new(Both(self.observer, Box::new(observer)));
        self
    }

    /// Applies everything that is pending, each migration in its own transaction.
    ///
    /// With nothing pending this is one round trip, takes no lock, writes nothing and needs only
    /// `SELECT` on the history table. Otherwise it takes the lock, reads the history again, refuses
    /// before anything runs if anything has drifted, and stops at the first failure.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. What had been applied before a failure stays: [`Error::report`] lists it.
    pub async fn apply(&self, database: impl Database) -> Result<Report> {
        self.apply_to(database, Target::Latest).await
    }

    /// As [`apply`](Self::apply), up to and including a migration or a version.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply), and [`ErrorKind::Target`] when the target names nothing.
    pub async fn apply_to(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Report> {
        self.applied(database.link(), target.into()).await
    }

    fn applied<'r>(&'r self, database: Link<'r>, target: Target) -> Running<'r, Report> {
        let run = self.apply_over(database, target);
        Box::pin(told(&*self.observer, Direction::Up, run))
    }

    /// Applies over as many connections as it takes.
    async fn apply_over(&self, mut database: Link<'_>, target: Target) -> Result<Report> {
        stale::check(self.registry)?;
        let (begun, onlooker) = (Instant::now(), database.onlooker());
        let (planned, report) = (Vec::new(), Report::default());
        let waiting = Waiting::new(self.primary_wait);
        let mut run = Run { begun, planned, report, onlooker, waiting };
        let mut pause = RECONNECT_PAUSE;
        loop {
            let again = database.again();
            let error = match self.apply_once(database, &target, &mut run).await {
                Ok(report) => return Ok(report),
                Err(error) => error,
            };
            // What was on its way to be committed when a connection broke, only the server knows. While
            // it restarts, it refuses connections.
            let is_refused = (pause > RECONNECT_PAUSE || run.waiting.is_connected)
                && error.kind() == ErrorKind::Connection
                && error.migration().is_none()
                && error.code() != Some(&SqlState::ADMIN_SHUTDOWN);
            let is_worth_it = (error.is_lost_run() || is_refused) && pause <= RECONNECT_PAUSE_MAX;
            let (true, Some(next)) = (is_worth_it, again) else { return Err(error) };
            if let (Some(name), Some(report)) = (error.migration(), error.report()) {
                run.report = report.clone();
                self.observer.on_event(&Event::Reconnecting { name, reason: &error.to_string() });
            }
            tokio::time::sleep(jittered(pause)).await;
            (database, pause) = (next, pause * 2);
        }
    }

    async fn apply_once(
        &self,
        database: Link<'_>,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let again = database.again();
        let (mut session, mut glance) = self.reach(database, &mut run.waiting).await?;
        loop {
            if !run.is_resumed() {
                let settled = match target {
                    Target::Latest => self.settled(&session, &glance).await?,
                    _ => None,
                };
                if let Some(Settled { n_applied, ahead }) = settled {
                    if !ahead.is_empty() {
                        self.tell(&Event::DatabaseAhead { names: &ahead });
                    }
                    return Ok(self.up_to_date(n_applied, run.begun));
                }
                if let Some(n_applied) = self.satisfied(&session, &glance, target).await? {
                    return Ok(self.up_to_date(n_applied, run.begun));
                }
            }
            let Err(refused) = glance.writable() else { break };
            let again = again.as_ref().and_then(Link::again);
            (session, glance) = self.ask_again(session, refused, again, &mut run.waiting).await?;
        }
        run.waiting.is_over();
        let result = self.apply_locked(&mut session, &glance, target, run).await;
        released(session, result).await
    }

    /// Undoes migrations, newest version first: [`Target::Back`] so many, or everything newer than
    /// [`Target::To`].
    ///
    /// The undo of this build is used; for a migration this build does not know, the one that was
    /// stored when it was applied.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. [`ErrorKind::NoUndo`] before anything runs if one of them has no undo.
    pub async fn roll_back(
        &self,
        database: impl Database,
        target: impl Into<Target>,
    ) -> Result<Report> {
        self.rolled_back(database.link(), target.into()).await
    }

    fn rolled_back<'r>(&'r self, database: Link<'r>, target: Target) -> Running<'r, Report> {
        let begun = Instant::now();
        let run = async move {
            stale::check(self.registry)?;
            let onlooker = database.onlooker();
            let (mut session, glance) = self.reach_writable(database).await?;
            let locked = self.roll_back_locked(&mut session, &glance, &target, begun, onlooker);
            let result = locked.await;
            released(session, result).await
        };
        Box::pin(told(&*self.observer, Direction::Down, run))
    }

    /// What is applied, pending, changed or missing. Reads only, without the lock.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; drift is no error here.
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
    /// [`ErrorKind::Drift`] with every edited or missing migration and a diff of each edited one.
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
    /// As [`plan`](Self::plan), and [`ErrorKind::Target`] when the target names nothing.
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
    /// As [`plan_to`](Self::plan_to), and [`ErrorKind::Target`] when one of the migrations is in Rust
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
    /// [`ErrorKind::History`] when the table is not such a table, and when it has a name more than once.
    pub async fn adopt(&self, database: impl Database) -> Result<bool> {
        let (mut session, glance) = self.reach_writable(database.link()).await?;
        let key = lock::key(&glance.history.lock_name(&glance.database));
        let (wait, alone) = (self.lock_wait, Onlooker::default());
        lock::acquire(&mut session, key, wait, &*self.observer, &alone).await?;
        let result = adopt_locked(&session, &mut glance.history.clone()).await;
        released(session, result).await
    }

    /// Tells the observers.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.observer.on_event(event);
    }

    fn up_to_date(&self, n_total: usize, begun: Instant) -> Report {
        self.observer.on_event(&Event::UpToDate { n_applied: n_total });
        Report { n_total, duration: begun.elapsed(), ..Report::default() }
    }

    /// Whether nothing is left to do, as far as the table's own summary shows; which it is asked for once
    /// more where it has more rows than this build has migrations.
    async fn settled(&self, session: &Session<'_>, glance: &Glance) -> Result<Option<Settled>> {
        let Some(summary) = &glance.summary else { return Ok(None) };
        let settled = |it: &Summary| it.settled(self.registry, self.policies.ahead);
        if !summary.may_be_ahead(self.registry) {
            return Ok(settled(summary));
        }
        let last_name = self.registry.iter().map(Migration::name).max().unwrap_or_default();
        let summary = glance.history.summary_with_newer(session, last_name).await?;
        Ok(summary.as_ref().and_then(settled))
    }

    /// How many migrations are applied, when a history that differs from the build leaves nothing to
    /// do all the same, as one in whose middle a row has no checksum.
    async fn satisfied(
        &self,
        session: &Session<'_>,
        glance: &Glance,
        target: &Target,
    ) -> Result<Option<usize>> {
        // Without a table everything is pending, except of a build that has nothing.
        if glance.summary.is_none() && !self.registry.is_empty() {
            return Ok(None);
        }
        let state = glance.history.state(session, None, glance.summary.as_ref()).await?;
        let plan = self.planned(session, &glance.history, &state, target).await?;
        if !plan.is_empty() {
            return Ok(None);
        }
        self.announce_found(&plan);
        Ok(Some(state.n_finished()))
    }

    /// Takes the lock and reads the state again under it.
    pub(crate) async fn locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
    ) -> Result<State> {
        glance.writable()?;
        let key = lock::key(&glance.history.lock_name(&glance.database));
        lock::acquire(session, key, self.lock_wait, &*self.observer, onlooker).await?;
        let state = glance.history.state(session, Some(key), glance.summary.as_ref()).await?;
        if !state.holds_lock {
            return Err(lock::behind_pooler(
                "the migration lock was granted, but this session does not hold it",
            ));
        }
        let undeclared = self.registry.undeclared_settings();
        let (settings, belongings) = (state.settings.clone(), state.belongings.clone());
        let lock_timeout = self.budget.lock_timeout;
        let prepared = session.prepare(settings, belongings, &undeclared, lock_timeout).await;
        prepared.map_err(|error| {
            let is_other = error.as_db_error().is_some_and(|db| db.message().contains(lock::LOST));
            if is_other {
                lock::behind_pooler("another session answers than the one that was given the lock")
            } else {
                Error::from_postgres("preparing the session", error)
            }
        })?;
        Ok(state)
    }

    async fn apply_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, &run.onlooker).await?);
        self.settle(run, &state);
        let plan = self.planned(session, &history, &state, target).await?;
        let n_before = state.n_finished();
        if !plan.is_empty() && !state.is_writable {
            return Err(history.not_writable(&state.user, plan.steps.len()));
        }
        if !plan.is_empty() && !run.is_resumed() {
            self.heed_other_histories(session, &history, &state, plan.steps.len()).await?;
        }
        self.announce_moved(glance, &state);
        if !state.exists || !plan.is_empty() {
            run.report.history_created |= self.create(session, &mut history, &state).await?;
        }
        let history = &history;
        if !run.is_resumed() {
            self.announce_found(&plan);
            if plan.is_empty() {
                let history_created = run.report.history_created;
                return Ok(Report { history_created, ..self.up_to_date(n_before, run.begun) });
            }
            self.announce(&plan);
        }
        run.planned = plan.steps.iter().map(|step| step.migration.name).collect();
        let n_left = plan.steps.len();
        let mut execution = Execution {
            session,
            history,
            observer: &*self.observer,
            report: run.report.clone(),
            n_left,
            direction: Direction::Up,
            budget: self.budget,
            watch: Watch { onlooker: run.onlooker.clone(), backend: state.backend },
            trace: Trace::new(glance, self.registry),
            wary: state.code,
        };
        if self.policies.single_transaction {
            execution.apply_as_one(&plan.steps).await?;
        } else {
            execution.apply(&plan.steps).await?;
        }
        Ok(self.finished(execution.report, Direction::Up, n_before + n_left, run.begun))
    }

    /// Creates what is not there of the history table and its log, and says whether the history was.
    pub(crate) async fn create(
        &self,
        session: &Session<'_>,
        history: &mut History,
        state: &State,
    ) -> Result<bool> {
        if state.exists && !state.has_fingerprint {
            // Only for speed. Who may add rows need not own the table, and somebody may be reading it.
            let _slower = session.run(&history.with_fingerprint()).await;
        }
        let log = history.begin_log(state)?;
        let (what, created) = match (state.exists, &log) {
            (false, _) => (&history.qualified, history.create(session, log.as_deref()).await),
            (true, Some(log)) => (&history.qualified, session.run(log).await),
            (true, None) => return Ok(false),
        };
        created.map_err(|error| {
            let is_taken = error.code() == Some(&SqlState::DUPLICATE_OBJECT);
            let made = Error::from_postgres(&format!("creating the history table {what}"), error)
                .note("nothing was changed");
            if is_taken { made.help(OTHER_NAME) } else { made }
        })?;
        if !state.exists {
            self.observer.on_event(&Event::HistoryCreated { table: &history.qualified });
        }
        Ok(!state.exists)
    }

    /// Tells when the log was written in another database: this one was copied or restored.
    fn announce_moved(&self, glance: &Glance, state: &State) {
        let Identity { system, last_database, last_system } = &state.identity;
        let Some(last) = last_database.as_deref() else { return };
        let is_other = |a: &Option<String>, b: &Option<String>| {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a != b)
        };
        if last != glance.database || is_other(system, last_system) {
            self.observer.on_event(&Event::Moved {
                from: last,
                to: &glance.database,
                is_other_server: is_other(system, last_system),
            });
        }
    }

    /// Counts as done what a broken connection had left open and the server has committed.
    fn settle(&self, run: &mut Run, state: &State) {
        for name in &run.planned {
            let is_it = |row: &&Applied| row.name == *name && row.unfinished().is_none();
            let Some(row) = state.applied.iter().find(is_it) else { continue };
            if run.report.done.iter().any(|done| done.name == *name) {
                continue;
            }
            let duration = row.duration.unwrap_or_else(|| run.begun.elapsed());
            let n_statements = self.registry.get(name).and_then(Migration::n_statements);
            run.report.done.push(Done { name: (*name).to_owned(), n_statements, duration });
            self.observer.on_event(&Event::MigrationFinished {
                name,
                direction: Direction::Up,
                n_statements,
                duration,
            });
        }
    }

    async fn roll_back_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        target: &Target,
        begun: Instant,
        onlooker: Onlooker,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, &onlooker).await?);
        let names =
            plan::undo(self.registry, &state.applied, target).map_err(|it| unknown_target(&it))?;
        if names.is_empty() {
            self.observer.on_event(&Event::NothingToUndo);
            return Ok(Report {
                n_total: state.n_finished(),
                duration: begun.elapsed(),
                ..Report::default()
            });
        }
        let unknown: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| self.registry.get(name).is_none())
            .collect();
        self.announce_moved(glance, &state);
        let _created = self.create(session, &mut history, &state).await?;
        let history = &history;
        let stored = history.texts(session, &unknown).await?;
        let undos = self.undos(&names, &stored)?;
        let n_pending = names.len();
        self.observer.on_event(&Event::Started { direction: Direction::Down, n_pending });
        let (observer, report) = (&*self.observer, Report::default());
        let mut execution = Execution {
            session,
            history,
            observer,
            report,
            n_left: n_pending,
            direction: Direction::Down,
            budget: self.budget,
            watch: Watch { onlooker, backend: state.backend },
            trace: Trace::new(glance, self.registry),
            wary: state.code,
        };
        execution.undo(&undos).await?;
        let is_left = |row: &&Applied| row.unfinished().is_none() && !names.contains(&row.name);
        let n_total = state.applied.iter().filter(is_left).count();
        Ok(self.finished(execution.report, Direction::Down, n_total, begun))
    }

    /// The undo of each, or an error that names all that have none.
    fn undos<'n>(&self, names: &'n [String], stored: &'n [StoredTexts]) -> Result<Vec<Undo<'n>>> {
        let found: Vec<_> = names.iter().map(|name| (name, self.undo_of(name, stored))).collect();
        let (known, unknown): (Vec<&str>, Vec<&str>) = found
            .iter()
            .filter(|(_, how)| how.is_none())
            .map(|(name, _)| name.as_str())
            .partition(|name| self.registry.get(name).is_some());
        if !known.is_empty() || !unknown.is_empty() {
            return Err(no_undo(&known, &unknown));
        }
        Ok(found.into_iter().filter_map(|(name, how)| Some(Undo { name, how: how? })).collect())
    }

    fn undo_of<'n>(&self, name: &str, stored: &'n [StoredTexts]) -> Option<UndoCode<'n>> {
        if let Some(migration) = self.registry.get(name) {
            let down = migration.down?;
            return Some(match down.code {
                Code::Rust(run) => UndoCode::Rust { path: down.path, text: down.text, run },
                Code::Sql { transactional } => {
                    UndoCode::Sql { path: down.path.to_owned(), text: down.run_text, transactional }
                }
            });
        }
        let text = stored.iter().find(|texts| texts.name == name)?.down.as_deref()?;
        let path = format!("{name}.down.sql (stored in the history table)");
        Some(UndoCode::Sql {
            transactional: dunlin_core::directive::is_transactional(text),
            path,
            text,
        })
    }

    /// Tells what stands against a plan and does not stop it.
    fn announce_found(&self, plan: &Plan) {
        if !plan.ahead.is_empty() {
            self.observer.on_event(&Event::DatabaseAhead { names: &plan.ahead });
        }
        if !plan.tolerated.is_empty() {
            self.observer.on_event(&Event::Tolerated { drift: &plan.tolerated });
        }
    }

    fn announce(&self, plan: &Plan) {
        let late: Vec<_> = plan
            .steps
            .iter()
            .filter(|step| step.is_late)
            .map(|step| step.migration.name.to_owned())
            .collect();
        if !late.is_empty() {
            self.observer.on_event(&Event::Late { names: &late });
        }
        self.observer
            .on_event(&Event::Started { direction: Direction::Up, n_pending: plan.steps.len() });
    }

    fn finished(
        &self,
        report: Report,
        direction: Direction,
        n_total: usize,
        begun: Instant,
    ) -> Report {
        let report = Report { n_total, duration: begun.elapsed(), ..report };
        self.observer.on_event(&Event::Finished { direction, report: &report });
        report
    }

    async fn read(&self, session: &Session<'_>) -> Result<(History, State)> {
        let glance = self.table.glance(session).await?;
        let state = glance.history.state(session, None, glance.summary.as_ref()).await?;
        Ok((glance.history, state))
    }

    pub(crate) async fn planned(
        &self,
        session: &Session<'_>,
        history: &History,
        state: &State,
        target: &Target,
    ) -> Result<Plan> {
        let drift = self.drift(session, history, state).await?;
        let (against, tolerated) = plan::judged(drift, self.policies);
        if !against.is_empty() {
            return Err(refused(against, self.registry));
        }
        let plan = plan::plan(self.registry, &state.applied, target);
        plan.map(|plan| Plan { tolerated, ..plan }).map_err(|it| unknown_target(&it))
    }

    /// Everything that stands against a run, each edited migration with what was edited.
    pub(crate) async fn drift(
        &self,
        session: &Session<'_>,
        history: &History,
        state: &State,
    ) -> Result<Vec<Drift>> {
        let mut drift = plan::drift(self.registry, &state.applied, self.policies);
        let changed: Vec<String> = drift
            .iter()
            .filter(|it| matches!(it, Drift::Changed { .. }))
            .map(|it| it.name().to_owned())
            .collect();
        let names: Vec<&str> = changed.iter().map(String::as_str).collect();
        for texts in history.texts(session, &names).await? {
            let (Some(applied), Some(migration)) =
                (texts.up.as_deref(), self.registry.get(&texts.name))
            else {
                continue;
            };
            for it in drift.iter_mut().filter(|it| it.name() == texts.name) {
                it.compare(applied, migration.text());
            }
        }
        Ok(drift)
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

async fn adopt_locked(session: &Session<'_>, history: &mut History) -> Result<bool> {
    let Some(state) = history.plain(session).await? else { return Ok(false) };
    duplicates::refuse(session, history, |name| name).await?;
    let creation = history.begin_log(&state)?;
    let entry = history.log().map(|log| log.entry(Action::Adopt, Outcome::Done, None, None, None));
    // One message without transaction control is one transaction (manual, 55.2.2.1).
    let statements: Vec<_> =
        std::iter::once(history.adopt()).chain(creation).chain(entry).collect();
    let doing = format!("adopting the tracking table {}", history.qualified);
    let result = session.run(&statements.join("; ")).await;
    result.map_err(|error| Error::from_postgres(&doing, error).note("nothing was changed"))?;
    Ok(true)
}

/// Gives the lock back whatever happened; the first error is the one that counts.
pub(crate) async fn released<T>(session: Session<'_>, result: Result<T>) -> Result<T> {
    let released = session.release().await;
    let value = result?;
    match released {
        // A session that is gone holds no lock and has no settings.
        Err(error) if !is_lost(&error) => {
            Err(Error::from_postgres("giving back the migration lock and the settings", error)
                .note("what the run was to do is done"))
        }
        Ok(()) | Err(_) => Ok(value),
    }
}

/// `known` are in this build; of the others only the history table could have an undo.
fn no_undo(known: &[&str], unknown: &[&str]) -> Error {
    let named = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let all = [unknown, known].concat();
    let error = Error::new(ErrorKind::NoUndo, format!("no undo for {}", named(&all)))
        .note("nothing was changed");
    let error = match unknown {
        [] => error,
        unknown => error
            .note(format!(
                "not in this build, and stored without an undo in SQL: {}",
                named(unknown)
            ))
            .help("undo what this build does not know with the build that has it"),
    };
    match known {
        [] => error,
        _ => error.help(
            "add a `.down.sql` beside each migration, or write a new migration that reverts it",
        ),
    }
}

pub(crate) fn unknown_target(target: &UnknownTarget) -> Error {
    let error = match target {
        UnknownTarget::Name(name) => Error::new(
            ErrorKind::Target,
            format!("no migration is called `{name}` or has that version"),
        )
        .help("`status` lists the names"),
        UnknownTarget::Back(n) => Error::new(
            ErrorKind::Target,
            "a number means so many migrations back, and `apply` goes forward",
        )
        .help(format!("write a version as text: `\"{n}\"`"))
        .help("to undo, use `roll_back`"),
    };
    error.note("nothing was changed")
}
