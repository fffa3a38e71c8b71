//! A run is struck at a message: its process is killed, its session is ended, or the server stops at
//! once and starts again. Afterwards history and schema agree, and running again completes.

use std::pin::pin;

use dunlin::{Migrator, Registry};
use dunlin_sandbox::Server;
use dunlin_tests::{
    Functions, Proxy, Side, TALLY, TestDatabase, Verb, connect, pool_of, registry, registry_with,
    until,
};
use tokio_postgres::{Client, Config, NoTls};

use crate::cuts::{EMPTY, MIXED, only_we_are_connected, said, stride};

/// A blow takes longer than a cut: the full sweep strikes at each message of the client and at every
/// fifth or so of the many of the server.
fn points(n_everyday: usize) -> usize {
    match stride(n_everyday) {
        1 => (n_everyday / 10).max(1),
        n => n,
    }
}

/// Ends the session at each message of one side until a run has none left.
async fn session_is_ended(verb: Verb, n_before: usize, side: Side, n_everyday: usize) {
    let database = TestDatabase::new();
    let registry = MIXED.registry(MIXED.0.len());
    let before = MIXED.registry(n_before);
    let (mut n_blows, mut n_twice, mut n_lost) = (0, 0, 0);
    for n in (0..).step_by(points(n_everyday)) {
        let mut onlooker = fresh(&database, &before).await;
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut client = connect(proxy.connection_string()).await;
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
        let mut moment = proxy.hold(side, n);
        let (was_struck, outcome) = {
            let mut run = pin!(MIXED.run(verb, &registry, &mut client));
            tokio::select! {
                biased;
                outcome = &mut run => (false, outcome),
                () = moment.comes() => {
                    let ending = "SELECT pg_terminate_backend($1)";
                    let _row = onlooker.query_one(ending, &[&pid]).await.unwrap();
                    only_we_are_connected(&onlooker).await;
                    moment.pass();
                    (true, run.await)
                }
            }
        };
        drop((client, proxy));
        only_we_are_connected(&onlooker).await;
        let harm = MIXED.look(verb, &onlooker, &said(&outcome)).await;
        let _n_chosen = MIXED.complete(verb, &registry, &mut onlooker).await;
        let after = MIXED.is_complete(verb, &onlooker).await;
        n_lost += harm.n_lost + after.n_lost;
        n_twice += harm.n_twice + after.n_twice;
        assert_eq!(database.n_locks().await, 0);
        if !was_struck {
            assert!(outcome.is_ok());
            break;
        }
        n_blows += 1;
    }
    tell(&format!("session ended, {verb:?}, {side:?}"), n_blows, n_lost, n_twice);
}

#[expect(clippy::print_stdout, reason = "`.ci/sweep` adds the figures up")]
fn tell(what: &str, n_blows: usize, n_lost: usize, n_twice: usize) {
    println!("sweep: {what}: cuts {n_blows} lost {n_lost} twice {n_twice}");
    assert!(n_blows > 3, "{n_blows}");
    assert_eq!((n_lost, n_twice), (0, 0));
}

/// The database as a run finds it.
async fn fresh(database: &TestDatabase, before: &Registry) -> Client {
    prepared(database.client().await, before).await
}

async fn prepared(mut client: Client, before: &Registry) -> Client {
    client.batch_execute(EMPTY).await.unwrap();
    client.batch_execute(TALLY).await.unwrap();
    let _report = MIXED.run(Verb::Apply, before, &mut client).await.unwrap();
    client
}

#[tokio::test]
async fn sessions_of_applying_runs_are_ended() {
    session_is_ended(Verb::Apply, 2, Side::Client, 7).await;
    session_is_ended(Verb::Apply, 2, Side::Server, 53).await;
}

#[tokio::test]
async fn sessions_of_undoing_runs_are_ended() {
    session_is_ended(Verb::RollBack, 5, Side::Client, 7).await;
    session_is_ended(Verb::RollBack, 5, Side::Server, 53).await;
}

