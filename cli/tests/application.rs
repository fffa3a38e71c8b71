//! The other door: an application's own binary, whose `main` is `dunlin_cli::run(&MIGRATIONS)`.
//!
//! This program is both. Started with [`AS_APPLICATION`] it is the application; otherwise it starts
//! itself like that and looks at what comes.

#![expect(clippy::unwrap_used, reason = "what cannot be set up is a failed test")]

use std::process::{Command, ExitCode};

use dunlin_sandbox::Server;

static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../migrations");

const AS_APPLICATION: &str = "DUNLIN_TEST_AS_APPLICATION";

fn main() -> ExitCode {
    match std::env::var(AS_APPLICATION).as_deref() {
        Ok("async") => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            return runtime.block_on(async { dunlin_cli::run(&MIGRATIONS) });
        }
        Ok(_) => return dunlin_cli::run(&MIGRATIONS),
        Err(_) => {}
    }
    migrations_in_rust_run_too();
    the_history_can_be_corrected();
    all_of_it_can_be_tried_on_a_server();
    what_needs_a_folder_is_not_there();
    ExitCode::SUCCESS
}

/// The exit code, and what stands on standard output and standard error.
fn application(url: Option<&str>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let _command = command.env(AS_APPLICATION, "1").env_remove("DATABASE_URL").args(arguments);
    if let Some(url) = url {
        let _command = command.env("DATABASE_URL", url);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn migrations_in_rust_run_too() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let url = database.connection_string();
    let url = Some(url.as_str());
    let (code, shown, _) = application(url, &["plan", "--exit-code"]);
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("in Rust: what it does is known when it runs"), "{shown}");
    let (code, shown, complained) = application(url, &["up"]);
    assert_eq!((code, complained.as_str()), (0, ""));
    assert!(shown.ends_with("\nTotal migrations: 14\n"), "{shown}");
    assert!(
        shown.contains("ok: Completed: 20251105-add-skip-fields-to-approval-levels"),
        "{shown}"
    );
    let (code, shown, _) = application(url, &["status", "--exit-code", "--format", "json"]);
    assert_eq!(code, 0, "{shown}");
    let status: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(status["migrations"][13]["kind"], "rust");
    // The name by which the session is found is the application's.
    let name = std::env::current_exe().unwrap().file_stem().unwrap().to_string_lossy().into_owned();
    let name: String = name.chars().take(63).collect();
    assert_eq!(status["migrations"][0]["application"], name);
    let (code, shown, complained) = application(url, &["redo"]);
    assert_eq!((code, complained.as_str()), (0, ""), "{shown}");
    assert_eq!(application(url, &["verify", "--no-pending"]).0, 0);
    let mut of_async = Command::new(std::env::current_exe().unwrap());
    let _command =
        of_async.env(AS_APPLICATION, "async").env("DATABASE_URL", database.connection_string());
    assert!(of_async.arg("verify").output().unwrap().status.success());
    assert_eq!(application(url, &["down", "14"]).0, 0);
}

fn the_history_can_be_corrected() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let url = database.connection_string();
    let url = Some(url.as_str());
    let (code, _, complained) = application(url, &["baseline"]);
    assert!(code == 2 && complained.contains("14 migrations will be recorded"), "{complained}");
    let (code, shown, complained) = application(url, &["baseline", "--yes"]);
    assert!(code == 0 && complained.contains("14 migrations will be recorded"), "{complained}");
    assert!(shown.ends_with("14 migrations recorded as applied; nothing was run\n"), "{shown}");
    let (code, shown, _) = application(url, &["repair"]);
    assert_eq!((code, shown.as_str()), (0, "there is nothing to repair\n"));
    let name = "20251105-add-skip-fields-to-approval-levels";
    assert_eq!(application(url, &["mark", name, "pending", "--yes"]).0, 0);
    assert_eq!(application(url, &["verify", "--no-pending"]).0, 3);
    let (code, shown, _) = application(url, &["unlock"]);
    assert_eq!((code, shown.as_str()), (0, "nobody holds the migration lock\n"));
}

fn all_of_it_can_be_tried_on_a_server() {
    let (code, shown, complained) = application(None, &["check"]);
    assert_eq!((code, complained.as_str()), (0, ""));
    assert_eq!(shown, "14 migrations: nothing to object to\n");
    let server = Server::shared().unwrap();
    let given = server.connection_string("postgres");
    for arguments in [&["check", "--server"][..], &["check", "--server", &given]] {
        let (code, shown, complained) = application(None, arguments);
        assert_eq!(code, 0, "{shown}{complained}");
        let done =
            ": 14 applied, 14 undone and applied again\n14 migrations: nothing to object to\n";
        assert!(shown.starts_with("on PostgreSQL ") && shown.ends_with(done), "{shown}");
    }
}

fn what_needs_a_folder_is_not_there() {
    for command in ["new", "renumber", "sum", "init"] {
        let (code, _, complained) = application(None, &[command]);
        assert_eq!(code, 2, "{complained}");
    }
    let (code, help, _) = application(None, &["--help"]);
    assert_eq!(code, 0);
    assert!(!help.contains("cargo dunlin") && !help.contains("--folder"), "{help}");
    assert_eq!(application(None, &["up"]).0, 2);
    let (code, script, _) = application(None, &["completions", "bash"]);
    assert!(code == 0 && script.contains("verify") && !script.contains("renumber"), "{script}");
}
