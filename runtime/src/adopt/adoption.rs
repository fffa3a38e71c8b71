//! What taking over a history would do, as data.

use dunlin_core::adopt::{Entry, Finding, Record, Tool};

use super::origin::Located;
use crate::inventory::Difference;
use crate::registry::{Migration, Registry};

/// What [`Migrator::adopt_from`](crate::Migrator::adopt_from) would record, and what stands against it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Adoption {
    pub(super) tool: Tool,
    /// The table it is read from; nothing when our own table was one of three columns and is taken over
    /// already.
    pub(super) located: Option<Located>,
    pub(super) database: String,
    pub(super) server_major: u32,
    /// The sum over the table when it was read.
    pub(super) digest: String,
    /// Whether the table itself becomes the history table.
    pub(super) in_place: bool,
    pub(super) entries: Vec<Adopting>,
    /// What the rehearsal has shown, once there was one.
    pub(super) rehearsed: Option<Rehearsed>,
}

/// What a rehearsal has shown.
#[derive(Clone, Debug)]
pub(super) struct Rehearsed {
    pub(super) differences: Vec<Difference>,
    /// The major version of the scratch server.
    pub(super) server_major: u32,
}

/// One migration of an [`Adoption`].
#[derive(Clone, Debug)]
pub struct Adopting {
    pub(super) name: String,
    pub(super) migration: Option<&'static Migration>,
    pub(super) record: Option<(usize, Record)>,
    pub(super) state: AdoptionState,
    pub(super) proof: Option<Proof>,
    /// What is known besides: the checksum here, or the names that are meant.
    pub(super) detail: Option<String>,
}

/// What can be said of one migration when a history is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdoptionState {
    /// Applied there, and here: it will be recorded.
    Found,
    /// The history table here has it already; its row stays.
    Known,
    /// Applied there, and a person vouches for the file: it will be recorded as unverified.
    Accepted,
    /// Recorded there, and left out: a person said so, or it is nothing that a history of migrations
    /// holds.
    LeftOut,
    /// Undone there; it is pending here.
    Undone,
    /// Not recorded there.
    Pending,
    /// Not recorded there, although something newer is.
    Late,
    /// The file is not the one that was applied.
    Changed,
    /// Recorded there, and not here.
    NotHere,
    /// Recorded there, and several migrations here could be it.
    Ambiguous,
    /// It failed there.
    Failed,
    /// It was begun there and not finished.
    Unfinished,
}

/// How it is known that a migration here is the one that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// The checksum that the tool kept is the file's.
    Checksum,
    /// What it makes on a scratch server is in the database, and what it drops is not.
    Schema,
}

impl AdoptionState {
    /// One word for tables and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Known => "known",
            Self::Accepted => "accepted",
            Self::LeftOut => "left out",
            Self::Undone => "undone",
            Self::Pending => "pending",
            Self::Late => "late",
            Self::Changed => "changed",
            Self::NotHere => "not here",
            Self::Ambiguous => "ambiguous",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }

    /// Whether the adoption is refused because of it.
    #[must_use]
    pub const fn stands_against(self) -> bool {
        matches!(
            self,
            Self::Changed | Self::NotHere | Self::Ambiguous | Self::Failed | Self::Unfinished
        )
    }

    /// Whether a row is written for it.
    pub(super) const fn is_recorded(self) -> bool {
        matches!(self, Self::Found | Self::Accepted)
    }
}

impl Proof {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Schema => "schema",
        }
    }
}

impl Adoption {
    /// Whose history it is.
    #[must_use]
    pub const fn tool(&self) -> Tool {
        self.tool
    }

    /// The table it was read from, with its schema; the history table itself if that is taken over
    /// already.
    #[must_use]
    pub fn table(&self) -> Option<String> {
        self.located.as_ref().map(Located::shown)
    }

    /// The name of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The major version of its server, which a scratch server should have too.
    #[must_use]
    pub const fn server_major(&self) -> u32 {
        self.server_major
    }

    /// Whether the other tool's table itself becomes the history table.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// Each migration here in its order, and what is recorded there alone.
    #[must_use]
    pub fn entries(&self) -> &[Adopting] {
        &self.entries
    }

    /// How many rows would be written.
    #[must_use]
    pub fn n_new(&self) -> usize {
        self.entries.iter().filter(|it| it.state.is_recorded()).count()
    }

