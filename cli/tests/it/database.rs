//! `status`, `verify`, `plan`, `up`, `down`, `redo` and `wait` on a real server, in a pipe.

mod plan;
mod wait;

use serde_json::{Value, json};

use crate::server::TestDatabase;
use crate::support::{Project, Ran};

const USERS: &str = "CREATE TABLE users (id bigint);\n";

const TEAMS: &str = "CREATE TABLE teams (id bigint);\nCREATE INDEX ON teams (id);\n";

/// A folder and a database.
pub(crate) struct Case {
    pub(crate) project: Project,
    pub(crate) database: TestDatabase,
}

impl Case {
    pub(crate) fn new(test: &str) -> Self {
        let files = [
            ("0001_users.sql", USERS),
            ("0001_users.down.sql", "DROP TABLE users;\n"),
            ("0002_teams.sql", TEAMS),
            ("0002_teams.down.sql", "DROP TABLE teams;\n"),
        ];
        Self { project: Project::with(test, &files), database: TestDatabase::new() }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.project.run(&[arguments, &["--database-url", &self.database.url()]].concat())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.project.json(&[arguments, &["--database-url", &self.database.url()]].concat())
    }

    pub(crate) fn applied(&self) -> Vec<String> {
        self.database.client().texts("SELECT name FROM migrations ORDER BY id")
    }
}

