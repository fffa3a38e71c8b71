//! Names that an older tracking table has more than once.
//!
//! Separate from the history, whose own table cannot have them. An older one without `UNIQUE` can, and
//! then nobody knows which of its rows is the migration's.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::history::History;
use crate::session::{Session, text};

/// A row: its number, and the name it has.
type Row = (String, String);

/// Refuses a table in which several rows are about the same migration; `bare` is what their names have
/// in common.
pub(crate) async fn refuse(
    session: &Session<'_>,
    history: &History,
    bare: fn(&str) -> &str,
) -> Result<()> {
    let question = format!(
        "SELECT id::pg_catalog.text AS id, name FROM {} WHERE name IS NOT NULL ORDER BY id",
        history.qualified
    );
    let rows = session.rows(&question).await;
    let rows =
        rows.map_err(|error| Error::from_looking("reading the older tracking table", error))?;
    let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
    for row in &rows {
        let of = |column| text(row, column).unwrap_or_default().to_owned();
        let (id, name) = (of("id"), of("name"));
        match groups.iter_mut().find(|(same, _)| same == bare(&name)) {
            Some((_, rows)) => rows.push((id, name)),
            None => groups.push((bare(&name).to_owned(), vec![(id, name)])),
        }
    }
    groups.retain(|(_, rows)| rows.len() > 1);
    if groups.is_empty() { Ok(()) } else { Err(refused(history, &groups)) }
}

fn refused(history: &History, groups: &[(String, Vec<Row>)]) -> Error {
    let (schema, table) = history.place();
    let headline = match groups {
        [(name, _)] => format!("`{name}` is more than once in {schema}.{table}"),
        _ => format!("{} names are more than once in {schema}.{table}", groups.len()),
    };
    let ids = |n_kept: usize| {
        groups.iter().flat_map(move |(_, rows)| rows.iter().skip(n_kept)).map(|(id, _)| id.as_str())
    };
    let later: Vec<_> = ids(1).collect();
    // A number that two rows share would take the row that is to stay as well.
    let is_shared = ids(0).collect::<BTreeSet<_>>().len() < ids(0).count();
    let how = if is_shared {
        "their numbers do not tell them apart, `ctid` does".to_owned()
    } else {
        format!("`DELETE FROM {} WHERE id IN ({})`", history.qualified, later.join(", "))
    };
    groups
        .iter()
        .fold(Error::new(ErrorKind::History, headline), |error, group| error.body(described(group)))
        .note("the history has one row for each migration; nothing was changed")
        .help(format!("keep one row of each and delete the others: {how}"))
}

/// The block about one name.
fn described((name, rows): &(String, Vec<Row>)) -> String {
    let row = |(id, own): &Row| {
        if own == name { id.clone() } else { format!("{id} (`{own}`)") }
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    format!("more than once: `{name}` in the rows {}\n", rows.join(", "))
}
