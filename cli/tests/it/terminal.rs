//! On a pseudo-terminal: colours, signs and the bar.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::server::TestDatabase;
use crate::support::Project;

/// Runs a command on a terminal of its own, and gives the exit code and all that it showed.
fn on_terminal(command: &mut Command) -> (i32, String) {
    answering(command, "")
}

/// The same with what a person types.
pub(crate) fn answering(command: &mut Command, typed: &str) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open = || rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let side: OwnedFd = open();
    let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&side, size).unwrap();
    let mut child = command
        .stdin(Stdio::from(open()))
        .stdout(Stdio::from(open()))
        .stderr(Stdio::from(side))
        .spawn()
        .unwrap();
    // The command keeps the other side's files until it is given new ones.
    let _command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut terminal = File::from(terminal);
    terminal.write_all(typed.as_bytes()).unwrap();
    let reader = std::thread::spawn(move || {
        let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
        // Linux ends with EIO when nobody is at the other side any more.
        while let Ok(n @ 1..) = terminal.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..n]);
        }
        String::from_utf8_lossy(&shown).into_owned()
    });
    let code = child.wait().unwrap().code().unwrap();
    (code, reader.join().unwrap())
}

const ESCAPE: char = '\u{1b}';

pub(crate) fn terminal_of(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command(arguments);
    let _command = command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn a_run_has_signs_and_a_bar_and_status_has_colours() {
    let project = Project::with("terminal", &[("0001_a.sql", "SELECT 1;\n")]);
    let database = TestDatabase::new();
    let url = database.url();
    let (code, shown) = on_terminal(&mut terminal_of(&project, &["up", "--database-url", &url]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("✅ Completed: 0001_a"), "{shown}");
    assert!(shown.contains("/1 ") && shown.contains(ESCAPE), "no bar: {shown:?}");
    let (code, shown) =
        on_terminal(&mut terminal_of(&project, &["status", "--database-url", &url]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\u{1b}[32mapplied\u{1b}[0m"), "{shown:?}");
}

#[test]
fn what_speaks_against_colours_and_bars_is_heard() {
    let project = Project::with("terminal-plain", &[("0001_a.sql", "SELECT 'x;\n")]);
    let check = |change: &dyn Fn(&mut Command), colours: bool| {
        let mut command = terminal_of(&project, &["check"]);
        change(&mut command);
        let (code, shown) = on_terminal(&mut command);
        assert_eq!(code, 1, "{shown}");
        assert_eq!(shown.contains(ESCAPE), colours, "{shown:?}");
    };
    check(&|_| {}, true);
    check(&|command| _ = command.env("NO_COLOR", "1"), false);
    check(&|command| _ = command.env("TERM", "dumb"), false);
    check(&|command| _ = command.args(["--color", "never"]), false);
    check(&|command| _ = command.args(["--format", "json"]), false);
    let piped = project.run(&["check", "--color", "always"]);
    assert!(piped.stdout.contains(ESCAPE), "{piped:?}");
}

#[test]
fn a_person_is_asked_before_a_table_is_changed() {
    let project = Project::with("terminal-ask", &[("0001_a.sql", "SELECT 1;\n")]);
    let database = TestDatabase::new();
    let url = database.url();
    database.client().run(crate::database::PLAIN);
    let adopt = || terminal_of(&project, &["adopt", "--database-url", &url]);
    let (code, shown) = answering(&mut adopt(), "n\n");
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("Go on? [y/N]") && shown.contains("not confirmed"), "{shown}");
    let (code, shown) = answering(&mut adopt(), "y\n");
    assert_eq!(code, 0, "{shown}");
    let (code, shown) = on_terminal(adopt().env("CI", "1").arg("--yes"));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("nothing to adopt"), "{shown}");
}

#[test]
fn in_ci_there_is_no_bar_and_in_another_locale_there_are_no_signs() {
    let project = Project::with("terminal-ci", &[("0001_a.sql", "SELECT 1;\n")]);
    let run = |name: &str, value: &str| {
        let database = TestDatabase::new();
        let mut command =
            terminal_of(&project, &["up", "--color", "never", "--database-url", &database.url()]);
        let (code, shown) = on_terminal(command.env(name, value));
        assert_eq!(code, 0, "{shown}");
        shown
    };
    let in_ci = run("CI", "true");
    assert!(!in_ci.contains(ESCAPE) && in_ci.contains("✅"), "{in_ci:?}");
    let in_c = run("LC_ALL", "C");
    assert!(in_c.is_ascii() && in_c.contains("ok: Completed: 0001_a"), "{in_c:?}");
}
