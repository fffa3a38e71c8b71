//! What happens when an application starts.

use dunlin::Migrator;

use dunlin_tests::{Recorder, TestDatabase};

static SAMPLES: dunlin::Registry = dunlin::embed_migrations!("../migrations");

#[tokio::test]
async fn the_first_start_applies_everything_and_the_second_nothing() {
    let database = TestDatabase::new();
    let first = Recorder::default();
    let report =
        Migrator::new(&SAMPLES).observer(first.clone()).apply(database.pool()).await.unwrap();
    println!("{}", first.text());
    assert_eq!(report.done().len(), 14);
    assert_eq!(report.n_total(), 14);
    assert!(report.history_created());

    let second = Recorder::default();
    let report =
        Migrator::new(&SAMPLES).observer(second.clone()).apply(database.pool()).await.unwrap();
    assert!(report.is_noop());
    assert_eq!(second.lines(), ["✅ All migrations are up-to-date (no new migrations to run)"]);
    let report = Migrator::new(&SAMPLES)
        .observer(second.clone())
        .roll_back(database.pool(), 14)
        .await
        .unwrap();
    println!("{} {}", report.done().len(), second.text());
}
