//! A connection is cut at every message of a run, in both directions. After each cut history and
//! schema agree, and running again completes, with nothing lost and nothing done twice.
//!
//! `.ci/sweep` cuts at every message; the everyday run at a sample of them.

use std::pin::pin;

use dunlin::{Registry, Report, Result};
use dunlin_tests::{
    Chapter, Deed, Proxy, Side, Story, TALLY, TestDatabase, Verb, connect, pool_of, until,
};
use tokio_postgres::Client;

/// Empties a database, ten times as fast as another one is made.
pub(crate) const EMPTY: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";

const fn tallied(sql: &'static str, count: &'static str) -> Deed {
    Deed { sql, count, is_evident: false }
}

const fn evident(sql: &'static str, count: &'static str) -> Deed {
    Deed { sql, count, is_evident: true }
}

/// Transactional ones that travel together, one of which changes the session.
const WHOLE: Story = Story(&[
    Chapter {
        name: "1_users",
        is_whole: true,
        up: &[
            evident(
                "CREATE TABLE users (id int, name text)",
                "SELECT count(*) FROM pg_class WHERE relname = 'users'",
            ),
            tallied(
                "INSERT INTO tally VALUES ('1')",
                "SELECT count(*) FROM tally WHERE what = '1'",
            ),
        ],
        down: &[
            tallied(
                "INSERT INTO tally VALUES ('down 1')",
                "SELECT count(*) FROM tally WHERE what = 'down 1'",
            ),
            evident(
                "DROP TABLE users",
                "SELECT 1 - count(*) FROM pg_class WHERE relname = 'users'",
            ),
        ],
    },
    Chapter {
        name: "2_path",
        is_whole: true,
        up: &[
            tallied(
                "INSERT INTO tally VALUES ('2')",
                "SELECT count(*) FROM tally WHERE what = '2'",
            ),
            tallied(
                "SET search_path = pg_catalog; INSERT INTO public.tally VALUES ('2b')",
                "SELECT count(*) FROM tally WHERE what = '2b'",
            ),
        ],
        down: &[tallied(
            "INSERT INTO tally VALUES ('down 2')",
            "SELECT count(*) FROM tally WHERE what = 'down 2'",
        )],
    },
    Chapter {
        name: "3_deferred",
        is_whole: true,
        up: &[
            evident(
                "CREATE TABLE items (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
                "SELECT count(*) FROM pg_class WHERE relname = 'items'",
            ),
            tallied(
                "INSERT INTO tally VALUES ('3')",
                "SELECT count(*) FROM tally WHERE what = '3'",
            ),
        ],
        down: &[
            tallied(
                "INSERT INTO tally VALUES ('down 3')",
                "SELECT count(*) FROM tally WHERE what = 'down 3'",
            ),
            evident(
                "DROP TABLE items",
                "SELECT 1 - count(*) FROM pg_class WHERE relname = 'items'",
            ),
        ],
    },
]);

macro_rules! chapters {
    ($($name:literal)*) => {
        Story(&[$(Chapter {
            name: $name,
            is_whole: true,
            up: &[tallied(
                concat!("INSERT INTO tally VALUES ('", $name, "')"),
                concat!("SELECT count(*) FROM tally WHERE what = '", $name, "'"),
            )],
            down: &[],
        }),*])
    };
}

/// So many that what surrounds them is prepared.
const MANY: Story = chapters! {
    "1_a" "2_b" "3_c" "4_d" "5_e" "6_f" "7_g" "8_h" "9_i" "10_j" "11_k" "12_l" "13_m" "14_n" "15_o" "16_p"
    "17_q" "18_r"
};

