//! The histories of other tools that a database has: recognised by the names and columns of their tables.
//!
//! Separate from `adopt`, which takes one over, because every first run looks for them: what another
//! tool has applied is pending to a build that has no history of its own, and would run again.
//!
//! **Invariant:** where the history table has rows, nothing is asked. What is asked before travels with a
//! question that is sent anyway; only a table that is found costs a question of its own.

use dunlin_core::adopt::Tool;
use tokio_postgres::SimpleQueryRow;

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::history::{History, State};
use crate::migrator::Migrator;
use crate::policy::Policy;
use crate::quote::{identifier, literal};
use crate::session::{Session, text};

/// A table with its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Whether its name leads to it without its schema.
    pub(crate) is_visible: bool,
    may_be_read: bool,
}

impl Found {
    /// The columns of a tool's history that it does not have.
    pub(crate) fn lacks(&self, tool: Tool) -> Vec<&'static str> {
        let is_missing = |column: &&&str| !self.columns.iter().any(|it| it == **column);
        tool.shape().columns.iter().filter(is_missing).copied().collect()
    }

    /// Whether it looks like the tool's own table.
    pub(crate) fn is_of(&self, tool: Tool) -> bool {
        let shape = tool.shape();
        let is_other = shape.others.iter().any(|column| self.columns.iter().any(|it| it == column));
        self.name == shape.table && self.lacks(tool).is_empty() && !is_other
    }

    /// Schema and name as a person writes them.
    fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// A condition: the tool has applied something.
    fn has_rows(&self, tool: Tool) -> String {
        // These come with the table.
        let applied = match tool {
            Tool::Goose => " WHERE version_id > 0",
            Tool::Tern => " WHERE version > 0",
            Tool::Flyway => " WHERE type <> 'SCHEMA'",
            _ => "",
        };
        let (schema, name) = (identifier(&self.schema), identifier(&self.name));
        format!("EXISTS (SELECT FROM {schema}.{name}{applied})")
    }
}

/// The names that the tables of the tools have.
pub(crate) fn usual_names() -> Vec<&'static str> {
    Tool::ALL.iter().map(|tool| tool.shape().table).collect()
}

/// The question for tables of these names, a row for each column.
pub(crate) fn question(names: &[&str], schema: Option<&str>) -> String {
    let names: Vec<_> = names.iter().map(|name| literal(name)).collect();
    let schema = schema.map(|it| format!(" AND n.nspname = {}", literal(it))).unwrap_or_default();
    format!(
        "SELECT 'other' AS part, n.nspname AS schema, c.relname AS name, a.attname AS column, \
         pg_catalog.pg_table_is_visible(c.oid) AS is_visible, \
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_be_read FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND c.relname IN ({}){schema} ORDER BY n.nspname, c.relname, a.attnum",
        names.join(", ")
    )
}

/// The tables in its answer, which may be one of many.
pub(crate) fn found(rows: &[SimpleQueryRow]) -> Vec<Found> {
    let mut tables: Vec<Found> = Vec::new();
    for row in rows.iter().filter(|row| text(row, "part") == Some("other")) {
        let of = |column| text(row, column).unwrap_or_default().to_owned();
        let is = |column| text(row, column) == Some("t");
        let (schema, name) = (of("schema"), of("name"));
        if tables.last().is_none_or(|it| it.schema != schema || it.name != name) {
            let (is_visible, may_be_read) = (is("is_visible"), is("may_be_read"));
            tables.push(Found { schema, name, columns: Vec::new(), is_visible, may_be_read });
        }
        if let Some(table) = tables.last_mut() {
            table.columns.push(of("column"));
        }
    }
    tables
}

impl Migrator<'_> {
    /// Refuses a database that another tool has migrated and this one has not, or tells of it.
    ///
    /// Only what lies where the history table does, or where the search path leads: in other schemas
    /// other applications have theirs.
    pub(crate) async fn heed_other_histories(
        &self,
        session: &Session<'_>,
        history: &History,
        state: &State,
        n_pending: usize,
    ) -> Result<()> {
        if !state.applied.is_empty() {
            return Ok(());
        }
        let is_near = |it: &&Found| it.is_visible || history.is_in(&it.schema);
        let is_ours = |it: &Found| history.is_in(&it.schema) && history.is_called(&it.name);
        let near = state.others.iter().filter(is_near).filter(|it| !is_ours(it));
        let near = near.flat_map(|it| {
            let tools = Tool::ALL.iter().filter(|tool| it.is_of(**tool));
            tools.map(move |tool| (*tool, it))
        });
        let others = applied(session, near.collect()).await?;
        match self.policies.other_history {
            _ if others.is_empty() => {}
            Policy::Refuse => return Err(refused(&others, n_pending)),
            Policy::Announce => {
                for (tool, it) in &others {
                    self.tell(&Event::OtherHistory { tool: tool.name(), table: &it.shown() });
                }
            }
        }
        Ok(())
    }
}

/// Those that say that something was applied. Of one that this role may not read nobody knows.
pub(crate) async fn applied<'t>(
    session: &Session<'_>,
    others: Vec<(Tool, &'t Found)>,
) -> Result<Vec<(Tool, &'t Found)>> {
    let asked = others.iter().enumerate().filter(|(_, (_, it))| it.may_be_read);
    let asked = asked
        .map(|(n, (tool, it))| format!("SELECT {n} AS empty WHERE NOT {}", it.has_rows(*tool)));
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() {
        return Ok(others);
    }
    let rows = session.rows(&asked.join(" UNION ALL ")).await;
    let rows = rows
        .map_err(|error| Error::from_looking("looking into the histories of other tools", error))?;
    let is_empty =
        |n: usize| rows.iter().any(|row| text(row, "empty") == Some(n.to_string().as_str()));
    let others = others.into_iter().enumerate().filter(|(n, _)| !is_empty(*n));
    Ok(others.map(|(_, it)| it).collect())
}

/// What whoever is woken by it can do.
fn refused(others: &[(Tool, &Found)], n_pending: usize) -> Error {
    let list: Vec<_> =
        others.iter().map(|(tool, it)| format!("{} ({})", tool.name(), it.shown())).collect();
    let headline =
        format!("this database has a history of {}, and none of Dunlin's", list.join(" and of "));
    let error = Error::new(ErrorKind::OtherHistory, headline).note(format!(
        "{n_pending} migration(s) pending, and those that were applied already would run again; nothing was changed"
    ));
    let error = others.iter().fold(error, |error, (tool, it)| {
        let is_plain = others.len() == 1 && it.is_visible;
        let table = if is_plain { String::new() } else { format!(" --from-table {}", it.shown()) };
        error.help(format!(
            "take over what {} has applied: `cargo dunlin adopt --from {}{table}` shows it and asks first",
            tool.name(),
            tool.id()
        ))
    });
    error
        .help("until that is done, the release that migrates with the other tool works as before")
        .help("if these migrations have nothing to do with that history, or are written for a database that has it: `Migrator::on_other_history(Policy::Announce)`")
}
