//! What a table of the history's name turned out to be.
//!
//! Separate from the history because it is a judgement about what others have made: nothing here
//! trusts a table before it has been looked at.

use tokio_postgres::SimpleQueryRow;

use crate::error::{Error, ErrorKind, Result};
use crate::history::OWN_COLUMNS;
use crate::session::text;

/// The columns an older tracking table has, and the ones people query by hand.
const PLAIN_COLUMNS: [&str; 3] = ["id", "name", "executed_at"];

/// What to do when the name is taken.
pub(crate) const OTHER_NAME: &str =
    "give the history table another name: `Migrator::history_table(\"dunlin_migrations\")`";

/// The beginnings of the types that some columns must have, because we compute with them.
const TYPES: [(&str, &[&str]); 3] = [
    ("name", &["text", "character varying", "citext", "name"]),
    ("executed_at", &["timestamp", "date"]),
    ("checksum", &["text", "character varying"]),
];

/// What a table of the right name turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Absent,
    Ours,
    /// Only the three columns of an older tracking table.
    Plain,
    Foreign {
        what: String,
    },
}

impl Shape {
    /// Refuses what cannot be the history table, and what is one only if somebody says so.
    pub(crate) fn usable(&self, table: &str) -> Result<()> {
        match self {
            Self::Absent | Self::Ours => Ok(()),
            Self::Plain => Err(Error::new(
                ErrorKind::History,
                format!("{table} is an older tracking table: it has only id, name and executed_at"),
            )
            .note("nothing was changed; Dunlin keeps checksums beside these columns and adds them only on request")
            .help("if its names are those of the migrations here, add the columns once: `Migrator::adopt`")
            .help("or keep another table: `Migrator::history_table(\"dunlin_migrations\")`")),
            Self::Foreign { what } => Err(Error::new(
                ErrorKind::History,
                format!("{table} is not a history table: {what}"),
            )
            .note("nothing was changed; it belongs to somebody else")
            .help(OTHER_NAME)),
        }
    }
}

/// Judges the rows about the columns of the table.
pub(crate) fn shape(rows: &[SimpleQueryRow]) -> Shape {
    let described: Vec<_> = rows.iter().filter(|row| text(row, "part") == Some("column")).collect();
    let Some(first) = described.first() else { return Shape::Absent };
    if let Some(what) = other_than_table(text(first, "relkind").unwrap_or_default()) {
        return Shape::Foreign { what: format!("it is {what}") };
    }
    let columns: Vec<_> = described
        .iter()
        .filter_map(|row| Some((text(row, "attname")?, text(row, "type").unwrap_or_default())))
        .collect();
    shape_of(&columns)
}

/// Judges columns by their names and types.
fn shape_of(columns: &[(&str, &str)]) -> Shape {
    let missing = |names: &[&'static str]| -> Vec<&'static str> {
        let is_missing = |name: &&&str| !columns.iter().any(|(column, _)| column == *name);
        names.iter().filter(is_missing).copied().collect()
    };
    let lacks = |names: &[&str]| {
        let column = if names.len() == 1 { "column" } else { "columns" };
        Shape::Foreign { what: format!("it has no {column} {}", names.join(", ")) }
    };
    let plain_missing = missing(&PLAIN_COLUMNS);
    if !plain_missing.is_empty() {
        return lacks(&plain_missing);
    }
    for (column, kind) in columns {
        let wanted = TYPES.iter().find(|(name, _)| name == column).map(|(_, kinds)| *kinds);
        if wanted.is_some_and(|kinds| !kinds.iter().any(|it| kind.starts_with(it))) {
            return Shape::Foreign { what: format!("its column {column} is of type {kind}") };
        }
    }
    let own_missing = missing(&OWN_COLUMNS.map(|(name, _)| name));
    if own_missing.is_empty() {
        return Shape::Ours;
    }
    if own_missing.len() < OWN_COLUMNS.len() {
        return lacks(&own_missing);
    }
    let others: Vec<_> =
        columns.iter().map(|(name, _)| *name).filter(|it| !PLAIN_COLUMNS.contains(it)).collect();
    if others.is_empty() {
        return Shape::Plain;
    }
    Shape::Foreign {
        what: format!("besides id, name and executed_at it has {}", others.join(", ")),
    }
}

/// What a relation is that is no table (manual, 53.11 `pg_class`).
fn other_than_table(kind: &str) -> Option<&'static str> {
    match kind {
        "r" | "p" => None,
        "v" => Some("a view"),
        "m" => Some("a materialized view"),
        "f" => Some("a foreign table"),
        "S" => Some("a sequence"),
        "i" | "I" => Some("an index"),
        "c" => Some("a type"),
        _ => Some("not a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: [(&str, &str); 3] = [
        ("id", "integer"),
        ("name", "character varying(255)"),
        ("executed_at", "timestamp without time zone"),
    ];

    #[track_caller]
    fn check(columns: &[(&str, &str)], expected: &str) {
        let found = match shape_of(columns) {
            Shape::Foreign { what } => what,
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_table_is_judged_by_its_columns() {
        let own = OWN_COLUMNS.to_vec();
        check(&PLAIN, "Plain");
        check(&[&PLAIN[..], &own].concat(), "Ours");
        check(&[&PLAIN[..], &own, &[("note", "text")]].concat(), "Ours");
        check(&PLAIN[1..], "it has no column id");
        check(&[("version", "text")], "it has no columns id, name, executed_at");
        check(
            &[&PLAIN[..], &[("batch", "integer")]].concat(),
            "besides id, name and executed_at it has batch",
        );
        check(&[&PLAIN[..], &own[2..]].concat(), "it has no columns checksum, kind");
        check(
            &[PLAIN[0], ("name", "character(40)"), PLAIN[2]],
            "its column name is of type character(40)",
        );
        check(
            &[PLAIN[0], PLAIN[1], ("executed_at", "text")],
            "its column executed_at is of type text",
        );
    }
}
