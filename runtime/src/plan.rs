//! What is to be done: a pure function of registry, history, target and policies.
//!
//! **Invariant:** a plan exists only if nothing stands against it. Disagreements are found first, and
//! all of them.

use std::fmt;

use dunlin_core::Layout;

use crate::applied::{Applied, Progress};
use crate::drift::Drift;
use crate::policy::{Policies, Policy};
use crate::registry::{Migration, Registry};

/// What [`apply`](crate::Migrator::apply) would do, in order.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) ahead: Vec<String>,
    /// What stands against it and is tolerated.
    pub(crate) tolerated: Vec<Drift>,
}

/// One migration of a [`Plan`].
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub(crate) migration: &'static Migration,
    pub(crate) is_late: bool,
    /// Set when an earlier run began it without a transaction and did not finish.
    pub(crate) progress: Option<Progress>,
}

/// How far to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// To the last migration of the build.
    #[default]
    Latest,
    /// Up to and including the migration of this name, or all of this version: what is newer is
    /// left pending, or undone.
    To(String),
    /// So many migrations back.
    Back(usize),
}

/// A target that names nothing, or lies in the other direction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UnknownTarget {
    Name(String),
    Back(usize),
}

impl Plan {
    /// The migrations to apply, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Migrations the database has and this build does not, newer than everything in it.
    #[must_use]
    pub fn ahead(&self) -> &[String] {
        &self.ahead
    }

    /// What the database and this build disagree about and a [`Policy`] tolerates.
    #[must_use]
    pub fn tolerated(&self) -> &[Drift] {
        &self.tolerated
    }
}

impl Step {
    /// The migration.
    #[must_use]
    pub const fn migration(&self) -> &'static Migration {
        self.migration
    }

    /// Whether something newer has been applied already.
    #[must_use]
    pub const fn is_late(&self) -> bool {
        self.is_late
    }
}

impl From<usize> for Target {
    fn from(n: usize) -> Self {
        Self::Back(n)
    }
}

impl From<&str> for Target {
    fn from(name_or_version: &str) -> Self {
        Self::To(name_or_version.to_owned())
    }
}

impl From<String> for Target {
    fn from(name_or_version: String) -> Self {
        Self::To(name_or_version)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("the latest migration"),
            Self::To(name) => write!(f, "`{name}`"),
            Self::Back(n) => write!(f, "{n} migration(s) back"),
        }
    }
}

/// What the database and the build disagree about, whatever is to be done.
pub(crate) fn drift(registry: &Registry, applied: &[Applied], policies: Policies) -> Vec<Drift> {
    let mut found: Vec<Drift> =
        applied.iter().filter_map(|row| drift_of(registry, applied, row, policies)).collect();
    if policies.strict_order {
        let newest = newest(registry, applied);
        found.extend(registry.iter().filter_map(|it| late(registry, it, applied, newest?)));
    }
    found.sort_by(|left, right| registry.layout.compare_names(left.name(), right.name()));
    found
}

/// What a run refuses, and what it only tells.
pub(crate) fn judged(drift: Vec<Drift>, policies: Policies) -> (Vec<Drift>, Vec<Drift>) {
    drift.into_iter().partition(|it| {
        let policy = match it {
            Drift::Changed { .. } => policies.changed,
            Drift::Missing { .. } => policies.missing,
            // To go on would be to apply it twice, or is what the policy has refused already.
            Drift::Renamed { .. } | Drift::Late { .. } | Drift::Ahead { .. } => Policy::Refuse,
        };
        policy == Policy::Refuse
    })
}

fn drift_of(
    registry: &Registry,
    applied: &[Applied],
    row: &Applied,
    policies: Policies,
) -> Option<Drift> {
    let (name, executed_at) = (row.name.clone(), row.executed_at);
    let Some(migration) = registry.get(&row.name) else {
        if let Some(renamed) = renamed_to(registry, applied, row) {
            let (to, path) = (renamed.name.to_owned(), renamed.path().to_owned());
            return Some(Drift::Renamed { name, to, path, executed_at });
        }
        if !is_ahead_of(registry, applied, &row.name) {
            return Some(Drift::Missing { name, executed_at });
        }
        let is_breaking = row.is_breaking;
        return policies.ahead.refuses(is_breaking).then_some(Drift::Ahead {
            name,
            executed_at,
            is_breaking,
        });
    };
    // What was begun and not finished may be mended; what is unverified cannot be told.
    let recorded = row.checksum.clone().filter(|_| row.unfinished().is_none())?;
    (recorded != migration.checksum.to_string()).then(|| Drift::Changed {
        name,
        path: migration.path().to_owned(),
        line: 1,
        executed_at,
        recorded,
        current: migration.checksum,
        diff: None,
        only_layout: false,
    })
}

