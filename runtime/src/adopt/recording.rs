//! Recording what another tool has applied: in a table of ours, or in the older table that becomes it.
//!
//! **Invariant:** one transaction, in which the other table is looked at again.

use super::adoption::{Adopting, Adoption};
use crate::applied::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::execute::row;
use crate::history::{Glance, History, State, values};
use crate::log::{Action, Log, Outcome};
use crate::migrator::Migrator;
use crate::quote::{literal, optional_literal};
use crate::session::Session;
use crate::watch::Onlooker;

/// What the server says when the other tool has written to its table since it was shown.
const MOVED_ON: &str = "the other history has changed since it was read";

/// What the log says of a row that went.
const LEFT_OUT: &str = "left out of the history: it is no migration here";

impl Migrator<'_> {
    /// Rows of another table become rows of ours.
    pub(super) async fn adopt_there(
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
        self.record(session, adoption, changes).await?;
        if !state.exists {
            self.observer.on_event(&Event::HistoryCreated { table: &history.qualified });
        }
        Ok(new.len())
    }

    /// The table itself becomes ours.
    pub(super) async fn adopt_here(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        adoption: &Adoption,
    ) -> Result<usize> {
        let mut history = glance.history.clone();
        let Some(state) = self.locked_plain(session, glance).await? else { return Ok(0) };
        let log = history.begin_log(&state)?;
        let mut changes = vec![history.adopt()];
        changes.extend(log);
        changes.extend(adoption.left_out().flat_map(|it| history.leave_out(it)));
        let new = adoption.in_order();
        changes.extend(new.iter().filter_map(|it| {
            let update = history.update_adopted(it)?;
            Some(history.logged(Action::Adopt, "duration_ms", update))
        }));
        self.record(session, adoption, changes).await?;
        Ok(new.len())
    }

    /// Changes in one transaction, if the other table still is what was shown.
    async fn record(
        &self,
        session: &mut Session<'_>,
        adoption: &Adoption,
        changes: Vec<String>,
    ) -> Result<()> {
        let Some(located) = &adoption.located else { return Ok(()) };
        // Not a constant, which the planner would cast beforehand.
        let is_same = format!(
            "SELECT CASE WHEN {} = {} THEN 0 ELSE ({} || pg_catalog.pg_backend_pid())::pg_catalog.int4 END",
            located.digest(),
            literal(&adoption.digest),
            literal(MOVED_ON)
        );
        let changes: Vec<_> = std::iter::once(is_same).chain(changes).collect();
        let changed = self.change(session, "recording what was applied", &changes).await;
        changed.map_err(|error| {
            if !error.db_error().is_some_and(|db| db.message().contains(MOVED_ON)) {
                return error;
            }
            Error::new(
                ErrorKind::Drift,
                format!("{} has changed since it was read", located.shown()),
            )
            .note("nothing was changed; that tool is still at work")
            .help("stop whatever migrates with it, and start again")
        })
    }
}

impl Adoption {
    /// What is to be recorded, in the order in which it was applied.
    fn in_order(&self) -> Vec<&Adopting> {
        let mut new: Vec<&Adopting> =
            self.entries.iter().filter(|it| it.state().is_recorded()).collect();
        new.sort_by_key(|it| it.record.as_ref().map(|(at, _)| *at));
        new
    }
}

impl History {
    /// The statements by which a row does not stay in the table that becomes ours.
    fn leave_out(&self, it: &Adopting) -> Vec<String> {
        let key = it.record().and_then(|record| record.key.as_deref());
        let is_it = key.map_or_else(|| "IS NULL".to_owned(), |key| format!("= {}", literal(key)));
        let delete = format!("DELETE FROM {} WHERE name {is_it}", self.qualified);
        let entry = |log: &Log| {
            log.entry(Action::Adopt, Outcome::Done, Some(it.name()), None, Some(LEFT_OUT))
        };
        std::iter::once(delete).chain(self.log().map(entry)).collect()
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
