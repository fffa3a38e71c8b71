//! A server that is not there yet, and commands that are to wait for one.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;

use crate::database::Case;
use crate::server::server;
use crate::support::ran;

/// A folder in which the server's socket will be some time, and where a command is to look for it.
fn nowhere(case: &Case) -> (PathBuf, String) {
    let folder = case.project.path.join("run");
    std::fs::create_dir(&folder).unwrap();
    let (port, name) = (server().server.port(), case.database.database.name());
    let url = format!("host={} port={port} user=ana dbname={name}", folder.display());
    (folder, url)
}

/// The command waits for as long as it is told, and goes on when the server is there.
#[track_caller]
fn waits(case: &Case, arguments: &[&str]) {
    let (folder, url) = nowhere(case);
    let with = |seconds: &str| {
        let options = ["--database-url", &url, "--wait-for-primary", seconds];
        let mut command = case.project.command(&[arguments, &options].concat());
        let _command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    for (seconds, has_waited) in [("0", false), ("1", true)] {
        let gave_up = ran(&with(seconds).output().unwrap());
        let said = &gave_up.stderr;
        assert_eq!(gave_up.code, 5, "{arguments:?}: {said}");
        assert!(said.contains("error: no connection to the database"), "{arguments:?}: {said}");
        assert_eq!(said.contains("waited for 1"), has_waited, "{arguments:?}: {said}");
    }
    let waiting = with("60").spawn().unwrap();
    let socket = format!(".s.PGSQL.{}", server().server.port());
    symlink(server().server.socket_dir().join(&socket), folder.join(&socket)).unwrap();
    let done = ran(&waiting.wait_with_output().unwrap());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn whatever_looks_before_it_writes_waits_with_its_first_look() {
    let case = Case::new("failover");
    waits(&case, &["baseline", "--to", "1", "--yes"]);
    waits(&case, &["up"]);
    waits(&case, &["redo"]);
    waits(&case, &["mark", "0002_teams", "pending", "--yes"]);
    waits(&case, &["mark", "0002_teams", "applied", "--yes"]);
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id bigint);\n");
    waits(&case, &["repair", "--yes"]);
    waits(&case, &["down"]);
    assert_eq!(case.applied(), ["0001_users"]);
}

#[test]
fn so_does_the_look_at_what_is_in_rust_and_at_another_tools_history() {
    let case = Case::new("failover-rust");
    let rust = "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    case.project.write("migrations/0003_fill.rs", rust);
    waits(&case, &["up", "--to", "0002_teams"]);
    waits(&case, &["adopt", "--yes"]);
}