    /// Whether there is nothing to do: everything recorded there is in the history table. What is recorded
    /// there and not here ([`n_elsewhere`](Self::n_elsewhere)) changes nothing about that once other
    /// migrations were taken over.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let is_known = |it: &Adopting| it.state == AdoptionState::Known;
        let is_settled = || {
            self.entries.iter().any(is_known)
                && self.against().all(|it| it.state == AdoptionState::NotHere)
        };
        self.n_new() == 0 && !self.in_place && (self.against().next().is_none() || is_settled())
    }

    /// How many migrations are recorded there that are not here, and that nobody has vouched for.
    #[must_use]
    pub fn n_elsewhere(&self) -> usize {
        self.against().filter(|it| it.state == AdoptionState::NotHere).count()
    }

    /// What is recorded there and will not be in the history here.
    pub fn left_out(&self) -> impl Iterator<Item = &Adopting> {
        self.entries.iter().filter(|it| it.state == AdoptionState::LeftOut)
    }

    /// What stands against it.
    pub fn against(&self) -> impl Iterator<Item = &Adopting> {
        self.entries.iter().filter(|it| it.state.stands_against())
    }

    /// Whether something would be recorded that no checksum proves, so that only a
    /// [`rehearsal`](crate::Migrator::rehearse) can, and there was none.
    #[must_use]
    pub fn wants_rehearsal(&self) -> bool {
        !self.is_rehearsed()
            && self.entries.iter().any(|it| it.state == AdoptionState::Found && it.proof.is_none())
    }

    /// The migrations here that this database has: what a rehearsal runs.
    pub fn applied(&self) -> impl Iterator<Item = &'static Migration> {
        self.entries.iter().filter(|it| it.is_applied()).filter_map(|it| it.migration)
    }

    /// The migrations here that are to be run after the adoption.
    pub(super) fn pending(&self) -> impl Iterator<Item = &'static Migration> {
        let is_pending = |it: &&Adopting| it.state == AdoptionState::Pending;
        self.entries.iter().filter(is_pending).filter_map(|it| it.migration)
    }

    /// Whether the migrations were [rehearsed](crate::Migrator::rehearse).
    #[must_use]
    pub const fn is_rehearsed(&self) -> bool {
        self.rehearsed.is_some()
    }

    /// What a rehearsal has shown to be different; empty without one.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        self.rehearsed.as_ref().map(|it| it.differences.as_slice()).unwrap_or_default()
    }
}

impl Adopting {
    /// The name here; what it is called there if it is not here.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The migration here.
    #[must_use]
    pub const fn migration(&self) -> Option<&'static Migration> {
        self.migration
    }

    /// The row there.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref().map(|(_, record)| record)
    }

    /// What can be said of it.
    #[must_use]
    pub const fn state(&self) -> AdoptionState {
        self.state
    }

    /// How it is known to be the same, if it is.
    #[must_use]
    pub const fn proof(&self) -> Option<Proof> {
        self.proof
    }

    fn is_applied(&self) -> bool {
        self.state.is_recorded() || self.state == AdoptionState::Known
    }

    /// What is found of one migration; `known` says whether our table has it, `accepted` whether a
    /// person vouches for it.
    pub(super) fn of(registry: &Registry, entry: Entry, known: bool, accepted: bool) -> Self {
        let Entry { name, record, finding } = entry;
        let migration = registry.get(&name);
        let (state, proof, detail) = match finding {
            _ if known && migration.is_some() => (AdoptionState::Known, None, None),
            Finding::Proven => (AdoptionState::Found, Some(Proof::Checksum), None),
            Finding::Matched => (AdoptionState::Found, None, None),
            Finding::Changed(_) if accepted => (AdoptionState::Accepted, None, None),
            Finding::Changed(sum) => (AdoptionState::Changed, None, Some(sum)),
            Finding::NotHere if accepted => (AdoptionState::LeftOut, None, None),
            Finding::NotHere => (AdoptionState::NotHere, None, None),
            Finding::Ambiguous(names) => (AdoptionState::Ambiguous, None, Some(names.join(", "))),
            Finding::Failed => (AdoptionState::Failed, None, None),
            Finding::Unfinished => (AdoptionState::Unfinished, None, None),
            Finding::Undone => (AdoptionState::Undone, None, None),
            Finding::Repeatable => (AdoptionState::LeftOut, None, None),
            Finding::Pending { late: true } => (AdoptionState::Late, None, None),
            Finding::Pending { late: false } => (AdoptionState::Pending, None, None),
        };
        Self { name, migration, record, state, proof, detail }
    }
}
