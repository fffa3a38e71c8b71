//! What every command shows, in a pipe and on a terminal, as a person sees it.
//!
//! Each scene is played twice and compared with `cli/tests/screens/<scene>.txt`;
//! `UPDATE_EXPECT=1 cargo test -p cargo-dunlin --test it screens` rewrites those. Colours are written as
//! `{green:...}`. What differs from one run to the next is masked: moments, durations, process ids, ports,
//! names of databases and the version of the server.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::database::Case;
use crate::server::server;
use crate::support::{Project, ran};
use crate::terminal::{Terminal, terminal_of};

/// Where a scene is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Pipe,
    Terminal,
}

/// A project, a database, and all that was shown so far.
struct Stage {
    case: Case,
    place: Place,
    shown: String,
}

impl Stage {
    /// Runs a command.
    fn run(&mut self, arguments: &[&str]) {
        self.play(arguments, None);
    }

    /// Runs one that asks, and answers; in a pipe there is nobody to answer.
    fn answer(&mut self, arguments: &[&str], answer: &str) {
        self.play(arguments, Some(answer));
    }

    /// With the variables by which a role with a password comes over TCP.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.place {
            Place::Pipe => self.case.project.command(arguments),
            Place::Terminal => terminal_of(&self.case.project, arguments),
        };
        let _command = command
            .env("DATABASE_URL", self.case.database.tcp("ana"))
            .env("PGPASSWORD", "pa:ss@w%rd")
            .env("PGAPPNAME", "screens");
        command
    }

    fn play(&mut self, arguments: &[&str], answer: Option<&str>) {
        let mut command = self.command(arguments);
        let (code, shown) = match self.place {
            Place::Pipe => {
                let ran = ran(&command.stdin(Stdio::null()).output().unwrap());
                let stderr = ran.stderr.lines().map(|line| format!("stderr| {line}\n"));
                (ran.code, format!("{}{}", ran.stdout, stderr.collect::<String>()))
            }
            Place::Terminal => {
                let mut terminal = Terminal::start(&mut command);
                if let Some(answer) = answer {
                    terminal.until(|it| it.trim_end().ends_with("[y/N]"));
                    terminal.type_in(answer);
                }
                let shown = terminal.end();
                (shown.code, painted(&shown.screen))
            }
        };
        let asked = arguments.join(" ");
        self.shown.push_str(&format!("$ cargo dunlin {asked}\n{shown}[{code}]\n\n"));
    }

    fn project(&self) -> &Project {
        &self.case.project
    }
}

