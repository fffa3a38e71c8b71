//! A run that is dropped at any of its awaits leaves nothing behind, and running again completes.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use dunlin::{Database, Migrator, Registry, Result};
use dunlin_tests::{Functions, Gate, TestDatabase, pool_of, registry_with, until};
use tokio_postgres::{Client, SimpleQueryMessage};

/// Two that travel together, one in Rust, one without a transaction.
fn migrations() -> Registry {
    registry_with(
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("1_a.down.sql", "DROP TABLE a;"),
            ("2_b.sql", "SET search_path = pg_catalog; CREATE TABLE public.b (id int);"),
            ("2_b.down.sql", "DROP TABLE b;"),
            (
                "4_d.sql",
                "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS d ON a (id);",
            ),
            ("4_d.down.sql", "-- dunlin: no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS d;"),
        ],
        &[Functions {
            name: "3_c",
            up: |cx| Box::pin(async { cx.batch_execute("CREATE TABLE c (id int)").await }),
            down: Some(|cx| Box::pin(async { cx.batch_execute("DROP TABLE c").await })),
        }],
    )
}

const NAMES: [&str; 4] = ["1_a", "2_b", "3_c", "4_d"];

/// When a future is dropped that is still pending after its last poll.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// Before anything it has sent can have left this process.
    AtOnce,
    /// When what it waits for is there, and it has not seen it.
    WhenWoken,
}

