//! Ctrl-C in the middle of `up`.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::server::TestDatabase;
use crate::support::{Project, ran};

/// A migration that waits for as long as somebody holds a lock.
const GATE: &str = "SET LOCAL lock_timeout = 0;\nCREATE TABLE b (id bigint);\nSELECT pg_advisory_xact_lock(1, 1);\n";

const AT_GATE: &str = "SELECT count(*) = 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted";

const NOTHING_HELD: &str = "SELECT count(*) = 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
    WHERE d.datname = current_database() AND l.locktype = 'advisory'";

fn interrupted_by(signal: Signal, test: &str) {
    let files = [("0001_a.sql", "CREATE TABLE a (id bigint);\n"), ("0002_b.sql", GATE)];
    let (project, database) = (Project::with(test, &files), TestDatabase::new());
    let url = database.url();
    let client = database.client();
    client.run("SELECT pg_advisory_lock(1, 1)");
    let mut command = project.command(&["up", "--database-url", &url]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    client.until(AT_GATE);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap();
    let ran_to_end = ran(&child.wait_with_output().unwrap());
    assert_eq!(ran_to_end.code, 130, "{ran_to_end:?}");
    assert!(ran_to_end.stderr.starts_with("error: interrupted\n"), "{ran_to_end:?}");
    // Only the gate's own lock is left, and of the second migration nothing.
    client.until(NOTHING_HELD);
    client.until("SELECT to_regclass('b') IS NULL");
    let names = client.texts("SELECT name FROM migrations");
    assert_eq!(names, ["0001_a"]);
    client.run("SELECT pg_advisory_unlock(1, 1)");
    let again = project.run(&["up", "--database-url", &url]);
    assert!(again.stdout(0).contains("Running 1 pending migration(s)..."), "{}", again.stdout);
}

#[test]
fn ctrl_c_in_the_middle_of_up_leaves_nothing_half_done() {
    interrupted_by(Signal::INT, "interrupt");
}

#[test]
fn a_container_that_is_stopped_leaves_nothing_half_done() {
    interrupted_by(Signal::TERM, "terminate");
}