/// Files without a transaction between others. The undo leaves the table, where its traces are.
pub(crate) const MIXED: Story = Story(&[
    Chapter {
        down: &[tallied(
            "INSERT INTO tally VALUES ('down 1')",
            "SELECT count(*) FROM tally WHERE what = 'down 1'",
        )],
        ..WHOLE.0[0]
    },
    Chapter {
        name: "2_mood",
        is_whole: true,
        up: &[
            evident(
                "CREATE TYPE mood AS ENUM ('ok'); CREATE INDEX users_old ON users (name, id); ALTER TABLE users ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
                "SELECT count(*) FROM pg_type WHERE typname = 'mood'",
            ),
            tallied(
                "INSERT INTO tally VALUES ('2')",
                "SELECT count(*) FROM tally WHERE what = '2'",
            ),
        ],
        down: &[evident(
            "DROP TYPE mood",
            "SELECT 1 - count(*) FROM pg_type WHERE typname = 'mood'",
        )],
    },
    Chapter {
        name: "3_index",
        is_whole: false,
        up: &[
            evident(
                "CREATE INDEX CONCURRENTLY users_id ON users (id)",
                "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relname = 'users_id' AND indisvalid",
            ),
            tallied(
                "INSERT INTO tally VALUES ('3')",
                "SELECT count(*) FROM tally WHERE what = '3'",
            ),
            evident(
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (lower(name)) WHERE id > 5",
                "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relname = 'users_name' AND indisvalid",
            ),
            evident(
                "ALTER TYPE mood ADD VALUE 'sad'",
                "SELECT count(*) FROM pg_enum WHERE enumlabel = 'sad'",
            ),
        ],
        down: &[
            evident(
                "DROP INDEX CONCURRENTLY users_id",
                "SELECT 1 - count(*) FROM pg_class WHERE relname = 'users_id'",
            ),
            tallied(
                "INSERT INTO tally VALUES ('down 3')",
                "SELECT count(*) FROM tally WHERE what = 'down 3'",
            ),
            evident(
                "DROP INDEX CONCURRENTLY IF EXISTS users_name",
                "SELECT 1 - count(*) FROM pg_class WHERE relname = 'users_name'",
            ),
        ],
    },
    Chapter {
        name: "4_whole",
        is_whole: true,
        up: &[tallied(
            "INSERT INTO tally VALUES ('4')",
            "SELECT count(*) FROM tally WHERE what = '4'",
        )],
        down: &[tallied(
            "INSERT INTO tally VALUES ('down 4')",
            "SELECT count(*) FROM tally WHERE what = 'down 4'",
        )],
    },
    Chapter {
        name: "5_drop",
        is_whole: false,
        up: &[
            evident(
                "DROP INDEX CONCURRENTLY users_old",
                "SELECT 1 - count(*) FROM pg_class WHERE relname = 'users_old'",
            ),
            evident(
                "REINDEX INDEX CONCURRENTLY users_id",
                "SELECT count(*) FROM pg_class i WHERE relname = 'users_id' AND oid > (SELECT oid FROM pg_class WHERE relname = 'users_name')",
            ),
            evident(
                "ALTER TABLE users VALIDATE CONSTRAINT positive",
                "SELECT count(*) FROM pg_constraint WHERE conname = 'positive' AND convalidated",
            ),
        ],
        down: &[evident(
            "CREATE INDEX CONCURRENTLY users_old ON users (name, id)",
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relname = 'users_old' AND indisvalid",
        )],
    },
]);

/// What a run is given.
#[derive(Clone, Copy, Debug)]
enum On {
    Client,
    Pool,
}

/// What is swept.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    name: &'static str,
    story: Story,
    /// How many chapters are applied before.
    n_before: usize,
    verb: Verb,
    on: On,
}

/// What a sweep has seen.
#[derive(Debug, Default)]
struct Figures {
    n_cuts: usize,
    /// Runs that completed although they were cut.
    n_by_itself: usize,
    /// How often a person had to say what became of a statement.
    n_chosen: usize,
    n_lost: usize,
    n_twice: usize,
}

/// At how many messages the connection is not cut between two at which it is.
pub(crate) fn stride(n_everyday: usize) -> usize {
    match std::env::var("DUNLIN_SWEEP").as_deref() {
        Ok("full") => 1,
        _ => n_everyday,
    }
}

impl Scenario {
    /// Cuts at each message of one side until a run has none left.
    #[expect(clippy::print_stdout, reason = "`.ci/sweep` adds the figures up")]
    async fn sweep(self, side: Side, n_everyday: usize) {
        let registry = self.story.registry(self.story.0.len());
        let before = self.story.registry(self.n_before);
        let database = TestDatabase::new();
        let mut figures = Figures::default();
        for n in (0..).step_by(stride(n_everyday)) {
            // Ten times as fast as another database.
            let mut client = database.client().await;
            client.batch_execute(EMPTY).await.unwrap();
            client.batch_execute(TALLY).await.unwrap();
            let _report = self.story.run(Verb::Apply, &before, &mut client).await.unwrap();
            drop(client);
            if !self.cut(&database, &registry, side, n, &mut figures).await {
                break;
            }
        }
        let Figures { n_cuts, n_by_itself, n_chosen, n_lost, n_twice } = figures;
        println!(
            "sweep: {} from {side:?}: cuts {n_cuts} completed-by-itself {n_by_itself} asked-a-person {n_chosen} lost {n_lost} twice {n_twice}",
            self.name
        );
        assert!(n_cuts > 3, "{n_cuts}");
        assert_eq!((n_lost, n_twice), (0, 0));
    }

