//! What works on a folder alone: `new`, `init`, `check`, `sum`, and the formats.

use crate::support::Project;

const USERS: &str = "CREATE TABLE users (id bigint);\n";
const BROKEN: &str = "CREATE TABLE a (\n    b text DEFAULT 'x\n);\n";

#[test]
fn new_goes_on_in_the_folders_style() {
    let project = Project::with("new", &[("0009-create-users.sql", USERS)]);
    let ran = project.run(&["new", "add", "user email", "--down"]);
    assert_eq!(
        ran.stdout(0),
        "created migrations/0010-add-user-email.sql\n\
         created migrations/0010-add-user-email.down.sql\n"
    );
    assert_eq!(project.read("migrations/0010-add-user-email.sql"), "-- add user email\n\n");
    // It can be embedded as it is; only the undo that undoes nothing is told.
    let checked = project.json(&["check"]);
    assert_eq!(checked["errors"], 0);
    assert_eq!(checked["findings"][0]["rule"], "empty-undo");
    assert_eq!(checked["migrations"][1], "0010-add-user-email");
}

#[test]
fn new_in_rust_is_accepted_by_the_build() {
    let project = Project::with("new-rust", &[("1_a.sql", USERS)]);
    let made = project.json(&["new", "fill", "--rust", "--down"]);
    assert_eq!(made["name"], "2_fill");
    assert_eq!(made["files"][0], "migrations/2_fill.rs");
    assert_eq!(project.json(&["check"])["exit"], "ok");
}

#[test]
fn new_in_the_folders_of_other_tools() {
    let goose = "-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;\n";
    let project = Project::with("new-goose", &[("00001_a.sql", goose)]);
    assert_eq!(project.json(&["new", "b"])["files"][0], "migrations/00002_b.sql");
    let text = project.read("migrations/00002_b.sql");
    assert_eq!(text, "-- +goose Up\n-- b\n\n-- +goose Down\n-- undo: b\n\n");
    assert_eq!(project.json(&["check"])["layout"], "goose");

    let project = Project::with("new-diesel", &[("2025-11-19-091444_a/up.sql", USERS)]);
    let made = project.json(&["new", "b"]);
    let name = made["name"].as_str().unwrap();
    assert_eq!(made["files"][1], format!("migrations/{name}/down.sql"));
    assert!(name > "2025-11-19-091444_a" && name.ends_with("_b"), "{name}");
}

/// Whatever the layout, what is made twice is a folder that the build takes.
#[test]
fn new_in_every_layout_is_accepted_by_the_build() {
    for layout in dunlin_core::Layout::ALL {
        let project = Project::with(&format!("new-in-{layout}"), &[]);
        let layout = layout.id();
        let mut names = Vec::new();
        for words in ["create users", "a later one"] {
            let undo = if layout == "refinery" { &[][..] } else { &["--down"] };
            let made = project.json(&[&["new", words, "--layout", layout], undo].concat());
            names.push(made["name"].clone());
        }
        let checked = project.json(&["check", "--layout", layout, "--allow", "empty-undo"]);
        assert_eq!(checked["findings"], serde_json::json!([]), "{layout}");
        assert_eq!(checked["migrations"], serde_json::json!(names), "{layout}");
    }
}

#[test]
fn new_says_why_there_can_be_none() {
    let project = Project::with("new-refused", &[("0001_a.sql", USERS)]);
    let refinery = project.run(&["new", "b", "--down", "--layout", "refinery"]);
    assert!(refinery.stderr(2).contains("refinery holds no undo in SQL"), "{}", refinery.stderr);
    let ran = project.run(&["new", "a/b"]);
    assert_eq!(
        ran.stderr(2),
        "error: `/` cannot be in the name of a file\n  = note: nothing was written\n"
    );
    project.write("migrations/20251104_b.sql", USERS);
    let ran = project.run(&["new", "c"]);
    assert!(ran.stdout(1).contains("nothing was written"), "{ran:?}");
    assert_eq!(project.names().len(), 2);
}

#[test]
fn init_makes_what_a_package_needs_and_can_be_repeated() {
    let project = Project::new("init");
    project.write("Cargo.toml", "[package]\n");
    let first = project.run(&["init"]);
    let begin = "created migrations/0001_begin.sql\ncreated build.rs\ncreated .gitattributes\n";
    assert!(first.stdout(0).starts_with(begin), "{}", first.stdout);
    assert_eq!(project.json(&["check"])["exit"], "ok");
    assert!(project.read("build.rs").contains("println!(\"cargo::rerun-if-changed=migrations\");"));
    let again = project.run(&["init"]);
    let kept = "kept migrations\nkept build.rs\nkept .gitattributes\n";
    assert!(again.stdout(0).starts_with(kept), "{}", again.stdout);
    assert_eq!(project.names(), ["0001_begin.sql"]);
}

