//! Folders that cannot hold a socket, or that the server's user may not enter.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use dunlin_sandbox::Server;

use crate::life::ask;
use crate::owner::{Plan, Scratch, until};

#[test]
fn a_long_tmpdir_is_passed_over() {
    let scratch = Scratch::new();
    let long = scratch.join(&"long".repeat(40));
    fs::create_dir(&long).unwrap();
    fs::set_permissions(&long, PermissionsExt::from_mode(0o1777)).unwrap();
    let mut owner = Plan::new("serve").env("TMPDIR", &long).start();
    let report = owner.ready();
    assert!(!report.data.starts_with(&long), "{}", report.data.display());
    assert_eq!(ask(&report.connection, "SELECT 1"), "1");
    assert!(owner.finish().success());
    assert!(!report.data.exists());
}

#[test]
fn a_tmpdir_that_does_not_exist_or_has_a_comma_is_passed_over() {
    let scratch = Scratch::new();
    let comma = scratch.join("a,b");
    fs::create_dir(&comma).unwrap();
    for odd in [scratch.join("absent"), comma] {
        let mut owner = Plan::new("serve").env("TMPDIR", &odd).start();
        let report = owner.ready();
        assert!(!report.data.starts_with(&odd), "{}", report.data.display());
        assert!(owner.finish().success());
    }
}

#[test]
fn a_tmpdir_with_blanks_and_quotes_is_used() {
    let scratch = Scratch::new();
    let odd = scratch.join("it's \"odd\" \\ $HOME");
    fs::create_dir(&odd).unwrap();
    fs::set_permissions(&odd, PermissionsExt::from_mode(0o1777)).unwrap();
    let mut owner = Plan::new("serve").env("TMPDIR", &odd).start();
    let report = owner.ready();
    assert!(report.data.starts_with(&odd), "{}", report.data.display());
    assert_eq!(ask(&report.connection, "SELECT 1"), "1");
    assert!(owner.finish().success());
    assert!(fs::read_dir(&odd).unwrap().next().is_none());
}

/// Closed to the user root drops to; closed to everybody when we are not root.
#[test]
fn a_closed_tmpdir_is_passed_over() {
    let scratch = Scratch::new();
    let closed = scratch.join("closed");
    fs::create_dir(&closed).unwrap();
    let mode = if rustix::process::geteuid().is_root() { 0o700 } else { 0 };
    fs::set_permissions(&closed, PermissionsExt::from_mode(mode)).unwrap();
    let mut owner = Plan::new("serve").env("TMPDIR", &closed).start();
    let report = owner.ready();
    assert!(!report.data.starts_with(&closed), "{}", report.data.display());
    assert!(owner.finish().success());
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    assert!(fs::read_dir(&closed).unwrap().next().is_none());
}

/// As root the error names the folder that keeps the other user out; as anybody else a folder
/// of mode 700 is simply our own, and is used.
#[test]
fn a_kept_folder_below_a_closed_one_is_refused_as_root_and_used_by_others() {
    let scratch = Scratch::new();
    let closed = scratch.join("home");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let kept = closed.join("project/data");
    let outcome = Server::builder().keep_in(&kept).start();
    if !rustix::process::geteuid().is_root() {
        return outcome.unwrap().stop().unwrap();
    }
    let error = outcome.unwrap_err();
    let headline = format!("`{}` is closed to the user PostgreSQL runs as", kept.display());
    assert_eq!(error.to_string(), headline);
    let text = format!("{error:#}");
    assert!(text.contains(&format!("may not enter `{}`", closed.display())), "{text}");
    assert!(text.contains(&format!("chmod o+x '{}'", closed.display())), "{text}");
    assert!(!kept.exists(), "what was made for it is removed");
}

/// As anybody but root the first folder is not closed, and is used.
#[test]
fn another_folder_is_used_where_the_first_is_closed() {
    let scratch = Scratch::new();
    let closed = scratch.join("home");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let (first, second) = (closed.join("data"), scratch.join("second"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let says = Arc::clone(&said);
    let builder = Server::builder().keep_in(&first).or_keep_in(&second);
    let server = builder.on_message(move |line| says.lock().unwrap().push(line.to_owned()));
    let server = server.start().unwrap();
    let root = rustix::process::geteuid().is_root();
    assert!(server.data_dir().starts_with(if root { &second } else { &first }));
    let line = format!(
        "`{}` is closed to the user PostgreSQL runs as: keeping the data in `{}`",
        first.display(),
        second.display()
    );
    assert_eq!(said.lock().unwrap()[..], if root { vec![line] } else { vec![] });
    // In use is no reason to take the other.
    let refused = Server::builder().keep_in(server.data_dir().parent().unwrap());
    assert!(refused.or_keep_in(scratch.join("third")).start().unwrap_err().running().is_some());
}

/// The server's user is then the owner itself, in its own folder.
#[test]
fn a_kept_folder_of_somebody_who_is_not_root() {
    let scratch = Scratch::new();
    let kept = scratch.join("kept");
    let plan = || Plan::new("serve").by_nobody().keep_in(&kept);
    for _ in 0..2 {
        let mut owner = plan().start();
        let report = owner.ready();
        assert_eq!(ask(&report.connection, "SELECT 1"), "1");
        assert!(owner.finish().success());
    }
    // As root, the server then runs as the owner of the data; nobody else may start it.
    let server = Server::builder().keep_in(&kept).start().unwrap();
    assert_eq!(ask(&server.connection_string("postgres"), "SELECT 1"), "1");
}

/// As root: data of `postgres` that `nobody` starts. As anybody else there is no second user to
/// be had, and the folder is closed instead.
#[test]
fn a_kept_folder_of_another_user_is_refused() {
    let scratch = Scratch::new();
    let kept = scratch.join("kept");
    Server::builder().keep_in(&kept).start().unwrap().stop().unwrap();
    if !rustix::process::geteuid().is_root() {
        let lock = kept.join("dunlin-sandbox.lock");
        fs::set_permissions(&lock, PermissionsExt::from_mode(0o0)).unwrap();
    }
    let error = Plan::new("serve").by_nobody().keep_in(&kept).start().outcome().unwrap_err();
    let headline = format!("`{}` belongs to another user", kept.display());
    assert_eq!(error.lines().next(), Some(&headline[..]), "{error}");
}

#[test]
fn a_kept_folder_with_a_long_path_has_its_socket_elsewhere() {
    let scratch = Scratch::new();
    let sockets = Scratch::new();
    let long = scratch.join(&"long".repeat(40));
    let mut owner = Plan::new("serve").in_tmpdir(&sockets).keep_in(&long).start();
    let report = owner.ready();
    assert!(report.data.starts_with(&long), "{}", report.data.display());
    assert_eq!(ask(&report.connection, "SELECT 1"), "1");
    // A later start sweeps, and must leave the folder with the socket.
    let mut other = Plan::new("serve").in_tmpdir(&sockets).start();
    let _ = other.ready();
    assert_eq!(ask(&report.connection, "SELECT 1"), "1");
    assert!(other.finish().success());
    owner.kill();
    until("the socket's folder is gone", || sockets.names().is_empty());
    assert!(report.data.exists());
}
