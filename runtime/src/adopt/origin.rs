//! Whose history is taken over, and where it lies.
//!
//! **Invariant:** the other tool's table is read, and written to by nothing here.

use std::fmt;
use std::time::{Duration, SystemTime};

use dunlin_core::adopt::{Place, Record, Standing, Tool};
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

    /// The table as a person writes it: `billing._sqlx_migrations`; [`Place`] reads it.
    #[must_use]
    pub fn shown(&self) -> String {
        Place { schema: self.schema.clone(), table: self.name().to_owned() }.to_string()
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
        Place { schema: Some(self.schema.clone()), table: self.name.clone() }.to_string()
    }

    /// How a program names it.
    fn code(&self) -> String {
        format!(
            "Origin::new(Tool::{:?}).schema({:?}).table({:?})",
            self.tool, self.schema, self.name
        )
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

/// The tables of other tools that this database has, by their usual names. Where some have rows, only
/// those, and the one at a place that is meant anyway.
pub(super) async fn all(
    session: &Session<'_>,
    is_meant: impl Fn(&Located) -> bool,
) -> Result<Vec<Located>> {
    let tables = tables(session, &other_history::usual_names(), None).await?;
    let of = |table| Tool::ALL.iter().filter_map(move |tool| of(*tool, table));
    let all: Vec<_> = tables.iter().flat_map(of).collect();
    let full = with_rows(session, all.clone()).await?;
    let located = all
        .into_iter()
        .map(|(tool, it)| (full.contains(&(tool, it)), named(tool, it)))
        .filter(|(is_full, it)| *is_full || is_meant(it));
    Ok(located.map(|(_, it)| it).collect())
}

/// The one table that is meant.
pub(super) async fn locate(session: &Session<'_>, origin: &Origin) -> Result<Located> {
    let tables = tables(session, &[origin.name()], origin.schema.as_deref()).await?;
    let found: Vec<(Tool, &Found)> = tables
        .iter()
        .filter_map(|table| {
            // Who names a table means it.
            if origin.table.is_some() {
                table.lacks(origin.tool).is_empty().then_some((origin.tool, table))
            } else {
                of(origin.tool, table)
            }
        })
        .collect();
    match found.as_slice() {
        [(tool, table)] => return Ok(named(*tool, table)),
        [] => {}
        _ => return one_of(session, found).await,
    }
    if let Some(table) = tables.first() {
        let lacks = table.lacks(origin.tool);
        let what = if lacks.is_empty() {
            "it looks like another tool's".to_owned()
        } else {
            format!("it has no column {}", lacks.join(", "))
        };
        let headline =
            format!("{} is no {}", named(origin.tool, table).shown(), origin.tool.history());
        return Err(with_others(Error::new(ErrorKind::Target, headline).note(what), session).await);
    }
    let place =
        origin.schema.as_ref().map_or_else(|| "any schema".to_owned(), |it| format!("schema {it}"));
    let headline =
        format!("no {}: there is no table `{}` in {place}", origin.tool.history(), origin.name());
    let error = Error::new(ErrorKind::Target, headline).note("nothing was changed");
    let error = if origin.table.is_none() {
        error.help("if the tool was told to use another table, name it: `Origin::table(\"...\")`")
    } else {
        error
    };
    Err(with_others(error, session).await)
}

/// Of several tables that a tool could have written, the one that has rows, or else the one that the
/// search path finds.
async fn one_of(session: &Session<'_>, several: Vec<(Tool, &Found)>) -> Result<Located> {
    let full = with_rows(session, several).await?;
    let visible: Vec<_> = full.iter().copied().filter(|(_, it)| it.is_visible).collect();
    if let ([(tool, it)], _) | (_, [(tool, it)]) = (full.as_slice(), visible.as_slice()) {
        return Ok(named(*tool, it));
    }
    let headline = match full.as_slice() {
        [(Tool::Table, _), ..] | [] => format!("{} tables could be the older one", full.len()),
        [(tool, _), ..] => format!("{} tables could be the {}", full.len(), tool.history()),
    };
    let error = Error::new(ErrorKind::Target, headline).note("nothing was changed");
    let code = |tool, it| named(tool, it).code();
    Err(full
        .into_iter()
        .fold(error, |error, (tool, it)| error.help(format!("name it: `{}`", code(tool, it)))))
}

/// Those of several in which a tool has written something, or all if it has in none.
async fn with_rows<'t>(
    session: &Session<'_>,
    several: Vec<(Tool, &'t Found)>,
) -> Result<Vec<(Tool, &'t Found)>> {
    if several.len() < 2 {
        return Ok(several);
    }
    let full = other_history::applied(session, several.clone()).await?;
    Ok(if full.is_empty() { several } else { full })
}

/// Adds what else is there; with the table's name where the tool alone does not say which is meant.
async fn with_others(error: Error, session: &Session<'_>) -> Error {
    let Ok(others) = all(session, |_| false).await else { return error };
    others.iter().fold(error, |error, it| {
        let is_alone = others.iter().filter(|other| other.tool == it.tool).count() == 1;
        let code = if is_alone { format!("Origin::new(Tool::{:?})", it.tool) } else { it.code() };
        let looks = match it.tool {
            Tool::Table => "looks like an older tracking table".to_owned(),
            tool => format!("looks like the {}", tool.history()),
        };
        error.help(format!("there is {}, which {looks}: `{code}`", it.shown()))
    })
}

fn named(tool: Tool, table: &Found) -> Located {
    let Found { schema, name, columns, .. } = table;
    let (schema, name, columns) = (schema.clone(), name.clone(), columns.clone());
    Located { tool, schema, name, columns }
}

/// The table as the tool's, if it looks like that.
fn of(tool: Tool, table: &Found) -> Option<(Tool, &Found)> {
    table.is_of(tool).then_some((tool, table))
}

async fn tables(session: &Session<'_>, names: &[&str], schema: Option<&str>) -> Result<Vec<Found>> {
    let rows = session.rows(&other_history::question(names, schema)).await;
    let rows = rows
        .map_err(|error| Error::from_looking("looking for the histories of other tools", error))?;
    Ok(other_history::found(&rows))
}
