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
mod refusal;
mod scratch;
mod steps;

use dunlin_core::adopt::{Candidate, Tool, fit};

pub use adoption::{Adopting, Adoption, AdoptionState, Proof};
pub use origin::Origin;
pub use scratch::Scratch;

use self::origin::Located;
use self::refusal::{differs, refused, unproved};
use crate::applied::Kind;
use crate::database::Database;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::execute::row;
use crate::history::{Glance, History, State, values};
use crate::inventory::Difference;
use crate::log::Action;
use crate::migrator::{Migrator, released};
use crate::quote::{literal, optional_literal};
use crate::registry::{Code, Migration};
use crate::session::Session;
use crate::watch::Onlooker;
use crate::{lock, stale};

/// What a person says about what cannot be proved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vouching {
    accepted: Vec<String>,
    unproved: bool,
}

/// What the server says when the other tool has written to its table since it was shown.
const MOVED_ON: &str = "the other history has changed since it was read";

impl Migrator<'_> {
    /// Goes on in spite of what stands against one migration in [`adoption`](Self::adoption): one whose
    /// file has another checksum is recorded as unverified, one that is not here is left out.
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
    /// also a table with `id`, `name` and `executed_at`. Reads only.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn origins(&self, database: impl Database) -> Result<Vec<Origin>> {
        let session = Session::new(database.connect().await?);
        let glance = self.table.glance(&session).await?;
        let located = origin::all(&session).await?;
        let origin = |it: &Located| it.origin(glance.history.is_at(it));
        Ok(located.iter().map(origin).collect())
    }

    /// What [`adopt_from`](Self::adopt_from) would record, and what stands against it. Reads only, without
    /// the lock; `SELECT` on the other tool's table is all it needs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Target`] when there is no such table, or several. What stands against the adoption is no
    /// error here.
    pub async fn adoption(&self, database: impl Database, origin: &Origin) -> Result<Adoption> {
        stale::check(self.registry)?;
        let session = Session::new(database.connect().await?);
        let glance = self.table.glance(&session).await?;
        let history = &glance.history;
        let is_own = origin.tool() == Tool::Table && history.is_of(origin);
        if is_own && history.plain(&session).await?.is_none() {
            let state = history.state(&session, None, glance.sum.as_ref()).await?;
            if state.exists {
                return Ok(self.nothing(&glance, &state));
            }
        }
        let located = origin::locate(&session, origin).await?;
        let in_place = history.is_at(&located);
        let state = match history.plain(&session).await? {
            Some(state) if in_place => state,
            _ => history.state(&session, None, glance.sum.as_ref()).await?,
        };
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
    /// [`ErrorKind::Drift`] with everything that stands against it, when something is proved neither by a
    /// checksum nor by a [`rehearsal`](Self::rehearse), unless [`unproved`](Self::unproved) says to go on,
    /// and when the other tool has written to its table in the meantime. Nothing is recorded then.
    pub async fn adopt_from(&self, database: impl Database, adoption: &Adoption) -> Result<usize> {
        stale::check(self.registry)?;
        adoption.allowed(self.vouching.unproved)?;
        if adoption.is_nothing() {
            return Ok(0);
        }
        let onlooker = database.onlooker();
        let (mut session, glance) = self.reach_writable(database).await?;
        let result = if adoption.in_place {
            self.adopt_here(&mut session, &glance, adoption).await
        } else {
            self.adopt_there(&mut session, &glance, &onlooker, adoption).await
        };
        released(session, result).await
    }

    /// Rows of another table become rows of ours.
    async fn adopt_there(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
        adoption: &Adoption,
    ) -> Result<usize> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, onlooker).await?);
        let new: Vec<&Adopting> = adoption
            .in_order()
            .into_iter()
            .filter(|it| !state.applied.iter().any(|row| row.name == it.name))
            .collect();
        if new.is_empty() {
            return Ok(0);
        }
        let mut changes = history.creations(session, &state).await?;
        changes.extend(new.iter().filter_map(|it| {
            let insert = history.insert_adopted(it)?;
            Some(history.logged(Action::Adopt, "duration_ms", insert))
        }));
        recorded(session, adoption, &changes).await?;
        if !state.exists {
            self.observer.on_event(&Event::HistoryCreated { table: &history.qualified });
        }
        Ok(new.len())
    }

    /// The table itself becomes ours.
    async fn adopt_here(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        adoption: &Adoption,
    ) -> Result<usize> {
        let mut history = glance.history.clone();
        let key = lock::key(&history.lock_name(&glance.database));
        let (wait, alone) = (self.lock_wait, Onlooker::default());
        lock::acquire(session, key, wait, &*self.observer, &alone).await?;
        let Some(state) = history.plain(session).await? else { return Ok(0) };
        let log = history.begin_log(&state)?;
        let mut changes = vec![history.adopt()];
        changes.extend(log);
        let new = adoption.in_order();
        changes.extend(new.iter().filter_map(|it| {
            let update = history.update_adopted(it)?;
            Some(history.logged(Action::Adopt, "duration_ms", update))
        }));
        recorded(session, adoption, &changes).await?;
        Ok(new.len())
    }
}