/// Polls a future so many times and drops it. Gives its output if it came so far.
pub(crate) async fn polled<T>(
    n: usize,
    moment: Moment,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut n_polls = 0;
    poll_fn(|cx| {
        if n_polls == n {
            return Poll::Ready(None);
        }
        n_polls += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if n_polls == n && matches!(moment, Moment::AtOnce) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What is run, and dropped.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Apply,
    RollBack,
}

impl Verb {
    /// Runs and gives the number of migrations that are applied then.
    async fn run(self, registry: &Registry, database: impl Database) -> Result<usize> {
        let migrator = Migrator::new(registry);
        let report = match self {
            Self::Apply => migrator.apply(database).await?,
            Self::RollBack => migrator.roll_back(database, NAMES.len()).await?,
        };
        Ok(report.n_total())
    }

    const fn n_applied_in_the_end(self) -> usize {
        match self {
            Self::Apply => NAMES.len(),
            Self::RollBack => 0,
        }
    }
}

/// A database on which runs are dropped, and an onlooker.
struct Sweep {
    database: TestDatabase,
    onlooker: Client,
    registry: Registry,
    /// How many rows the dropped runs left.
    seen: BTreeSet<usize>,
}

impl Sweep {
    async fn new() -> Self {
        let database = TestDatabase::new();
        let onlooker = database.client().await;
        Self { database, onlooker, registry: migrations(), seen: BTreeSet::new() }
    }

    /// Brings the database to where the verb begins.
    async fn begin(&self, verb: Verb) {
        let clean = "DROP TABLE IF EXISTS migrations, a, b, c";
        self.onlooker.batch_execute(clean).await.unwrap();
        if matches!(verb, Verb::RollBack) {
            let mut client = self.database.client().await;
            let _n = Verb::Apply.run(&self.registry, &mut client).await.unwrap();
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        self.onlooker.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until the server has done away with every connection but ours.
    async fn only_the_onlooker_is_left(&self) {
        until("the connections are gone", async || {
            self.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                .await
                == 1
        })
        .await;
    }

    async fn no_lock_is_held(&self) {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(self.number(locks).await, 0);
    }

    /// A migration has its row exactly if what it makes is there.
    async fn history_and_schema_agree(&mut self) {
        let exists = "SELECT count(*) FROM pg_class WHERE relname = 'migrations'";
        let rows = if self.number(exists).await == 1 {
            let names = "SELECT name FROM migrations WHERE statements_done IS NOT DISTINCT FROM statements ORDER BY name";
            self.onlooker.query(names, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
        } else {
            Vec::<String>::new()
        };
        let made = "SELECT relname FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid WHERE relname IN ('a', 'b', 'c', 'd') AND indisvalid IS NOT FALSE ORDER BY relname";
        let made = self.onlooker.query(made, &[]).await.unwrap();
        let made: Vec<String> = made.iter().map(|row| row.get(0)).collect();
        for name in NAMES {
            let (is_recorded, is_made) =
                (rows.iter().any(|row| row == name), made.iter().any(|it| name.ends_with(it)));
            // The statements of the last come before its row, or before its row goes.
            let agree = is_recorded == is_made || name == "4_d";
            assert!(agree, "{name}: rows {rows:?}, made {made:?}");
        }
        let _is_new = self.seen.insert(rows.len());
    }

    async fn running_again_completes(&self, verb: Verb) {
        let mut client = self.database.client().await;
        let n_applied = verb.run(&self.registry, &mut client).await.unwrap();
        assert_eq!(n_applied, verb.n_applied_in_the_end());
        self.no_lock_is_held().await;
    }

    /// Some of the dropped runs came nowhere, some part of the way.
    fn was_thorough(&self, n_dropped: usize) {
        assert!(n_dropped > 10, "{n_dropped}");
        assert!(self.seen.len() > 2, "{:?}", self.seen);
    }
}

async fn on_a_pool(verb: Verb, moment: Moment) {
    let mut sweep = Sweep::new().await;
    for n in 1.. {
        sweep.begin(verb).await;
        let outcome = {
            let pool = pool_of(1, &sweep.database.connection_string());
            polled(n, moment, verb.run(&sweep.registry, &pool)).await
        };
        sweep.only_the_onlooker_is_left().await;
        sweep.history_and_schema_agree().await;
        sweep.running_again_completes(verb).await;
        if let Some(outcome) = outcome {
            assert_eq!(outcome.unwrap(), verb.n_applied_in_the_end());
            return sweep.was_thorough(n - 1);
        }
    }
}

#[tokio::test]
async fn apply_on_a_pool_is_dropped_before_anything_leaves() {
    on_a_pool(Verb::Apply, Moment::AtOnce).await;
}

#[tokio::test]
async fn apply_on_a_pool_is_dropped_when_the_answer_is_there() {
    on_a_pool(Verb::Apply, Moment::WhenWoken).await;
}

#[tokio::test]
async fn roll_back_on_a_pool_is_dropped_when_the_answer_is_there() {
    on_a_pool(Verb::RollBack, Moment::WhenWoken).await;
}

/// What an application may have done to its connection before it migrates on it.
const OWN_SETTINGS: &str = "CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}; \
     SET statement_timeout = '77s'; SET search_path = public, pg_temp; SET ROLE {role}";

const QUESTION: &str = "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('search_path'), \
     current_user = current_setting('role'), current_user = session_user, now() < statement_timestamp(), \
     (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))";

/// The timeout, the path, whether the role is one that was set, whether it is the user's own, whether
/// a transaction is open, and how many locks are held.
const INTACT: &str = "77s public, pg_temp t f f 0";

/// The next statement on the connection is behind everything the dropped run has left to do.
async fn is_intact(client: &Client) {
    assert_eq!(answer(client).await, INTACT);
    client.batch_execute("BEGIN; CREATE TABLE mine (id int); ROLLBACK").await.unwrap();
}

/// One message, so that the statement's time is the transaction's.
async fn answer(client: &Client) -> String {
    let answers = client.simple_query(QUESTION).await.unwrap();
    let row = answers.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.unwrap().to_owned()
}

#[tokio::test]
async fn a_client_is_usable_after_a_dropped_run() {
    for verb in [Verb::Apply, Verb::RollBack] {
        for moment in [Moment::AtOnce, Moment::WhenWoken] {
            on_a_client(verb, moment).await;
        }
    }
}

async fn on_a_client(verb: Verb, moment: Moment) {
    let mut sweep = Sweep::new().await;
    let mut client = sweep.database.client().await;
    let role: String =
        client.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    client.batch_execute(&OWN_SETTINGS.replace("{role}", &role)).await.unwrap();
    for n in 1.. {
        sweep.onlooker.batch_execute("DROP TABLE IF EXISTS migrations, a, b, c").await.unwrap();
        if matches!(verb, Verb::RollBack) {
            let _n = Verb::Apply.run(&sweep.registry, &mut client).await.unwrap();
        }
        let outcome = polled(n, moment, verb.run(&sweep.registry, &mut client)).await;
        is_intact(&client).await;
        sweep.no_lock_is_held().await;
        sweep.history_and_schema_agree().await;
        let n_applied = verb.run(&sweep.registry, &mut client).await.unwrap();
        assert_eq!(n_applied, verb.n_applied_in_the_end());
        is_intact(&client).await;
        if outcome.is_some() {
            sweep.was_thorough(n - 1);
            break;
        }
    }
    drop(client);
    let drop_role = format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    sweep.onlooker.batch_execute(&drop_role).await.unwrap();
}

#[tokio::test]
async fn a_pooled_object_is_usable_after_a_dropped_run() {
    let mut sweep = Sweep::new().await;
    let pool = pool_of(1, &sweep.database.connection_string());
    for n in 1.. {
        sweep.onlooker.batch_execute("DROP TABLE IF EXISTS migrations, a, b, c").await.unwrap();
        let outcome = {
            let mut object = pool.get().await.unwrap();
            polled(n, Moment::AtOnce, Verb::Apply.run(&sweep.registry, &mut object)).await
        };
        // Whoever gets the connection next finds it as it was.
        let object = pool.get().await.unwrap();
        assert_eq!(answer(&object).await, "0 \"$user\", public f t f 0");
        sweep.no_lock_is_held().await;
        sweep.history_and_schema_agree().await;
        sweep.running_again_completes(Verb::Apply).await;
        if outcome.is_some() {
            return sweep.was_thorough(n - 1);
        }
    }
}

/// The lock is somebody else's all the time: it is neither taken nor given away.
#[tokio::test]
async fn a_client_is_usable_after_a_dropped_wait() {
    let database = TestDatabase::new();
    let registry = migrations();
    let gate = database.gate().await;
    let blocked = registry_with(&[("1_a.sql", Gate::PASS)], &[]);
    let pool = database.pool().clone();
    let holder = tokio::spawn(async move { Migrator::new(&blocked).apply(&pool).await });
    database.at_gate(1).await;
    let mut client = database.client().await;
    for moment in [Moment::AtOnce, Moment::WhenWoken] {
        for n in 1..12 {
            let outcome = polled(n, moment, Verb::Apply.run(&registry, &mut client)).await;
            assert!(outcome.is_none());
            assert_eq!(answer(&client).await, "0 \"$user\", public f t f 0");
            assert_eq!(database.n_locks().await, 1);
        }
    }
    gate.open().await;
    assert_eq!(holder.await.unwrap().unwrap().n_total(), 1);
}