fn late(
    registry: &Registry,
    migration: &Migration,
    applied: &[Applied],
    newest: &str,
) -> Option<Drift> {
    if applied.iter().any(|row| row.name == migration.name) {
        return None;
    }
    registry.layout.compare_names(migration.name, newest).is_lt().then(|| Drift::Late {
        name: migration.name.to_owned(),
        path: migration.path().to_owned(),
        newest: newest.to_owned(),
    })
}

/// The pending migration that is what a row unknown to the build recorded, under another name: to
/// apply it would be to apply it twice.
fn renamed_to(
    registry: &Registry,
    applied: &[Applied],
    row: &Applied,
) -> Option<&'static Migration> {
    let recorded = row.checksum.as_deref()?;
    let is_pending = |it: &&Migration| !applied.iter().any(|row| row.name == it.name);
    registry.iter().filter(is_pending).find(|it| it.checksum.to_string() == recorded)
}

/// Applied, not in the build, and newer than everything in it. A name without a version, or with
/// one of the other kind, has no place in the order and cannot be newer.
pub(crate) fn is_ahead(registry: &Registry, name: &str) -> bool {
    let Some((version, _)) = registry.layout.split(name) else { return false };
    registry.migrations.last().is_none_or(|last| {
        // Only migrations that share a bare date are told apart by their names; any other version is
        // one migration's own, and a second name for it is a renamed file.
        let is_later = if version.is_bare_date() {
            registry.layout.compare_names(name, last.name).is_gt()
        } else {
            registry.layout.compare_names(name, last.name).is_gt() && version != last.version
        };
        version.kind() == last.version.kind() && is_later
    })
}

/// The same for a row of a history. One that has nothing of this build is not ahead of it: it is another
/// application's, or was written before one migration took the place of several. What is pending then
/// would find that its work is done already.
pub(crate) fn is_ahead_of(registry: &Registry, applied: &[Applied], name: &str) -> bool {
    let is_known = |row: &Applied| registry.get(&row.name).is_some();
    (registry.is_empty() || applied.iter().any(is_known)) && is_ahead(registry, name)
}

fn newest<'a>(registry: &Registry, applied: &'a [Applied]) -> Option<&'a str> {
    let names = applied.iter().map(|row| row.name.as_str());
    names.max_by(|left, right| registry.layout.compare_names(left, right))
}

/// The plan, for a history without drift.
pub(crate) fn plan(
    registry: &Registry,
    applied: &[Applied],
    target: &Target,
) -> Result<Plan, UnknownTarget> {
    let last = match target {
        Target::Latest => None,
        Target::To(name) => {
            Some(last_of(registry, name).ok_or_else(|| UnknownTarget::Name(name.clone()))?)
        }
        Target::Back(n) => return Err(UnknownTarget::Back(*n)),
    };
    let (layout, newest) = (registry.layout, newest(registry, applied));
    let steps = registry
        .iter()
        .take_while(|migration| {
            last.is_none_or(|last| layout.compare_names(migration.name, last).is_le())
        })
        .filter_map(|migration| {
            let row = applied.iter().find(|row| row.name == migration.name);
            let progress = match row {
                Some(row) => Some(row.unfinished()?),
                None => None,
            };
            let is_late = row.is_none()
                && newest
                    .is_some_and(|newest| layout.compare_names(migration.name, newest).is_lt());
            Some(Step { migration, is_late, progress })
        })
        .collect();
    let ahead = applied
        .iter()
        .filter(|row| {
            registry.get(&row.name).is_none() && is_ahead_of(registry, applied, &row.name)
        })
        .map(|row| row.name.clone())
        .collect();
    Ok(Plan { steps, ahead, tolerated: Vec::new() })
}

