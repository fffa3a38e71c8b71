//! On a pseudo-terminal: what a person sees, and what a person types.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::database::Case;
use crate::server::TestDatabase;
use crate::support::Project;

const ROWS: u16 = 80;
const COLUMNS: u16 = 100;

/// A program on a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    side: File,
    /// All that was written to it.
    written: Vec<u8>,
    screen: vt100::Parser,
}

/// What a program left on its terminal.
pub(crate) struct Shown {
    pub(crate) code: i32,
    /// All that was written, escapes and all.
    pub(crate) written: String,
    pub(crate) screen: vt100::Screen,
}

impl Terminal {
    pub(crate) fn start(command: &mut Command) -> Self {
        let side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&side).unwrap();
        unlockpt(&side).unwrap();
        let name = ptsname(&side, Vec::new()).unwrap();
        let open =
            || rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let other: OwnedFd = open();
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&other, size).unwrap();
        let child = command
            .stdin(Stdio::from(open()))
            .stdout(Stdio::from(open()))
            .stderr(Stdio::from(other))
            .spawn()
            .unwrap();
        // The command keeps the other side's files until it is given new ones.
        let _command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        Self { child, side: File::from(side), written: Vec::new(), screen }
    }

    /// Looks at the screen until there is what is waited for, for a minute.
    #[track_caller]
    pub(crate) fn until(&mut self, is_there: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !is_there(&self.screen.screen().contents()) {
            let is_late = begun.elapsed() > Duration::from_secs(60);
            assert!(!is_late && self.read(), "it shows {}", self.screen.screen().contents());
        }
    }

    pub(crate) fn type_in(&mut self, typed: &str) {
        self.side.write_all(typed.as_bytes()).unwrap();
    }

    pub(crate) fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Everything until the program ends.
    #[track_caller]
    pub(crate) fn end(mut self) -> Shown {
        while self.read() {}
        Shown {
            code: self.child.wait().unwrap().code().unwrap(),
            written: String::from_utf8_lossy(&self.written).into_owned(),
            screen: self.screen.screen().clone(),
        }
    }

    /// Reads on, for a second at most; whether there may be more.
    fn read(&mut self) -> bool {
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        let mut asked = [PollFd::new(&self.side, PollFlags::IN)];
        if poll(&mut asked, Some(&second)).unwrap() == 0 {
            return true;
        }
        let mut buffer = [0; 4096];
        match self.side.read(&mut buffer) {
            Ok(n @ 1..) => {
                self.written.extend_from_slice(&buffer[..n]);
                self.screen.process(&buffer[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            // Linux ends with EIO when nobody is at the other side any more.
            _ => false,
        }
    }
}

/// Runs a command on a terminal of its own, and gives the exit code and all that it showed.
fn on_terminal(command: &mut Command) -> (i32, String) {
    let shown = Terminal::start(command).end();
    (shown.code, shown.written)
}

/// The same with what a person answers to the question.
pub(crate) fn answering(command: &mut Command, typed: &str) -> (i32, String) {
    let mut terminal = Terminal::start(command);
    terminal.until(|it| it.trim_end().ends_with("[y/N]"));
    terminal.type_in(typed);
    let shown = terminal.end();
    (shown.code, shown.written)
}

const ESCAPE: char = '\u{1b}';

pub(crate) fn terminal_of(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.command(arguments);
    let _command = command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn a_run_has_signs_and_status_has_colours() {
    let project = Project::with("terminal", &[("0001_a.sql", "SELECT 1;\n")]);
    let database = TestDatabase::new();
    let url = database.url();
    let (code, shown) = on_terminal(&mut terminal_of(&project, &["up", "--database-url", &url]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("✅ Completed: 0001_a"), "{shown}");
    let (code, shown) =
        on_terminal(&mut terminal_of(&project, &["status", "--database-url", &url]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\u{1b}[32mapplied\u{1b}[0m"), "{shown:?}");
}

/// The last line that is not empty.
fn last_line(screen: &str) -> &str {
    screen.lines().rfind(|it| !it.trim().is_empty()).unwrap_or("").trim_end()
}

#[test]
fn a_bar_moves_below_the_lines_and_is_gone_at_the_end() {
    let case = Case::new("terminal-bar");
    let name = format!("0003_{}", "a_name_that_is_longer_than_what_is_left_of_the_line_".repeat(2));
    let gate = "-- dunlin: no-transaction\nSELECT 1;\nSELECT pg_advisory_lock(1, 1);\n\
                SELECT pg_advisory_unlock(1, 1);\n";
    case.project.write(&format!("migrations/{name}.sql"), gate);
    let client = case.database.client();
    client.run("SELECT pg_advisory_lock(1, 1)");
    let url = case.database.url();
    let up = ["up", "--lock-timeout", "0", "--database-url", &url];
    let mut terminal = Terminal::start(&mut terminal_of(&case.project, &up));
    // Two of three are done; what does not fit is cut, so the bar stays one line.
    let third = format!("⏳ Running: {name}");
    let bar = "▕████████████████▏       ▏ 2/3 ";
    terminal.until(|it| {
        last_line(it).starts_with(bar) && it.lines().rev().nth(1).is_some_and(|it| it == third)
    });
    // It waits for somebody, and says for whom above the bar.
    let holder = client.texts("SELECT pg_backend_pid()::text").remove(0);
    let waits = format!("      waits for pid {holder}, ");
    terminal.until(|it| it.contains(&waits) && last_line(it).starts_with(bar));
    client.run("SELECT pg_advisory_unlock(1, 1)");
    let shown = terminal.end();
    let screen = shown.screen.contents();
    assert_eq!((shown.code, last_line(&screen)), (0, "📊 Total migrations: 3"), "{screen}");
    assert!(!screen.contains('▕'), "{screen}");
}

#[test]
fn ctrl_c_leaves_no_bar_and_says_what_stays() {
    let case = Case::new("terminal-interrupt");
    case.project.write("migrations/0003_gate.sql", "SELECT pg_advisory_xact_lock(1, 1);\n");
    let client = case.database.client();
    client.run("SELECT pg_advisory_lock(1, 1)");
    let url = case.database.url();
    let up = ["up", "--lock-timeout", "0", "--database-url", &url];
    let mut terminal = Terminal::start(&mut terminal_of(&case.project, &up));
    terminal.until(|it| last_line(it).contains("▏ 2/3 "));
    terminal.send(Signal::INT);
    // Whoever is impatient changes nothing by it.
    terminal.send(Signal::INT);
    let shown = terminal.end();
    let screen = shown.screen.contents();
    assert_eq!(shown.code, 130, "{screen}");
    assert!(
        screen.contains("\nerror: interrupted\n  = note: what was completed stays;"),
        "{screen}"
    );
    assert!(!screen.contains('▕'), "{screen}");
    assert_eq!(case.applied(), ["0001_users", "0002_teams"]);
}

#[test]
fn ctrl_c_at_a_question_is_no() {
    for signal in [Signal::INT, Signal::TERM] {
        let case = Case::new(&format!("terminal-question-{}", signal.as_raw()));
        let url = case.database.url();
        let baseline = ["baseline", "--database-url", &url];
        let mut terminal = Terminal::start(&mut terminal_of(&case.project, &baseline));
        terminal.until(|it| it.trim_end().ends_with("[y/N]"));
        terminal.send(signal);
        let shown = terminal.end();
        let screen = shown.screen.contents();
        assert_eq!(shown.code, 130, "{screen}");
        let said = "Go on? [y/N] \nerror: not confirmed\n  = note: nothing was changed";
        assert!(screen.ends_with(said), "{screen}");
        case.database.client().until("SELECT to_regclass('migrations') IS NULL");
    }
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
    let adopt = || {
        let vouched = ["adopt", "--accept", "0001_users", "--accept", "0000_gone"];
        terminal_of(&project, &[vouched.as_slice(), &["--database-url", &url]].concat())
    };
    let (code, shown) = answering(&mut adopt(), "n\n");
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("not confirmed"), "{shown}");
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
