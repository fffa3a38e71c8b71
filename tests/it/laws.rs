//! What holds of plans, whatever has been applied and whatever the build has.

use std::collections::BTreeSet;
use std::sync::Mutex;

use dunlin::{Drift, ErrorKind, Migrator, Registry};
use dunlin_tests::{TestDatabase, registry, rendered};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// How many migrations there are altogether, in both builds.
const N: usize = 6;

/// A migration in the second build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Absent,
    Same,
    Edited,
}

/// A first build was applied to the database; then comes a second.
#[derive(Clone, Debug)]
struct Case {
    first: [bool; N],
    second: [Second; N],
    strict_order: bool,
    n_back: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let second = prop_oneof![
        2 => Just(Second::Absent),
        5 => Just(Second::Same),
        1 => Just(Second::Edited),
    ];
    let second = prop::array::uniform(second);
    (prop::array::uniform(any::<bool>()), second, any::<bool>(), 0..=N).prop_map(
        |(first, second, strict_order, n_back)| Case { first, second, strict_order, n_back },
    )
}

/// Written so that neither the order of texts nor that of files is the order of versions.
fn name(n: usize) -> String {
    format!("{}_t{n}", n + 7)
}

fn build(members: impl Iterator<Item = (usize, bool)>) -> Registry {
    let files: Vec<_> = members
        .flat_map(|(n, is_edited)| {
            let column = if is_edited { "bigint" } else { "int" };
            let name = name(n);
            [
                (format!("{name}.sql"), format!("CREATE TABLE t{n} (id {column});\n")),
                (format!("{name}.down.sql"), format!("DROP TABLE t{n};\n")),
            ]
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    registry(&files)
}

impl Case {
    fn first(&self) -> impl Iterator<Item = usize> {
        (0..N).filter(|&n| self.first[n])
    }

    fn second(&self) -> impl Iterator<Item = usize> {
        (0..N).filter(|&n| self.second[n] != Second::Absent)
    }

    /// What stands against the second build, by its definition.
    fn drift(&self) -> Vec<(&'static str, String)> {
        let (newest_applied, newest_known) = (self.first().max(), self.second().max());
        // What has nothing of a build is not ahead of it.
        let is_other = newest_known.is_some() && self.second().all(|n| !self.first[n]);
        let drift = |n: usize| match (self.first[n], self.second[n]) {
            (true, Second::Edited) => Some("changed"),
            (true, Second::Absent) if is_other || Some(n) < newest_known => Some("missing"),
            (false, Second::Same | Second::Edited)
                if self.strict_order && Some(n) < newest_applied =>
            {
                Some("late")
            }
            _ => None,
        };
        (0..N).filter_map(|n| Some((drift(n)?, name(n)))).collect()
    }
}

fn written(drift: &Drift) -> (&'static str, String) {
    let kind = match drift {
        Drift::Changed { .. } => "changed",
        Drift::Missing { .. } => "missing",
        Drift::Late { .. } => "late",
        _ => "of a kind these laws do not know",
    };
    (kind, drift.name().to_owned())
}

async fn tables(database: &TestDatabase) -> BTreeSet<String> {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('migrations', 'migrations_log')";
    database.texts(tables).await.into_iter().collect()
}

fn tables_of(members: impl Iterator<Item = usize>) -> BTreeSet<String> {
    members.map(|n| format!("t{n}")).collect()
}

/// Checks one case and says whether there was a plan.
async fn check(database: &TestDatabase, case: &Case) -> bool {
    database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    let first = build(case.first().map(|n| (n, false)));
    let _report = Migrator::new(&first).apply(database.pool()).await.unwrap();
    let second = build(case.second().map(|n| (n, case.second[n] == Second::Edited)));
    let migrator = Migrator::new(&second).strict_order(case.strict_order);
    let planned = migrator.plan(database.pool()).await;
    let is_planned = planned.is_ok();
    match planned {
        Ok(plan) => {
            assert_eq!(case.drift(), []);
            let steps: Vec<_> =
                plan.steps().iter().map(|step| step.migration().name().to_owned()).collect();
            let pending: Vec<_> = case.second().filter(|&n| !case.first[n]).map(name).collect();
            assert_eq!(steps, pending);
            applies(database, case, &migrator, &steps).await;
        }
        Err(error) => {
            let found: Vec<_> = error.drift().iter().map(written).collect();
            assert_eq!(found, case.drift());
            assert_eq!(error.kind(), ErrorKind::Drift);
            let refused = migrator.apply(database.pool()).await.unwrap_err();
            assert_eq!(rendered(&refused), rendered(&error));
            assert_eq!(tables(database).await, tables_of(case.first()));
        }
    }
    assert_eq!(database.n_locks().await, 0);
    is_planned
}

/// A plan is what is applied; then there is nothing to do; what is undone can be applied again.
async fn applies(database: &TestDatabase, case: &Case, migrator: &Migrator<'_>, steps: &[String]) {
    let everything =
        tables_of((0..N).filter(|&n| case.first[n] || case.second[n] != Second::Absent));
    let report = migrator.apply(database.pool()).await.unwrap();
    let done: Vec<_> = report.done().iter().map(|done| done.name().to_owned()).collect();
    assert_eq!(done, steps);
    assert_eq!(report.n_total(), everything.len());
    assert_eq!(tables(database).await, everything);
    assert!(migrator.plan(database.pool()).await.unwrap().is_empty());
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());

    let report = migrator.roll_back(database.pool(), case.n_back).await.unwrap();
    let n_left = everything.len().saturating_sub(case.n_back);
    assert_eq!(report.n_total(), n_left);
    let left: BTreeSet<_> = everything.iter().take(n_left).cloned().collect();
    assert_eq!(tables(database).await, left);
    let report = migrator.apply(database.pool()).await.unwrap();
    let known_again = tables_of(case.second());
    assert_eq!(tables(database).await, &left | &known_again);
    assert_eq!(report.n_total(), (&left | &known_again).len());
}

#[test]
fn of_plans() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = {
        let _guard = runtime.enter();
        TestDatabase::new()
    };
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let seen = Mutex::new(BTreeSet::new());
    let outcome = runner.run(&cases(), |case| {
        let _is_new = seen.lock().unwrap().insert(runtime.block_on(check(&database, &case)));
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(seen.into_inner().unwrap().len(), 2, "some cases have a plan, some have drift");
}