/// The names to undo, newest first.
pub(crate) fn undo(
    registry: &Registry,
    applied: &[Applied],
    target: &Target,
) -> Result<Vec<String>, UnknownTarget> {
    let mut names: Vec<&str> = applied.iter().map(|row| row.name.as_str()).collect();
    let layout = registry.layout;
    names.sort_by(|left, right| layout.compare_names(right, left));
    let names: Vec<&str> = match target {
        Target::Latest => Vec::new(),
        Target::Back(n) => names.into_iter().take(*n).collect(),
        Target::To(name) => {
            let of_history = names.iter().copied().find(|applied| is_named(layout, applied, name));
            let last = last_of(registry, name)
                .or(of_history)
                .ok_or_else(|| UnknownTarget::Name(name.clone()))?;
            names
                .into_iter()
                .filter(|applied| layout.compare_names(applied, last).is_gt())
                .collect()
        }
    };
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// The last migration with that name or version.
fn last_of(registry: &Registry, name_or_version: &str) -> Option<&'static str> {
    let mut names = registry.iter().map(Migration::name);
    names.rfind(|name| is_named(registry.layout, name, name_or_version))
}

fn is_named(layout: Layout, name: &str, name_or_version: &str) -> bool {
    name == name_or_version
        || layout
            .version(name_or_version)
            .is_some_and(|wanted| layout.split(name).is_some_and(|(version, _)| version == wanted))
}

#[cfg(test)]
mod tests {
    use dunlin_core::VersionKind;

    use super::*;
    use crate::registry::generated;

    const fn sql(
        name: &'static str,
        kind: VersionKind,
        version: &'static str,
        checksum: &'static [u8; 32],
    ) -> Migration {
        let kind = kind.__number();
        generated::sql(name, kind, version, checksum, "x.sql", "SELECT 1;\n", "", true)
    }

    const LIST: &[Migration] = &[
        sql("20250101-a", VersionKind::Timestamp, "20250101", &[1; 32]),
        sql("20250202-b", VersionKind::Timestamp, "20250202", &[2; 32]),
        sql("20250202-c", VersionKind::Timestamp, "20250202", &[3; 32]),
        sql("20250303-d", VersionKind::Timestamp, "20250303", &[4; 32]),
    ];
    const REGISTRY: Registry = generated::registry(LIST, 0, "migrations", "migrations", None, &[]);

    fn row(name: &str) -> Applied {
        Applied {
            id: 0,
            name: name.to_owned(),
            executed_at: None,
            checksum: REGISTRY.get(name).map(|migration| migration.checksum.to_string()),
            kind: None,
            duration: None,
            applied_by: None,
            application: None,
            progress: None,
            has_down_text: false,
            is_breaking: false,
        }
    }

    fn rows(names: &[&str]) -> Vec<Applied> {
        names.iter().map(|name| row(name)).collect()
    }

    #[track_caller]
    fn check_plan(applied: &[&str], target: impl Into<Target>, expected: &[&str]) {
        let plan = plan(&REGISTRY, &rows(applied), &target.into()).unwrap();
        let steps: Vec<_> = plan.steps.iter().map(|step| step.migration.name).collect();
        assert_eq!(steps, expected);
    }

    #[test]
    fn what_is_not_applied_is_pending_wherever_it_stands() {
        check_plan(&[], Target::Latest, &["20250101-a", "20250202-b", "20250202-c", "20250303-d"]);
        check_plan(&["20250101-a", "20250202-c"], Target::Latest, &["20250202-b", "20250303-d"]);
        check_plan(&["20250101-a", "20250202-b", "20250202-c", "20250303-d"], Target::Latest, &[]);
    }

    #[test]
    fn a_target_is_a_name_or_a_version() {
        check_plan(&[], "20250202-b", &["20250101-a", "20250202-b"]);
        check_plan(&[], "20250202", &["20250101-a", "20250202-b", "20250202-c"]);
        assert_eq!(
            plan(&REGISTRY, &[], &"20240101".into()).unwrap_err(),
            UnknownTarget::Name("20240101".to_owned())
        );
    }

