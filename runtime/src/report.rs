//! What a run did.

use std::time::Duration;

/// What [`apply`](crate::Migrator::apply) or [`roll_back`](crate::Migrator::roll_back) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub(crate) done: Vec<Done>,
    pub(crate) history_created: bool,
    pub(crate) n_total: usize,
    pub(crate) duration: Duration,
}

/// One migration that was applied or undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub(crate) name: String,
    pub(crate) n_statements: Option<usize>,
    pub(crate) duration: Duration,
}

impl Report {
    /// What was applied or undone, in the order it was done in. Empty when there was nothing to do.
    #[must_use]
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// Whether nothing was done because nothing was to be done.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.done.is_empty()
    }

    /// Whether the run created the history table.
    #[must_use]
    pub const fn history_created(&self) -> bool {
        self.history_created
    }

    /// How many migrations are applied now.
    #[must_use]
    pub const fn n_total(&self) -> usize {
        self.n_total
    }

    /// The time from the first question to the server until everything was durable.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }
}

impl Done {
    /// The migration's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many statements its text has; nothing for a migration in Rust.
    #[must_use]
    pub const fn n_statements(&self) -> Option<usize> {
        self.n_statements
    }

    /// How long it took.
    ///
    /// In a transaction it is the server's own measure in whole milliseconds, from `BEGIN` to its row,
    /// which is in the column `duration_ms` as well; many travel together, so that this process
    /// could not tell. The commit is not part of it, nor are tries that failed. Without a transaction
    /// it is the time from the first statement of this run to the last, as this process saw it.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }
}
