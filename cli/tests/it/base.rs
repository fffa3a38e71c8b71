//! `check --base` and `renumber` in plain repositories of git.

use crate::support::Project;

const USERS: &str = "CREATE TABLE users (\n    id bigint\n);\n";
const TEAMS: &str = "CREATE TABLE teams (id bigint);\n";
const EVENTS: &str = "CREATE TABLE events (id bigint);\n";

/// A repository with two migrations on `main`, on a branch of its own.
fn repository(test: &str) -> Project {
    let project = Project::with(test, &[("0001_users.sql", USERS), ("0002_teams.sql", TEAMS)]);
    let _made = project.git(&["init", "--quiet"]);
    project.commit("begin");
    let _branched = project.git(&["switch", "--quiet", "--create", "ours"]);
    project
}

/// Adds a migration on `main`, and returns to the branch.
fn on_main(project: &Project, name: &str, text: &str) {
    let _main = project.git(&["switch", "--quiet", "main"]);
    project.write(&format!("migrations/{name}"), text);
    project.commit("theirs");
    let _ours = project.git(&["switch", "--quiet", "ours"]);
}

/// The rules and headlines of what is found against a base.
fn found(project: &Project, base: &str) -> Vec<String> {
    let document = project.json(&["check", "--base", base]);
    let findings = document["findings"].as_array().unwrap();
    let text = |it: &serde_json::Value, field: &str| it[field].as_str().unwrap().to_owned();
    findings.iter().map(|it| format!("{}: {}", text(it, "rule"), text(it, "headline"))).collect()
}

#[test]
fn a_new_migration_behind_the_base_is_fine() {
    let project = repository("base-fine");
    project.write("migrations/0003_events.sql", EVENTS);
    let ran = project.run(&["check", "--base", "main"]);
    assert_eq!(ran.stdout(0), "3 migrations: nothing to object to\n");
    // What the base alone has got since is not missed.
    on_main(&project, "0000_early.sql", EVENTS);
    assert!(found(&project, "main").is_empty());
}

#[test]
fn an_edited_released_file_is_found_with_its_place() {
    let project = repository("base-edited");
    project.write("migrations/0001_users.sql", &USERS.replace("bigint", "uuid"));
    assert_eq!(
        found(&project, "main"),
        ["released-edited: `0001_users` is released on `main` and was edited here"]
    );
    let github = project.run(&["check", "--base", "main", "--format", "github"]);
    let expected = "::error file=migrations/0001_users.sql,line=2,col=1,title=";
    assert!(github.stdout(1).starts_with(expected), "{}", github.stdout);
}

#[test]
fn a_checkout_with_crlf_is_no_edit() {
    let project = repository("base-crlf");
    assert_eq!(project.run(&["sum"]).code, 0);
    project.commit("sum");
    let _main = project.git(&["branch", "--force", "main", "ours"]);
    // As git does it for whoever asks for it, and where `.gitattributes` says nothing.
    for name in ["0001_users.sql", "0002_teams.sql", "dunlin.sum"] {
        project.remove(&format!("migrations/{name}"));
    }
    let _files = project.git(&["-c", "core.autocrlf=true", "checkout", "--", "migrations"]);
    assert_eq!(project.read("migrations/0001_users.sql"), USERS.replace('\n', "\r\n"));
    let ran = project.run(&["check", "--base", "main"]);
    assert_eq!(ran.stdout(0), "2 migrations: nothing to object to\n");
    assert_eq!(project.run(&["renumber", "--base", "main"]).code, 0);
}

#[test]
fn removed_and_renamed_files_are_found() {
    let project = repository("base-removed");
    project.remove("migrations/0002_teams.sql");
    let missing = "released-missing: `0002_teams` is released on `main` and is not here";
    assert_eq!(found(&project, "main"), [missing]);
    project.write("migrations/0002_team.sql", TEAMS);
    assert_eq!(
        found(&project, "main"),
        ["released-missing: `0002_teams` is released on `main` and was renamed to `0002_team`"]
    );
}

