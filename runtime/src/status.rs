//! What is where: the history and the build side by side.

use crate::applied::Applied;
use crate::drift::Drift;
use crate::plan::is_ahead_of;
use crate::registry::{Migration, Registry};

/// The migrations of the build and of the database, side by side.
#[derive(Clone, Debug)]
#[must_use]
pub struct Status {
    entries: Vec<Entry>,
    drift: Vec<Drift>,
    history_exists: bool,
}

/// One migration of a [`Status`].
#[derive(Clone, Debug)]
pub struct Entry {
    name: String,
    state: State,
    applied: Option<Applied>,
    migration: Option<&'static Migration>,
}

/// What can be said of one migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Applied, and the file is the one that was applied.
    Applied,
    /// Applied, but its row has no checksum, so nobody can tell.
    Unverified,
    /// Applied, and the file was edited since.
    Changed,
    /// Not applied.
    Pending,
    /// Not applied although something newer is. It will be applied in its place.
    Late,
    /// Begun without a transaction and not finished.
    Unfinished,
    /// Applied and not in this build, which has newer ones.
    Missing,
    /// Applied and newer than everything in this build.
    Ahead,
}

impl State {
    /// One word for tables and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unverified => "unverified",
            Self::Changed => "changed",
            Self::Pending => "pending",
            Self::Late => "late",
            Self::Unfinished => "unfinished",
            Self::Missing => "missing",
            Self::Ahead => "ahead",
        }
    }
}

impl Status {
    pub(crate) fn new(
        registry: &Registry,
        applied: &[Applied],
        history_exists: bool,
        drift: Vec<Drift>,
    ) -> Self {
        let layout = registry.layout;
        let newest = applied.iter().map(Applied::name).max_by(|a, b| layout.compare_names(a, b));
        let newest = newest.map(str::to_owned);
        let mut entries: Vec<Entry> =
            applied.iter().map(|row| Entry::of_row(registry, applied, row)).collect();
        for migration in registry {
            if entries.iter().any(|entry| entry.name == migration.name) {
                continue;
            }
            let is_late = newest
                .as_deref()
                .is_some_and(|newest| layout.compare_names(migration.name, newest).is_lt());
            let state = if is_late { State::Late } else { State::Pending };
            entries.push(Entry {
                name: migration.name.to_owned(),
                state,
                applied: None,
                migration: Some(migration),
            });
        }
        entries.sort_by(|left, right| layout.compare_names(&left.name, &right.name));
        Self { entries, drift, history_exists }
    }

    /// All migrations in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.entries.iter().filter(|entry| entry.state == state).count()
    }

    /// How many rows the history table has, finished ones.
    #[must_use]
    pub fn n_applied(&self) -> usize {
        let finished =
            |entry: &&Entry| entry.applied.as_ref().is_some_and(|row| row.unfinished().is_none());
        self.entries.iter().filter(finished).count()
    }

    /// How many `apply` would run.
    #[must_use]
    pub fn n_pending(&self) -> usize {
        self.count(State::Pending) + self.count(State::Late) + self.count(State::Unfinished)
    }

    /// Everything the database and this build disagree about.
    #[must_use]
    pub fn drift(&self) -> &[Drift] {
        &self.drift
    }

    /// Whether the history table exists.
    #[must_use]
    pub const fn history_exists(&self) -> bool {
        self.history_exists
    }
}

impl Entry {
    fn of_row(registry: &Registry, applied: &[Applied], row: &Applied) -> Self {
        let migration = registry.get(&row.name);
        let state = match migration {
            Some(_) if row.unfinished().is_some() => State::Unfinished,
            None if is_ahead_of(registry, applied, &row.name) => State::Ahead,
            None => State::Missing,
            Some(_) if row.checksum.is_none() => State::Unverified,
            Some(migration) if row.checksum.as_deref() != Some(&migration.checksum.to_string()) => {
                State::Changed
            }
            Some(_) => State::Applied,
        };
        Self { name: row.name.clone(), state, applied: Some(row.clone()), migration }
    }

    /// The migration's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What can be said of it.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Its row in the history table.
    #[must_use]
    pub const fn applied(&self) -> Option<&Applied> {
        self.applied.as_ref()
    }

    /// The migration in this build.
    #[must_use]
    pub const fn migration(&self) -> Option<&'static Migration> {
        self.migration
    }
}
