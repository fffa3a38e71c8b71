//! With the feature `tracing`, a run is a span, each migration is one inside it, and what is told is
//! told there.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use dunlin::{Migrator, Registry};
use dunlin_tests::{Functions, TestDatabase, registry, registry_with};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Dispatch, Event, Instrument, Metadata, Subscriber};
use tracing_core::span::Current;

/// Keeps what is told, each with the spans it is told in. Only what Dunlin and these tests tell: the
/// pool and the driver have spans of their own.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Whether the application has switched the spans of runs off.
    hides_runs: bool,
    spans: HashMap<u64, Span>,
    entered: Vec<Id>,
    lines: Vec<String>,
}

struct Span {
    metadata: &'static Metadata<'static>,
    fields: Fields,
}

#[derive(Clone, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

impl Fields {
    /// What does not differ from run to run.
    fn shown(&self) -> String {
        let is_shown = |name: &str| !["database", "duration_ms", "elapsed_ms"].contains(&name);
        let shown = self.0.iter().filter(|(name, _)| is_shown(name));
        shown.map(|(name, value)| format!(" {name}={value}")).collect()
    }
}

impl Log {
    fn start(&self) -> DefaultGuard {
        // While there is only one subscriber, `tracing` asks nobody but the thread that comes to a place
        // first whether anybody listens there, and that may be one of another test.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        let _second = SECOND.get_or_init(|| Dispatch::new(Self::default()));
        set_default(self.clone())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.0.lock().unwrap().lines);
        // Whether something takes long enough to be told so differs from run to run.
        lines.retain(|line| !line.contains("message=still running"));
        lines
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_hidden = self.0.lock().unwrap().hides_runs && metadata.name() == "migrate";
        !is_hidden && ["dunlin", "it::traces"].contains(&metadata.target())
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut state = self.0.lock().unwrap();
        let id = state.spans.len() as u64 + 1;
        let span = Span { metadata: attributes.metadata(), fields };
        assert!(state.spans.insert(id, span).is_none());
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut state = self.0.lock().unwrap();
        values.record(&mut state.spans.get_mut(&id.into_u64()).unwrap().fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut state = self.0.lock().unwrap();
        let path: String = state
            .entered
            .iter()
            .map(|id| &state.spans[&id.into_u64()])
            .map(|span| format!("{}{} > ", span.metadata.name(), span.fields.shown()))
            .collect();
        let level = event.metadata().level();
        state.lines.push(format!("{level} {path}{}", fields.shown().trim_start()));
    }

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().entered.push(id.clone());
    }

    fn exit(&self, id: &Id) {
        let mut state = self.0.lock().unwrap();
        assert_eq!(state.entered.pop().as_ref(), Some(id));
    }

    fn current_span(&self) -> Current {
        let state = self.0.lock().unwrap();
        match state.entered.last() {
            Some(id) => Current::new(id.clone(), state.spans[&id.into_u64()].metadata),
            None => Current::none(),
        }
    }
}

fn migrations() -> Registry {
    registry_with(
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("1_a.down.sql", "DROP TABLE a;"),
            ("2_b.sql", "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY b ON a (id);"),
        ],
        &[Functions {
            name: "3_c",
            up: |cx| {
                Box::pin(async {
                    tracing::info!("said by a migration");
                    cx.progress("Did something");
                    Ok(())
                })
            },
            down: None,
        }],
    )
}

#[tokio::test]
async fn each_migration_is_a_span_in_the_span_of_its_run() {
    let (database, log) = (TestDatabase::new(), Log::default());
    let migrations = migrations();
    let guard = log.start();
    let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    let run = r#"migrate direction="up" table="public"."migrations""#;
    let migration = |name: &str, version: &str| {
        format!(
            r#"{run} > migration name="{name}" version="{version}" direction="up" table="\"public\".\"migrations\"""#
        )
    };
    let (a, b, c) = (migration("1_a", "1"), migration("2_b", "2"), migration("3_c", "3"));
    let expected = [
        "DEBUG migrate direction=\"up\" > message=looking where the database stands".to_owned(),
        format!(
            r#"INFO {run} > message=created the history table table="\"public\".\"migrations\"""#
        ),
        format!("INFO {run} > message=migrating n_pending=3"),
        format!("DEBUG {a} > message=the migration begins n_statements=1 n_skipped_statements=0"),
        format!("INFO {a} > message=Created a table"),
        format!("INFO {a} > message=the migration is done n_statements=1"),
        format!("DEBUG {b} > message=the migration begins n_statements=1 n_skipped_statements=0"),
        format!("DEBUG {b} > message=the statement begins statement=1 of 1, CREATE INDEX b"),
        format!("DEBUG {b} > message=the statement is done statement=1 of 1, CREATE INDEX b"),
        format!("INFO {b} > message=Created b index"),
        format!("INFO {b} > message=the migration is done n_statements=1"),
        format!("DEBUG {c} > message=the migration begins n_skipped_statements=0"),
        format!("INFO {c} > message=said by a migration"),
        format!("INFO {c} > message=Did something"),
        format!("INFO {c} > message=the migration is done"),
        format!("INFO {run} > message=everything is done n_done=3 n_total=3"),
    ];
    assert_eq!(log.lines(), expected);

    let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(
        log.lines(),
        [expected[0].clone(), format!("INFO {run} > message=nothing is pending n_applied=3")]
    );
    drop(guard);
    let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert!(log.lines().is_empty());
}

#[tokio::test]
async fn a_failure_is_an_error_and_an_end_without_a_result_a_warning() {
    let (database, log) = (TestDatabase::new(), Log::default());
    let broken = registry(&[("1_a.sql", "SELECT 1 / 0;")]);
    let _guard = log.start();
    let _error = Migrator::new(&broken).apply(database.pool()).await.unwrap_err();
    let lines = log.lines();
    let last = lines.last().unwrap();
    assert!(last.starts_with("ERROR migrate direction=\"up\" table="), "{last}");
    let fields = "message=the run has failed kind=\"migration\" migration=\"1_a\" code=\"22012\" \
         error=migration `1_a` failed: division by zero (22012)";
    assert!(last.ends_with(fields), "{last}");

    let gate = database.gate().await;
    let held = registry(&[("1_a.sql", dunlin_tests::Gate::PASS)]);
    let migrator = Migrator::new(&held);
    tokio::select! {
        result = migrator.apply(database.pool()) => panic!("{result:?}"),
        () = database.at_gate(1) => {}
    }
    let lines = log.lines();
    let last = lines.last().unwrap();
    assert!(last.starts_with("WARN migrate direction=\"up\" table="), "{last}");
    assert!(last.ends_with(" > message=the run was interrupted"), "{last}");
    gate.open().await;
}

/// Where those of runs are switched off, the span around a run is one of theirs.
#[tokio::test]
async fn the_spans_of_the_application_are_left_alone() {
    let (database, log) = (TestDatabase::new(), Log::default());
    log.0.lock().unwrap().hides_runs = true;
    let _guard = log.start();
    let span = tracing::info_span!("start", database = tracing::field::Empty);
    let run = async {
        let migrations = registry(&[]);
        Migrator::new(&migrations).apply(database.pool()).await
    };
    let _report = run.instrument(span).await.unwrap();
    let expected = [
        "DEBUG start > message=looking where the database stands",
        "INFO start > message=nothing is pending n_applied=0",
    ];
    assert_eq!(log.lines(), expected);
    let state = log.0.lock().unwrap();
    assert!(state.spans.values().all(|span| span.fields.0.is_empty()));
}
