//! What a run tells while it runs.
//!
//! **Invariant:** events are facts, not texts. What they look like is the observer's affair; the
//! runtime prints nothing.

use std::time::Duration;

use crate::drift::Drift;
use crate::error::Error;
use crate::report::Report;
use crate::secret::without_passwords;
use crate::watch::ServerProgress;

/// Something that happened in a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A run of `apply` or `roll_back` begins: the database is asked where it stands.
    ///
    /// Its last event is [`UpToDate`](Event::UpToDate), [`NothingToUndo`](Event::NothingToUndo),
    /// [`Finished`](Event::Finished), [`Failed`](Event::Failed) or [`Interrupted`](Event::Interrupted).
    /// Failed or interrupted it may also be behind one of the others, while it gives back the lock.
    Looking {
        /// Up or down.
        direction: Direction,
    },
    /// Nothing is pending. The whole run was one question to the server.
    UpToDate {
        /// How many migrations are applied.
        n_applied: usize,
    },
    /// Nothing was to be undone.
    NothingToUndo,
    /// The history table did not exist and does now.
    HistoryCreated {
        /// Its name with its schema, as it would stand in SQL.
        table: &'a str,
    },
    /// There is no server yet that can be written to, and
    /// [`wait_for_primary`](crate::Migrator::wait_for_primary) allows to wait for one. Sent once when the
    /// wait begins, then about once in 5 seconds.
    WaitingForPrimary {
        /// Why not: the server is a standby, starts, or cannot be reached.
        reason: &'a str,
        /// How long this run has waited.
        waited: Duration,
    },
    /// Another migrator holds the lock. Sent once when the wait begins, then about once in 5 seconds.
    Waiting {
        /// Who holds it, if the server says so.
        holder: Option<&'a Holder>,
        /// How long this run has waited.
        waited: Duration,
    },
    /// The last entry of the log was written in another database: this one is a copy, or was restored
    /// under another name or on another server. Told once in each run that has something to do, until
    /// something is logged here.
    Moved {
        /// The name of the database the log was written in.
        from: &'a str,
        /// The name of this one.
        to: &'a str,
        /// Whether the server's data is another one as well (`system_identifier`).
        is_other_server: bool,
    },
    /// The database holds migrations that are newer than everything in this build.
    DatabaseAhead {
        /// Their names.
        names: &'a [String],
    },
    /// The database and the build disagree, and a [`Policy`](crate::Policy) tolerates it.
    Tolerated {
        /// About what.
        drift: &'a [Drift],
    },
    /// Another tool has migrated this database and this one has not, and a [`Policy`](crate::Policy) says to
    /// go on.
    OtherHistory {
        /// The tool's name in a sentence.
        tool: &'a str,
        /// Its table, with the schema.
        table: &'a str,
    },
    /// Pending migrations that are older than something already applied; they run in their place.
    Late {
        /// Their names.
        names: &'a [String],
    },
    /// Validation is over and this is about to run.
    Started {
        /// Up or down.
        direction: Direction,
        /// How many migrations.
        n_pending: usize,
    },
    /// A migration begins.
    MigrationStarted {
        /// Its name.
        name: &'a str,
        /// Up or down.
        direction: Direction,
        /// How many statements its text has; nothing for a migration in Rust.
        n_statements: Option<usize>,
        /// For a migration without a transaction that was interrupted: the statements an earlier
        /// run completed, which this one does not repeat.
        n_skipped_statements: usize,
    },
    /// A migration could not get a lock in time, or met a deadlock. It was rolled back and will be
    /// tried again.
    Retrying {
        /// Its name.
        name: &'a str,
        /// What the server said.
        reason: &'a str,
        /// How often it has failed.
        n_failed: u32,
        /// The pause before the next try.
        pause: Duration,
        /// Who holds locks on the tables it changes.
        blockers: &'a [Blocker],
    },
    /// The connection broke during a migration. A new one is made, and the server is asked what became
    /// of it.
    Reconnecting {
        /// The migration's name.
        name: &'a str,
        /// What the driver or the server said.
        reason: &'a str,
    },
    /// One line about what a migration did, `Created users table`. It becomes true with the
    /// migration's [`MigrationFinished`](Event::MigrationFinished).
    Progress {
        /// The migration's name.
        name: &'a str,
        /// The line.
        message: &'a str,
    },
    /// A migration has left something in the session, which neither the next one nor the application
    /// shall find: settings have got their values back, and the rest is removed.
    CleanedUp {
        /// The migration's name.
        name: &'a str,
        /// The settings by name, `role` for the user and the role, and other things in words:
        /// `search_path`, `temporary table items`.
        what: &'a [String],
    },
    /// A statement of a migration without a transaction begins.
    StatementStarted {
        /// The migration's name.
        name: &'a str,
        /// Up or down.
        direction: Direction,
        /// Which.
        statement: &'a Statement,
    },
    /// A statement of a migration without a transaction is done, for good.
    StatementFinished {
        /// The migration's name.
        name: &'a str,
        /// Up or down.
        direction: Direction,
        /// Which.
        statement: &'a Statement,
        /// How long it took, as this process saw it.
        duration: Duration,
    },
    /// A statement, or the statements of a transaction, have run for some 2 seconds and are still
    /// running. Told about every 2 seconds.
    StatementProgress {
        /// The migration's name.
        name: &'a str,
        /// Up or down.
        direction: Direction,
        /// Which statement, of a migration without a transaction.
        statement: Option<&'a Statement>,
        /// Since when it runs; in a transaction, since this process waits for its answer.
        elapsed: Duration,
        /// What the server says of it. Only a run on a pool can ask, while the pool has a connection
        /// to spare.
        server: Option<&'a ServerProgress>,
    },
    /// A migration and its row are committed.
    MigrationFinished {
        /// Its name.
        name: &'a str,
        /// Up or down.
        direction: Direction,
        /// How many statements its text has; nothing for a migration in Rust.
        n_statements: Option<usize>,
        /// How long it took; see [`Done::duration`](crate::Done::duration).
        duration: Duration,
    },
    /// Everything that was pending is done.
    Finished {
        /// Up or down.
        direction: Direction,
        /// What was done.
        report: &'a Report,
    },
    /// The run ends with this error, which the verb returns.
    Failed {
        /// The error.
        error: &'a Error,
    },
    /// The run was dropped, or has panicked, before it came to an end. Told while the stack unwinds or
    /// the future is dropped.
    Interrupted,
}

