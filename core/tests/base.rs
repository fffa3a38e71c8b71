//! Folders against the branch they are to be merged into: renumbering.

#![expect(clippy::unwrap_used, reason = "a folder that cannot be written is a failed test")]

use std::fs;
use std::path::Path;

use dunlin_core::base::Base;
use dunlin_core::draft::Moment;
use dunlin_core::{Folder, Layout, Options};

const NOW: Moment = Moment { year: 2026, month: 5, day: 2, hour: 10, minute: 14, second: 7 };

/// A folder with these files, each of which holds its own name.
fn folder(test: &str, branch: &str, layout: Layout, names: &[&str]) -> Folder {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("base-{test}-{branch}"));
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    for name in names {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("SELECT '{name}';\n")).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    let options = Options { layout: Some(layout), ..Options::default() };
    Folder::read(&path, "migrations", &options).folder
}

/// The old and the new paths of everything that is renamed.
fn renamed(test: &str, layout: Layout, base: &[&str], ours: &[&str]) -> Vec<String> {
    let released = folder(test, "base", layout, base);
    let ours = folder(test, "ours", layout, ours);
    let base = Base { name: "main", released: &released, began: None };
    let renamings = base.renumber(&ours, NOW).unwrap();
    let root = ours.migrations()[0].up.path.ancestors();
    let root =
        root.filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().ends_with("-ours")));
    let root = root.last().unwrap();
    let paths = renamings.iter().flat_map(|it| &it.paths);
    let shown = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    paths.map(|(old, new)| format!("{} -> {}", shown(old), shown(new))).collect()
}

#[test]
fn own_migrations_go_behind_those_of_the_base() {
    let found = renamed(
        "behind",
        Layout::Dunlin,
        &["0001_a.sql", "0002_theirs.sql"],
        &["0001_a.sql", "0002_ours.sql", "0002_ours.down.sql", "0002_theirs.sql", "0003_more.sql"],
    );
    let expected = [
        "0002_ours.sql -> 0003_ours.sql",
        "0002_ours.down.sql -> 0003_ours.down.sql",
        "0003_more.sql -> 0004_more.sql",
    ];
    assert_eq!(found, expected);
}

#[test]
fn those_that_are_behind_already_stay() {
    let base = ["0001_a.sql", "0003_theirs.sql"];
    assert!(renamed("stay", Layout::Dunlin, &base, &["0001_a.sql", "0004_ours.sql"]).is_empty());
    let found =
        renamed("early", Layout::Dunlin, &base, &["0001_a.sql", "0002_ours.sql", "0004_x.sql"]);
    assert_eq!(found, ["0002_ours.sql -> 0004_ours.sql", "0004_x.sql -> 0005_x.sql"]);
}

#[test]
fn dates_take_the_present_one() {
    let found = renamed(
        "dates",
        Layout::Dunlin,
        &["20251104-a.sql", "20260101-theirs-too.sql"],
        &["20251104-a.sql", "20251201-ours-b.sql"],
    );
    assert_eq!(found, ["20251201-ours-b.sql -> 20260502-ours-b.sql"]);
}

#[test]
fn the_files_of_other_tools_are_renamed_as_they_call_them() {
    let found = renamed(
        "flyway",
        Layout::Flyway,
        &["V1__a.sql", "V2__theirs.sql"],
        &["V1__a.sql", "V2__ours.sql", "U2__ours.sql"],
    );
    assert_eq!(found, ["V2__ours.sql -> V3__ours.sql", "U2__ours.sql -> U3__ours.sql"]);
    let found = renamed(
        "diesel",
        Layout::Diesel,
        &["2025-11-19-091444_a/up.sql", "2025-11-20-091444_theirs/up.sql"],
        &[
            "2025-11-19-091444_a/up.sql",
            "2025-11-19-101444_ours/up.sql",
            "2025-11-19-101444_ours/down.sql",
        ],
    );
    assert_eq!(found, ["2025-11-19-101444_ours -> 2026-05-02-101407_ours"]);
}

/// What is said of a released migration that is another text here.
fn edited(test: &str, old: &str, new: &str, began: Option<&str>) -> String {
    let read = |branch: &str, text: Option<&str>| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("edited-{test}-{branch}"));
        fs::create_dir_all(&path).unwrap();
        match text {
            Some(text) => fs::write(path.join("0001_a.sql"), text).unwrap(),
            None => fs::write(path.join("0001_other.sql"), "SELECT 0;\n").unwrap(),
        }
        Folder::read(&path, "migrations", &Options::default()).folder
    };
    let (released, ours, began) = (
        read("base", Some(old)),
        read("ours", Some(new)),
        began.map(|text| read("began", Some(text).filter(|text| !text.is_empty()))),
    );
    let base = Base { name: "main", released: &released, began: began.as_ref() };
    let found = base.check(&ours);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].to_string()
}

#[test]
fn an_edited_migration_is_told_from_another_of_its_name() {
    let (old, new) = ("SELECT 1;\n", "SELECT 2;\n");
    let was_edited = "`0001_a` is released on `main` and was edited here";
    assert!(edited("unknown", old, new, None).starts_with(was_edited));
    assert!(edited("began", old, new, Some(old)).starts_with(was_edited));
    // Both sides added one.
    let said = edited("added", old, new, Some(""));
    assert!(said.starts_with("`0001_a` is another migration on `main`"), "{said}");
}

#[test]
fn the_first_line_that_differs_is_shown_unless_it_is_empty() {
    let old = "SELECT 1;\n-- a\nSELECT 2;\n";
    let said = edited("line", old, "SELECT 1;\n-- b\nSELECT 2;\n", None);
    assert!(said.contains("0001_a.sql:2:1") && said.contains("differs from here on"), "{said}");
    let said = edited("empty", old, "SELECT 1;\n\nSELECT 2;\n", None);
    assert!(!said.contains("differs from here on"), "{said}");
}
