//! The two programs as a person runs them.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::service::{pool, server};

const WORKFLOW: &str = env!("CARGO_BIN_EXE_workflow");
const MIGRATE: &str = env!("CARGO_BIN_EXE_migrate");

const NAMES: [&str; 14] = [
    "2025103001-create-workflow-requests",
    "2025103002-create-approval-levels",
    "2025103003-create-participants",
    "2025103004-create-documents",
    "20251031_01_create_subscriptions",
    "20251031_02_create_activities",
    "20251031_03_create_work_notes",
    "20251031_04_create_work_note_attachments",
    "20251104-add-tat-alert-fields",
    "20251104-create-admin-config",
    "20251104-create-holidays",
    "20251104-create-kpi-views",
    "20251104-create-tat-alerts",
    "20251105-add-skip-fields-to-approval-levels",
];

/// A program in an environment that says nothing of itself.
fn program(path: impl AsRef<OsStr>, database_url: Option<&str>) -> Command {
    let mut command = Command::new(path);
    for variable in ["DATABASE_URL", "HOST", "TERM", "LC_ALL", "LC_CTYPE", "LANG", "XDG_DATA_HOME"]
    {
        let _ = command.env_remove(variable);
    }
    let _ = command.env("PORT", "0").stdin(Stdio::null());
    if let Some(url) = database_url {
        let _ = command.env("DATABASE_URL", url);
    }
    command
}

fn migrate(url: &str, arguments: &[&str]) -> Output {
    program(MIGRATE, Some(url)).args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The lines of a run that succeeded, without durations.
fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(without_duration).collect()
}

/// Durations may stand at the end of a line: ` (12 ms)`.
fn without_duration(line: &str) -> String {
    let end = line.rfind(" (").filter(|_| line.ends_with("s)") && line.contains("Completed"));
    line[..end.unwrap_or(line.len())].to_owned()
}

/// A service that is running, with the lines it has printed.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    lines: Vec<String>,
    port: u16,
}

impl Running {
    /// Starts a service and waits until it serves.
    fn start(command: &mut Command) -> Self {
        let mut running = Self::spawn(command, 0);
        running.until_it_serves();
        running
    }

