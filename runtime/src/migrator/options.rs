//! What is said to a migrator before it runs.

use std::time::Duration;

use super::Migrator;
use crate::event::{Both, Observer};
use crate::log::LogTable;
use crate::policy::{AheadPolicy, Policy};

impl<'a> Migrator<'a> {
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
    /// By default it is not: it runs in its place, and [`Event::Late`](crate::Event::Late) announces it.
    pub const fn strict_order(mut self, strict: bool) -> Self {
        self.policies.strict_order = strict;
        self
    }

    /// What to do when the database holds migrations that are newer than everything in this build.
    ///
    /// By default it runs and announces them ([`Event::DatabaseAhead`](crate::Event::DatabaseAhead)), unless one was marked
    /// `-- dunlin: breaking`; then the error is of [`ErrorKind::Ahead`](crate::ErrorKind::Ahead).
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
    /// the error is of [`ErrorKind::OtherHistory`](crate::ErrorKind::OtherHistory).
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
    /// a standby is as good as a primary, and nobody waits. [`Event::WaitingForPrimary`](crate::Event::WaitingForPrimary) tells of it.
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
    /// begins anew; while it waits, [`Event::StatementProgress`](crate::Event::StatementProgress) names the session it waits for.
    pub const fn lock_timeout_concurrently(mut self, timeout: Duration) -> Self {
        self.budget.patient_timeout = timeout;
        self
    }

    /// For how long a migration that could not get a lock, or met a deadlock or a serialization failure,
    /// is rolled back and tried again, with growing pauses; 1 minute by default, zero for never.
    ///
    /// In a file without a transaction it is the statement that is tried again, unless it is a procedure
    /// or a block, which may have committed a part. A function in Rust is called again. What only changes
    /// the history, as [`baseline`](Self::baseline) and [`adopt`](Self::adopt) do, keeps to both as well.
    pub const fn lock_retries(mut self, retry_for: Duration) -> Self {
        self.budget.retry_for = retry_for;
        self
    }

    /// Tells this observer what happens, as well as those named before.
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observer = Box::new(Both(self.observer, Box::new(observer)));
        self
    }
}
