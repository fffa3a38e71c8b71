//! A folder that keeps its data, and who may not use it.

use std::fs;
use std::path::Path;

use dunlin_sandbox::{Error, Server};

use crate::life::ask;
use crate::owner::{
    Owner, Plan, Scratch, keepers_of, kill, pid, postmaster, processes_of, segment_exists, until,
};

fn start(folder: &Path) -> Result<Server, Error> {
    Server::builder().keep_in(folder).start()
}

/// Starts, writes a row and stops.
fn fill(folder: &Path) {
    let server = start(folder).unwrap();
    server.create_database_named("app").unwrap();
    let _ = ask(&server.connection_string("app"), "CREATE TABLE t AS SELECT 42 AS kept");
    server.stop().unwrap();
}

fn kept(server: &Server) -> String {
    ask(&server.connection_string("app"), "SELECT kept FROM t")
}

fn owner(folder: &Path) -> Owner {
    Plan::new("serve").keep_in(folder).start()
}

#[test]
fn the_second_start_finds_what_the_first_wrote() {
    let scratch = Scratch::new();
    let folder = scratch.join("new/folder");
    fill(&folder);
    let server = start(&folder).unwrap();
    assert_eq!(kept(&server), "42");
    server.create_database_named("app").unwrap();
    assert_eq!(kept(&server), "42", "an existing database is left alone");
    assert_eq!(ask(&server.connection_string("app"), "SHOW fsync"), "on");
    assert_eq!(ask(&server.connection_string("app"), "SHOW full_page_writes"), "on");
}

#[test]
fn an_empty_folder_is_taken_and_a_foreign_one_is_not_touched() {
    let scratch = Scratch::new();
    let empty = scratch.join("empty");
    fs::create_dir(&empty).unwrap();
    fill(&empty);

    let foreign = scratch.join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "ten years").unwrap();
    let error = start(&foreign).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is not empty and not ours", foreign.display()));
    assert!(error.running().is_none());
    fs::write(foreign.join("PG_VERSION"), "15\n").unwrap();
    let text = format!("{:#}", start(&foreign).unwrap_err());
    assert!(text.contains("a PostgreSQL data folder that another program made"), "{text}");
    let mut names: Vec<_> =
        fs::read_dir(&foreign).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["PG_VERSION", "thesis.txt"]);

    let file = scratch.join("file");
    fs::write(&file, "").unwrap();
    let error = start(&file).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is not a folder", file.display()));
}

#[test]
fn a_folder_in_use_by_this_process_is_refused() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    let server = start(&folder).unwrap();
    let error = start(&folder).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is in use by this process", folder.display()));
    let there = error.running().unwrap();
    assert_eq!(there.pid(), std::process::id());
    assert_eq!(there.connection_string("x"), server.connection_string("x"));
}

#[test]
fn a_folder_in_use_by_another_process_is_refused_and_its_server_named() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    let mut owner = owner(&folder);
    let report = owner.ready();
    let error = start(&folder).unwrap_err();
    let there = error.running().unwrap();
    assert_eq!(there.pid(), owner.pid());
    assert_eq!(there.connection_string("postgres"), report.connection);
    assert_eq!(ask(&there.connection_string("postgres"), "SELECT 1"), "1");
    assert!(format!("{error:#}").contains(&report.connection), "{error:#}");
    assert!(owner.finish().success());
    start(&folder).unwrap().stop().unwrap();
}

#[test]
fn a_start_after_kill_minus_nine_waits_for_the_stopping_server() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    fill(&folder);
    let mut owner = owner(&folder);
    let _ = owner.ready();
    owner.kill();
    // At once, while the keeper is at work.
    assert_eq!(kept(&start(&folder).unwrap()), "42");
    until("the processes are gone", || processes_of(&folder).is_empty());
}

#[test]
fn of_many_that_start_at_once_one_serves_and_the_others_learn_where() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    let mut owners: Vec<_> = (0..4).map(|_| owner(&folder)).collect();
    let outcomes: Vec<_> = owners.iter_mut().map(Owner::outcome).collect();
    let (serving, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let [Ok(serving)] = &serving[..] else { panic!("{serving:?}") };
    assert_eq!(refused.len(), 3);
    for error in refused {
        let error = error.unwrap_err();
        assert!(error.contains(&serving.connection), "{error}");
    }
}

