//! `baseline`, `repair`, `mark` and `unlock`: what corrects the history shows what it will change, asks,
//! and does it.

use serde_json::{Value, json};

use crate::database::Case;
use crate::terminal::{answering, terminal_of};

/// A pipe is nobody to ask: the command refuses and shows what it would have done.
#[track_caller]
fn refused(case: &Case, arguments: &[&str], shown: &[&str]) {
    let ran = case.run(arguments);
    let said = ran.stderr(2);
    assert!(said.contains("error: there is nobody to ask\n"), "{said}");
    for part in shown {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let document = case.json(arguments);
    assert_eq!((&document["exit"], &document["command"]), (&json!("usage"), &json!(arguments[0])));
    let said = document["error"]["text"].as_str().unwrap();
    assert!(said.contains("nothing was changed"), "{said}");
    assert!(shown.iter().all(|part| said.contains(part)), "{said}");
}

/// A person says no, and then yes.
#[track_caller]
fn asked(case: &Case, arguments: &[&str]) {
    let url = case.database.url();
    let arguments = [arguments, &["--database-url", &url]].concat();
    let (code, shown) = answering(&mut terminal_of(&case.project, &arguments), "n\n");
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("Go on? [y/N]") && shown.contains("not confirmed"), "{shown}");
    let (code, shown) = answering(&mut terminal_of(&case.project, &arguments), "y\n");
    assert_eq!(code, 0, "{shown}");
}

fn kinds(case: &Case) -> Vec<String> {
    case.database.client().texts("SELECT name || ' ' || kind FROM migrations ORDER BY name")
}

#[test]
fn a_baseline_is_recorded_and_nothing_is_run() {
    let case = Case::new("baseline");
    let client = case.database.client();
    let shown = ["0001_users\n", "1 migration will be recorded as applied without being run"];
    refused(&case, &["baseline", "--to", "1"], &shown[1..]);
    assert!(case.run(&["baseline", "--to", "1"]).stderr.starts_with(shown[0]));
    client.until("SELECT to_regclass('migrations') IS NULL");
    let ran = case.run(&["baseline", "--to", "1", "--yes"]);
    let expected = "0001_users\n1 migration recorded as applied; nothing was run\n";
    assert_eq!(ran.agreed(shown[1]), expected);
    assert_eq!(kinds(&case), ["0001_users baseline"]);
    let again = case.run(&["baseline", "--to", "1"]);
    assert_eq!(again.stdout(0), "there is nothing to record\n");
    assert_eq!(case.json(&["baseline", "--to", "1"])["baseline"], json!([]));
    let rest = case.json(&["baseline", "--yes"]);
    assert_eq!(
        (&rest["baseline"], &rest["history_created"]),
        (&json!(["0002_teams"]), &json!(false))
    );
    assert_eq!(case.run(&["verify", "--no-pending"]).code, 0);
    client.until("SELECT to_regclass('users') IS NULL AND to_regclass('teams') IS NULL");
    assert_eq!(case.json(&["baseline", "--to", "77", "--yes"])["error"]["rule"], "target");
}

#[test]
fn a_baseline_asks_a_person_and_needs_no_migration_in_rust_compiled() {
    let case = Case::new("baseline-ask");
    let rust = "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    case.project.write("migrations/0003_fill.rs", rust);
    asked(&case, &["baseline"]);
    assert_eq!(case.applied(), ["0001_users", "0002_teams", "0003_fill"]);
}

/// One is edited, one renamed, and one is gone.
fn drifted(test: &str) -> Case {
    let case = Case::new(test);
    case.project.write("migrations/0000_gone.sql", "SELECT 1;\n");
    assert_eq!(case.run(&["up"]).code, 0);
    case.project.remove("migrations/0000_gone.sql");
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
    let teams = case.project.read("migrations/0002_teams.sql");
    case.project.remove("migrations/0002_teams.sql");
    case.project.remove("migrations/0002_teams.down.sql");
    case.project.write("migrations/0002_groups.sql", &teams);
    case
}

