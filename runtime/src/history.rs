//! The history table: its shape, its names, and how it comes to be.
//!
//! **Invariant:** after the first question of a run, the table is written with its schema in every
//! statement, so that no migration can make us read or write another one.

mod glance;
mod rows;
mod state;

use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

pub(crate) use self::glance::{Glance, Table};
#[cfg(feature = "adopt")]
pub(crate) use self::rows::values;
pub(crate) use self::rows::{Row, StoredTexts, arguments, measure};
pub(crate) use self::state::{Identity, LogState, State};
use crate::applied::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{self, Log};
use crate::quote::{identifier, literal};
use crate::session::Session;
use crate::summary;

/// The columns Dunlin adds to those of an older tracking table, with their types.
pub(crate) const OWN_COLUMNS: [(&str, &str); 11] = [
    ("checksum", "text"),
    ("kind", "text"),
    ("duration_ms", "bigint"),
    ("applied_by", "text"),
    ("application", "text"),
    ("up_text", "text"),
    ("down_text", "text"),
    ("breaking", "boolean"),
    ("statements", "integer"),
    ("statements_done", "integer"),
    ("statements_begun", "integer"),
];

/// The table of one run, in the schema the run found it in or will create it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// Schema and name as they stand in SQL.
    pub(crate) qualified: String,
    schema: String,
    name: String,
    schema_is_configured: bool,
    /// The name of the log, if there is to be one.
    log_name: Option<String>,
    build: Option<String>,
    /// The log, once it is known to be there.
    log: Option<Log>,
}

/// Whether there is no such table, or another one than ours. Which, is asked under the lock: the
/// classes 42 (syntax error or access rule violation), 22 (data exception) and 3F (schema name).
fn is_about_the_table(code: &SqlState) -> bool {
    ["42", "22", "3F"].iter().any(|class| code.code().starts_with(class))
}

impl History {
    /// The text whose hash is the key of the lock.
    pub(crate) fn lock_name(&self, database: &str) -> String {
        format!("dunlin\n{database}\n{}\n{}", self.schema, self.name)
    }

    /// Whether the table lies in this schema.
    pub(crate) fn is_in(&self, schema: &str) -> bool {
        self.schema == schema
    }

