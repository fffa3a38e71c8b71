//! The statements around each of many migrations, which the server parses and plans once.
//!
//! Separate because the session has to keep them apart from what migrations prepare. In front of each text
//! go the lock, the proof and the setting, behind it the row and its entry in the log. To parse and plan them
//! again takes the server a sixth of what a small migration takes itself.
//!
//! **Invariant:** a statement is executed only as long as no text can have removed it since it was prepared.

use std::hash::{BuildHasher, Hasher, RandomState};

/// How many migrations must follow before it is worth preparing anything. The server plans the first five
/// executions one by one.
pub(crate) const WORTH_IT: usize = 16;

/// What all names begin with.
pub(crate) const PREFIX: &str = "dunlin_prepared_";

/// The names of the statements of a run, which no other run and no migration has.
#[derive(Debug)]
pub(crate) struct Statements {
    prefix: String,
    n_prepared: usize,
    /// Whether those prepared last can be executed.
    are_there: bool,
}

impl Statements {
    pub(crate) fn new() -> Self {
        // The hasher is seeded anew for each run.
        let seed = RandomState::new().build_hasher().finish();
        Self { prefix: format!("{PREFIX}{seed:016x}"), n_prepared: 0, are_there: false }
    }

    /// From now on both are there, under names that were not used before.
    pub(crate) const fn prepare(&mut self) {
        self.n_prepared += 1;
        self.are_there = true;
    }

    /// They may be gone.
    pub(crate) const fn forget(&mut self) {
        self.are_there = false;
    }

    pub(crate) const fn are_there(&self) -> bool {
        self.are_there
    }

    /// The statement behind `BEGIN`.
    pub(crate) fn begin(&self) -> String {
        self.named("begin", self.n_prepared)
    }

    /// The statement that writes the row.
    pub(crate) fn record(&self) -> String {
        self.named("record", self.n_prepared)
    }

    fn named(&self, what: &str, number: usize) -> String {
        format!("{}_{what}_{number}", self.prefix)
    }

    /// Whether a prepared statement is one of this run.
    pub(crate) fn has(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
    }

    /// Statements each of which removes one of all that were prepared, and fails if it is gone.
    pub(crate) fn removals(&self) -> Vec<String> {
        let of = |number| ["begin", "record"].map(|what| self.named(what, number));
        (1..=self.n_prepared).flat_map(of).map(|name| format!("DEALLOCATE {name}")).collect()
    }

    /// Nothing is left to remove.
    pub(crate) const fn are_removed(&mut self) {
        (self.n_prepared, self.are_there) = (0, false);
    }
}
