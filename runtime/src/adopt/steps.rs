//! What each migration of a rehearsal changes, read from the inventories before and behind it.
//!
//! Where everything ends shows what is there, but neither what was taken away nor by whom; and a
//! migration that changes nothing an inventory holds is not shown by it at all.
//!
//! **Invariant:** of each thing only the last change counts, because nothing is left of those before.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Inventory, Object};

/// The steps of a rehearsal so far.
#[derive(Debug)]
pub(super) struct Steps {
    /// What is there now.
    now: Inventory,
    /// What has changed, and the migration that changed it last.
    last: BTreeMap<Object, &'static str>,
}

impl Steps {
    /// Before the first.
    pub(super) const fn from(start: Inventory) -> Self {
        Self { now: start, last: BTreeMap::new() }
    }

    /// A migration has run, and now there is this.
    pub(super) fn took(&mut self, name: &'static str, now: Inventory) {
        let changed = self.now.changed_in(&now).cloned();
        self.last.extend(changed.map(|object| (object, name)));
        self.now = now;
    }

    /// What is there now.
    pub(super) const fn now(&self) -> &Inventory {
        &self.now
    }

    /// The migration that took something away, if one did and it is not there again.
    pub(super) fn dropped_by(&self, object: &Object) -> Option<&'static str> {
        self.last.get(object).copied().filter(|_| !self.now.has(object))
    }

    /// The migration that made something that is there, or altered it last.
    pub(super) fn made_by(&self, object: &Object) -> Option<&'static str> {
        self.last.get(object).copied().filter(|_| self.now.has(object))
    }

    /// The migrations whose work can be seen in what is there now, or in what is no more.
    pub(super) fn seen(&self) -> BTreeSet<&'static str> {
        self.last.values().copied().collect()
    }
}
