//! The log beside the history table: every attempt with its outcome, appended and never changed.
//!
//! Separate from the history because it answers another question: not what is applied, but what was
//! tried, when, by whom, and how it ended. A row of the history goes when a migration is undone; the
//! log keeps both.
//!
//! **Invariant:** an entry about something that was done is part of its transaction. What failed is
//! written behind the rollback, in a transaction of its own. No entry holds a text of a migration or
//! of a connection.

use std::time::Duration;

use crate::event::Direction;
use crate::quote::{identifier, literal, optional_literal};

/// `NAMEDATALEN` less its terminating zero byte and the ending.
const MAX_STEM_BYTES: usize = 63 - ENDING.len();
const ENDING: &str = "_log";

/// The columns by which the table is recognised.
pub(crate) const KNOWN_COLUMNS: [&str; 4] = ["action", "outcome", "build", "transaction_id"];

/// Which table is the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogTable {
    /// The history table's name with `_log` behind it.
    #[default]
    Beside,
    Named(String),
    Nowhere,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Apply,
    Undo,
    Adopt,
    Baseline,
    Repair,
    Mark,
    Unlock,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It was rolled back and will be tried again.
    Retried,
    Failed,
}

/// The log of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// Schema and name as they stand in SQL.
    pub(crate) qualified: String,
    /// What the application calls this build.
    pub(crate) build: Option<String>,
    /// The identity of the server's data, `pg_control_system().system_identifier`.
    pub(crate) system: Option<String>,
}

impl LogTable {
    /// The table's name beside a history table of this name.
    pub(crate) fn name(&self, history: &str) -> Option<String> {
        match self {
            Self::Beside => {
                let end = (0..=MAX_STEM_BYTES.min(history.len()))
                    .rev()
                    .find(|&end| history.is_char_boundary(end))
                    .unwrap_or_default();
                Some(format!("{}{ENDING}", &history[..end]))
            }
            Self::Named(name) => Some(name.clone()),
            Self::Nowhere => None,
        }
    }
}

impl Action {
    pub(crate) const fn of(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Apply,
            Direction::Down => Self::Undo,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Undo => "undo",
            Self::Adopt => "adopt",
            Self::Baseline => "baseline",
            Self::Repair => "repair",
            Self::Mark => "mark",
            Self::Unlock => "unlock",
        }
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Failed => "failed",
        }
    }
}

impl Log {
    /// The statement that creates the table.
    ///
    /// What the server knows itself is a default, so that an entry is short on the wire.
    pub(crate) fn creation(&self) -> String {
        format!(
            "CREATE TABLE {} (\
             id bigserial PRIMARY KEY, \
             at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), \
             action text NOT NULL, \
             outcome text NOT NULL, \
             name text, \
             checksum text, \
             duration_ms bigint, \
             message text, \
             actor text DEFAULT session_user, \
             role text DEFAULT current_user, \
             application text DEFAULT pg_catalog.current_setting('application_name'), \
             build text, \
             host text DEFAULT pg_catalog.host(pg_catalog.inet_client_addr()), \
             pid integer DEFAULT pg_catalog.pg_backend_pid(), \
             transaction_id text DEFAULT pg_catalog.pg_current_xact_id()::pg_catalog.text, \
             server_version text DEFAULT pg_catalog.current_setting('server_version'), \
             database text DEFAULT pg_catalog.current_database(), \
             system text)",
            self.qualified
        )
    }

    /// A change of rows of the history table together with the entries about them, as one statement.
    ///
    /// `duration_ms` is an expression over the rows as they are then.
    pub(crate) fn with_change(&self, action: Action, duration_ms: &str, change: &str) -> String {
        format!(
            "WITH change AS ({change} RETURNING name, checksum, duration_ms) \
             INSERT INTO {} (action, outcome, name, checksum, duration_ms, build, system) \
             SELECT {}, 'done', name, checksum, {duration_ms}, {}, {} FROM change",
            self.qualified,
            literal(action.as_str()),
            optional_literal(self.build.as_deref()),
            optional_literal(self.system.as_deref()),
        )
    }

    /// An entry of its own.
    pub(crate) fn entry(
        &self,
        action: Action,
        outcome: Outcome,
        name: Option<&str>,
        duration: Option<Duration>,
        message: Option<&str>,
    ) -> String {
        format!(
            "INSERT INTO {} (action, outcome, name, duration_ms, message, build, system) \
             VALUES ({}, {}, {}, {}, {}, {}, {})",
            self.qualified,
            literal(action.as_str()),
            literal(outcome.as_str()),
            optional_literal(name),
            duration.map_or_else(|| "NULL".to_owned(), |it| it.as_millis().to_string()),
            optional_literal(message),
            optional_literal(self.build.as_deref()),
            optional_literal(self.system.as_deref()),
        )
    }

    /// The question in which database the last entry was written.
    pub(crate) fn question_about_last(&self) -> String {
        format!(
            "SELECT 'last' AS part, database, system FROM {} ORDER BY id DESC LIMIT 1",
            self.qualified
        )
    }
}

/// Schema and name of a table as they stand in SQL.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_a_name_that_the_server_keeps_whole() {
        assert_eq!(LogTable::Beside.name("migrations").unwrap(), "migrations_log");
        let long = "ä".repeat(31);
        let name = LogTable::Beside.name(&long).unwrap();
        assert!(name.len() <= 63 && name.ends_with("ä_log"), "{name}");
        assert_eq!(LogTable::Named("audit".to_owned()).name("m").unwrap(), "audit");
        assert_eq!(LogTable::Nowhere.name("m"), None);
    }
}