/// Durations at the ends of lines are not compared.
fn without_durations(text: &str) -> String {
    let line = |line: &str| match line.rfind(" (") {
        Some(at) if line.ends_with("s)") => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn up_applies_what_is_pending_and_then_nothing() {
    let case = Case::new("up");
    let ran = case.run(&["up"]);
    assert_eq!(
        without_durations(ran.stdout(0)),
        "ok: Created migrations tracking table\n\
         Running 2 pending migration(s)...\n\
         Running: 0001_users\n   \
         ok: Created users table\n\
         ok: Completed: 0001_users\n\
         Running: 0002_teams\n   \
         ok: Created teams table\n\
         ok: Completed: 0002_teams\n\
         ok: Successfully applied 2 migration(s)\n\
         Total migrations: 2"
    );
    assert!(ran.stdout.is_ascii());
    let again = case.run(&["up"]);
    assert_eq!(again.stdout(0), "ok: All migrations are up-to-date (no new migrations to run)\n");
    assert_eq!(case.applied(), ["0001_users", "0002_teams"]);
}

#[test]
fn up_to_a_version_and_what_it_did_as_json() {
    let case = Case::new("up-to");
    let done = case.json(&["up", "--to", "1"]);
    assert_eq!(done["applied"][0]["name"], "0001_users");
    assert_eq!(done["applied"].as_array().unwrap().len(), 1);
    assert_eq!((&done["total"], &done["history_created"]), (&json!(1), &json!(true)));
    let unknown = case.json(&["up", "--to", "77"]);
    assert_eq!((&unknown["exit"], &unknown["code"]), (&json!("usage"), &json!(2)));
    assert_eq!(unknown["error"]["rule"], "target");
    assert_eq!(case.applied(), ["0001_users"]);
}

#[test]
fn a_migration_that_fails_is_told_with_its_place() {
    let case = Case::new("up-fails");
    case.project.write("migrations/0003_bad.sql", "SELECT 1;\nSELECT nothing FROM users;\n");
    let ran = case.run(&["up"]);
    assert_eq!(ran.code, 5);
    assert!(
        ran.stderr.starts_with(
            "error: migration `0003_bad` failed: column \"nothing\" does not exist (42703)\n \
             --> migrations/0003_bad.sql:2:8\n"
        ),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("ok: Completed: 0002_teams"), "{}", ran.stdout);
    let failed = case.json(&["up"]);
    assert_eq!(failed["error"]["sqlstate"], "42703");
    assert_eq!(failed["error"]["line"], 2);
    assert_eq!(failed["done"], json!([]));
    let github = case.run(&["up", "--format", "github"]);
    let expected = "::error file=migrations/0003_bad.sql,line=2,col=8,title=migration `0003_bad`";
    assert!(github.stdout(5).contains(&format!("\n{expected}")), "{}", github.stdout);
    assert!(github.stdout.contains("\nRunning: 0003_bad\n"), "{}", github.stdout);
}

#[test]
fn a_folder_with_an_error_asks_no_database() {
    let case = Case::new("up-broken");
    case.project.write("migrations/0003_bad.sql", "SELECT 'x;\n");
    for command in ["up", "status", "verify", "plan", "down", "redo"] {
        let ran = case.run(&[command]);
        assert!(ran.stdout(1).starts_with("error: unterminated string\n"), "{}", ran.stdout);
        assert!(ran.stdout.ends_with("the build would fail; no database was asked\n"));
    }
    let exists = "SELECT to_regclass('migrations') IS NULL";
    case.database.client().until(exists);
}

#[test]
fn status_shows_what_is_where_and_writes_nothing() {
    let case = Case::new("status");
    let ran = case.run(&["status"]);
    assert_eq!(
        ran.stdout(0),
        "state    migration   applied at (UTC)  by  took\n\
         pending  0001_users\n\
         pending  0002_teams\n\
         Total migrations: 2 (0 applied, 2 pending) (there is no history table yet)\n"
    );
    assert_eq!(case.run(&["status", "--exit-code"]).code, 3);
    assert_eq!(case.run(&["up", "--to", "1"]).code, 0);
    let status = case.json(&["status"]);
    assert_eq!((&status["applied"], &status["pending"]), (&json!(1), &json!(1)));
    let first = &status["migrations"][0];
    assert_eq!((&first["state"], &first["kind"]), (&json!("applied"), &json!("sql")));
    assert_eq!(first["checksum"], first["recorded_checksum"]);
    assert!(first["executed_at"].as_str().unwrap().ends_with('Z'), "{first}");
    assert_eq!(first["application"], "cargo-dunlin");
    assert_eq!(case.run(&["up"]).code, 0);
    assert_eq!(case.run(&["status", "--exit-code"]).code, 0);
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
    let edited = case.run(&["status", "--exit-code"]);
    assert!(edited.stdout(4).contains("changed  0001_users"), "{}", edited.stdout);
    assert_eq!(case.run(&["status"]).code, 0);
}

#[test]
fn verify_fails_on_drift_with_a_diff() {
    let case = Case::new("verify");
    assert_eq!(case.run(&["verify"]).code, 0);
    assert_eq!(case.run(&["verify", "--no-pending"]).code, 3);
    assert_eq!(case.run(&["up"]).code, 0);
    let ran = case.run(&["verify", "--no-pending"]);
    assert_eq!(
        ran.stdout(0),
        "what was applied is what is here\nTotal migrations: 2 (2 applied, 0 pending)\n"
    );
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
    let edited = case.run(&["verify"]);
    assert!(
        edited.stderr(4).starts_with("error: the applied migration `0001_users` was edited\n"),
        "{}",
        edited.stderr
    );
    let diff = "-CREATE TABLE users (id bigint);\n+CREATE TABLE users (id uuid);\n";
    assert!(edited.stderr.contains(diff), "{}", edited.stderr);
    let github = case.run(&["verify", "--format", "github"]);
    let expected = "::error file=migrations/0001_users.sql,line=1,col=1,title=the applied";
    assert!(github.stdout(4).starts_with(expected), "{}", github.stdout);
    // A run that is refused says the same.
    let up = case.run(&["up", "--format", "github"]);
    assert!(up.stdout(4).starts_with(expected), "{}", up.stdout);
    assert_eq!(case.json(&["up"])["drift"][0]["name"], "0001_users");
    let document = case.json(&["verify"]);
    assert_eq!(document["drift"][0]["kind"], "changed");
    assert!(document["drift"][0]["diff"].as_str().unwrap().contains(diff), "{document}");
    case.project.remove("migrations/0001_users.sql");
    case.project.remove("migrations/0001_users.down.sql");
    assert_eq!(case.json(&["verify"])["drift"][0]["kind"], "missing");
    assert_eq!(case.run(&["up"]).code, 4);
}

#[test]
fn policies_are_options() {
    let case = Case::new("policies");
    assert_eq!(case.run(&["up"]).code, 0);
    // Edited, and 2 is not here any more although 3 is.
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id int);\n");
    for file in ["0002_teams.sql", "0002_teams.down.sql"] {
        case.project.remove(&format!("migrations/{file}"));
    }
    case.project.write("migrations/0003_owners.sql", "CREATE TABLE owners (id bigint);\n");
    assert_eq!(case.run(&["up"]).code, 4);
    assert_eq!(case.run(&["up", "--on-changed", "announce"]).code, 4);
    assert_eq!(case.run(&["verify", "--on-missing", "announce"]).code, 4);
    let both = ["up", "--on-changed", "announce", "--on-missing", "announce"];
    let ran = case.run(&both);
    assert!(ran.stdout(0).contains("0003_owners"), "{}", ran.stdout);
    // 3 is newer than all that is here.
    case.project.remove("migrations/0003_owners.sql");
    let tolerant = ["--on-changed", "announce"];
    assert_eq!(case.run(&[&["up"], &tolerant[..]].concat()).code, 0);
    assert_eq!(case.run(&[&["up", "--on-ahead", "refuse"], &tolerant[..]].concat()).code, 4);
    let breaking = "UPDATE migrations SET breaking = true WHERE name = '0003_owners'";
    case.database.client().run(breaking);
    assert_eq!(case.run(&[&["up"], &tolerant[..]].concat()).code, 4);
    assert_eq!(case.run(&[&["up", "--on-ahead", "run"], &tolerant[..]].concat()).code, 0);
    assert_eq!(case.run(&["up", "--on-ahead", "perhaps"]).code, 2);
}

#[test]
fn down_and_redo() {
    let case = Case::new("down");
    assert_eq!(case.run(&["up"]).code, 0);
    let ran = case.run(&["redo"]);
    let lines = without_durations(ran.stdout(0));
    assert!(lines.starts_with("Undoing 1 migration(s)...\nUndoing: 0002_teams\n"), "{lines}");
    assert!(
        lines.ends_with("ok: Successfully applied 1 migration(s)\nTotal migrations: 2"),
        "{lines}"
    );
    let redone = case.json(&["redo", "2"]);
    assert_eq!(redone["undone"][0]["name"], "0002_teams");
    assert_eq!(redone["applied"][1]["name"], "0002_teams");
    let undone = case.json(&["down", "--to", "1"]);
    assert_eq!(undone["undone"][0]["name"], "0002_teams");
    assert_eq!(case.applied(), ["0001_users"]);
    assert_eq!(case.run(&["down", "0"]).code, 2);
    assert_eq!(case.run(&["down", "2", "--to", "1"]).code, 2);
    case.project.remove("migrations/0001_users.down.sql");
    let without = case.run(&["down"]);
    assert!(
        without.stderr(1).starts_with("error: no undo for `0001_users`\n"),
        "{}",
        without.stderr
    );
    assert_eq!(case.applied(), ["0001_users"]);
}

#[test]
fn a_migration_in_rust_is_refused_before_anything_runs() {
    let case = Case::new("rust");
    let rust = "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    case.project.write("migrations/0003_fill.rs", rust);
    let ran = case.run(&["up"]);
    assert!(
        ran.stderr(1).starts_with("error: `0003_fill` is in Rust and is not compiled here\n"),
        "{}",
        ran.stderr
    );
    case.database.client().until("SELECT to_regclass('users') IS NULL");
    // Those before it can run, and it can be looked at.
    assert_eq!(case.run(&["up", "--to", "2"]).code, 0);
    assert!(case.run(&["plan"]).stdout(0).contains("in Rust: what it does is known when it runs"));
}

#[test]
fn the_history_table_and_its_schema_can_be_chosen() {
    let case = Case::new("history");
    let chosen = ["--history-table", "Applied", "--history-schema", "ops"];
    assert_eq!(case.run(&[&["up"], chosen.as_slice()].concat()).code, 0);
    assert_eq!(
        case.database.client().texts("SELECT name FROM ops.\"Applied\" LIMIT 1"),
        ["0001_users"]
    );
    assert_eq!(case.json(&[&["status"], chosen.as_slice()].concat())["applied"], 2);
}

#[test]
fn the_log_can_be_named_and_left_out() {
    let case = Case::new("log");
    assert_eq!(case.run(&["up", "--to", "1", "--no-log"]).code, 0);
    let client = case.database.client();
    client.until("SELECT to_regclass('migrations_log') IS NULL");
    let logged = ["--log-table", "attempts", "--build", "4d3f2c1"];
    assert_eq!(case.run(&[&["up"], logged.as_slice()].concat()).code, 0);
    let found = client.texts("SELECT name || ' ' || build FROM attempts WHERE outcome = 'done'");
    assert_eq!(found, ["0002_teams 4d3f2c1"]);
    assert_eq!(case.run(&["up", "--no-log", "--log-table", "x"]).code, 2);
}

/// What an older tool has left: the first migration applied, and one that nobody has any more.
pub(crate) const PLAIN: &str = "CREATE TABLE migrations (id serial PRIMARY KEY, \
    name varchar(255) NOT NULL UNIQUE, executed_at timestamptz NOT NULL DEFAULT now()); \
    INSERT INTO migrations (name) VALUES ('0001_a'), ('0001_users'), ('0000_gone')";

#[test]
fn adopt_takes_over_an_older_table_and_shows_what_it_holds() {
    let case = Case::new("adopt");
    case.database.client().run(PLAIN);
    let before = case.run(&["status"]);
    assert!(before.stderr(5).contains("add the columns once: `adopt`\n"), "{}", before.stderr);
    let against = case.run(&["adopt", "--yes"]);
    assert!(against.stderr(4).contains("not here: `0000_gone` was applied"), "{}", against.stderr);
    let vouched = ["adopt", "--accept", "0000_gone", "--accept", "0001_a"];
    let refused = case.run(&vouched);
    assert!(refused.stdout.is_empty(), "{refused:?}");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("error: there is nobody to ask\n"), "{}", refused.stderr);
    let adopted = case.run(&[vouched.as_slice(), &["--yes"]].concat());
    for line in ["unverified  0001_users", "pending     0002_teams"] {
        assert!(adopted.agreed("The tracking table gets").contains(line), "{}", adopted.stdout);
    }
    assert_eq!(case.json(&["adopt", "--yes"])["adopted"], false);
    assert_eq!(case.run(&["verify"]).code, 0);
}