/// A statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Its place in the file, from 1.
    pub number: usize,
    /// How many statements the file has.
    pub n_statements: usize,
    /// What it is, `CREATE INDEX`; `statement` where that is not known.
    pub command: &'static str,
    /// What it creates, alters or drops, `orders_by_day`, if it can be told from its text.
    pub object: Option<String>,
}

impl std::fmt::Display for Statement {
    /// `2 of 5, CREATE INDEX orders_by_day`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}, {}", self.number, self.n_statements, self.command)?;
        match &self.object {
            Some(object) => write!(f, " {object}"),
            None => Ok(()),
        }
    }
}

/// Which way a migration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is undone.
    Down,
}

/// The session that holds the lock, or that a statement waits for, as `pg_stat_activity` shows it.
///
/// What a role may not see (`pg_read_all_stats`) is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The backend's process id on the server.
    pub pid: i32,
    /// The role.
    pub user: String,
    /// `application_name`.
    pub application: String,
    /// The client's address; empty for a unix socket.
    pub host: String,
    /// Since when its session exists, in seconds.
    pub session_seconds: i64,
    /// What it is doing: `active`, `idle`, `idle in transaction`.
    pub state: String,
    /// What it runs, or ran last, on one line, shortened to 80 characters and without passwords.
    pub query: String,
}

/// A session that holds a lock on a table a migration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocker {
    /// The backend's process id on the server.
    pub pid: i32,
    /// `application_name`.
    pub application: String,
    /// The table.
    pub relation: String,
    /// The mode of the lock it holds, `AccessShareLock`.
    pub mode: String,
    /// `active`, `idle in transaction`.
    pub state: String,
    /// How long its transaction has been open, in seconds.
    pub transaction_seconds: i64,
    /// What it runs, or ran last, on one line, shortened to 80 characters and without passwords.
    pub query: String,
}

impl Blocker {
    pub(crate) fn from_row(row: &tokio_postgres::SimpleQueryRow) -> Self {
        let owned = |column| crate::session::text(row, column).unwrap_or_default().to_owned();
        Self {
            pid: owned("pid").parse().unwrap_or_default(),
            application: owned("application_name"),
            relation: owned("relation"),
            mode: owned("mode"),
            state: owned("state"),
            transaction_seconds: owned("seconds").parse().unwrap_or_default(),
            query: without_passwords(&owned("query")),
        }
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if !self.application.is_empty() {
            write!(f, ", application `{}`", self.application)?;
        }
        write!(
            f,
            ", holds {} on {}, {} for {} s",
            self.mode, self.relation, self.state, self.transaction_seconds
        )?;
        if !self.query.is_empty() {
            write!(f, ": {}", self.query)?;
        }
        Ok(())
    }
}

impl Holder {
    pub(crate) fn from_row(row: &tokio_postgres::SimpleQueryRow) -> Self {
        let owned = |column| crate::session::text(row, column).unwrap_or_default().to_owned();
        Self {
            pid: owned("pid").parse().unwrap_or_default(),
            user: owned("usename"),
            application: owned("application_name"),
            host: owned("client_addr"),
            session_seconds: owned("seconds").parse().unwrap_or_default(),
            state: owned("state"),
            query: without_passwords(&owned("query")),
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if !self.user.is_empty() {
            write!(f, ", user `{}`", self.user)?;
        }
        if !self.application.is_empty() {
            write!(f, ", application `{}`", self.application)?;
        }
        if !self.host.is_empty() {
            write!(f, ", from {}", self.host)?;
        }
        write!(f, ", connected for {} s", self.session_seconds)?;
        if !self.state.is_empty() {
            write!(f, ", {}", self.state)?;
            let verb = if self.state == "active" { "running" } else { "last ran" };
            if !self.query.is_empty() {
                write!(f, ", {verb}: {}", self.query)?;
            }
        }
        Ok(())
    }
}

/// Receives the events of a run.
///
/// Any `Fn(&Event<'_>) + Send + Sync` is one. It is called from the task that runs the migrations,
/// so it must not block for long.
///
/// ```
/// use dunlin::{Event, Observer};
/// fn observe(observer: impl Observer) { observer.on_event(&Event::UpToDate { n_applied: 3 }); }
/// observe(|event: &Event<'_>| assert!(matches!(event, Event::UpToDate { n_applied: 3 })));
/// ```
#[diagnostic::on_unimplemented(
    note = "a closure needs its argument's type: `|event: &dunlin::Event<'_>| ...`"
)]
pub trait Observer: Send + Sync {
    /// Called for each event, in order.
    fn on_event(&self, event: &Event<'_>);
}

/// Two observers; the first is told first.
pub(crate) struct Both<'a>(pub(crate) Box<dyn Observer + 'a>, pub(crate) Box<dyn Observer + 'a>);

impl Observer for Both<'_> {
    fn on_event(&self, event: &Event<'_>) {
        self.0.on_event(event);
        self.1.on_event(event);
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}