    /// One run that is cut at one message. Gives whether it came so far.
    async fn cut(
        self,
        database: &TestDatabase,
        registry: &Registry,
        side: Side,
        n: usize,
        figures: &mut Figures,
    ) -> bool {
        let Self { story, verb, on, .. } = self;
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut through = match on {
            On::Client => Some(connect(proxy.connection_string()).await),
            On::Pool => None,
        };
        let mut moment = proxy.hold(side, n);
        let outcome = {
            let pool = pool_of(1, proxy.connection_string());
            let mut run = pin!(async {
                match &mut through {
                    Some(client) => story.run(verb, registry, client).await,
                    None => story.run(verb, registry, &pool).await,
                }
            });
            tokio::select! {
                biased;
                outcome = &mut run => Ok(outcome),
                () = moment.comes() => {
                    moment.cut();
                    Err(run.await)
                }
            }
        };
        drop((through, proxy));
        let (was_cut, outcome) = match outcome {
            Ok(outcome) => (false, outcome),
            Err(outcome) => (true, outcome),
        };
        let mut onlooker = database.client().await;
        only_we_are_connected(&onlooker).await;
        let context = format!("{} {side:?} {n}: {outcome:?}", self.name);
        let harm = story.look(verb, &onlooker, &said(&outcome)).await;
        if was_cut {
            figures.n_cuts += 1;
            figures.n_by_itself += usize::from(outcome.is_ok());
            figures.n_lost += harm.n_lost;
            figures.n_twice += harm.n_twice;
            assert_eq!((harm.n_lost, harm.n_twice), (0, 0), "{context}");
        } else if let Err(error) = outcome {
            panic!("it was not cut: {error:#}");
        }
        figures.n_chosen += story.complete(verb, registry, &mut onlooker).await;
        let harm = story.is_complete(verb, &onlooker).await;
        figures.n_lost += harm.n_lost;
        figures.n_twice += harm.n_twice;
        assert_eq!((harm.n_lost, harm.n_twice), (0, 0), "{context}");
        assert_eq!(database.n_locks().await, 0, "{context}");
        was_cut
    }
}

/// What a run says it has done.
pub(crate) fn said(outcome: &Result<Report>) -> Vec<String> {
    let report = match outcome {
        Ok(report) => Some(report),
        Err(error) => error.report(),
    };
    let done = report.map(Report::done).unwrap_or_default();
    done.iter().map(|done| done.name().to_owned()).collect()
}

/// Waits until the server has done away with every other connection.
pub(crate) async fn only_we_are_connected(onlooker: &Client) {
    until("the other connections are gone", async || {
        let question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
        onlooker.query_one(question, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
}

const FRESH: Scenario = Scenario {
    name: "fresh apply on a client",
    story: WHOLE,
    n_before: 0,
    verb: Verb::Apply,
    on: On::Client,
};
const FRESH_ON_POOL: Scenario = Scenario { name: "fresh apply on a pool", on: On::Pool, ..FRESH };
const MANY_FRESH: Scenario = Scenario { name: "fresh apply of many", story: MANY, ..FRESH };
const PENDING: Scenario = Scenario { name: "apply with pending", n_before: 1, ..FRESH };
const STATEMENTS: Scenario = Scenario {
    name: "files without a transaction",
    story: MIXED,
    n_before: 2,
    verb: Verb::Apply,
    on: On::Client,
};
const STATEMENTS_ON_POOL: Scenario =
    Scenario { name: "files without a transaction on a pool", on: On::Pool, ..STATEMENTS };
const UNDO: Scenario = Scenario { name: "undo", n_before: 3, verb: Verb::RollBack, ..FRESH };
const UNDO_ON_POOL: Scenario = Scenario { name: "undo on a pool", on: On::Pool, ..UNDO };
const UNDO_STATEMENTS: Scenario = Scenario {
    name: "undo without a transaction",
    n_before: 5,
    verb: Verb::RollBack,
    ..STATEMENTS
};

const UNDO_STATEMENTS_ON_POOL: Scenario =
    Scenario { name: "undo without a transaction on a pool", on: On::Pool, ..UNDO_STATEMENTS };

#[tokio::test]
async fn fresh_apply() {
    FRESH.sweep(Side::Client, 3).await;
    FRESH.sweep(Side::Server, 23).await;
}

#[tokio::test]
async fn fresh_apply_on_a_pool() {
    FRESH_ON_POOL.sweep(Side::Client, 3).await;
    FRESH_ON_POOL.sweep(Side::Server, 23).await;
}

#[tokio::test]
async fn fresh_apply_of_many() {
    MANY_FRESH.sweep(Side::Client, 11).await;
    MANY_FRESH.sweep(Side::Server, 61).await;
}

#[tokio::test]
async fn apply_with_pending() {
    PENDING.sweep(Side::Client, 3).await;
    PENDING.sweep(Side::Server, 23).await;
}

#[tokio::test]
async fn files_without_a_transaction() {
    STATEMENTS.sweep(Side::Client, 5).await;
    STATEMENTS.sweep(Side::Server, 29).await;
}

#[tokio::test]
async fn files_without_a_transaction_on_a_pool() {
    STATEMENTS_ON_POOL.sweep(Side::Client, 5).await;
    STATEMENTS_ON_POOL.sweep(Side::Server, 29).await;
}

#[tokio::test]
async fn undo() {
    UNDO.sweep(Side::Client, 3).await;
    UNDO.sweep(Side::Server, 23).await;
}

#[tokio::test]
async fn undo_without_a_transaction() {
    UNDO_STATEMENTS.sweep(Side::Client, 5).await;
    UNDO_STATEMENTS.sweep(Side::Server, 29).await;
}

#[tokio::test]
async fn undo_on_a_pool() {
    UNDO_ON_POOL.sweep(Side::Client, 3).await;
    UNDO_ON_POOL.sweep(Side::Server, 23).await;
}

#[tokio::test]
async fn undo_without_a_transaction_on_a_pool() {
    UNDO_STATEMENTS_ON_POOL.sweep(Side::Client, 7).await;
    UNDO_STATEMENTS_ON_POOL.sweep(Side::Server, 41).await;
}
