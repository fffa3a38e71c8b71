//! Whose history is taken over, and where it lies.
//!
//! **Invariant:** the other tool's table is read, and written to by nothing here.

use std::fmt;
use std::time::{Duration, SystemTime};

use dunlin_core::adopt::{Record, Standing, Tool};
use tokio_postgres::SimpleQueryRow;

use super::columns::Columns;
use crate::error::{Error, ErrorKind, Result};
use crate::other_history::{self, Found};
use crate::quote::identifier;
use crate::session::{Session, text};

/// The history of another tool: whose it is, and the table if the tool was told another one than its
/// own.
///
/// ```
/// use dunlin::{Origin, Tool};
///
/// let origin = Origin::new(Tool::Sqlx).schema("billing");
/// assert_eq!(origin.to_string(), "sqlx: billing._sqlx_migrations");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    tool: Tool,
    schema: Option<String>,
    table: Option<String>,
    /// Found under the name of the history table, with the three columns of an older one.
    in_place: bool,
}

impl Origin {
    /// The tool's own table, in whichever schema it is.
    #[must_use]
    pub const fn new(tool: Tool) -> Self {
        Self { tool, schema: None, table: None, in_place: false }
    }

    /// A table of this name. It is taken as it is, capital letters and quotes included.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// A table in this schema.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Whose history it is.
    #[must_use]
    pub const fn tool(&self) -> Tool {
        self.tool
    }

    /// Whether it was found as the table that is to be the history table: it would get more columns.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// The table as a person writes it: `billing._sqlx_migrations`.
    #[must_use]
    pub fn shown(&self) -> String {
        let schema = self.schema.as_ref().map(|it| format!("{it}.")).unwrap_or_default();
        format!("{schema}{}", self.name())
    }

    fn name(&self) -> &str {
        self.table.as_deref().unwrap_or(self.tool.shape().table)
    }

    pub(super) fn is_table(&self, schema: &str, name: &str) -> bool {
        self.name() == name && self.schema.as_deref().is_none_or(|it| it == schema)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tool, self.shown())
    }
}

/// A table that is there and has the columns of a tool's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) tool: Tool,
    pub(super) schema: String,
    pub(super) name: String,
    columns: Vec<String>,
    is_visible: bool,
}

/// The rows of a tool's history, and a sum over all it holds.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) records: Vec<Record>,
    pub(super) digest: String,
}

impl Located {
    /// Schema and name as they stand in SQL.
    pub(super) fn qualified(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.name))
    }

    /// Schema and name as a person writes them.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    pub(super) fn origin(&self, in_place: bool) -> Origin {
        Origin { in_place, ..Origin::new(self.tool).schema(&self.schema).table(&self.name) }
    }

    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|it| it == column)
    }

    /// An expression: a sum over everything in the table.
    pub(super) fn digest(&self) -> String {
        format!(
            "(SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg( \
             dunlin_row::pg_catalog.text, E'\\n' ORDER BY dunlin_row::pg_catalog.text COLLATE \"C\"), ''), 'UTF8')), 'hex') \
             FROM {} AS dunlin_row)",
            self.qualified()
        )
    }

    /// All rows in the order in which they were written, as far as the table tells it.
    pub(super) async fn read(&self, session: &Session<'_>) -> Result<Reading> {
        let question = format!(
            "SELECT 'digest' AS part, {} AS digest; {}",
            self.digest(),
            self.select(&Columns::of(self.tool, self.has("createdAt")))
        );
        let rows = session
            .rows(&question)
            .await
            .map_err(|error| Error::from_looking(&format!("reading {}", self.shown()), error))?;
        let digest = rows.iter().find_map(|row| text(row, "digest")).unwrap_or_default().to_owned();
        let is_row = |row: &&SimpleQueryRow| text(row, "part") == Some("row");
        Ok(Reading { records: rows.iter().filter(is_row).map(record).collect(), digest })
    }

    fn select(&self, columns: &Columns) -> String {
        let Columns { key, description, sum, standing, at, by, duration_ms, order } = columns;
        format!(
            "SELECT 'row' AS part, ({key})::pg_catalog.text AS key, ({description})::pg_catalog.text AS description, \
             ({sum})::pg_catalog.text AS sum, {standing} AS standing, \
             CASE WHEN pg_catalog.isfinite({at}) THEN (extract(epoch FROM {at}) * 1000000)::pg_catalog.int8 END AS at_us, \
             ({by})::pg_catalog.text AS applied_by, ({duration_ms})::pg_catalog.int8 AS duration_ms \
             FROM {} ORDER BY {order}",
            self.qualified()
        )
    }
}