#[test]
fn a_role_without_privileges_can_look_and_is_told_what_it_lacks() {
    let case = Case::new("privilege");
    assert_eq!(case.run(&["up", "--to", "1"]).code, 0);
    let client = case.database.client();
    let reader = case.database.tcp("reader");
    let run = |arguments: &[&str]| {
        let mut command = case.project.command(arguments);
        crate::support::ran(
            &command.env("DATABASE_URL", &reader).env("PGPASSWORD", "reader").output().unwrap(),
        )
    };
    let refused = run(&["status"]);
    assert!(refused.stderr(5).contains("permission denied"), "{}", refused.stderr);
    // Nothing else, and in sessions that cannot write at all.
    client.run("GRANT SELECT ON migrations TO reader");
    let looks = |arguments: &[&str]| {
        let mut command = case.project.command(arguments);
        let command = command.env("DATABASE_URL", &reader).env("PGPASSWORD", "reader");
        let command = command.env("PGOPTIONS", "-c default_transaction_read_only=on");
        crate::support::ran(&command.output().unwrap())
    };
    assert!(looks(&["status"]).stdout(0).contains("applied  0001_users"));
    assert_eq!(looks(&["verify"]).code, 0);
    assert_eq!(looks(&["verify", "--no-pending"]).code, 3);
    assert_eq!(looks(&["plan"]).code, 0);
    assert_eq!(looks(&["plan", "--sql"]).code, 0);
    assert_eq!(looks(&["wait", "--for", "migrated", "--timeout", "3"]).code, 3);
    let written = "SELECT string_agg(m::text, '') FROM migrations m";
    let before = client.texts(written);
    let refused = run(&["up"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (5, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("role `reader` may not write to"), "{}", refused.stderr);
    assert_eq!(client.texts(written), before);
    // Also where there is no history yet: a role that may not create it can ask.
    client.run("DROP TABLE migrations, migrations_log");
    assert!(looks(&["status"]).stdout(0).contains("there is no history table yet"));
    assert_eq!(looks(&["verify"]).code, 0);
    client.until("SELECT to_regclass('migrations') IS NULL");
}
