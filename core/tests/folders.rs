//! Every diagnostic as people see it: the folders in `tests/folders/`, each with its `expected.txt`.
//!
//! `UPDATE_EXPECT=1 cargo test -p dunlin-core --test folders` rewrites the expectations.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dunlin_core::folder::{Language, Script};
use dunlin_core::{Folder, Layout, Options, Rule};

/// The fixture folders, sorted by name.
fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders");
    let mut folders: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// What reading the folder says: its problems, or its migrations in order.
fn read(fixture: &Path) -> (String, BTreeSet<Rule>) {
    let ignore = fs::read_to_string(fixture.join("ignore.txt")).unwrap_or_default();
    let ignore: Vec<String> = ignore.lines().map(str::to_owned).collect();
    let layout = fs::read_to_string(fixture.join("layout.txt")).ok();
    let layout = layout.map(|layout| Layout::from_id(layout.trim()).unwrap());
    let options = Options { ignore, layout, ..Options::default() };
    let reading = Folder::read(&fixture.join("migrations"), "migrations", &options);
    let rules = reading.diagnostics.iter().map(dunlin_core::Diagnostic::rule).collect();
    if reading.diagnostics.is_empty() {
        return (accepted(&reading.folder), rules);
    }
    let problems: Vec<_> = reading.diagnostics.iter().map(|it| format!("error: {it}\n")).collect();
    (problems.join("\n"), rules)
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

#[test]
fn every_folder_reads_as_expected() {
    let mut differing = Vec::new();
    for fixture in fixtures() {
        let (found, _) = read(&fixture);
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
    for rule in Rule::ALL {
        let mut shown = false;
        for fixture in fixtures() {
            let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
            if name == rule.id() || name.starts_with(&format!("{}--", rule.id())) {
                shown = true;
                assert_eq!(read(&fixture).1, BTreeSet::from([*rule]), "{name}");
            }
        }
        assert!(shown, "no folder tests/folders/{rule}");
    }
}

#[test]
fn no_message_breaks_the_rules_of_messages() {
    for fixture in fixtures() {
        let (text, rules) = read(&fixture);
        if rules.is_empty() {
            continue;
        }
        for problem in text.split("error: ").skip(1) {
            let mut lines = problem.lines();
            let headline = lines.next().unwrap();
            assert!(!headline.ends_with('.'), "{headline}");
            assert!(!headline.starts_with(char::is_uppercase), "{headline}");
            if rules != BTreeSet::from([Rule::MissingFolder]) {
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
