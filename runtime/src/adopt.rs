//! Moving in: taking over the history of another tool.
//!
//! Separate from the engine because it is done once in the life of a database, and behind a feature
//! because an application that only migrates never does it. `dunlin_core::adopt` says what rows mean and
//! fits them to the migrations here; this reads them, rehearses what no checksum proves, and writes.
//!
//! **Invariant:** the other tool's table is not written to. Everything is recorded in one transaction or
//! nothing, and only what was shown: its table is looked at again in that transaction.

mod adoption;
mod columns;
mod origin;
mod recording;
mod refusal;
mod scratch;
mod steps;

use dunlin_core::adopt::{Candidate, Tool, bare, fit};

pub use adoption::{Adopting, Adoption, AdoptionState, Proof};
pub use origin::Origin;
pub use scratch::Scratch;

use self::origin::Located;
use self::refusal::{differs, refused, unproved};
use crate::database::Database;
use crate::error::Result;
use crate::history::{Glance, History, State};
use crate::inventory::Difference;
use crate::migrator::{Migrator, released};
use crate::registry::{Code, Migration};
use crate::session::Session;
use crate::{duplicates, stale};

/// What a person says about what cannot be proved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vouching {
    accepted: Vec<String>,
    unproved: bool,
}

impl Migrator<'_> {
    /// Goes on in spite of what stands against one migration in [`adoption`](Self::adoption): one whose
    /// file has another checksum is recorded as unverified, one that is not here is left out. A row that is
    /// left out of an older table that itself becomes the history table is deleted, and the log says so.
    pub fn accept(mut self, name: impl Into<String>) -> Self {
        self.vouching.accepted.push(name.into());
        self
    }

    /// Records what no checksum proves without a [`rehearsal`](Self::rehearse), as unverified.
    pub const fn unproved(mut self, unproved: bool) -> Self {
        self.vouching.unproved = unproved;
        self
    }

    /// The histories of other tools that this database has, by the names and columns of their tables;
    /// also a table with `id`, `name` and `executed_at`. Where some have rows, those without are left out,
    /// but for the one that is to be the history table. Reads only.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn origins(&self, database: impl Database) -> Result<Vec<Origin>> {
        let session = Session::new(database.link().connect().await?);
        let glance = self.table.glance(&session).await?;
        let is_own = |it: &Located| glance.history.is_at(it);
        let located = origin::all(&session, is_own).await?;
        Ok(located.iter().map(|it| it.origin(is_own(it))).collect())
    }

    /// What [`adopt_from`](Self::adopt_from) would record, and what stands against it. Reads only, without
    /// the lock; `SELECT` on the other tool's table is all it needs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) when there is no such table, or several;
    /// [`ErrorKind::History`](crate::ErrorKind::History) when the table itself is to become the history table
    /// and has a name more than once. What stands against the adoption is no error here.
    pub async fn adoption(&self, database: impl Database, origin: &Origin) -> Result<Adoption> {
        stale::check(self.registry)?;
        let session = Session::new(database.link().connect().await?);
        let glance = self.table.glance(&session).await?;
        let history = &glance.history;
        let is_own = origin.tool() == Tool::Table && history.is_of(origin);
        if is_own && history.plain(&session).await?.is_none() {
            let state = history.state(&session, None, glance.summary.as_ref()).await?;
            if state.exists {
                return Ok(self.nothing(&glance, &state));
            }
        }
        let located = origin::locate(&session, origin).await?;
        let in_place = history.is_at(&located);
        let state = match history.plain(&session).await? {
            Some(state) if in_place => state,
            _ => history.state(&session, None, glance.summary.as_ref()).await?,
        };
        if in_place {
            duplicates::refuse(&session, history, bare).await?;
        }
        let reading = located.read(&session).await?;
        let candidates: Vec<Candidate<'_>> = self.registry.iter().map(candidate).collect();
        let entries = fit(located.tool, &reading.records, &candidates)
            .into_iter()
            .map(|entry| {
                let is_known = !in_place && state.applied.iter().any(|row| row.name == entry.name);
                let is_accepted = self.vouching.accepted.contains(&entry.name);
                Adopting::of(self.registry, entry, is_known, is_accepted)
            })
            .collect();
        Ok(Adoption {
            tool: located.tool,
            located: Some(located),
            database: glance.database,
            server_major: state.server_major(),
            digest: reading.digest,
            in_place,
            entries,
            rehearsed: None,
        })
    }

    /// The table of three columns is the history table already.
    fn nothing(&self, glance: &Glance, state: &State) -> Adoption {
        let entry = |migration: &'static Migration| Adopting {
            name: migration.name.to_owned(),
            migration: Some(migration),
            record: None,
            state: if state.applied.iter().any(|row| row.name == migration.name) {
                AdoptionState::Known
            } else {
                AdoptionState::Pending
            },
            proof: None,
            detail: None,
        };
        Adoption {
            tool: Tool::Table,
            located: None,
            database: glance.database.clone(),
            server_major: state.server_major(),
            digest: String::new(),
            in_place: false,
            entries: self.registry.iter().map(entry).collect(),
            rehearsed: None,
        }
    }

    /// Records in the history table what another tool's history says is applied: under the lock, in one
    /// transaction, with the times and names that it has, and without a word in that tool's table.
    ///
    /// What the history table has already stays as it is, so it can be done again. A table of three columns
    /// that is to be the history table itself gets the other columns instead.
    ///
    /// Returns how many migrations were recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Drift`](crate::ErrorKind::Drift) with everything that stands against it, when something is proved neither by a
    /// checksum nor by a [`rehearsal`](Self::rehearse), unless [`unproved`](Self::unproved) says to go on,
    /// and when the other tool has written to its table in the meantime. Nothing is recorded then.
    pub async fn adopt_from(&self, database: impl Database, adoption: &Adoption) -> Result<usize> {
        stale::check(self.registry)?;
        adoption.allowed(self.vouching.unproved)?;
        if adoption.is_nothing() {
            return Ok(0);
        }
        let database = database.link();
        let onlooker = database.onlooker();
        let (mut session, glance) = self.reach_writable(database).await?;
        let result = if adoption.in_place {
            self.adopt_here(&mut session, &glance, adoption).await
        } else {
            self.adopt_there(&mut session, &glance, &onlooker, adoption).await
        };
        released(session, result).await
    }
}

impl Adoption {
    /// Refuses what stands against it: migrations that do not fit, what a rehearsal has shown to be
    /// different, and, unless `unproved_too`, what nothing proves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Drift`](crate::ErrorKind::Drift), with all of it.
    pub fn allowed(&self, unproved_too: bool) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        if self.against().next().is_some() {
            return Err(refused(self));
        }
        if let Some(rehearsed) = &self.rehearsed
            && rehearsed.differences.iter().any(Difference::stands_against)
        {
            return Err(differs(self, rehearsed));
        }
        if self.wants_rehearsal() && !unproved_too {
            return Err(unproved(self));
        }
        Ok(())
    }
}

/// A migration as far as another tool's history can be about it.
fn candidate(migration: &'static Migration) -> Candidate<'static> {
    let is_sql = matches!(migration.up.code, Code::Sql { .. });
    Candidate { name: migration.name, text: is_sql.then_some(migration.up.text) }
}

impl History {
    fn is_of(&self, origin: &Origin) -> bool {
        let (schema, name) = self.place();
        origin.is_table(schema, name)
    }

    fn is_at(&self, located: &Located) -> bool {
        self.place() == (located.schema.as_str(), located.name.as_str())
    }
}
