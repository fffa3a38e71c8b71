//! Nothing stays when the owner ends, however it ends.

use std::path::Path;

use crate::owner::{
    Owner, Plan, Report, Scratch, keepers_of, kill, postmaster, processes_of, segment_exists, until,
};

/// Ends an owner in some way and expects that processes, folder and shared memory go.
fn check(role: &str, plan: impl Fn(Plan) -> Plan, end: impl Fn(Owner)) {
    let scratch = Scratch::new();
    let mut owner = plan(Plan::new(role).in_tmpdir(&scratch)).start();
    let Report { data, .. } = owner.ready();
    assert!(data.starts_with(scratch.path()), "{}", data.display());
    // `shared` and `panic` may have ended and been cleaned up by now.
    let segment = (role == "serve").then(|| postmaster(&data).1);
    end(owner);
    until("the folder is gone", || scratch.names().is_empty());
    until("the processes are gone", || processes_of(scratch.path()).is_empty());
    if let Some(segment) = segment {
        until("the shared memory is gone", || !segment_exists(&segment));
    }
}

#[test]
fn after_a_normal_exit() {
    check("serve", |plan| plan, |owner| assert!(owner.finish().success()));
}

#[test]
fn after_an_exit_that_never_dropped_the_server() {
    check("shared", |plan| plan, |owner| assert!(owner.wait().success()));
}

#[test]
fn after_a_panic() {
    check("panic", |plan| plan, |owner| assert_eq!(owner.wait().code(), Some(101)));
}

#[test]
fn after_an_interrupt_of_the_group() {
    check(
        "serve",
        |plan| plan,
        |owner| {
            owner.interrupt();
            assert_eq!(owner.wait().code(), None);
        },
    );
}

#[test]
fn after_kill_minus_nine() {
    check("serve", |plan| plan, |mut owner| owner.kill());
}

#[test]
fn after_kill_minus_nine_of_an_owner_who_is_not_root() {
    check("serve", Plan::by_nobody, |mut owner| owner.kill());
}

#[test]
fn an_interrupt_does_not_reach_the_server_before_its_owner() {
    check("serve", Plan::deaf_to_interrupts, |mut owner| {
        owner.interrupt();
        owner.create_database();
        assert!(owner.finish().success());
    });
}

/// Kills an owner as soon as something exists in the folder it prepares.
fn killed_while_starting(sign: &str) {
    let scratch = Scratch::new();
    let cache = Scratch::new();
    let plan = Plan::new("serve").in_tmpdir(&scratch).env("XDG_CACHE_HOME", cache.path());
    let mut owner = plan.start();
    until("the start has come so far", || {
        scratch.names().iter().any(|name| scratch.join(name).join(sign).exists())
    });
    owner.kill();
    until("the processes are gone", || processes_of(scratch.path()).is_empty());
    let unfinished = |user: std::fs::DirEntry| std::fs::read_dir(user.path()).unwrap().count();
    let users = std::fs::read_dir(cache.join("dunlin")).into_iter().flatten();
    assert_eq!(users.map(|user| unfinished(user.unwrap())).sum::<usize>(), 0, "no half template");
    // Where there was no keeper yet, the next start cleans up.
    let mut next = Plan::new("serve").in_tmpdir(&scratch).start();
    let _ = next.ready();
    assert!(next.finish().success());
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn after_kill_minus_nine_before_the_keeper() {
    killed_while_starting("dunlin-sandbox.lock");
}

#[test]
fn after_kill_minus_nine_at_the_keepers_start() {
    killed_while_starting("postgresql.log");
}

#[test]
fn after_kill_minus_nine_during_initdb() {
    killed_while_starting("data/PG_VERSION");
}

#[test]
fn after_kill_minus_nine_during_the_servers_start() {
    killed_while_starting("run/pid");
}

/// Kills the keeper too, so that only a later start can clean up.
fn without_a_keeper(also_the_server: bool) {
    let scratch = Scratch::new();
    let mut owner = Plan::new("serve").in_tmpdir(&scratch).start();
    let Report { data, .. } = owner.ready();
    let (server, segment) = postmaster(&data);
    kill_keepers(data.parent().unwrap());
    owner.kill();
    if also_the_server {
        kill(server);
        until("the processes are gone", || processes_of(scratch.path()).is_empty());
    }
    assert_eq!(scratch.names().len(), 1, "nobody was there to remove it");
    let mut next = Plan::new("serve").in_tmpdir(&scratch).start();
    let swept = next.ready().data;
    assert_ne!(swept, data);
    assert!(next.finish().success());
    assert_eq!(scratch.names(), [""; 0]);
    assert_eq!(processes_of(scratch.path()), Vec::<u32>::new());
    assert!(!segment_exists(&segment));
}

/// The keeper and its subshell.
fn kill_keepers(base: &Path) {
    let keepers = keepers_of(base);
    assert_eq!(keepers.len(), 2);
    keepers.into_iter().for_each(kill);
    until("the keeper is gone", || keepers_of(base).is_empty());
}

#[test]
fn a_server_that_lost_owner_and_keeper_is_swept_by_the_next_start() {
    without_a_keeper(false);
}

#[test]
fn a_folder_that_lost_everybody_is_swept_by_the_next_start() {
    without_a_keeper(true);
}

#[test]
fn an_owner_whose_keeper_was_killed_stops_the_server_itself() {
    let scratch = Scratch::new();
    let mut owner = Plan::new("serve").in_tmpdir(&scratch).start();
    let Report { data, .. } = owner.ready();
    kill_keepers(data.parent().unwrap());
    owner.create_database();
    assert!(owner.finish().success());
    assert_eq!(processes_of(scratch.path()), Vec::<u32>::new());
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_sweep_leaves_living_servers_and_foreign_folders() {
    let scratch = Scratch::new();
    for foreign in ["dunlin-notes", "dunlin-0123456z", "dunlin-01234567"] {
        std::fs::create_dir(scratch.join(foreign)).unwrap();
    }
    let mut first = Plan::new("serve").in_tmpdir(&scratch).start();
    let there = first.ready().data;
    let mut second = Plan::new("serve").in_tmpdir(&scratch).start();
    let _ = second.ready();
    assert!(there.join("postmaster.pid").exists());
    first.create_database();
    assert!(first.finish().success() && second.finish().success());
    assert_eq!(scratch.names(), ["dunlin-01234567", "dunlin-0123456z", "dunlin-notes"]);
}