    #[test]
    fn late_migrations_are_marked_and_never_skipped() {
        let plan = plan(&REGISTRY, &rows(&["20250101-a", "20250202-c"]), &Target::Latest).unwrap();
        assert_eq!(plan.steps.iter().map(|step| step.is_late).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn drift_is_found_and_listed_whole() {
        let mut applied =
            rows(&["20250101-a", "20250202-c", "20250102-gone", "20990101-ahead", "init"]);
        applied[0].checksum = Some("sha256:00".to_owned());
        let names = |policies| {
            drift(&REGISTRY, &applied, policies)
                .iter()
                .map(|it| it.name().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Policies::default()), ["20250101-a", "20250102-gone", "init"]);
        assert_eq!(
            names(Policies { strict_order: true, ..Policies::default() }),
            ["20250101-a", "20250102-gone", "20250202-b", "20250303-d", "init"]
        );
    }

    #[test]
    fn a_renamed_file_is_drift_and_not_a_new_migration() {
        // The newest one, under a later name, an earlier name, and another date.
        for old in ["20250303-dd", "20250303-c", "20260101-d"] {
            let mut applied = rows(&["20250101-a", "20250202-b", "20250202-c", old]);
            applied[3].checksum = Some(REGISTRY.migrations[3].checksum.to_string());
            let found = drift(&REGISTRY, &applied, Policies::default());
            assert!(
                matches!(found.as_slice(), [Drift::Renamed { to, .. }] if to == "20250303-d"),
                "{old}: {found:?}"
            );
        }
    }

    #[test]
    fn a_second_name_for_a_version_is_never_newer() {
        const COUNTERS: &[Migration] = &[sql("3_seed", VersionKind::Counter, "3", &[1; 32])];
        let registry = Registry { migrations: COUNTERS, ..REGISTRY };
        assert!(!is_ahead(&registry, "3_seeds"));
        assert!(!is_ahead(&registry, "0003_zzz"));
        assert!(is_ahead(&registry, "4_a"));
    }

    #[test]
    fn a_history_with_nothing_of_the_build_is_not_ahead_of_it() {
        let found = drift(&REGISTRY, &rows(&["20990101-x", "20990102-y"]), Policies::default());
        let is_missing = |it: &Drift| matches!(it, Drift::Missing { .. });
        assert!(found.len() == 2 && found.iter().all(is_missing), "{found:?}");
        let applied = rows(&["20250101-a", "20990101-x"]);
        assert_eq!(drift(&REGISTRY, &applied, Policies::default()), []);
        assert_eq!(drift(&Registry::EMPTY, &applied, Policies::default()), []);
    }

    #[test]
    fn an_adopted_row_is_no_drift() {
        let mut applied = rows(&["20250101-a"]);
        applied[0].checksum = None;
        assert_eq!(drift(&REGISTRY, &applied, Policies::default()), []);
    }

    #[test]
    fn an_unfinished_migration_is_a_step_and_no_drift() {
        let mut applied = rows(&["20250101-a"]);
        applied[0].checksum = Some("sha256:00".to_owned());
        applied[0].progress = Some(Progress { n_done: 1, n_begun: 1, n_statements: 3 });
        assert_eq!(drift(&REGISTRY, &applied, Policies::default()), []);
        let plan = plan(&REGISTRY, &applied, &Target::Latest).unwrap();
        assert_eq!(plan.steps[0].progress, applied[0].progress);
        assert!(!plan.steps[0].is_late);
    }

    #[test]
    fn undoing_goes_backwards_in_the_order_of_versions() {
        let applied = rows(&["20250303-d", "20250101-a", "20250202-b"]);
        let names = |target: Target| undo(&REGISTRY, &applied, &target).unwrap();
        assert_eq!(names(2.into()), ["20250303-d", "20250202-b"]);
        assert_eq!(names(9.into()), ["20250303-d", "20250202-b", "20250101-a"]);
        assert_eq!(names("20250101".into()), ["20250303-d", "20250202-b"]);
        assert_eq!(names("20250202-c".into()), ["20250303-d"]);
    }

    #[test]
    fn newer_rows_than_the_build_are_ahead() {
        let plan =
            plan(&REGISTRY, &rows(&["20250303-d", "20250303-e", "20990101-x"]), &Target::Latest)
                .unwrap();
        assert_eq!(plan.ahead, ["20250303-e", "20990101-x"]);
        assert!(!is_ahead(&REGISTRY, "5_counter"));
        assert!(is_ahead(&Registry::EMPTY, "5_counter"));
    }
}