    /// Starts a service that is to listen on a port.
    fn spawn(command: &mut Command, port: u16) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, stdout, lines: Vec::new(), port }
    }

    /// Starts a service on a port that is known before it says so, and waits until it listens.
    fn listening(url: &str) -> Self {
        loop {
            // Somebody else may take it in between; then the service ends, and another is tried.
            let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|it| it.local_addr());
            let port = free.expect("a port").port();
            let mut command = program(WORKFLOW, Some(url));
            let mut running = Self::spawn(command.env("PORT", port.to_string()), port);
            while running.child.try_wait().expect("a state").is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return running;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn until_it_serves(&mut self) {
        loop {
            let mut line = String::new();
            let n_read = self.stdout.read_line(&mut line).expect("UTF-8");
            assert_ne!(n_read, 0, "it ended before it served: {:?}", self.lines);
            let line = without_duration(line.trim_end_matches('\n'));
            let port = line.split_once("Server running on port ").map(|(_, port)| port.to_owned());
            self.lines.push(line);
            if let Some(port) = port {
                self.port = port.parse().expect("a port");
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("it lives");
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let mut rest = String::new();
        let _ = self.stdout.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!(rest, "");
        self.child.wait().expect("it ends")
    }

    /// Sends a request and gives what comes back, later.
    fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let length = body.len();
        let head = "host: localhost\r\nconnection: close\r\ncontent-type: application/json";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("it reads");
        stream
    }

    fn get(&self, path: &str) -> String {
        answer(self.send("GET", path, ""))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The lines of a run that applies these.
fn applying(names: &[&str]) -> Vec<String> {
    let mut lines = vec![format!("🔄 Running {} pending migration(s)...", names.len())];
    for name in names {
        lines.push(format!("⏳ Running: {name}"));
        lines.push(format!("✅ Completed: {name}"));
    }
    lines.push(format!("✅ Successfully applied {} migration(s)", names.len()));
    lines
}

/// Without the lines that say what a migration did; those are indented.
fn outline(lines: &[String]) -> Vec<String> {
    lines.iter().filter(|line| !line.starts_with(' ')).cloned().collect()
}

#[test]
fn the_first_start_migrates_and_the_second_serves_at_once() {
    let database = server().create_database().expect("a database");
    let url = database.connection_string();

    let first = Running::start(&mut program(WORKFLOW, Some(&url)));
    let mut expected = vec!["📦 Database connected".to_owned()];
    expected.push("✅ Created migrations tracking table".to_owned());
    expected.extend(applying(&NAMES));
    expected.push("📊 Total migrations: 14".to_owned());
    expected.push(format!("🚀 Server running on port {}", first.port));
    assert_eq!(outline(&first.lines), expected);
    assert_eq!(first.lines[3], "⏳ Running: 2025103001-create-workflow-requests");
    assert!(
        first.lines.contains(&"   ✅ Created workflow_requests table".to_owned()),
        "{:?}",
        first.lines
    );
    assert!(first.get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(first.stop(Signal::TERM).success());

    let second = Running::start(&mut program(WORKFLOW, Some(&url)));
    let expected = [
        "📦 Database connected",
        "✅ All migrations are up-to-date (no new migrations to run)",
        &format!("🚀 Server running on port {}", second.port),
    ];
    assert_eq!(second.lines, expected);
    assert!(second.get("/kpis").contains("request_status"));
    assert!(second.stop(Signal::INT).success());
}

#[test]
fn while_it_migrates_every_answer_says_how_far_it_is() {
    const LATE: &str = "20251104-add-tat-alert-fields";
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let database = server().create_database().expect("a database");
    let url = database.connection_string();
    let _ = lines(&migrate(&url, &[]));

    let mut service = runtime.block_on(async {
        let mut client = pool(&url).get().await.expect("a connection");
        let n_deleted = client.execute("DELETE FROM migrations WHERE name = $1", &[&LATE]).await;
        assert_eq!(n_deleted.expect("an answer"), 1);
        // The migration changes a table that somebody reads.
        let reader = client.transaction().await.expect("a transaction");
        let read = reader.execute("SELECT FROM approval_levels", &[]).await;
        assert_eq!(read.expect("an answer"), 0);

        let service = Running::listening(&url);
        let migrating = format!("\"migration\":\"{LATE}\"");
        let mut said = service.get("/healthz");
        while !said.contains(&migrating) {
            said = service.get("/healthz");
        }
        assert!(said.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{said}");
        assert!(said.contains("\r\n\r\n{\"phase\":\"migrating\",\"ready\":false,"), "{said}");
        assert!(said.contains(",\"direction\":\"up\",\"done\":0,\"of\":1,"), "{said}");
        assert!(service.get("/requests").starts_with("HTTP/1.1 503 "));
        reader.rollback().await.expect("an answer");
        service
    });
    service.until_it_serves();
    assert_eq!(service.lines[0], "📦 Database connected");
    let last = format!("🚀 Server running on port {}", service.port);
    assert_eq!(service.lines.last(), Some(&last));
    assert!(service.get("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(service.get("/requests").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(service.stop(Signal::TERM).success());
}

#[test]
fn a_terminal_without_signs_gets_words() {
    let database = server().create_database().expect("a database");
    let url = database.connection_string();
    for _ in 0..2 {
        let service = Running::start(program(WORKFLOW, Some(&url)).env("TERM", "dumb"));
        assert!(service.lines.iter().all(|line| line.is_ascii()), "{:?}", service.lines);
        assert_eq!(service.lines[0], "Database connected");
        assert!(service.stop(Signal::TERM).success());
    }
}

#[test]
fn an_answer_under_way_is_given_before_the_service_stops() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let database = server().create_database().expect("a database");
    let url = database.connection_string();
    let service = Running::start(&mut program(WORKFLOW, Some(&url)));
    let made = answer(service.send(
        "POST",
        "/requests",
        r#"{"title":"A laptop","initiator":"a@b","levels":[{"approver":"a@b","tat_hours":8}]}"#,
    ));
    let id = made.split("\"id\":\"").nth(1).and_then(|it| it.get(..36)).expect("an id");

    let answer = runtime.block_on(async {
        let pool = pool(&url);
        let mut blocker = pool.get().await.expect("a connection");
        let lock = blocker.transaction().await.expect("a transaction");
        let n_locked = lock.execute("SELECT FROM workflow_requests FOR UPDATE", &[]).await;
        assert_eq!(n_locked.expect("an answer"), 1);
        let waiting = service.send(
            "POST",
            &format!("/requests/{id}/levels/1/approve"),
            r#"{"approver":"a@b"}"#,
        );
        let observer = pool.get().await.expect("a connection");
        let blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock')";
        while !observer.query_one(blocked, &[]).await.expect("an answer").get::<_, bool>(0) {}
        service.signal(Signal::TERM);
        lock.rollback().await.expect("an answer");
        answer(waiting)
    });
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"status\":\"approved\""), "{answer}");
    let mut service = service;
    assert!(service.child.wait().expect("it ends").success());
}

#[test]
fn a_row_deleted_by_hand_makes_its_migration_run_again() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let database = server().create_database().expect("a database");
    let url = database.connection_string();
    let _ = lines(&migrate(&url, &[]));
    for name in NAMES {
        runtime.block_on(async {
            let client = pool(&url).get().await.expect("a connection");
            let n_deleted =
                client.execute("DELETE FROM migrations WHERE name = $1", &[&name]).await;
            assert_eq!(n_deleted.expect("an answer"), 1);
        });
        let again = lines(&migrate(&url, &[]));
        for line in applying(&[name]) {
            assert!(again.contains(&line), "{line} in {again:?}");
        }
        assert!(again.contains(&"📊 Total migrations: 14".to_owned()), "{again:?}");
    }
}

#[test]
fn everything_can_be_undone_and_applied_again() {
    let database = server().create_database().expect("a database");
    let url = database.connection_string();
    let before = lines(&migrate(&url, &["status"]));
    assert_eq!(before.last().expect("a line"), "📊 Total migrations: 14 (applied: 0, pending: 14)");
    let _ = lines(&migrate(&url, &[]));
    assert_eq!(migrate(&url, &["verify"]).status.code(), Some(0));

    let undone = lines(&migrate(&url, &["down", "2"]));
    assert!(undone.iter().any(|line| line.contains(NAMES[13])), "{undone:?}");
    assert!(undone.iter().any(|line| line.contains(NAMES[12])), "{undone:?}");
    let status = lines(&migrate(&url, &["status"]));
    let states: Vec<&str> =
        status.iter().filter_map(|line| line.split_whitespace().next()).collect();
    let applied = vec!["applied"; 12];
    assert_eq!(states[1..13], applied);
    assert_eq!(states[13..15], ["pending", "pending"]);
    assert_eq!(status.last().expect("a line"), "📊 Total migrations: 14 (applied: 12, pending: 2)");

    let _ = lines(&migrate(&url, &["down", "12"]));
    let kept = [("migrations".to_owned(), 'r'), ("migrations_log".to_owned(), 'r')];
    assert_eq!(left(&url), kept);
    let again = lines(&migrate(&url, &[]));
    assert!(again.contains(&"✅ Successfully applied 14 migration(s)".to_owned()), "{again:?}");
}

/// What a person finds in the database: tables, views, functions and types; not what serves them.
fn left(url: &str) -> Vec<(String, char)> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let everything = "
        SELECT relname::text, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'S')
        UNION ALL
        SELECT proname::text, 'f'::\"char\" FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT typname::text, 't'::\"char\" FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
        ORDER BY 1";
    runtime.block_on(async {
        let client = pool(url).get().await.expect("a connection");
        let rows = client.query(everything, &[]).await.expect("an answer");
        let kind = |row: &tokio_postgres::Row| char::from(row.get::<_, i8>(1).cast_unsigned());
        rows.iter().map(|row| (row.get(0), kind(row))).collect()
    })
}

#[test]
fn wrong_arguments_show_the_usage() {
    let url = "host=/nowhere";
    for arguments in [&["up"][..], &["down", "all"], &["status", "now"]] {
        let output = migrate(url, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("Usage: migrate [COMMAND]"), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
    let help = migrate(url, &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).starts_with("Usage: migrate [COMMAND]"));
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    // Nothing listens on port 1 of this machine, and no folder holds a socket.
    for url in ["postgres://ana:s3cret@127.0.0.1:1/db", "host=/nowhere user=ana password=s3cret"] {
        for path in [WORKFLOW, MIGRATE] {
            let output = program(path, Some(url)).output().expect("the program runs");
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.starts_with("error: no connection to the database: "), "{said}");
            assert!(said.contains("os error"), "why: {said}");
            assert!(!said.contains("s3cret"), "{said}");
            assert_eq!(text(&output.stdout), "");
        }
    }
}

/// A folder like cargo's, with both programs, that goes with the test.
struct Target(PathBuf);

impl Target {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("workflow-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("debug")).expect("a folder");
        fs::write(folder.join("CACHEDIR.TAG"), "").expect("a file");
        for path in [WORKFLOW, MIGRATE] {
            let name = Path::new(path).file_name().expect("a name");
            let _ = fs::copy(path, folder.join("debug").join(name)).expect("a copy");
        }
        Self(folder)
    }

    fn program(&self, name: &str) -> Command {
        program(self.0.join("debug").join(name), None)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn without_a_url_a_private_server_keeps_the_data() {
    let target = Target::new("private");
    let first = Running::start(&mut target.program("workflow"));
    assert!(first.lines.contains(&"✅ Successfully applied 14 migration(s)".to_owned()));
    let body =
        r#"{"title":"A laptop","initiator":"a@b","levels":[{"approver":"a@b","tat_hours":8}]}"#;
    assert!(answer(first.send("POST", "/requests", body)).starts_with("HTTP/1.1 201 Created\r\n"));

    // While it runs, `migrate` uses its server, and a second service is refused.
    let status = target.program("migrate").arg("status").output().expect("the program runs");
    let total = "📊 Total migrations: 14 (applied: 14, pending: 0)";
    assert_eq!(lines(&status).last().expect("a line"), total);
    let said = format!("using the private PostgreSQL of process {}\n", first.child.id());
    assert_eq!(text(&status.stderr), said);
    let second = target.program("workflow").output().expect("the program runs");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("is in use by process"), "{}", text(&second.stderr));
    assert!(first.stop(Signal::TERM).success());

    // And without it `migrate` starts the same server.
    let status = target.program("migrate").arg("status").output().expect("the program runs");
    assert_eq!(lines(&status).last().expect("a line"), total);
    let again = Running::start(&mut target.program("workflow"));
    assert_eq!(again.lines[1], "✅ All migrations are up-to-date (no new migrations to run)");
    assert!(again.get("/requests").contains("A laptop"));
    assert!(again.stop(Signal::INT).success());
}
