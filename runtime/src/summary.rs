//! The history in few words: what the first question of a run asks of it, and what that means.
//!
//! The server keeps a hash of each row beside it and combines them for us, so that neither question nor
//! answer grows with the history (see [`Fingerprint`]). Two histories differ from a build and leave
//! nothing to do all the same: one whose first rows have no checksums, because they were adopted, and one
//! that is ahead. The first is recognised by hashing the build again without those checksums. The second has
//! more rows than the build; then the server is asked for those behind the build's last name, which are
//! taken out again.
//!
//! **Invariant:** whatever is not exactly one of these is left to the whole history to decide.

use dunlin_core::Fingerprint;
use tokio_postgres::SimpleQueryRow;

use crate::plan;
use crate::policy::AheadPolicy;
use crate::quote::literal;
use crate::registry::Registry;
use crate::session::text;

/// The column in which the server keeps the hash of a row. It is made by the server itself, so what a person
/// does to a row by hand shows in it; a row that is not finished hashes to something else.
pub(crate) const COLUMN: &str = "fingerprint";

/// What the server has counted and hashed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    fingerprint: Fingerprint,
    n_rows: usize,
    /// The rows behind the build's last name, once they have been asked for.
    newer: Option<Vec<Newer>>,
}

/// A row that the build may not have.
#[derive(Debug, PartialEq, Eq)]
struct Newer {
    name: String,
    /// Empty if it has none.
    checksum: String,
    is_breaking: bool,
}

/// A history that leaves nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) n_applied: usize,
    /// What this build does not have.
    pub(crate) ahead: Vec<String>,
}

/// How the column is defined, for a table that has the others.
///
/// Functions with their schema, so that no search path leads to another; and the names as bytes, whatever
/// the collation of their column takes for equal.
pub(crate) const DEFINITION: &str = "bigint GENERATED ALWAYS AS (pg_catalog.hashtextextended(\
     CASE WHEN pg_catalog.int4lt(statements_done, statements) THEN '!' \
     ELSE coalesce(pg_catalog.textcat(pg_catalog.textcat(CAST(name AS pg_catalog.text), ' '), checksum), \
     CAST(name AS pg_catalog.text)) END COLLATE pg_catalog.\"C\", 0)) STORED";

/// The columns of the first question.
///
/// Named functions only, and as few as can be: in a session that has just begun, each that the server
/// has to look up costs as much as reading a hundred rows, and each operator more, because it has so many
/// namesakes.
pub(crate) const QUESTION: &str =
    "pg_catalog.bit_xor(fingerprint) AS fingerprint, pg_catalog.count(*) AS n_rows";

/// Those of the second one, for a build with this name as its last one in the order of bytes.
pub(crate) fn question_with_newer(last_name: &str) -> String {
    format!(
        "{QUESTION}, pg_catalog.string_agg(pg_catalog.concat(CASE WHEN breaking THEN '!' ELSE '.' END, \
         checksum, ' ', name), E'\\n') \
         FILTER (WHERE pg_catalog.text_gt(name, {} COLLATE pg_catalog.\"C\")) AS newer",
        literal(last_name)
    )
}

impl Summary {
    /// The answer to either question.
    pub(crate) fn of(row: &SimpleQueryRow) -> Self {
        let number = text(row, "fingerprint").and_then(|it| it.parse::<i64>().ok());
        let lines = |it: &str| it.split_terminator('\n').map(Newer::of).collect();
        Self {
            // The server makes nothing of no rows.
            fingerprint: Fingerprint::from_number(number.unwrap_or_default().cast_unsigned()),
            n_rows: text(row, "n_rows").and_then(|it| it.parse().ok()).unwrap_or_default(),
            newer: text(row, "newer").map(lines),
        }
    }

    /// Whether the table has no rows.
    pub(crate) const fn is_empty(&self) -> bool {
        self.n_rows == 0
    }

    /// Whether there are more rows than a build has migrations, and which was not asked yet.
    pub(crate) const fn may_be_ahead(&self, registry: &Registry) -> bool {
        self.n_rows > registry.len() && self.newer.is_none()
    }

    /// Whether nothing is left to do for a build, as far as the answer shows.
    pub(crate) fn settled(&self, registry: &Registry, policy: AheadPolicy) -> Option<Settled> {
        let newer = self.newer.as_deref().unwrap_or_default();
        let is_fine =
            |row: &Newer| plan::is_ahead(registry, &row.name) && !policy.refuses(row.is_breaking);
        // Rows with the same hash cancel each other out, and a row without one does not count.
        if self.n_rows != registry.len() + newer.len() || !newer.iter().all(is_fine) {
            return None;
        }
        let hashes = newer.iter().map(Newer::fingerprint);
        if !is_of(registry, self.fingerprint ^ hashes.collect()) {
            return None;
        }
        let mut ahead: Vec<_> = newer.iter().map(|it| it.name.clone()).collect();
        ahead.sort_by(|a, b| registry.layout.compare_names(a, b));
        Some(Settled { n_applied: registry.len() + ahead.len(), ahead })
    }
}

/// Whether a history with this fingerprint has all migrations of a build, the first of them, any number,
/// without a checksum.
fn is_of(registry: &Registry, found: Fingerprint) -> bool {
    let mut expected = registry.fingerprint;
    expected == found
        || registry.iter().any(|it| {
            let verified = Fingerprint::of_row(it.name, Some(&it.checksum.to_string()));
            expected = expected ^ verified ^ Fingerprint::of_row(it.name, None);
            expected == found
        })
}

impl Newer {
    fn fingerprint(&self) -> Fingerprint {
        let checksum = Some(self.checksum.as_str()).filter(|it| !it.is_empty());
        Fingerprint::of_row(&self.name, checksum)
    }

    /// A mark, the checksum, a space, the name. What a person has written otherwise is read otherwise,
    /// and then hashes to something else.
    fn of(line: &str) -> Self {
        let is_breaking = line.starts_with('!');
        let (checksum, name) =
            line.strip_prefix(['!', '.']).and_then(|it| it.split_once(' ')).unwrap_or(("", line));
        Self { name: name.to_owned(), checksum: checksum.to_owned(), is_breaking }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_mark_a_checksum_and_a_name() {
        let newer = |name: &str, checksum: &str, is_breaking| Newer {
            name: name.to_owned(),
            checksum: checksum.to_owned(),
            is_breaking,
        };
        assert_eq!(Newer::of(".sha256:00 3_c"), newer("3_c", "sha256:00", false));
        assert_eq!(Newer::of("! 4_d e"), newer("4_d e", "", true));
        // The second half of a name with a line end in it.
        assert_eq!(Newer::of("f"), newer("f", "", false));
    }
}
