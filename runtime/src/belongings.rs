//! What a session owns besides its settings: temporary relations, prepared statements, held cursors,
//! channels it listens to, advisory locks.
//!
//! **Invariant:** what was there when the run began is left alone.

use std::collections::BTreeSet;

use tokio_postgres::SimpleQueryRow;

use crate::prepared::Statements;
use crate::quote::identifier;
use crate::session::text;

/// What a session owns, by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongings(BTreeSet<(String, String)>);

/// A question whose answers [`Belongings::take`] understands. Statements the driver has prepared, with
/// the protocol, are none of a migration's.
pub(crate) const QUESTION: &str = "SELECT 'belonging' AS part, \
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind, c.relname AS name \
    FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() \
    AND c.relkind IN ('r', 'p', 'v', 'S', 'c') \
    UNION ALL SELECT 'belonging', 'ROUTINE', p.oid::pg_catalog.regprocedure::pg_catalog.text \
    FROM pg_catalog.pg_proc p WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() \
    UNION ALL SELECT 'belonging', 'TYPE', t.typname FROM pg_catalog.pg_type t \
    WHERE t.typnamespace = pg_catalog.pg_my_temp_schema() AND t.typtype IN ('e', 'd', 'r') \
    UNION ALL SELECT 'belonging', 'PREPARE', name FROM pg_catalog.pg_prepared_statements WHERE from_sql \
    UNION ALL SELECT 'belonging', 'CURSOR', name FROM pg_catalog.pg_cursors WHERE is_holdable \
    UNION ALL SELECT 'belonging', 'LISTEN', it FROM pg_catalog.pg_listening_channels() AS it \
    UNION ALL SELECT 'belonging', CASE l.mode WHEN 'ShareLock' THEN 'SHARED LOCK' ELSE 'LOCK' END, \
    CASE l.objsubid WHEN 1 THEN ((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8)::pg_catalog.text \
    ELSE pg_catalog.concat(l.classid::pg_catalog.int8::pg_catalog.bit(32)::pg_catalog.int4, ', ', l.objid::pg_catalog.int8::pg_catalog.bit(32)::pg_catalog.int4) END \
    FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid()";

impl Belongings {
    /// Those that answers to [`QUESTION`] name; other rows are passed over.
    pub(crate) fn of(rows: &[SimpleQueryRow]) -> Self {
        let owned = |row: &SimpleQueryRow, column| text(row, column).unwrap_or_default().to_owned();
        Self(
            rows.iter()
                .filter(|row| text(row, "part") == Some("belonging"))
                .map(|row| (owned(row, "kind"), owned(row, "name")))
                .collect(),
        )
    }

    /// Those that are not among others, which were there before.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self(self.0.difference(&before.0).cloned().collect())
    }

    /// Those that are not statements of this run.
    pub(crate) fn without(mut self, statements: &Statements) -> Self {
        self.0.retain(|(kind, name)| !(kind == "PREPARE" && statements.has(name)));
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Statements that remove them.
    pub(crate) fn removal(&self) -> String {
        let statements: Vec<_> = self
            .0
            .iter()
            .map(|(kind, name)| match kind.as_str() {
                "PREPARE" => format!("DEALLOCATE {}", identifier(name)),
                "CURSOR" => format!("CLOSE {}", identifier(name)),
                "LISTEN" => format!("UNLISTEN {}", identifier(name)),
                "LOCK" => given_back("pg_advisory_unlock", name),
                "SHARED LOCK" => given_back("pg_advisory_unlock_shared", name),
                // Written by the server, with its schema and quoted where it must be.
                "ROUTINE" => format!("DROP ROUTINE IF EXISTS {name} CASCADE"),
                _ => format!("DROP {kind} IF EXISTS pg_temp.{} CASCADE", identifier(name)),
            })
            .collect();
        statements.join("; ")
    }

    /// What each is, in words.
    pub(crate) fn described(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(kind, name)| match kind.as_str() {
                "PREPARE" => format!("prepared statement {name}"),
                "CURSOR" => format!("cursor {name}"),
                "LISTEN" => format!("channel {name}"),
                "LOCK" => format!("advisory lock {name}"),
                "SHARED LOCK" => format!("shared advisory lock {name}"),
                _ => format!("temporary {} {name}", kind.to_ascii_lowercase()),
            })
            .collect()
    }
}

/// A lock counts how often it was taken, and nobody says how often that was.
fn given_back(function: &str, key: &str) -> String {
    let unlock = format!("pg_catalog.{function}({key})");
    format!(
        "WITH RECURSIVE it (was_held) AS (SELECT {unlock} UNION ALL SELECT {unlock} FROM it WHERE was_held) \
         SELECT pg_catalog.count(*) FROM it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn belongings(pairs: &[(&str, &str)]) -> Belongings {
        Belongings(pairs.iter().map(|(kind, name)| ((*kind).into(), (*name).into())).collect())
    }

    #[test]
    fn only_what_is_new_is_removed() {
        let before = belongings(&[("TABLE", "old"), ("LISTEN", "news")]);
        let now =
            belongings(&[("TABLE", "old"), ("TABLE", "New"), ("PREPARE", "p"), ("LISTEN", "x y")]);
        let new = now.since(&before);
        assert_eq!(
            new.removal(),
            "UNLISTEN \"x y\"; DEALLOCATE \"p\"; DROP TABLE IF EXISTS pg_temp.\"New\" CASCADE"
        );
        assert_eq!(new.described(), ["channel x y", "prepared statement p", "temporary table New"]);
        assert!(now.since(&now).is_empty());
    }
}
