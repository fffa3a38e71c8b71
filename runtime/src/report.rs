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

    /// How long it took, as this process saw it.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }
}