#[test]
fn a_repair_settles_what_was_edited_and_renamed_and_says_what_stays() {
    let case = drifted("repair");
    let stays = "stays: the applied migration `0000_gone` is not here\n";
    refused(
        &case,
        &["repair"],
        &[
            "the applied migration `0001_users` was edited\n",
            "+CREATE TABLE users (id uuid);\n",
            "the applied migration `0002_teams` was renamed to `0002_groups`\n",
            stays.trim_end(),
        ],
    );
    assert_eq!(case.run(&["verify"]).code, 4);
    assert_eq!(case.applied(), ["0000_gone", "0001_users", "0002_teams"]);
    let ran = case.run(&["repair", "--yes"]);
    assert_eq!(
        ran.agreed("+CREATE TABLE users (id uuid);\n"),
        format!(
            "repaired: the applied migration `0001_users` was edited\n\
             repaired: the applied migration `0002_teams` was renamed to `0002_groups`\n{stays}"
        )
    );
    assert_eq!(case.applied(), ["0000_gone", "0001_users", "0002_groups"]);
    let again = case.run(&["repair"]);
    assert_eq!(again.stdout(0), format!("there is nothing to repair\n{stays}"));
    let again = case.json(&["repair"]);
    assert_eq!((&again["repaired"], &again["left"][0]["kind"]), (&json!([]), &json!("missing")));
}

#[test]
fn a_repair_as_json_and_on_a_terminal() {
    let case = drifted("repair-json");
    let repaired = case.json(&["repair", "--yes"]);
    let kinds: Vec<_> =
        repaired["repaired"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["changed", "renamed"]);
    assert_eq!(repaired["left"], json!([{ "kind": "missing", "name": "0000_gone" }]));
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id text);\n");
    asked(&case, &["repair"]);
    assert_eq!(case.json(&["repair"])["repaired"], json!([]));
}