/// The process of an application is killed at each message of one side.
async fn process_is_killed(verb: Verb, n_before: usize, side: Side, n_everyday: usize) {
    let database = TestDatabase::new();
    let registry = MIXED.registry(MIXED.0.len());
    let before = MIXED.registry(n_before);
    let files = MIXED.files(MIXED.0.len());
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let folder = dunlin_tests::folder(&files);
    let (mut n_blows, mut n_twice, mut n_lost) = (0, 0, 0);
    for n in (0..).step_by(points(n_everyday)) {
        let mut onlooker = fresh(&database, &before).await;
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut moment = proxy.hold(side, n);
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_starter"))
            .arg(proxy.connection_string())
            .arg(&folder)
            .args(match verb {
                Verb::Apply => None,
                Verb::RollBack => Some("undo"),
            })
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let was_struck = tokio::select! {
            biased;
            status = child.wait() => {
                assert!(status.unwrap().success());
                false
            }
            () = moment.comes() => {
                child.kill().await.unwrap();
                moment.cut();
                true
            }
        };
        drop(proxy);
        only_we_are_connected(&onlooker).await;
        let harm = MIXED.look(verb, &onlooker, &[]).await;
        let _n_chosen = MIXED.complete(verb, &registry, &mut onlooker).await;
        let after = MIXED.is_complete(verb, &onlooker).await;
        n_lost += harm.n_lost + after.n_lost;
        n_twice += harm.n_twice + after.n_twice;
        until("the lock is free", async || database.n_locks().await == 0).await;
        if !was_struck {
            break;
        }
        n_blows += 1;
    }
    std::fs::remove_dir_all(folder).unwrap();
    tell(&format!("process killed, {verb:?}, {side:?}"), n_blows, n_lost, n_twice);
}

#[tokio::test]
async fn processes_are_killed() {
    process_is_killed(Verb::Apply, 2, Side::Client, 7).await;
    process_is_killed(Verb::Apply, 2, Side::Server, 53).await;
}

#[tokio::test]
async fn processes_that_undo_are_killed() {
    process_is_killed(Verb::RollBack, 5, Side::Client, 11).await;
    process_is_killed(Verb::RollBack, 5, Side::Server, 71).await;
}

/// A backend that is killed takes the whole server down with it: the postmaster ends all sessions at
/// once and recovers from the log, as after an immediate stop.
async fn server_crashes(verb: Verb, n_before: usize, side: Side, n_everyday: usize) {
    let server = Server::builder().setting("max_connections", "30").start().unwrap();
    let database = server.create_database().unwrap();
    let direct = database.connection_string();
    let registry = MIXED.registry(MIXED.0.len());
    let before = MIXED.registry(n_before);
    let (mut n_blows, mut n_twice, mut n_lost) = (0, 0, 0);
    for n in (0..).step_by(points(n_everyday)) {
        let onlooker = prepared(connect(&direct).await, &before).await;
        let proxy = Proxy::start(&direct).await;
        let mut client = connect(proxy.connection_string()).await;
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
        let mut moment = proxy.hold(side, n);
        let was_struck = {
            let mut run = pin!(MIXED.run(verb, &registry, &mut client));
            tokio::select! {
                biased;
                outcome = &mut run => {
                    let _report = outcome.unwrap();
                    false
                }
                () = moment.comes() => {
                    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
                    assert!(killed.unwrap().success());
                    until("the server has noticed", async || onlooker.is_closed()).await;
                    moment.pass();
                    // It may have been behind its last statement, with nothing left to lose.
                    let _outcome = run.await;
                    true
                }
            }
        };
        drop((client, proxy, onlooker));
        let config: Config = direct.parse().unwrap();
        until("the server is back", async || config.connect(NoTls).await.is_ok()).await;
        let mut onlooker = connect(&direct).await;
        only_we_are_connected(&onlooker).await;
        // What a run has said is not durable before its last commit, so it is not asked.
        let harm = MIXED.look(verb, &onlooker, &[]).await;
        let _n_chosen = MIXED.complete(verb, &registry, &mut onlooker).await;
        let after = MIXED.is_complete(verb, &onlooker).await;
        n_lost += harm.n_lost + after.n_lost;
        n_twice += harm.n_twice + after.n_twice;
        if !was_struck {
            break;
        }
        n_blows += 1;
    }
    tell(&format!("server crashed, {verb:?}, {side:?}"), n_blows, n_lost, n_twice);
}

#[tokio::test]
async fn the_server_crashes() {
    server_crashes(Verb::Apply, 2, Side::Client, 9).await;
    server_crashes(Verb::Apply, 2, Side::Server, 61).await;
}

#[tokio::test]
async fn the_server_crashes_while_it_undoes() {
    server_crashes(Verb::RollBack, 5, Side::Client, 9).await;
    server_crashes(Verb::RollBack, 5, Side::Server, 79).await;
}