/// Plays a scene in both places and compares.
#[track_caller]
fn scene(name: &str, play: impl Fn(&mut Stage)) {
    let mut text = String::new();
    for place in [Place::Pipe, Place::Terminal] {
        let case = Case::new(&format!("screen-{name}-{place:?}").to_ascii_lowercase());
        let mut stage = Stage { case, place, shown: String::new() };
        play(&mut stage);
        let title = if place == Place::Pipe { "in a pipe" } else { "on a terminal" };
        text.push_str(&format!("---- {title} ----\n\n{}", masked(&stage)));
    }
    let path = format!("{}/tests/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, expected, "{path}: UPDATE_EXPECT=1 rewrites it, when it is right");
}

/// The lines of a screen with their colours in words.
fn painted(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let mut lines = Vec::new();
    let mut line = String::new();
    for row in 0..rows {
        let mut tone = String::new();
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            if cell.is_wide_continuation() {
                continue;
            }
            let next = tone_of(cell);
            if next != tone {
                line.push_str(if tone.is_empty() { "" } else { "}" });
                line.push_str(&if next.is_empty() { String::new() } else { format!("{{{next}:") });
                tone = next;
            }
            let text = cell.contents();
            line.push_str(if text.is_empty() { " " } else { text });
        }
        line.push_str(if tone.is_empty() { "" } else { "}" });
        if !screen.row_wrapped(row) {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
    }
    let n = lines.iter().rposition(|it| !it.is_empty()).map_or(0, |at| at + 1);
    lines[..n].iter().map(|it| format!("{it}\n")).collect()
}

fn tone_of(cell: &vt100::Cell) -> String {
    let colour = match cell.fgcolor() {
        vt100::Color::Idx(1) => "red",
        vt100::Color::Idx(2) => "green",
        vt100::Color::Idx(3) => "yellow",
        vt100::Color::Default => "",
        other => panic!("{other:?} is no colour of ours"),
    };
    let words = [(cell.bold(), "bold"), (cell.dim(), "dim"), (cell.underline(), "underlined")];
    let words = words.iter().filter(|it| it.0).map(|it| it.1);
    words.chain([colour]).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text without what differs from run to run.
fn masked(stage: &Stage) -> String {
    let name = stage.case.database.database.name();
    let port = server().server.port().to_string();
    let version = format!("PostgreSQL {}", server().server.version());
    let text = stage.shown.replace(name, "DATABASE");
    let text = text
        .replace(&version, "PostgreSQL VERSION")
        .replace(&format!("127.0.0.1:{port}"), "127.0.0.1:PORT");
    let lines = text.lines().filter(|line| !is_told_of_what_takes_long(line));
    lines.map(|line| format!("{}\n", without_numbers(line))).collect()
}

/// `   Running for 2.4 s`: on a machine that has other things to do, anything may take that long.
fn is_told_of_what_takes_long(line: &str) -> bool {
    let told = line.strip_prefix("   ").unwrap_or_default();
    told.trim_start_matches(|it: char| !it.is_alphabetic()).starts_with("Running for ")
}

/// What is left out is what a slow migration really shows, and only that.
#[test]
fn what_takes_long_is_told_and_masked() {
    let case = Case::new("screen-slow");
    case.project.write("migrations/0003_slow.sql", "SELECT pg_sleep(2.5);\n");
    let ran = case.run(&["up"]);
    let is_told = |it: &&str| is_told_of_what_takes_long(it);
    let told: Vec<_> = ran.stdout(0).lines().filter(is_told).collect();
    assert!(!told.is_empty(), "{}", ran.stdout);
    let n_others = ran.stdout.lines().count() - told.len();
    let names = ["0001_users", "0002_teams", "0003_slow"];
    assert!(names.iter().all(|name| ran.stdout.contains(&format!("Completed: {name}"))));
    assert_eq!(n_others, 12, "{}", ran.stdout);
}

/// `(12 ms)`, `3 s`, `pid 77` and `2026-05-02 10:14:07` with zeros for what they tell.
fn without_numbers(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut shown = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let unit =
            words.get(at + 1).map(|it| it.trim_end_matches(|it: char| !it.is_alphanumeric()));
        let number = word.trim_start_matches('(');
        let is_number = number.starts_with(|it: char| it.is_ascii_digit());
        let is_duration = is_number && matches!(unit, Some("ms" | "s"));
        let is_pid = is_number && at > 0 && words[at - 1].ends_with("pid");
        let is_unit =
            at > 0 && matches!(word.trim_end_matches([')', ',', '.', ':', '}', ';']), "ms" | "s");
        let digits = |it: &str| -> String {
            it.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect()
        };
        let is_moment = ["0000-00-00", "00:00:00"]
            .contains(&digits(word.trim_start_matches('{').trim_end_matches('}')).as_str());
        shown.push(if is_duration {
            format!("{}0", &word[..word.len() - number.len()])
        } else if is_pid {
            word.replace(number.trim_end_matches(','), "0")
        } else if is_unit {
            format!("ms{}", word.trim_start_matches(['m', 's']))
        } else if is_moment {
            digits(word)
        } else {
            (*word).to_owned()
        });
    }
    shown.join(" ")
}

#[test]
fn before_and_after_a_run() {
    scene("run", |stage| {
        stage.run(&["status"]);
        stage.run(&["plan"]);
        stage.run(&["up"]);
        stage.run(&["up"]);
        stage.run(&["status"]);
        stage.run(&["verify"]);
        stage.run(&["plan"]);
        stage.run(&["redo"]);
        stage.run(&["down", "2"]);
        stage.run(&["down"]);
        stage.run(&["verify", "--no-pending"]);
    });
}

#[test]
fn a_plan_and_its_script() {
    scene("plan", |stage| {
        stage.run(&["up", "--to", "1"]);
        let text = "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY users_id ON users (id);\n";
        stage.project().write("migrations/0003_index.sql", text);
        stage.run(&["plan"]);
        stage.run(&["plan", "--sql", "--to", "2"]);
    });
}

#[test]
fn a_migration_that_fails() {
    scene("failure", |stage| {
        stage
            .project()
            .write("migrations/0003_bad.sql", "SELECT 1;\nSELECT nothing\nFROM users;\n");
        stage.run(&["up"]);
        stage.run(&["status"]);
        stage.run(&["down", "--to", "0009"]);
    });
}

#[test]
fn drift_and_its_repair() {
    scene("drift", |stage| {
        stage.run(&["up"]);
        stage.project().write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
        stage.project().remove("migrations/0002_teams.sql");
        stage.project().remove("migrations/0002_teams.down.sql");
        stage.run(&["status", "--exit-code"]);
        stage.run(&["verify"]);
        stage.run(&["up"]);
        stage.answer(&["repair"], "n\n");
        stage.run(&["repair", "--yes"]);
        stage.answer(&["mark", "0002_teams", "pending"], "y\n");
        stage.run(&["verify"]);
    });
}

#[test]
fn a_history_that_begins_late() {
    scene("baseline", |stage| {
        stage.answer(&["baseline", "--to", "1"], "y\n");
        stage.run(&["baseline", "--yes"]);
        stage.run(&["status"]);
        stage.run(&["unlock"]);
        stage.run(&["wait"]);
        stage.run(&["wait", "--for", "migrated"]);
        stage.run(&["mark", "0009_none", "applied"]);
    });
}

#[test]
fn a_holder_of_the_lock() {
    scene("unlock", |stage| {
        stage.run(&["up"]);
        stage.project().write("migrations/0003_sleep.sql", "SELECT pg_sleep(600);\n");
        let mut up = stage.case.project.command(&["up"]);
        let up = up.env("DATABASE_URL", stage.case.database.tcp("ana"));
        let up = up.env("PGPASSWORD", "pa:ss@w%rd").stdout(Stdio::null()).stderr(Stdio::null());
        let mut up = up.spawn().unwrap();
        stage.case.database.client().until(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() \
             AND state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
        );
        stage.run(&["up", "--lock-wait", "0"]);
        stage.answer(&["unlock"], "y\n");
        stage.run(&["unlock", "--yes"]);
        assert_eq!(up.wait().unwrap().code(), Some(5));
    });
}

#[test]
fn a_folder_from_its_beginning() {
    scene("folder", |stage| {
        let project = Project::new(&format!("screen-begin-{:?}", stage.place).to_ascii_lowercase());
        project.write("Cargo.toml", "[package]\n");
        let own = std::mem::replace(&mut stage.case.project, project);
        stage.run(&["check"]);
        stage.run(&["init"]);
        stage.run(&["new", "create users", "--down"]);
        stage.run(&["new", "fill", "--rust"]);
        stage.run(&["check"]);
        stage.run(&["sum"]);
        stage.project().write("migrations/0001_begin.sql", "SELECT 'x;\n");
        stage.run(&["check"]);
        stage.run(&["up"]);
        stage.case.project = own;
        stage.run(&["check", "--server"]);
    });
}

#[test]
fn a_branch_behind_another() {
    scene("branch", |stage| {
        let project = stage.project();
        let _made = project.git(&["init", "--quiet"]);
        project.commit("begin");
        let _branched = project.git(&["switch", "--quiet", "--create", "ours"]);
        project.write("migrations/0003_ours.sql", "SELECT 3;\n");
        project.write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
        project.commit("ours");
        let _main = project.git(&["switch", "--quiet", "main"]);
        project.write("migrations/0003_theirs.sql", "SELECT 33;\n");
        project.commit("theirs");
        let _ours = project.git(&["switch", "--quiet", "ours"]);
        stage.run(&["check", "--base", "main"]);
        stage.run(&["renumber", "--base", "main", "--dry-run"]);
        stage.run(&["renumber", "--base", "main"]);
        stage.run(&["check", "--base", "nowhere"]);
    });
}

#[test]
fn arguments_that_are_not_understood() {
    scene("usage", |stage| {
        stage.run(&["chek"]);
        stage.run(&["new"]);
        stage.run(&["down", "0"]);
        stage.run(&["up", "--lock-wait", "soon"]);
        stage.run(&["status", "--format", "sarif"]);
        stage.run(&["status", "--database-url", "postgres://ana@db/app?sslmod=require"]);
        stage.run(&["status", "--database-url", "postgres://ana@127.0.0.1:1/app"]);
        stage.run(&["man", "nothing"]);
        stage.run(&["--version"]);
    });
}

#[test]
fn help_that_teaches() {
    scene("help", |stage| {
        stage.run(&[]);
        stage.run(&["up", "-h"]);
        stage.run(&["check", "--help"]);
    });
}