#[test]
fn two_branches_with_one_number_and_a_late_lower_version() {
    let project = repository("base-number");
    on_main(&project, "0003_theirs.sql", EVENTS);
    project.write("migrations/0003_ours.sql", EVENTS);
    assert_eq!(
        found(&project, "main"),
        [
            "released-order: `0003_ours` has the version of `0003_theirs`, which is released on `main`"
        ]
    );
    project.remove("migrations/0003_ours.sql");
    on_main(&project, "0005_more.sql", USERS);
    project.write("migrations/0004_ours.sql", "SELECT 4;\n");
    assert_eq!(
        found(&project, "main"),
        ["released-order: `0004_ours` comes before `0005_more`, which is released on `main`"]
    );
}

#[test]
fn renumber_moves_own_migrations_behind_the_base() {
    let project = repository("renumber");
    project.write("migrations/0003_ours.sql", "SELECT 1;\n");
    project.write("migrations/0003_ours.down.sql", "SELECT 2;\n");
    project.write("migrations/0004_more.sql", "SELECT 3;\n");
    project.commit("ours");
    on_main(&project, "0003_theirs.sql", EVENTS);
    let _merged = project.git(&["merge", "--quiet", "--no-edit", "main"]);
    assert_eq!(project.run(&["check"]).code, 1);

    let shown = project.run(&["renumber", "--base", "main", "--dry-run"]);
    let renamings = "0003_ours -> 0004_ours\n0004_more -> 0005_more\n";
    assert_eq!(shown.stdout(0), format!("{renamings}nothing was renamed\n"));
    assert!(project.names().contains(&"0003_ours.sql".to_owned()));

    let ran = project.run(&["renumber", "--base", "main"]);
    assert_eq!(ran.stdout(0), format!("{renamings}renamed 2 migrations\n"));
    assert_eq!(
        project.names(),
        [
            "0001_users.sql",
            "0002_teams.sql",
            "0003_theirs.sql",
            "0004_ours.down.sql",
            "0004_ours.sql",
            "0005_more.sql",
        ]
    );
    assert!(found(&project, "main").is_empty());
    let again = project.run(&["renumber", "--base", "main"]);
    assert_eq!(again.stdout(0), "everything of its own comes behind `main`\n");
}

#[test]
fn renumber_records_anew_what_was_recorded() {
    let project = repository("renumber-sum");
    assert_eq!(project.run(&["sum"]).code, 0);
    project.commit("sum");
    let _main = project.git(&["branch", "--force", "main", "ours"]);
    project.write("migrations/0003_ours.sql", "SELECT 1;\n");
    assert_eq!(project.json(&["sum"])["recorded"], 1);
    project.commit("ours");
    on_main(&project, "0003_theirs.sql", EVENTS);
    let ran = project.run(&["renumber", "--base", "main"]);
    assert!(
        ran.stdout(0).contains("recorded 1 migration anew in `dunlin.sum`\n"),
        "{}",
        ran.stdout
    );
    assert!(project.read("migrations/dunlin.sum").ends_with(" 0004_ours\n"));
    assert_eq!(project.json(&["check"])["exit"], "ok");
}

/// Git itself says that two branches begin a migration at once.
#[test]
fn two_branches_that_begin_a_migration_conflict_and_are_renumbered() {
    let project = repository("begun");
    assert_eq!(project.run(&["sum"]).code, 0);
    project.commit("sum");
    let _main = project.git(&["branch", "--force", "main", "ours"]);
    assert_eq!(project.run(&["new", "ours"]).code, 0);
    project.write("migrations/0003_ours.sql", EVENTS);
    project.commit("ours");
    let _main = project.git(&["switch", "--quiet", "main"]);
    assert_eq!(project.run(&["new", "theirs"]).code, 0);
    project.write("migrations/0003_theirs.sql", EVENTS);
    project.commit("theirs");
    let _ours = project.git(&["switch", "--quiet", "ours"]);
    let ran = project.run(&["renumber", "--base", "main"]);
    assert_eq!(ran.stdout(0), "0003_ours -> 0004_ours\nrenamed 1 migration\n");
    assert!(project.read("migrations/dunlin.sum").ends_with("\n# begun: 0004_ours\n"));
    project.commit("renumber");
    let mut merge = std::process::Command::new("git");
    let merge = merge.args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]);
    let merge = merge.args(["merge", "--no-edit", "main"]).current_dir(&project.path);
    let merged = merge.output().unwrap();
    let said = String::from_utf8_lossy(&merged.stdout);
    assert!(said.contains("Merge conflict in migrations/dunlin.sum"), "{said}");
}