#[test]
fn init_changes_nothing_that_is_there() {
    let project = Project::new("init-kept");
    project.write("Cargo.toml", "[package]\n");
    project.write("build.rs", "fn main() {}\n");
    project.write(".gitattributes", "*.png binary");
    let ran = project.run(&["init", "--folder", "db/migrations"]);
    let expected = "kept build.rs, which lacks the line\n    println!(\"cargo::rerun-if-changed=db/migrations\");\n\
                    changed .gitattributes: added `db/migrations/** text eol=lf`\n";
    assert!(ran.stdout(0).contains(expected), "{}", ran.stdout);
    assert_eq!(project.read("build.rs"), "fn main() {}\n");
    assert_eq!(project.read(".gitattributes"), "*.png binary\ndb/migrations/** text eol=lf\n");
}

#[test]
fn check_says_what_the_build_says() {
    let project =
        Project::with("check", &[("0001_a.sql", BROKEN), ("0002_a.down.sql", "SELECT 1;")]);
    let ran = project.run(&["check"]);
    let expected = "\
error: unterminated string
 --> migrations/0001_a.sql:2:20
";
    assert!(ran.stdout(1).starts_with(expected), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n2 errors\n"), "{}", ran.stdout);
    // The same through the library that the macro calls.
    let folder = project.path.join("migrations");
    let reading =
        dunlin_core::Folder::read(&folder, "migrations", &dunlin_core::Options::default());
    for diagnostic in &reading.diagnostics {
        assert!(ran.stdout.contains(&diagnostic.to_string()), "{diagnostic}");
    }
}

#[test]
fn check_takes_the_arguments_of_the_macro() {
    let files = [("0001_a.sql", "SET work_mem = '1MB';\n"), ("notes.txt", "x")];
    let project = Project::with("check-arguments", &files);
    assert_eq!(project.run(&["check"]).code, 1);
    let warned = project.json(&["check", "--ignore", "notes.txt"]);
    assert_eq!((&warned["warnings"], &warned["errors"]), (&1.into(), &0.into()));
    let allowed =
        project.run(&["check", "--ignore", "notes.txt", "--allow", "leaking-setting: 0001_a.sql"]);
    assert_eq!(allowed.stdout(0), "1 migration: nothing to object to\n");
    let denied = project.run(&["check", "--ignore", "notes.txt", "--deny", "leaking-setting"]);
    assert_eq!(denied.code, 1);
    let misspelt = project.run(&["check", "--deny", "leaking-settings"]);
    assert_eq!(
        misspelt.stderr(2),
        "error: no rule is called `leaking-settings`; did you mean `leaking-setting`?\n"
    );
    project.write("migrations/0002_b.sql", "CREATE TABEL t (a int);\n");
    let arguments = ["check", "--ignore", "notes.txt", "--allow", "leaking-setting"];
    let refused = project.run(&arguments);
    assert!(refused.stdout(1).contains("did you mean `TABLE`?"), "{}", refused.stdout);
    let accepted = project.run(&[&arguments[..], &["--no-syntax"]].concat());
    assert_eq!(accepted.stdout(0), "2 migrations: nothing to object to\n");
    let layout = project.run(&["check", "--layout", "gose"]);
    assert!(layout.stderr(2).ends_with("  = help: --layout goose\n"), "{layout:?}");
}

#[test]
fn a_folder_that_is_not_there_is_told_how_to_begin() {
    let project = Project::new("check-missing");
    project.write("Cargo.toml", "[package]\n");
    let ran = project.run(&["check"]);
    assert_eq!(
        ran.stdout(1),
        "error: no migrations folder at `migrations`\n  \
           = note: `migrations` is relative to the folder you are in\n  \
           = help: name it with `--folder`, or begin with `cargo dunlin init`\n\
         \n1 error\n"
    );
}

#[test]
fn findings_as_annotations_and_as_sarif() {
    let project = Project::with("formats", &[("0001_a.sql", BROKEN)]);
    let github = project.run(&["check", "--format", "github"]);
    let expected = "::error file=migrations/0001_a.sql,line=2,col=20,title=unterminated string::unterminated string%0A";
    assert!(github.stdout(1).starts_with(expected), "{}", github.stdout);

    let document = project.sarif(1, &[]);
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "unterminated-string");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "migrations/0001_a.sql");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(document["runs"][0]["tool"]["driver"]["rules"][0]["id"], "unterminated-string");

    let clean = Project::with("formats-clean", &[("0001_a.sql", USERS)]);
    let document = clean.sarif(0, &[]);
    assert_eq!(document["runs"][0]["results"], serde_json::json!([]));
    clean.write("migrations/0002_größe b.sql", "SET work_mem = '1MB';\n");
    let document = clean.sarif(0, &["--warn", "leaking-setting"]);
    assert_eq!(document["runs"][0]["results"][0]["level"], "warning");
    clean.remove("migrations/0002_größe b.sql");
    let document = clean.sarif(2, &["--base", "nowhere"]);
    assert_eq!(document["runs"][0]["results"][0]["ruleId"], "usage");
    let refused = clean.run(&["new", "x", "--format", "sarif"]);
    assert_eq!(refused.code, 2);
    assert_eq!(clean.names(), ["0001_a.sql"]);
}

