//! The history in a nutshell: what the first question of a run asks of it, and what that means.
//!
//! The server hashes names and checksums, so that neither question nor answer grows with the history
//! (see [`Fingerprint`]). Two histories differ from a build and leave nothing to do all the same: one
//! whose first rows have no checksums, because they were adopted, and one that is ahead. Both are
//! recognised from the same answer: the first by hashing the build again without those checksums, the
//! second by taking the rows behind the build's last name out again.
//!
//! **Invariant:** whatever is not exactly one of these is left to the whole history to decide.

use dunlin_core::Fingerprint;
use tokio_postgres::SimpleQueryRow;

use crate::plan;
use crate::policy::AheadPolicy;
use crate::quote::literal;
use crate::registry::Registry;
use crate::session::text;

/// What the server has counted and hashed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    fingerprint: Fingerprint,
    is_empty: bool,
    /// The rows behind the build's last name.
    others: Vec<Other>,
}

/// A row that the build may not have.
#[derive(Debug, PartialEq, Eq)]
struct Other {
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

/// The columns of the question, for a build with this name as its last one in the order of bytes.
///
/// Named functions only, and as few as can be: in a session that has just begun, each that the server
/// has to look up costs as much as hashing some dozens of rows, and each operator more, because it has
/// so many namesakes. A row that is not finished hashes to something else.
pub(crate) fn columns(last_name: &str) -> String {
    format!(
        "pg_catalog.bit_xor(pg_catalog.hashtextextended(CASE WHEN pg_catalog.int4lt(statements_done, statements) \
         THEN '!' ELSE coalesce(pg_catalog.textcat(pg_catalog.textcat(name, ' '), checksum), name) END, 0)) AS fingerprint, \
         pg_catalog.string_agg(pg_catalog.concat(CASE WHEN breaking THEN '!' ELSE '.' END, checksum, ' ', name), E'\\n') \
         FILTER (WHERE pg_catalog.text_gt(name, {} COLLATE pg_catalog.\"C\")) AS others",
        literal(last_name)
    )
}

impl Summary {
    /// The answer.
    pub(crate) fn of(row: &SimpleQueryRow) -> Self {
        let number = text(row, "fingerprint").and_then(|it| it.parse::<i64>().ok());
        let others = text(row, "others").unwrap_or_default();
        Self {
            // The server makes nothing of no rows.
            is_empty: number.is_none(),
            fingerprint: Fingerprint::from_number(number.unwrap_or_default().cast_unsigned()),
            others: others.split_terminator('\n').map(Other::of).collect(),
        }
    }

    /// Whether the table has no rows.
    pub(crate) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether nothing is left to do for a build, as far as the answer shows.
    pub(crate) fn settled(&self, registry: &Registry, policy: AheadPolicy) -> Option<Settled> {
        let is_fine = |other: &Other| {
            plan::is_ahead(registry, &other.name) && !policy.refuses(other.is_breaking)
        };
        if !self.others.iter().all(is_fine) {
            return None;
        }
        let others = self.others.iter().map(Other::fingerprint);
        if !is_of(registry, self.fingerprint ^ others.collect()) {
            return None;
        }
        let mut ahead: Vec<_> = self.others.iter().map(|it| it.name.clone()).collect();
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

impl Other {
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
        let other = |name: &str, checksum: &str, is_breaking| Other {
            name: name.to_owned(),
            checksum: checksum.to_owned(),
            is_breaking,
        };
        assert_eq!(Other::of(".sha256:00 3_c"), other("3_c", "sha256:00", false));
        assert_eq!(Other::of("! 4_d e"), other("4_d e", "", true));
        // The second half of a name with a line end in it.
        assert_eq!(Other::of("f"), other("f", "", false));
    }
}
