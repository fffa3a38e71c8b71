//! The history in a nutshell: what the first question of a run asks of it, and what that means.
//!
//! The server hashes names and checksums, so that neither question nor answer grows with the history.
//! Two histories differ from a build and leave nothing to do all the same: one whose first rows have no
//! checksums, because they were adopted, and one that is ahead. Both are recognised from the same answer:
//! the first by hashing the build again without those checksums, the second because the server then
//! also hashes the rows that were written first, as many as the build has migrations.
//!
//! **Invariant:** whatever is not exactly one of these is left to the whole history to decide.

use dunlin_core::checksum::{hex, written_fingerprint};
use tokio_postgres::SimpleQueryRow;

use crate::policy::AheadPolicy;
use crate::registry::Registry;
use crate::session::text;

/// How many migrations that are ahead are named in the answer.
const AHEAD_MAX: usize = 100;

/// What the server has counted and hashed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    n_unfinished: usize,
    n_unverified: usize,
    fingerprint: String,
    /// Of a table with more rows than the build has migrations.
    ahead: Option<Ahead>,
}

/// The rows that were written first, and those behind them.
#[derive(Debug, PartialEq, Eq)]
struct Ahead {
    fingerprint: String,
    /// With whether it is breaking.
    others: Vec<(String, bool)>,
}

/// A history that leaves nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) n_applied: usize,
    /// What this build does not have.
    pub(crate) ahead: Vec<String>,
}

/// The columns of the question, for a build of so many migrations. Numbers are written with one width.
pub(crate) fn columns(table: &str, n_known: usize) -> String {
    let hashed =
        "name || E'\\n' || coalesce(checksum, '') || E'\\n', '' ORDER BY name COLLATE \"C\"";
    let hash = |filter: &str| {
        format!(
            "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg({hashed}){filter}, ''), 'UTF8')), 'hex')"
        )
    };
    // A subquery in CASE runs only if it is needed.
    format!(
        "pg_catalog.count(*) FILTER (WHERE statements_done < statements) AS n_unfinished, \
         pg_catalog.count(*) FILTER (WHERE checksum IS NULL) AS n_unverified, {} AS fingerprint, \
         CASE WHEN pg_catalog.count(*) > {n_known:10} THEN (SELECT pg_catalog.count(*) || E'\\n' || {} || \
         pg_catalog.string_agg(E'\\n' || CASE WHEN breaking THEN '!' ELSE '.' END || name, '' ORDER BY n) \
         FILTER (WHERE n > {n_known:10} AND n <= {:10}) FROM (SELECT name, checksum, breaking, \
         pg_catalog.row_number() OVER (ORDER BY id) AS n FROM {table}) AS it) END AS ahead",
        hash(""),
        hash(&format!(" FILTER (WHERE n <= {n_known:10})")),
        n_known + AHEAD_MAX,
    )
}

impl Sum {
    /// The answer for a build of so many migrations.
    pub(crate) fn of(row: &SimpleQueryRow, n_known: usize) -> Self {
        let number = |column| text(row, column).and_then(|number| number.parse().ok());
        Self {
            n_unfinished: number("n_unfinished").unwrap_or_default(),
            n_unverified: number("n_unverified").unwrap_or_default(),
            fingerprint: text(row, "fingerprint").unwrap_or_default().to_owned(),
            ahead: text(row, "ahead").and_then(|ahead| Ahead::of(ahead, n_known)),
        }
    }

    /// Whether nothing is left to do for a build, as far as the answer shows.
    pub(crate) fn settled(&self, registry: &Registry, policy: AheadPolicy) -> Option<Settled> {
        if self.n_unfinished > 0 {
            return None;
        }
        let expected = self.expected(registry);
        if self.fingerprint == expected {
            return Some(Settled { n_applied: registry.len(), ahead: Vec::new() });
        }
        let Ahead { fingerprint, others } = self.ahead.as_ref()?;
        let is_fine = |(name, is_breaking): &(String, bool)| {
            crate::plan::is_ahead(registry, name) && !policy.refuses(*is_breaking)
        };
        if *fingerprint != expected || !others.iter().all(is_fine) {
            return None;
        }
        let n_applied = registry.len() + others.len();
        Some(Settled { n_applied, ahead: others.iter().map(|(name, _)| name.clone()).collect() })
    }

    /// What the rows of this build hash to, if those without a checksum are its first.
    fn expected(&self, registry: &Registry) -> String {
        if self.n_unverified == 0 {
            return hex(&registry.fingerprint);
        }
        hex(&written_fingerprint(registry.iter().enumerate().map(|(index, it)| {
            let checksum = (index >= self.n_unverified).then(|| it.checksum.to_string());
            (it.name, checksum.unwrap_or_default())
        })))
    }
}

impl Ahead {
    /// A line for the number of rows, one for the fingerprint, one for each of the others. Nothing if it
    /// is not that, because there are too many others, or a name has a line end in it.
    fn of(answer: &str, n_known: usize) -> Option<Self> {
        let (n_rows, rest) = answer.split_once('\n')?;
        let (fingerprint, rest) = rest.split_once('\n')?;
        let others: Vec<_> = rest
            .split('\n')
            .map(|line| {
                let is_breaking = line.starts_with('!');
                Some((line.strip_prefix(['!', '.'])?.to_owned(), is_breaking))
            })
            .collect::<Option<_>>()?;
        let is_whole = n_rows.parse() == Ok(n_known + others.len());
        is_whole.then(|| Self { fingerprint: fingerprint.to_owned(), others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_whole_is_none() {
        let others = vec![("3_c".to_owned(), false), ("4_d".to_owned(), true)];
        let whole = Ahead { fingerprint: "ff".to_owned(), others };
        assert_eq!(Ahead::of("4\nff\n.3_c\n!4_d", 2), Some(whole));
        for answer in ["5\nff\n.3_c\n!4_d", "4\nff\n.3_c", "4\nff\n.3_c\n4_d", "2\nff", ""] {
            assert_eq!(Ahead::of(answer, 2), None, "{answer:?}");
        }
    }
}
