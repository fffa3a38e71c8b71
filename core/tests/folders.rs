//! Every diagnostic as people see it: the folders in `tests/folders/`, each with its `expected.txt`.
//!
//! `UPDATE_EXPECT=1 cargo test -p dunlin-core --test folders` rewrites the expectations.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dunlin_core::base::Base;
use dunlin_core::folder::{Language, Reading, Script};
use dunlin_core::{Diagnostic, Folder, Layout, Level, Options, Rule, Severity};

/// The fixture folders, sorted by name.
fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders");
    let mut folders: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// How the fixture is read: `options.txt` holds a line for each option, as the macro's argument is
/// called and one of its values.
fn options(fixture: &Path) -> Options {
    let mut options = Options::default();
    let text = fs::read_to_string(fixture.join("options.txt")).unwrap_or_default();
    for line in text.lines() {
        let (name, value) = line.split_once(' ').unwrap();
        let mut levels = |level| {
            options.levels = std::mem::take(&mut options.levels).choosing(level, value).unwrap();
        };
        match name {
            "ignore" => options.ignore.push(value.to_owned()),
            "allow" => levels(Level::Allow),
            "warn" => levels(Level::Warn),
            "deny" => levels(Level::Deny),
            "history_table" => options.history_table = value.to_owned(),
            "layout" => options.layout = Layout::from_id(value),
            "syntax" => options.syntax = value == "on",
            _ => unreachable!("{}: {name} is no option", fixture.display()),
        }
    }
    options
}

fn read(fixture: &Path) -> Reading {
    let folder = match fs::read_to_string(fixture.join("files.txt")) {
        Ok(files) => unpacked(fixture, &files),
        Err(_) => fixture.join("migrations"),
    };
    let mut reading = Folder::read(&folder, "migrations", &options(fixture));
    reading.diagnostics.extend(against_base(fixture, &reading.folder));
    reading
}

/// What is found against the folders `base`, the branch to merge into, and `began`, the same when the
/// fixture's branch began.
fn against_base(fixture: &Path, folder: &Folder) -> Vec<Diagnostic> {
    let of_branch = |name: &str| {
        let path = fixture.join(name);
        path.exists().then(|| Folder::read(&path, "migrations", &options(fixture)).folder)
    };
    let began = of_branch("began");
    of_branch("base").map_or_else(Vec::new, |released| {
        Base { name: "origin/main", released: &released, began: began.as_ref() }.check(folder)
    })
}

/// The folder that `files.txt` describes: `>>> <name>`, and below it the file's text. For names
/// that a checkout on another system could not hold.
fn unpacked(fixture: &Path, files: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(fixture.file_name().unwrap())
        .join(format!("{:?}", std::thread::current().id()));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    for file in files.split(">>> ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// What reading a folder says: its problems, and its migrations in order if it is accepted.
fn told(reading: &Reading) -> String {
    let mut parts: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|it| match it.severity() {
            Severity::Error => format!("error: {it}\n"),
            Severity::Warning => format!("warning: {it}\n"),
        })
        .collect();
    if reading.is_accepted() {
        parts.push(accepted(&reading.folder));
    }
    parts.join("\n")
}

/// The migrations in order; of another tool's folder also whose it is, and what runs without a
/// transaction.
fn accepted(folder: &Folder) -> String {
    let is_ours = folder.layout() == Layout::Dunlin;
    let mut text = if is_ours { String::new() } else { format!("layout: {}\n", folder.layout()) };
    for migration in folder.migrations() {
        let alone = |it: &Script| matches!(it.language, Language::Sql { transactional: false });
        let alone = |it: &Script| if alone(it) && !is_ours { ", no transaction" } else { "" };
        let undo = migration.down.as_ref().map(|down| format!(" (with undo{})", alone(down)));
        let (name, alone) = (&migration.name, alone(&migration.up));
        text.push_str(&format!("{name}{alone}{}\n", undo.unwrap_or_default()));
    }
    text
}

fn rules(reading: &Reading) -> BTreeSet<Rule> {
    reading.diagnostics.iter().map(Diagnostic::rule).collect()
}

#[test]
fn every_folder_reads_as_expected() {
    let mut differing = Vec::new();
    for fixture in fixtures() {
        let found = told(&read(&fixture));
        let expected_at = fixture.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected_at, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_at).unwrap_or_default();
        if found != expected {
            differing.push(format!(
                "{}\n--- expected\n{expected}\n--- found\n{found}",
                fixture.display()
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}

#[test]
fn every_rule_has_a_folder_named_after_it_that_breaks_it_alone() {
    // No file system holds a name of 256 characters; `check::portable` tests the rule itself.
    for rule in Rule::ALL.iter().filter(|rule| **rule != Rule::LongName) {
        let mut shown = false;
        for fixture in fixtures() {
            let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
            if name == rule.id() || name.starts_with(&format!("{}--", rule.id())) {
                shown = true;
                assert_eq!(rules(&read(&fixture)), BTreeSet::from([*rule]), "{name}");
            }
        }
        assert!(shown, "no folder tests/folders/{rule}");
    }
}

#[test]
fn no_message_breaks_the_rules_of_messages() {
    for fixture in fixtures() {
        for problem in read(&fixture).diagnostics {
            let has_place = problem.place().is_some();
            let problem = problem.to_string();
            let mut lines = problem.lines();
            let headline = lines.next().unwrap();
            assert!(!headline.ends_with('.'), "{headline}");
            assert!(!headline.starts_with(char::is_uppercase), "{headline}");
            if has_place {
                let arrow = lines.next().unwrap().trim_start();
                assert!(arrow.starts_with("--> migrations/"), "{headline}: {arrow}");
                assert_eq!(
                    arrow.rsplit(':').take_while(|part| part.parse::<usize>().is_ok()).count(),
                    2,
                    "{arrow}"
                );
            }
            assert!(!problem.contains('\u{1b}'), "{headline}: an escape sequence");
        }
    }
}
