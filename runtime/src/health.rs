//! Where a run stands, for whoever asks from elsewhere.
//!
//! An observer like any other: it learns everything from events, so whatever can be seen here can be
//! followed by an observer of the application's own.
//!
//! **Invariant:** the run never waits for whoever asks, nor the other way round, longer than it takes to
//! copy a snapshot.

mod heard;
pub(crate) mod json;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use self::heard::Heard;
use crate::error::ErrorKind;
use crate::event::{Direction, Event, Holder, Observer, Statement};
use crate::watch::ServerProgress;

/// A handle that says where a run stands, for a health endpoint.
///
/// It is an [`Observer`]: give a clone of it to the [`Migrator`](crate::Migrator) and ask the other one
/// from any task at any time. It belongs to one run at a time; a second run through the same handle
/// begins anew. A run is what `apply` and `roll_back` do; of the verbs that only correct the history it
/// says nothing.
///
/// ```
/// use dunlin::{Health, Migrator, Phase};
///
/// static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../migrations");
///
/// let health = Health::new();
/// let migrator = Migrator::new(&MIGRATIONS).observer(health.clone());
/// # drop(migrator);
/// assert_eq!(health.snapshot().phase, Phase::NotStarted);
/// assert!(!health.is_ready());
/// ```
///
/// # Probes
///
/// | probe | passes if |
/// | --- | --- |
/// | readiness, startup | [`is_ready`](Self::is_ready) |
/// | liveness | not [`has_failed`](Self::has_failed): while migrating a process is alive |
///
/// A startup probe kills a process that takes longer than its threshold allows, and the migration with
/// it; leave it out, or allow for the longest migration. With axum:
///
/// ```ignore
/// async fn healthz(State(health): State<dunlin::Health>) -> impl IntoResponse {
///     let now = health.snapshot();
///     let status = if now.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
///     (status, [(header::CONTENT_TYPE, "application/json")], now.to_json())
/// }
/// ```
///
/// For it to answer while migrations run, the service must listen before it migrates, as the example
/// `workflow` does.
///
/// # Cancellation
///
/// A run that is dropped or panics leaves [`Phase::Interrupted`] behind.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Heard>>);

/// Where a run stood at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What it was about.
    pub phase: Phase,
    /// Since when it was in this phase, by the clock of this machine.
    pub since: SystemTime,
    /// Migrations that the database has and this build has not, because it is older.
    pub ahead: Vec<String>,
}

/// What a run is about.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// No run has begun.
    #[default]
    NotStarted,
    /// It connects, and asks the database where it stands.
    Looking,
    /// There is no server yet that can be written to, and it waits for one.
    WaitingForPrimary {
        /// Why not.
        reason: String,
    },
    /// Another migrator holds the lock.
    Waiting {
        /// Who, if the server says so.
        holder: Option<Holder>,
    },
    /// It applies or undoes migrations.
    Migrating(Migrating),
    /// Nothing was pending.
    UpToDate {
        /// How many migrations are applied.
        n_applied: usize,
    },
    /// Nothing was to be undone.
    NothingToUndo,
    /// Everything that was pending is done.
    Finished {
        /// Up or down.
        direction: Direction,
        /// How many migrations this run has applied or undone.
        n_done: usize,
        /// How many are applied now.
        n_total: usize,
    },
    /// The run has failed.
    Failed {
        /// What kind of problem it is.
        kind: ErrorKind,
        /// The error's first line.
        headline: String,
        /// The migration that failed, if one did.
        migration: Option<String>,
    },
    /// The run was dropped, or has panicked.
    Interrupted,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Migrating {
    /// Up or down.
    pub direction: Direction,
    /// How many migrations this run has done.
    pub n_done: usize,
    /// How many it set out to do.
    pub n_all: usize,
    /// The one it is at; nothing before the first and between two.
    pub current: Option<Current>,
}

/// The migration a run is at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Current {
    /// Its name.
    pub name: String,
    /// Since when.
    pub since: SystemTime,
    /// How often it was rolled back because it could not get a lock.
    pub n_failed: u32,
    /// The statement it is at, of a migration without a transaction.
    pub statement: Option<Statement>,
    /// What the server says of a statement that takes long; see [`Event::StatementProgress`].
    pub server: Option<Box<ServerProgress>>,
}

impl Health {
    /// A handle of a run that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the run stands now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.heard().now.clone()
    }

    /// Whether the database is as the run was to make it; see [`Snapshot::is_ready`].
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.heard().now.is_ready()
    }

    /// Whether the run has ended otherwise; see [`Snapshot::has_failed`].
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.heard().now.has_failed()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshot {
    /// Whether everything that was to be applied is applied. Not so after an undo.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(
            self.phase,
            Phase::UpToDate { .. } | Phase::Finished { direction: Direction::Up, .. }
        )
    }

    /// Whether the run has failed or was interrupted.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed { .. } | Phase::Interrupted)
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { phase: Phase::default(), since: SystemTime::now(), ahead: Vec::new() }
    }
}

impl Observer for Health {
    fn on_event(&self, event: &Event<'_>) {
        self.heard().hear(event);
    }
}
