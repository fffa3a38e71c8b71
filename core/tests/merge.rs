//! `dunlin.sum` in a real repository: two branches that both record a migration.

#![expect(clippy::unwrap_used, reason = "what git or the file system refuses is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dunlin_core::folder::record;
use dunlin_core::{Folder, Options, Rule};

/// A repository of its own, with nothing of the user's configuration.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("merge-{name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("migrations")).unwrap();
        let repository = Self(folder);
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// Runs git and says whether it succeeded, and what it printed.
    fn try_git(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(["-c", "merge.conflictStyle=merge", "-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(&self.0)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // Set where a hook runs these tests.
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE")
            .output()
            .expect("these tests need the program git");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) {
        let (succeeded, printed) = self.try_git(arguments);
        assert!(succeeded, "git {arguments:?}: {printed}");
    }

    fn migrations(&self) -> PathBuf {
        self.0.join("migrations")
    }

    /// Writes a migration, records it and commits both.
    fn release(&self, name: &str) {
        let text = format!("CREATE TABLE t{name} (id int);\n");
        fs::write(self.migrations().join(format!("{name}.sql")), text).unwrap();
        let n_new = record(&self.migrations(), "migrations", &Options::default()).unwrap();
        assert_eq!(n_new, 1);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", name]);
    }

    /// Releases `0001_common` on main, and one migration on each of two branches; `one` is checked
    /// out.
    fn branched(&self, one: &str, other: &str) {
        self.release("0001_common");
        self.git(&["checkout", "--quiet", "-b", "other"]);
        self.release(other);
        self.git(&["checkout", "--quiet", "-b", "one", "main"]);
        self.release(one);
    }

    fn sum(&self) -> String {
        fs::read_to_string(self.migrations().join("dunlin.sum")).unwrap()
    }

    fn write_sum(&self, text: &str) {
        fs::write(self.migrations().join("dunlin.sum"), text).unwrap();
    }

    fn problems(&self) -> Vec<(Rule, String)> {
        let reading = Folder::read(&self.migrations(), "migrations", &Options::default());
        reading.diagnostics.iter().map(|it| (it.rule(), it.to_string())).collect()
    }
}

/// The lines of a message that are lines of a sum.
fn lines_in(message: &str) -> Vec<&str> {
    let is_line = |line: &&str| line.len() > 65 && !line.contains('|') && line.contains(" 000");
    message.lines().map(str::trim).filter(is_line).collect()
}

#[test]
fn two_branches_that_record_a_migration_conflict_and_the_messages_lead_out() {
    let repository = Repository::new("conflict");
    repository.branched("0002_one", "0003_other");
    assert_eq!(repository.problems(), []);
    let (merged, printed) = repository.try_git(&["merge", "other"]);
    assert!(!merged && printed.contains("CONFLICT (content)"), "{printed}");
    assert!(printed.contains("migrations/dunlin.sum"), "{printed}");

    let [(rule, message)] = repository.problems().try_into().unwrap();
    assert_eq!(rule, Rule::MalformedSum);
    assert!(message.starts_with("a merge that is not finished\n --> migrations/dunlin.sum:4:1"));

    let marks = ["<<<<<<<", "=======", ">>>>>>>"];
    let both: Vec<_> = repository
        .sum()
        .lines()
        .filter(|line| !marks.iter().any(|mark| line.starts_with(mark)))
        .map(|line| format!("{line}\n"))
        .collect();
    repository.write_sum(&both.concat());
    let [(rule, message)] = repository.problems().try_into().unwrap();
    assert_eq!(rule, Rule::RecordedOrder);
    let mended = lines_in(&message);
    assert_eq!(mended.len(), 1);
    repository.write_sum(&format!("{}{}\n", both[..4].concat(), mended[0]));
    assert_eq!(repository.problems(), []);
    repository.git(&["commit", "--quiet", "--all", "--message", "merged"]);
}

#[test]
fn lines_that_a_merge_keeps_silently_are_found() {
    let repository = Repository::new("union");
    fs::write(repository.0.join(".gitattributes"), "dunlin.sum merge=union\n").unwrap();
    repository.branched("0003_one", "0002_other");
    repository.git(&["merge", "--quiet", "--no-edit", "other"]);
    let [(rule, message)] = repository.problems().try_into().unwrap();
    assert_eq!(rule, Rule::RecordedOrder);
    assert_eq!(lines_in(&message).len(), 2, "{message}");
}

#[test]
fn a_branch_that_records_nothing_merges_without_a_word() {
    let repository = Repository::new("quiet");
    repository.release("0001_common");
    repository.git(&["checkout", "--quiet", "-b", "other"]);
    fs::write(repository.0.join("notes.txt"), "notes\n").unwrap();
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--message", "notes"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.release("0002_next");
    repository.git(&["merge", "--quiet", "--no-edit", "other"]);
    assert_eq!(repository.problems(), []);
}

#[test]
fn a_checkout_with_other_line_ends_is_as_recorded() {
    let repository = Repository::new("crlf");
    repository.release("0001_common");
    for name in ["0001_common.sql", "dunlin.sum"] {
        let path = repository.migrations().join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    }
    assert_eq!(repository.problems(), []);
}
