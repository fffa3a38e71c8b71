//! `check --server`: on a private PostgreSQL, and in a scratch database of a given one.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::server::{TestClient, server};
use crate::support::{Project, ran};

#[test]
fn check_on_a_server_applies_undoes_and_applies_again() {
    let files = [
        ("0001_a.sql", "CREATE TABLE a (id bigint);\n"),
        ("0002_b.sql", "CREATE TABLE b (id bigint);\n"),
        ("0002_b.down.sql", "DROP TABLE b;\n"),
        ("0003_c.sql", "ALTER TABLE b ADD COLUMN c int;\n"),
        ("0003_c.down.sql", "ALTER TABLE b DROP COLUMN c;\n"),
    ];
    let project = Project::with("check-server", &files);
    let ran = project.run(&["check", "--server"]);
    let (first, rest) = ran.stdout(0).split_once('\n').unwrap();
    assert!(first.starts_with("on PostgreSQL "), "{first}");
    assert!(first.ends_with(": 3 applied, 2 undone and applied again"), "{first}");
    assert_eq!(rest, "3 migrations: nothing to object to\n");
    // An undo that leaves something is found by applying again.
    project.write("migrations/0002_b.down.sql", "SELECT 1;\n");
    let document = project.sarif(1, &["--server"]);
    let result = &document["runs"][0]["results"][0];
    let text = result["message"]["text"].as_str().unwrap();
    assert!(text.contains("relation \"b\" already exists"), "{text}");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "migrations/0002_b.sql");
    // What only a server knows.
    project.write("migrations/0004_d.sql", "SELECT nothing FROM a;\n");
    let ran = project.run(&["check", "--server", "--format", "github"]);
    let expected =
        "::error file=migrations/0004_d.sql,line=1,col=8,title=migration `0004_d` failed";
    assert!(ran.stdout(1).starts_with(expected), "{}", ran.stdout);
    let rust = "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    project.remove("migrations/0004_d.sql");
    project.write("migrations/0002_b.down.sql", "DROP TABLE b;\n");
    project.write("migrations/0004_d.rs", rust);
    assert_eq!(project.json(&["check", "--server"])["server"]["ends_before"], "0004_d");
}

/// The scratch databases of a program, which is known by its process id.
fn scratches(client: &TestClient, pid: u32) -> Vec<String> {
    let sql = format!(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'dunlin\\_check\\_{pid}\\_%'"
    );
    client.texts(&sql)
}

/// Runs `check --server` on the server of the tests; nothing may be left there.
#[track_caller]
fn on_given(project: &Project, format: &str) -> crate::support::Ran {
    let (client, url) =
        (server().client("postgres"), server().server.connection_string("postgres"));
    let mut command = project.command(&["check", "--server", &url, "--format", format]);
    let command = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = child.id();
    let ran = ran(&child.wait_with_output().unwrap());
    assert_eq!(scratches(&client, pid), Vec::<String>::new());
    ran
}

#[test]
fn a_given_server_has_a_scratch_database_for_as_long_as_it_takes() {
    let files = [
        ("0001_a.sql", "CREATE TABLE a (id bigint);\nSELECT current_database();\n"),
        ("0001_a.down.sql", "DROP TABLE a;\n"),
    ];
    let project = Project::with("check-given", &files);
    let version = server().server.version();
    assert_eq!(
        on_given(&project, "human").stdout(0),
        format!(
            "on PostgreSQL {version}: 1 applied, 1 undone and applied again\n\
             1 migration: nothing to object to\n"
        )
    );
    project.write("migrations/0002_b.sql", "SELECT nothing FROM a;\n");
    let ran = on_given(&project, "github");
    let expected =
        "::error file=migrations/0002_b.sql,line=1,col=8,title=migration `0002_b` failed";
    assert!(ran.stdout(1).starts_with(expected), "{}", ran.stdout);
}

/// What the build lets pass, the server refuses before anything is run, in all files at once.
#[test]
fn the_servers_parser_reads_every_statement() {
    let off = |text: &str| format!("-- dunlin: syntax off\n{text}");
    let project = Project::with("check-parser", &[("0001_a.sql", "SELECT fails_when_run;\n")]);
    let broken = "SELECT 1;\n\nCREATE TABLE ä (id bigint,, b int);\n\nSELECT FROM FROM;\n";
    project.write("migrations/0002_b.sql", &off(broken));
    project.write("migrations/0002_b.down.sql", &off("DROP TABEL b;\n"));
    let places = |document: &serde_json::Value| -> Vec<String> {
        let findings = document["findings"].as_array().unwrap();
        let place = |it: &serde_json::Value| {
            format!(
                "{}:{}:{} {}",
                it["path"].as_str().unwrap(),
                it["line"],
                it["column"],
                it["rule"]
            )
        };
        findings.iter().map(place).collect()
    };
    let expected = [
        "migrations/0002_b.sql:4:27 \"syntax\"",
        "migrations/0002_b.sql:6:13 \"syntax\"",
        "migrations/0002_b.down.sql:2:6 \"syntax\"",
    ];
    let ran = on_given(&project, "json");
    let document: serde_json::Value = serde_json::from_str(ran.stdout(1)).unwrap();
    assert_eq!(places(&document), expected);
    assert_eq!(places(&project.json(&["check", "--server"])), expected);
    let text = document["findings"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("syntax error at or near \",\"\n --> migrations/0002_b.sql:4:27\n"),
        "{text}"
    );
    assert!(text.contains("refuses the statement"), "{text}");
}

#[test]
fn a_given_server_that_gives_no_database_is_told() {
    let project = Project::with("check-given-not", &[("0001_a.sql", "SELECT 1;\n")]);
    let port = server().server.port();
    let check = |url: &str| project.run(&["check", "--server", url]);
    let may_not = check(&format!("postgres://reader:reader@127.0.0.1:{port}/postgres"));
    assert_eq!(
        may_not.stderr(5),
        "error: creating a scratch database: permission denied to create database (42501)\n  \
           = help: let the role create databases: `ALTER ROLE ... CREATEDB`\n"
    );
    let nobody = check("postgres://reader:reader@127.0.0.1:1/postgres");
    assert!(nobody.stderr(5).starts_with("error: no connection to the database: "), "{nobody:?}");
    assert!(!nobody.stderr.contains("scratch"), "{nobody:?}");
    assert_eq!(check("").code, 2);
    let document = project.json(&["check", "--server", "postgres://reader:wrong@127.0.0.1:1/x"]);
    assert_eq!((&document["exit"], document["server"].is_null()), (&json!("database"), true));
    assert!(!document.to_string().contains("wrong"), "{document}");
}

#[test]
fn ctrl_c_removes_the_scratch_database() {
    let project =
        Project::with("check-given-interrupt", &[("0001_a.sql", "SELECT pg_sleep(600);\n")]);
    let (client, url) =
        (server().client("postgres"), server().server.connection_string("postgres"));
    let mut command = project.command(&["check", "--server", &url]);
    let command = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    client.until(&format!(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' \
         AND datname LIKE 'dunlin\\_check\\_{}\\_%'",
        child.id()
    ));
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let id = child.id();
    let ran = ran(&child.wait_with_output().unwrap());
    assert_eq!(ran.stderr(130), "error: interrupted\n  = note: nothing was changed\n");
    assert_eq!(scratches(&client, id), Vec::<String>::new());
}