impl Adoption {
    /// Refuses what stands against it: migrations that do not fit, what a rehearsal has shown to be
    /// different, and, unless `unproved_too`, what nothing proves.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Drift`], with all of it.
    pub fn allowed(&self, unproved_too: bool) -> Result<()> {
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

    /// What is to be recorded, in the order in which it was applied.
    fn in_order(&self) -> Vec<&Adopting> {
        let mut new: Vec<&Adopting> =
            self.entries.iter().filter(|it| it.state().is_recorded()).collect();
        new.sort_by_key(|it| it.record.as_ref().map(|(at, _)| *at));
        new
    }
}

/// A migration as far as another tool's history can be about it.
fn candidate(migration: &'static Migration) -> Candidate<'static> {
    let is_sql = matches!(migration.up.code, Code::Sql { .. });
    Candidate { name: migration.name, text: is_sql.then_some(migration.up.text) }
}

/// Changes in one transaction, if the other table still is what was shown.
async fn recorded(
    session: &mut Session<'_>,
    adoption: &Adoption,
    changes: &[String],
) -> Result<()> {
    let Some(located) = &adoption.located else { return Ok(()) };
    session.begins_transaction();
    let guard = session.guard().map(|it| format!("SELECT {it}; ")).unwrap_or_default();
    // Not a constant, which the planner would cast beforehand.
    let is_same = format!(
        "SELECT CASE WHEN {} = {} THEN 0 ELSE ({} || pg_catalog.pg_backend_pid())::pg_catalog.int4 END",
        located.digest(),
        literal(&adoption.digest),
        literal(MOVED_ON)
    );
    let batch = format!("BEGIN READ WRITE; {guard}{is_same}; {}; COMMIT", changes.join("; "));
    let changed = session.run(&batch).await;
    changed.map_err(|error| {
        let has_moved = error.as_db_error().is_some_and(|db| db.message().contains(MOVED_ON));
        if has_moved {
            Error::new(
                ErrorKind::Drift,
                format!("{} has changed since it was read", located.shown()),
            )
            .note("nothing was changed; that tool is still at work")
            .help("stop whatever migrates with it, and start again")
        } else {
            Error::from_postgres("recording what was applied", error).note("nothing was changed")
        }
    })?;
    session.ended_transaction();
    Ok(())
}

impl History {
    fn is_of(&self, origin: &Origin) -> bool {
        let (schema, name) = self.place();
        origin.is_table(schema, name)
    }

    fn is_at(&self, located: &Located) -> bool {
        self.place() == (located.schema.as_str(), located.name.as_str())
    }

    /// What the statements must create before rows can be written: schema, table, log.
    async fn creations(&mut self, session: &Session<'_>, state: &State) -> Result<Vec<String>> {
        let log = self.begin_log(state)?;
        if state.exists {
            return Ok(log.into_iter().collect());
        }
        let schema = self.missing_schema(session).await;
        let schema =
            schema.map_err(|error| Error::from_looking("looking for the schema", error))?;
        Ok(schema.into_iter().chain([self.creation(log.as_deref())]).collect())
    }

    /// The statement that records a migration as another tool has applied it.
    fn insert_adopted(&self, it: &Adopting) -> Option<String> {
        let (columns, values): (Vec<_>, Vec<_>) = adopted(it)?.into_iter().unzip();
        Some(format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.qualified,
            columns.join(", "),
            values.join(", ")
        ))
    }

    /// The same in the row that the table of three columns has of it.
    fn update_adopted(&self, it: &Adopting) -> Option<String> {
        let key = it.record()?.key.as_deref()?;
        let values: Vec<_> = adopted(it)?
            .into_iter()
            .filter(|(column, _)| *column != "executed_at")
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        Some(format!(
            "UPDATE {} SET {} WHERE name = {}",
            self.qualified,
            values.join(", "),
            literal(key)
        ))
    }
}

/// The columns of an adopted row with their values as expressions.
///
/// What is not proved has no checksum, so it counts as unverified, and no text, because nobody knows
/// what was applied. How to undo it is known all the same.
fn adopted(it: &Adopting) -> Option<Vec<(&'static str, String)>> {
    let (migration, record) = (it.migration?, it.record()?);
    let is_proved = it.proof.is_some();
    let at = record
        .executed_at
        .and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok())
        .map_or_else(
            || "pg_catalog.now()".to_owned(),
            |since| {
                let us = since.as_micros();
                format!(
                    "'epoch'::pg_catalog.timestamptz + {us} * '1 microsecond'::pg_catalog.interval"
                )
            },
        );
    let replaced = values(&row(migration, Kind::Adopted)).map(|(column, value)| {
        let value = match column {
            "executed_at" => at.clone(),
            "duration_ms" => {
                record.duration.map_or_else(|| "NULL".to_owned(), |it| it.as_millis().to_string())
            }
            "applied_by" => optional_literal(record.applied_by.as_deref()),
            "application" => "NULL".to_owned(),
            "checksum" | "up_text" if !is_proved => "NULL".to_owned(),
            _ => value,
        };
        (column, value)
    });
    Some(replaced.into())
}