#[test]
fn an_initdb_that_was_cut_short_is_done_again() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    let mut owner = owner(&folder);
    until("initdb has begun", || folder.join("data/PG_VERSION").exists());
    owner.kill();
    assert!(!folder.join("initialised").exists());
    fill(&folder);
    assert_eq!(kept(&start(&folder).unwrap()), "42");
}

#[test]
fn data_of_another_major_version_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    fill(&folder);
    let major = fs::read_to_string(folder.join("data/PG_VERSION")).unwrap();
    let made_by = major.trim();
    let error = Server::builder().keep_in(&folder).postgres_version(99).start().unwrap_err();
    let expected =
        format!("`{}` was made by PostgreSQL {made_by}, 99 is asked for", folder.display());
    assert_eq!(error.to_string(), expected);
    // 98 is neither installed nor to be had.
    fs::write(folder.join("data/PG_VERSION"), "98\n").unwrap();
    let error = start(&folder).unwrap_err().to_string();
    let expected = format!("`{}` was made by PostgreSQL 98, ", folder.display());
    let nothing_installed = "there is no PostgreSQL 98 on this machine";
    assert!(error.starts_with(&expected) || error == nothing_installed, "{error}");
    fs::write(folder.join("data/PG_VERSION"), major).unwrap();
    assert_eq!(kept(&start(&folder).unwrap()), "42");
}

#[test]
fn a_server_whose_owner_and_keeper_were_killed_is_named() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    fill(&folder);
    let mut owner = owner(&folder);
    let report = owner.ready();
    let (server, _) = postmaster(&report.data);
    keepers_of(&folder).into_iter().for_each(kill);
    owner.kill();
    let error = start(&folder).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is in use by process {server}", folder.display()));
    assert_eq!(error.running().unwrap().connection_string("postgres"), report.connection);
    assert!(format!("{error:#}").contains(&format!("kill -INT {server}")), "{error:#}");
    rustix::process::kill_process(pid(server), rustix::process::Signal::INT).unwrap();
    until("the server is gone", || !report.data.join("postmaster.pid").exists());
    assert_eq!(kept(&start(&folder).unwrap()), "42");
}

#[test]
fn after_a_loss_of_power_the_data_is_recovered() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    fill(&folder);
    let mut owner = owner(&folder);
    let report = owner.ready();
    let (server, segment) = postmaster(&report.data);
    keepers_of(&folder).into_iter().for_each(kill);
    owner.kill();
    kill(server);
    until("the processes are gone", || processes_of(&folder).is_empty());
    assert!(report.data.join("postmaster.pid").exists(), "stale");
    assert_eq!(kept(&start(&folder).unwrap()), "42");
    assert!(!segment_exists(&segment), "PostgreSQL takes its old segment over");
}

#[test]
fn databases_that_a_killed_owner_left_are_dropped_at_the_next_start() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    let server = start(&folder).unwrap();
    std::mem::forget(server.create_database().unwrap());
    let count = "SELECT count(*) FROM pg_database WHERE datname LIKE 'dunlin\\_scratch%'";
    assert_eq!(ask(&server.connection_string("postgres"), count), "1");
    server.stop().unwrap();
    let server = start(&folder).unwrap();
    assert_eq!(ask(&server.connection_string("postgres"), count), "0");
}

#[test]
fn a_stale_number_that_another_process_has_by_now_is_no_obstacle() {
    let scratch = Scratch::new();
    let folder = scratch.join("kept");
    fill(&folder);
    let mut bystander = owner(&scratch.join("other"));
    let other = bystander.ready();
    // A process of the same user, and a server at that: the worst case.
    let (number, _) = postmaster(&other.data);
    let text = format!("{number}\n{}\n1\n5432\n\n\n1 1\nready\n", folder.join("data").display());
    fs::write(folder.join("data/postmaster.pid"), text).unwrap();
    assert_eq!(kept(&start(&folder).unwrap()), "42");
    assert!(bystander.finish().success());
}