/// The server is stopped at once, and started again, while a run on a pool goes on.
async fn server_is_stopped_at_once(verb: Verb, n_before: usize, side: Side, n_everyday: usize) {
    let folder = dunlin_tests::folder(&[]);
    let start = {
        let folder = folder.clone();
        move || {
            let builder = Server::builder().keep_in(folder.join("kept")).setting("fsync", "off");
            let builder = builder.postgres_version(dunlin_tests::server().major_version());
            builder.setting("max_connections", "30").start().unwrap()
        }
    };
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut server = start();
    server.create_database_named("app").unwrap();
    let direct = server.connection_string("app");
    let registry = MIXED.registry(MIXED.0.len());
    let before = MIXED.registry(n_before);
    let (mut n_blows, mut n_by_itself, mut n_twice, mut n_lost) = (0, 0, 0, 0);
    for n in (0..).step_by(points(n_everyday)) {
        drop(prepared(connect(&direct).await, &before).await);
        let proxy = Proxy::start(&direct).await;
        let pool = pool_of(1, proxy.connection_string());
        let mut moment = proxy.hold(side, n);
        let outcome = {
            let mut run = pin!(MIXED.run(verb, &registry, &pool));
            tokio::select! {
                biased;
                outcome = &mut run => Err(outcome),
                () = moment.comes() => {
                    let pid = std::fs::read_to_string(server.data_dir().join("postmaster.pid"));
                    let pid = pid.unwrap().lines().next().unwrap().to_owned();
                    let stopped = std::process::Command::new("kill").args(["-QUIT", &pid]).status();
                    assert!(stopped.unwrap().success());
                    moment.pass();
                    let again = start.clone();
                    let restarting = tokio::task::spawn_blocking(move || {
                        drop(server);
                        again()
                    });
                    let (outcome, restarted) = tokio::join!(&mut run, restarting);
                    server = restarted.unwrap();
                    Ok(outcome)
                }
            }
        };
        drop((pool, proxy));
        let mut onlooker = connect(&direct).await;
        only_we_are_connected(&onlooker).await;
        let harm = MIXED.look(verb, &onlooker, &[]).await;
        let _n_chosen = MIXED.complete(verb, &registry, &mut onlooker).await;
        let after = MIXED.is_complete(verb, &onlooker).await;
        n_lost += harm.n_lost + after.n_lost;
        n_twice += harm.n_twice + after.n_twice;
        match outcome {
            Ok(outcome) => n_by_itself += usize::from(outcome.is_ok()),
            Err(outcome) => {
                let _report = outcome.unwrap();
                break;
            }
        }
        n_blows += 1;
    }
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
    // An undo is begun again by whoever wants it undone.
    assert!(verb == Verb::RollBack || n_by_itself > 0, "{n_blows}");
    tell(&format!("server stopped at once, {verb:?}, {side:?}"), n_blows, n_lost, n_twice);
}

#[tokio::test]
async fn the_server_is_stopped_at_once_and_starts_again() {
    server_is_stopped_at_once(Verb::Apply, 2, Side::Client, 11).await;
    server_is_stopped_at_once(Verb::RollBack, 5, Side::Server, 79).await;
}

/// All but the last commit of a run do not wait for the disk, and here the last one never comes.
#[tokio::test]
async fn what_was_done_before_a_failure_survives_a_crash() {
    let server = Server::builder().setting("wal_writer_delay", "10s").start().unwrap();
    let database = server.create_database().unwrap();
    let direct = database.connection_string();
    let files = [
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("1_a.down.sql", "SELECT 1/0;"),
        ("2_b.sql", "CREATE TABLE IF NOT EXISTS b (id int);"),
        // What removes a file is written at once.
        ("2_b.down.sql", "INSERT INTO a VALUES (1);"),
        ("3_c.sql", "SELECT 1/0;"),
    ];
    let in_sql = registry(&files);
    let in_rust = registry_with(
        &files[..4],
        &[Functions {
            name: "3_c",
            up: |cx| Box::pin(async { cx.batch_execute("SELECT 1/0").await }),
            down: None,
        }],
    );
    for (migrations, is_up, applied) in [
        (&in_sql, true, vec!["1_a", "2_b"]),
        (&in_sql, false, vec!["1_a"]),
        (&in_rust, true, vec!["1_a", "2_b"]),
    ] {
        let mut client = connect(&direct).await;
        // The first time the server writes its log in the background, it does so at once.
        let hurried = "SET synchronous_commit = off; CREATE TABLE IF NOT EXISTS first (); \
             COMMENT ON TABLE first IS ''; RESET synchronous_commit";
        client.batch_execute(hurried).await.unwrap();
        let written = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()";
        until("the log is written", async || client.query_one(written, &[]).await.unwrap().get(0))
            .await;
        // An entry of the log would be such a last commit.
        let migrator = Migrator::new(migrations).without_log();
        let result = match is_up {
            true => migrator.apply(&mut client).await,
            false => migrator.roll_back(&mut client, 2).await,
        };
        assert_eq!(result.unwrap_err().code().unwrap().code(), "22012");
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
        let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(killed.unwrap().success());
        until("the server has noticed", async || client.is_closed()).await;
        let config: Config = direct.parse().unwrap();
        until("the server is back", async || config.connect(NoTls).await.is_ok()).await;
        let rows = connect(&direct).await;
        let rows = rows.query("SELECT name FROM migrations ORDER BY id", &[]).await.unwrap();
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(names, applied);
    }
}