#[test]
fn places_are_told_from_the_root_of_githubs_checkout() {
    let project = Project::new("workspace");
    project.write("apps/one/src/x", "");
    project.write("apps/one/migrations/0001_a.sql", BROKEN);
    for (folder, argument) in [("apps/one", "migrations"), ("apps/one/src", "../migrations")] {
        let mut command = project.command(&["check", "--format", "github", "--folder", argument]);
        let _command = command.current_dir(project.path.join(folder));
        let ran =
            crate::support::ran(&command.env("GITHUB_WORKSPACE", &project.path).output().unwrap());
        let expected = "::error file=apps/one/migrations/0001_a.sql,line=2,col=20,";
        assert!(ran.stdout(1).starts_with(expected), "{}", ran.stdout);
    }
}

/// `/dev/full` is Linux's.
#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_told_and_a_reader_that_has_left_is_not() {
    let project = Project::with("lost", &[("0001_a.sql", USERS)]);
    for format in ["human", "json", "sarif"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = project.command(&["check", "--format", format]);
        let ran = crate::support::ran(&command.stdout(full).output().unwrap());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.starts_with("error: standard output cannot be written: "), "{ran:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = project.command(&["check"]);
    let ran = crate::support::ran(&command.stdout(writer).output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn cargo_finds_the_command() {
    let project = Project::with("cargo", &[("0001_a.sql", USERS)]);
    let folder = std::path::Path::new(crate::support::DUNLIN).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let _command = cargo.args(["dunlin", "check"]).current_dir(&project.path);
    let ran = crate::support::ran(
        &cargo.env("PATH", std::env::join_paths(path).unwrap()).output().unwrap(),
    );
    assert_eq!(ran.stdout(0), "1 migration: nothing to object to\n");
}

#[test]
fn sum_records_and_check_then_finds_edits() {
    let project = Project::with("sum", &[("0001_a.sql", USERS)]);
    assert_eq!(
        project.run(&["sum"]).stdout(0),
        "recorded 1 migration in `migrations/dunlin.sum`\n"
    );
    let made = project.run(&["new", "b"]);
    let begun =
        "begun in migrations/dunlin.sum; when it is released, `cargo dunlin sum` records it\n";
    assert!(made.stdout(0).ends_with(begun), "{}", made.stdout);
    assert!(project.read("migrations/dunlin.sum").ends_with(" 0001_a\n# begun: 0002_b\n"));
    // It may be edited until then.
    project.write("migrations/0002_b.sql", "SELECT 2;\n");
    let unrecorded = project.run(&["check"]);
    assert!(unrecorded.stdout(0).contains("= help: cargo dunlin sum\n"), "{}", unrecorded.stdout);
    assert_eq!(project.json(&["sum"])["recorded"], 1);
    assert!(!project.read("migrations/dunlin.sum").contains("# begun"));
    assert_eq!(
        project.run(&["sum"]).stdout(0),
        "`migrations/dunlin.sum` records everything already\n"
    );
    project.write("migrations/0001_a.sql", "CREATE TABLE users (id uuid);\n");
    assert_eq!(project.json(&["check"])["findings"][0]["rule"], "recorded-edited");
    let before = project.read("migrations/dunlin.sum");
    let refused = project.run(&["sum"]);
    assert!(refused.stdout(1).ends_with("nothing was recorded\n"), "{}", refused.stdout);
    assert_eq!(project.read("migrations/dunlin.sum"), before);
}

#[test]
fn arguments_that_mean_nothing_are_told() {
    let project = Project::new("arguments");
    let ran = project.run(&["chek"]);
    assert!(ran.stderr(2).contains("unrecognized subcommand 'chek'"), "{}", ran.stderr);
    assert!(ran.stderr.contains("check"), "{}", ran.stderr);
    assert_eq!(project.run(&["new"]).code, 2);
    assert_eq!(project.run(&["check", "--format", "yaml"]).code, 2);
    assert_eq!(project.run(&[]).code, 2);
    let help = project.run(&["--help"]);
    assert!(help.stdout(0).contains("Usage: cargo dunlin"), "{}", help.stdout);
    let version = project.run(&["--version"]);
    assert_eq!(version.stdout(0), concat!("cargo-dunlin ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_and_manual_come_from_the_arguments() {
    let project = Project::new("about");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.run(&["completions", shell]);
        assert!(script.stdout(0).contains("renumber"), "{shell}");
    }
    let page = project.run(&["man"]);
    assert!(page.stdout(0).starts_with(".ie"), "{}", page.stdout);
    assert!(project.run(&["man", "renumber"]).stdout(0).contains("dry\\-run"));
    assert_eq!(project.run(&["man", "nothing"]).code, 2);
}
