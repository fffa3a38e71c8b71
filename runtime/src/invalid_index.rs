//! Invalid indexes that `IF NOT EXISTS` would pass over.
//!
//! `CREATE INDEX CONCURRENTLY` that is cut off leaves an index that no query uses and every write pays
//! for. To `IF NOT EXISTS` it is as good as any, so a migration would count as applied without its
//! index.
//!
//! **Invariant:** no statement that creates an index only if there is none runs before this is asked.

use tokio_postgres::Error as PostgresError;

use crate::pipeline::NAMED;
use crate::quote::literal;
use crate::script::SqlText;

/// What the server says when there is one.
const IN_THE_WAY: &str = "IF NOT EXISTS would pass over an invalid index";

/// A question for the schemas and names of those in the way of a text; nothing for a text that is in no
/// danger.
pub(crate) fn question(sql: &SqlText<'_>) -> Option<String> {
    let indexes = sql.conditional_indexes();
    let pairs: Vec<_> = indexes
        .iter()
        .map(|(table, index)| format!("({}, {})", literal(table), literal(index)))
        .collect();
    if pairs.is_empty() {
        return None;
    }
    Some(format!(
        "SELECT s.nspname, x.relname FROM (VALUES {}) AS it (relation, index), \
         LATERAL (SELECT pg_catalog.parse_ident(it.index) AS part) AS of_index \
         JOIN pg_catalog.pg_class x ON x.relname = part[pg_catalog.array_upper(part, 1)] AND x.relkind = 'i' \
         JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid AND NOT i.indisvalid \
         JOIN pg_catalog.pg_namespace s ON s.oid = x.relnamespace WHERE i.indrelid IN ({NAMED})",
        pairs.join(", ")
    ))
}

/// An expression for the beginning of a transaction that fails if there is one.
pub(crate) fn guard(sql: &SqlText<'_>) -> Option<String> {
    let question = question(sql)?;
    Some(format!(
        "CASE WHEN EXISTS ({question}) THEN ('{IN_THE_WAY} ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END"
    ))
}

/// Whether an error is the answer to [`guard`].
pub(crate) fn is_in_the_way(error: &PostgresError) -> bool {
    error.as_db_error().is_some_and(|db| db.message().contains(IN_THE_WAY))
}