#[test]
fn a_shallow_clone_says_what_it_cannot_see() {
    let project = repository("shallow");
    on_main(&project, "0003_theirs.sql", EVENTS);
    project.write("migrations/0004_ours.sql", "SELECT 1;\n");
    project.commit("ours");
    let origin = format!("file://{}", project.path.display());
    let clone = Project::new("shallow-clone");
    let _cloned = clone.git(&["clone", "--quiet", "--depth=1", "--branch=ours", &origin, "clone"]);
    let clone = Project { path: clone.path.join("clone") };
    // CI has fetched nothing but the commit it builds.
    let ran = clone.run(&["check", "--base", "origin/main"]);
    assert_eq!(
        ran.stderr(2),
        "error: git knows no commit `origin/main` here\n  \
           = note: a clone made for CI often has one branch and one commit only\n  \
           = help: git fetch origin main:refs/remotes/origin/main\n"
    );
    let main = "main:refs/remotes/origin/main";
    let _fetched = clone.git(&["fetch", "--quiet", "--depth=1", "origin", main]);
    let ran = clone.run(&["check", "--base", "origin/main"]);
    assert!(ran.stdout(1).contains("`0003_theirs` is released on `origin/main` and is not here"));
    assert!(ran.stdout.contains("cannot be seen here"), "{}", ran.stdout);
    let _fetched = clone.git(&["fetch", "--quiet", "--unshallow", "origin", "ours"]);
    let _fetched = clone.git(&["fetch", "--quiet", "origin", main]);
    assert!(found(&clone, "origin/main").is_empty());
}

#[test]
fn in_a_hook_of_git_the_repository_is_the_folders_own() {
    let project = repository("base-hook");
    let mut command = project.command(&["check", "--base", "main"]);
    let _command = command.env("GIT_DIR", ".git").env("GIT_INDEX_FILE", ".git/index");
    assert_eq!(crate::support::ran(&command.output().unwrap()).code, 0);
}

#[test]
fn a_base_that_cannot_be_is_told() {
    let project = repository("base-unknown");
    assert_eq!(project.run(&["check", "--base", "--all"]).code, 2);
    assert_eq!(project.run(&["check", "--base", "nowhere"]).code, 2);
    let outside = std::env::temp_dir().join(format!("dunlin-cli-outside-{}", std::process::id()));
    std::fs::create_dir_all(outside.join("migrations")).unwrap();
    let ran = Project { path: outside }.run(&["check", "--base", "main"]);
    assert!(ran.stderr(2).contains("is not in a repository of git"), "{}", ran.stderr);
    // git's own words tell more, as when the folder belongs to somebody else.
    assert!(ran.stderr.contains("= note: git: fatal: not a git repository"), "{}", ran.stderr);
}

#[test]
fn a_folder_inside_of_a_package_is_found_on_the_base() {
    let project = Project::new("base-deep");
    project.write("app/Cargo.toml", "[package]\n");
    project.write("app/migrations/0001_größe.sql", USERS);
    let _made = project.git(&["init", "--quiet"]);
    project.commit("begin");
    project.write("app/migrations/0001_größe.sql", TEAMS);
    let app = Project { path: project.path.join("app") };
    assert_eq!(
        found(&app, "main"),
        ["released-edited: `0001_größe` is released on `main` and was edited here"]
    );
    let from_above = project.run(&["check", "--base", "main", "--folder", "app/migrations"]);
    assert!(from_above.stdout(1).contains("--> app/migrations/0001_größe.sql:1:1"));
    // A folder that the base does not have yet has nothing released.
    assert_eq!(project.run(&["new", "x", "--folder", "app/migrations"]).code, 0);
    app.write("other/0001_a.sql", USERS);
    assert_eq!(app.run(&["check", "--base", "main", "--folder", "other"]).code, 0);
}