    /// Whether the table has this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    /// Schema and name of the table.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.schema, &self.name)
    }

    /// The history and its log, by schema and name.
    #[cfg(feature = "adopt")]
    pub(crate) fn own_tables(&self) -> Vec<(String, String)> {
        let names = std::iter::once(&self.name).chain(&self.log_name);
        names.map(|name| (self.schema.clone(), name.clone())).collect()
    }

    fn is_elsewhere(&self, schema: &str) -> Error {
        Error::new(
            ErrorKind::History,
            format!(
                "the history table is in schema `{schema}`, but the search path begins with `{}`",
                self.schema
            ),
        )
        .note("a second history table would make every migration run again; nothing was changed")
        .help(format!(
            "name the schema: `Migrator::history_schema({schema:?})`, or `({:?})` to begin anew there",
            self.schema
        ))
    }

    /// A row that a policy hides would be taken for a migration that is pending.
    fn hides_rows(&self) -> Error {
        Error::new(
            ErrorKind::History,
            format!("row-level security may hide rows of {} from this role", self.qualified),
        )
        .note("a migration whose row is hidden would run again; nothing was changed")
        .help(format!(
            "ALTER TABLE {} DISABLE ROW LEVEL SECURITY, or migrate as a role with BYPASSRLS",
            self.qualified
        ))
    }

    /// The statement that lets a role do something with the table.
    fn grant(&self, what: &str, role: &str) -> String {
        let (schema, role) = (identifier(&self.schema), identifier(role));
        format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT {what} ON {} TO {role};",
            self.qualified
        )
    }

    /// What to say to a role that reads the table and may not write to it.
    pub(crate) fn not_writable(&self, role: &str, n_pending: usize) -> Error {
        Error::new(
            ErrorKind::History,
            format!("{n_pending} migration(s) pending, and role `{role}` may not write to {}", self.qualified),
        )
        .note("nothing was changed")
        .help("migrate as a role that may, before this application starts; once everything is applied, it needs only SELECT")
    }

    /// The log, whether it is there or not.
    fn log_here(&self, system: Option<&str>) -> Option<Log> {
        self.log_name.as_deref().map(|name| Log {
            qualified: log::qualified(&self.schema, name),
            build: self.build.clone(),
            system: system.map(str::to_owned),
        })
    }

    /// The log of this run, if there is one.
    pub(crate) const fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// From now on changes are logged, if the log is there or can be created.
    ///
    /// Gives the statement that creates it, if it is still to be created.
    pub(crate) fn begin_log(&mut self, state: &State) -> Result<Option<String>> {
        let Some(log) = self.log_here(state.identity.system.as_deref()) else { return Ok(None) };
        let creation = match state.log {
            LogState::Foreign => return Err(log_is_foreign(&log.qualified)),
            LogState::Ours { is_writable: false } | LogState::Absent if state.exists => {
                return Ok(None);
            }
            LogState::Ours { .. } => None,
            LogState::Absent | LogState::ToBeCreated => Some(log.creation()),
        };
        self.log = Some(log);
        Ok(creation)
    }

    /// Creates the table, and its schema if one was configured and is not there.
    ///
    /// The lock of this table does not hold off a run with another table in the same new schema, and
    /// `IF NOT EXISTS` races (23505, 42P06). It also asks for the right to create schemas where the
    /// schema exists, so it is not said then.
    ///
    /// `log` is the statement that creates the log, which comes with it or not at all.
    pub(crate) async fn create(
        &self,
        session: &Session<'_>,
        log: Option<&str>,
    ) -> Result<(), PostgresError> {
        if let Some(create) = self.missing_schema(session).await?
            && let Err(error) = session.run(&create).await
            && !matches!(
                error.code(),
                Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_SCHEMA)
            )
        {
            return Err(error);
        }
        session.run(&self.creation(log)).await
    }

    /// The statement that creates the schema, if one was configured and is not there.
    pub(crate) async fn missing_schema(
        &self,
        session: &Session<'_>,
    ) -> Result<Option<String>, PostgresError> {
        let schema = literal(&self.schema);
        let find = format!("SELECT FROM pg_catalog.pg_namespace WHERE nspname = {schema}");
        let is_missing = self.schema_is_configured && session.rows(&find).await?.is_empty();
        let create = || format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&self.schema));
        Ok(is_missing.then(create))
    }

    /// The statements that create the table in a schema that exists, and the log with it.
    pub(crate) fn creation(&self, log: Option<&str>) -> String {
        let columns = OWN_COLUMNS.map(|(name, kind)| format!(", {name} {kind}")).concat();
        let table = format!(
            "CREATE TABLE {} (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
             executed_at timestamptz NOT NULL DEFAULT current_timestamp, {} {}{columns})",
            self.qualified,
            summary::COLUMN,
            summary::DEFINITION
        );
        let log = log.map(|log| format!("; {log}")).unwrap_or_default();
        format!("{table}{log}")
    }

    /// Statements that turn an older tracking table into ours.
    pub(crate) fn adopt(&self) -> String {
        let columns =
            OWN_COLUMNS.map(|(name, kind)| format!("ADD COLUMN {name} {kind}")).join(", ");
        format!(
            "ALTER TABLE {} {columns}; {}; UPDATE {} SET kind = {}",
            self.qualified,
            self.with_fingerprint(),
            self.qualified,
            literal(Kind::Adopted.as_str())
        )
    }

    /// The statement that has the server keep a hash of each row, in a table with all other columns.
    pub(crate) fn with_fingerprint(&self) -> String {
        let (column, definition) = (summary::COLUMN, summary::DEFINITION);
        format!("ALTER TABLE {} ADD COLUMN {column} {definition}", self.qualified)
    }
}

fn log_is_foreign(table: &str) -> Error {
    Error::new(ErrorKind::History, format!("{table} is not the log of a history table"))
        .note("nothing was changed; it belongs to somebody else")
        .help("give the log another name: `Migrator::log_table(\"dunlin_log\")`, or keep none: `Migrator::without_log`")
}