fn record(row: &SimpleQueryRow) -> Record {
    let owned = |column| text(row, column).map(str::to_owned);
    let number = |column| text(row, column).and_then(|it| it.parse::<u64>().ok());
    Record {
        key: owned("key"),
        description: owned("description").unwrap_or_default(),
        sum: owned("sum"),
        standing: text(row, "standing").and_then(Standing::from_word).unwrap_or(Standing::Other),
        executed_at: number("at_us").map(|us| SystemTime::UNIX_EPOCH + Duration::from_micros(us)),
        applied_by: owned("applied_by"),
        duration: number("duration_ms").map(Duration::from_millis),
    }
}

/// The tables of other tools that this database has, by their usual names.
pub(super) async fn all(session: &Session<'_>) -> Result<Vec<Located>> {
    let tables = tables(session, &other_history::usual_names(), None).await?;
    Ok(tables
        .iter()
        .flat_map(|table| Tool::ALL.iter().filter_map(|tool| of(*tool, table)))
        .collect())
}

/// The one table that is meant.
pub(super) async fn locate(session: &Session<'_>, origin: &Origin) -> Result<Located> {
    let tables = tables(session, &[origin.name()], origin.schema.as_deref()).await?;
    let found: Vec<Located> = tables
        .iter()
        .filter_map(|table| {
            // Who names a table means it.
            if origin.table.is_some() {
                table.lacks(origin.tool).is_empty().then(|| named(origin.tool, table))
            } else {
                of(origin.tool, table)
            }
        })
        .collect();
    match found.as_slice() {
        [one] => return Ok(one.clone()),
        [] => {}
        several => {
            let visible: Vec<_> = several.iter().filter(|it| it.is_visible).collect();
            if let [one] = visible.as_slice() {
                return Ok((*one).clone());
            }
            let list: Vec<_> = several.iter().map(Located::shown).collect();
            let headline =
                format!("{} tables could be the history of {}", several.len(), origin.tool.name());
            return Err(Error::new(ErrorKind::Target, headline)
                .note(format!("they are {}; nothing was changed", list.join(", ")))
                .help(format!("name one: `Origin::table(\"{}\")`", list[0])));
        }
    }
    if let Some(table) = tables.first() {
        let lacks = table.lacks(origin.tool);
        let what = if lacks.is_empty() {
            "it looks like another tool's".to_owned()
        } else {
            format!("it has no column {}", lacks.join(", "))
        };
        let headline =
            format!("{}.{} is not the history of {}", table.schema, table.name, origin.tool.name());
        return Err(with_others(Error::new(ErrorKind::Target, headline).note(what), session).await);
    }
    let place =
        origin.schema.as_ref().map_or_else(|| "any schema".to_owned(), |it| format!("schema {it}"));
    let headline = format!(
        "no history of {}: there is no table `{}` in {place}",
        origin.tool.name(),
        origin.name()
    );
    let error = Error::new(ErrorKind::Target, headline).note("nothing was changed");
    let error = if origin.table.is_none() {
        error.help("if the tool was told to use another table, name it: `Origin::table(\"...\")`")
    } else {
        error
    };
    Err(with_others(error, session).await)
}

/// Adds what else is there.
async fn with_others(error: Error, session: &Session<'_>) -> Error {
    let Ok(others) = all(session).await else { return error };
    others.iter().fold(error, |error, it| {
        error.help(format!(
            "there is {}, which looks like the history of {}: `Origin::new(Tool::{:?})`",
            it.shown(),
            it.tool.name(),
            it.tool
        ))
    })
}

fn named(tool: Tool, table: &Found) -> Located {
    let Found { schema, name, columns, is_visible, .. } = table;
    let (schema, name, columns) = (schema.clone(), name.clone(), columns.clone());
    Located { tool, schema, name, columns, is_visible: *is_visible }
}

/// The table as the tool's, if it looks like that.
fn of(tool: Tool, table: &Found) -> Option<Located> {
    table.is_of(tool).then(|| named(tool, table))
}

async fn tables(session: &Session<'_>, names: &[&str], schema: Option<&str>) -> Result<Vec<Found>> {
    let rows = session.rows(&other_history::question(names, schema)).await;
    let rows = rows
        .map_err(|error| Error::from_looking("looking for the histories of other tools", error))?;
    Ok(other_history::found(&rows))
}