#[test]
fn a_migration_is_marked_applied_and_pending() {
    let case = Case::new("mark");
    let apply = ["mark", "0001_users", "applied"];
    refused(&case, &apply, &["`0001_users` is pending: it has no row", "It will count as applied"]);
    let marked = case.json(&[apply.as_slice(), &["--yes"]].concat());
    assert_eq!((&marked["marked"], &marked["was"]), (&json!(true), &json!("pending")));
    assert_eq!(marked["migrations"][0]["kind"], "marked");
    let again = case.run(&apply);
    assert!(again.stdout(0).starts_with("there is nothing to mark\n"), "{}", again.stdout);
    let pend = ["mark", "0001_users", "pending"];
    refused(&case, &pend, &["its row is of kind `marked`", "It will count as pending"]);
    let ran = case.run(&[pend.as_slice(), &["--yes"]].concat());
    assert!(
        ran.agreed("It will count as pending.").contains("pending  0001_users"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("`0001_users` is marked as pending\n"), "{}", ran.stdout);
    assert_eq!(case.json(&pend)["marked"], false);
    asked(&case, &["mark", "0002_teams", "applied"]);
    assert_eq!(kinds(&case), ["0002_teams marked"]);
}

#[test]
fn what_cannot_be_said_of_a_migration_is_refused() {
    let case = drifted("mark-not");
    for (name, mark, headline) in [
        ("0009_x", "applied", "error: there is no migration `0009_x`\n"),
        ("0000_gone", "applied", "error: `0000_gone` is not here, so its text is not known\n"),
        ("0001_users", "statement-done", "error: `0001_users` was not interrupted\n"),
        ("0002_groups", "statement-not-done", "error: `0002_groups` was not interrupted\n"),
    ] {
        let ran = case.run(&["mark", name, mark, "--yes"]);
        assert!(ran.stderr(2).starts_with(headline), "{}", ran.stderr);
        assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    }
    assert_eq!(case.run(&["mark", "0001_users", "maybe"]).code, 2);
    // What is gone may leave the history.
    assert_eq!(case.run(&["mark", "0000_gone", "pending", "--yes"]).code, 0);
    assert_eq!(case.applied(), ["0001_users", "0002_teams"]);
}

#[test]
fn an_interrupted_statement_is_marked_either_way() {
    for (mark, next, n_rows) in
        [("statement-done", "continues behind it", "1"), ("statement-not-done", "repeats it", "2")]
    {
        let case = Case::new(&format!("mark-{mark}"));
        let text = "-- dunlin: no-transaction\nCREATE TABLE t (id int);\n\
                    INSERT INTO t VALUES (1);\nSELECT 1;\n";
        case.project.write("migrations/0003_fill.sql", text);
        assert_eq!(case.run(&["up"]).code, 0);
        let client = case.database.client();
        client.run(
            "UPDATE migrations SET statements_done = 1, statements_begun = 2 \
             WHERE name = '0003_fill'",
        );
        assert_eq!(case.run(&["up"]).code, 5);
        let arguments = ["mark", "0003_fill", mark];
        let shown = ["`0003_fill` is unfinished", "1 of 3 statements done, 2 begun", next];
        refused(&case, &arguments, &shown);
        let marked = case.json(&[arguments.as_slice(), &["--yes"]].concat());
        assert_eq!((&marked["marked"], &marked["was"]), (&json!(true), &json!("unfinished")));
        // What is said once is not in doubt any more.
        assert_eq!(case.json(&arguments)["marked"], false);
        assert_eq!(case.run(&["up"]).code, 0);
        assert_eq!(client.texts("SELECT count(*)::text FROM t"), [n_rows]);
    }
}

#[test]
fn the_holder_of_the_lock_is_shown_and_ended() {
    let case = Case::new("unlock");
    assert_eq!(case.run(&["unlock"]).stdout(0), "nobody holds the migration lock\n");
    let nobody = case.json(&["unlock", "--yes"]);
    assert_eq!((&nobody["unlocked"], &nobody["holder"]), (&json!(false), &Value::Null));
    assert_eq!(case.run(&["up"]).code, 0);
    case.project.write("migrations/0003_sleep.sql", "SELECT pg_sleep(600);\n");
    let url = case.database.url();
    let client = case.database.client();
    let hangs = || {
        let mut command = case.project.command(&["up", "--database-url", &url]);
        let command = command.stdout(std::process::Stdio::null());
        let child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        client.until(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() \
             AND state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
        );
        child
    };
    let mut first = hangs();
    let pid = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
               AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()";
    let pid = client.texts(pid).remove(0);
    refused(
        &case,
        &["unlock"],
        &[
            &format!("pid {pid}, user `"),
            "application `cargo-dunlin`",
            "connected for",
            "running: ",
        ],
    );
    let unlocked = case.json(&["unlock", "--yes"]);
    assert_eq!(unlocked["unlocked"], true);
    assert_eq!(unlocked["holder"]["pid"].to_string(), pid);
    assert_eq!(unlocked["holder"]["application"], "cargo-dunlin");
    assert_eq!(first.wait().unwrap().code(), Some(5));
    let mut second = hangs();
    asked(&case, &["unlock"]);
    assert_eq!(second.wait().unwrap().code(), Some(5));
    assert_eq!(case.applied(), ["0001_users", "0002_teams"]);
}

/// Who looks later finds what was said by hand, by whom, and that it was done.
#[test]
fn what_corrects_the_history_is_in_the_log() {
    let case = drifted("amend-log");
    assert_eq!(case.run(&["repair", "--yes", "--build", "4d3f2c1"]).code, 0);
    assert_eq!(case.run(&["mark", "0000_gone", "pending", "--yes"]).code, 0);
    case.project.write("migrations/0003_late.sql", "SELECT 3;\n");
    assert_eq!(case.run(&["baseline", "--yes"]).code, 0);
    case.project.write("migrations/0004_sleep.sql", "SELECT pg_sleep(600);\n");
    let url = case.database.url();
    let client = case.database.client();
    let mut command = case.project.command(&["up", "--database-url", &url]);
    let command = command.stdout(std::process::Stdio::null());
    let mut up = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    client.until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() \
         AND state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
    );
    assert_eq!(case.run(&["unlock", "--yes"]).code, 0);
    assert_eq!(up.wait().unwrap().code(), Some(5));
    let logged = "SELECT concat_ws(' ', action, outcome, name, build) FROM migrations_log \
                  WHERE action <> 'apply' ORDER BY id";
    assert_eq!(
        client.texts(logged),
        [
            "repair done 0001_users 4d3f2c1",
            "repair done 0002_groups 4d3f2c1",
            "mark done 0000_gone",
            "baseline done 0003_late",
            "unlock done",
        ]
    );
    let unlocked = "SELECT message FROM migrations_log WHERE action = 'unlock'";
    assert!(client.texts(unlocked)[0].contains("application `cargo-dunlin`"));
    // A question that was answered with no leaves no trace.
    assert_eq!(case.run(&["repair"]).code, 0);
    assert_eq!(client.texts(logged).len(), 5);
}
