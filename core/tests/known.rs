//! What an earlier reading has found out is used by the next one, and by nothing else.

#![cfg(feature = "syntax")]
#![expect(clippy::unwrap_used, reason = "a folder that cannot be written is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dunlin_core::folder::Reading;
use dunlin_core::{Checksum, Folder, Known, Layout, Options};

const GOOD: &str = "CREATE TABLE users (id bigint);\n";
const BAD: &str = "CREATE TABEL users (id bigint);\n";

fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    // Tests that run at once may ask for folders of one name.
    static N_FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = N_FOLDERS.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("known-{test}-{number}"));
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
    }
    path
}

fn read(folder: &Path, options: &Options) -> Reading {
    Folder::read(folder, "migrations", options)
}

/// What a reading knows that has found nothing in a text, although it should have.
fn knows(text: &str) -> Known {
    let honest = read(&folder("honest", &[("1_x.sql", GOOD)]), &Options::default()).known;
    let entry =
        |parts: &str, text: &str| format!("{} {parts} {}\n{text}", text.len(), Checksum::of(text));
    let honest = honest.to_string();
    let dishonest = honest.replace(&entry("up", GOOD), &entry("up", text));
    assert_ne!(dishonest, honest);
    Known::parse(&dishonest)
}

#[test]
fn a_reading_that_knows_everything_says_the_same() {
    let files = [
        ("1_a.sql", GOOD),
        ("1_a.down.sql", "DROP TABLE users;\n"),
        ("2_b.sql", "-- dunlin: no-transaction\nVACUUM;\n"),
        ("3_c.sql", "BEGIN;\nSELECT 1;\nCOMMIT;\n"),
        ("4_d.sql", "SET work_mem = '1MB';\n"),
        ("5_e.sql", "-- dunlin: allow leaking-setting: wanted\nSET work_mem = '1MB';\n"),
        (
            "6_f.rs",
            "pub async fn up(_: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n",
        ),
    ];
    let path = folder("same", &files);
    let first = read(&path, &Options::default());
    let options = Options { known: first.known.clone(), ..Options::default() };
    let second = read(&path, &options);
    assert_eq!(format!("{second:?}"), format!("{first:?}"));
    let known = first.known.to_string();
    let count = |parts: &str| known.matches(&format!(" {parts} sha256:")).count();
    assert_eq!(["up", "down", "both", "neither"].map(count), [1, 1, 0, 4], "{known}");
    assert_eq!(Known::parse(&first.known.to_string()), first.known);
}

#[test]
fn what_is_known_is_not_looked_at_again() {
    let path = folder("skipped", &[("1_x.sql", BAD)]);
    assert_eq!(read(&path, &Options::default()).diagnostics.len(), 1);
    let options = Options { known: knows(BAD), ..Options::default() };
    assert_eq!(read(&path, &options).diagnostics, []);
}

#[test]
fn what_is_known_is_not_hashed_again() {
    let path = folder("hashed", &[("1_x.sql", GOOD), ("2_y.sql", "SELECT 1;\n")]);
    let honest = read(&path, &Options::default()).known.to_string();
    let (real, other) = (Checksum::of(GOOD), Checksum::of("other"));
    let checksum = |known: &str| {
        let options = Options { known: Known::parse(known), ..Options::default() };
        let folder = read(&path, &options).folder;
        let [first, second] = folder.migrations() else { panic!("{folder:?}") };
        assert_eq!(second.up.checksum, Checksum::of("SELECT 1;\n"));
        first.up.checksum
    };
    let dishonest = honest.replace(&real.to_string(), &other.to_string());
    assert_eq!(checksum(&dishonest), other);
    // Of another text, or found out by another version, it says nothing.
    assert_eq!(checksum(&dishonest.replace("CREATE TABLE", "CREATE Table")), real);
    assert_eq!(checksum(&dishonest.replace("dunlin-core ", "dunlin-core 9")), real);
}

#[test]
fn what_was_known_by_other_rules_is_looked_at() {
    let path = folder("other", &[("1_x.sql", BAD)]);
    let known = knows(BAD);
    let others = [
        Options { history_table: "other".to_owned(), ..Options::default() },
        Options { layout: Some(Layout::Sqlx), ..Options::default() },
    ];
    for options in others {
        let options = Options { known: known.clone(), ..options };
        assert_eq!(read(&path, &options).diagnostics.len(), 1, "{options:?}");
    }
    let older = Known::parse(&known.to_string().replace("dunlin-core ", "dunlin-core 9"));
    let options = Options { known: older, ..Options::default() };
    assert_eq!(read(&path, &options).diagnostics.len(), 1);
    // An empty undo is wrong, and the same as a migration is not.
    let comment = "-- nothing\n";
    let path = folder("part", &[("1_x.sql", GOOD), ("1_x.down.sql", comment)]);
    let options = Options { known: knows(comment), ..Options::default() };
    assert_eq!(read(&path, &options).diagnostics.len(), 1);
}

#[test]
fn what_cannot_be_read_is_nothing() {
    let path = folder("unread", &[("1_x.sql", BAD)]);
    for text in ["", "\n", "up sha256:0", "\u{feff}x\ny z\n"] {
        let options = Options { known: Known::parse(text), ..Options::default() };
        assert_eq!(read(&path, &options).diagnostics.len(), 1, "{text:?}");
    }
}

#[test]
fn every_source_is_one_of_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = fs::read_to_string(root.join("src/known/sources.rs")).unwrap();
    let mut folders = vec![root.join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push(path.strip_prefix(root.join("src")).unwrap().display().to_string());
            }
        }
    }
    // Tests, and the list itself.
    let is_none = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        path.contains("tests/")
            || path.contains("asked/")
            || ["asked.rs", "sources.rs", "tests.rs"].contains(&name)
    };
    sources.retain(|path| !is_none(path));
    sources.sort();
    let is_entry = |line: &&str| line.starts_with("    \"") && line.ends_with("\",");
    let entries: Vec<_> =
        listed.lines().filter(is_entry).map(|it| it.trim_matches([' ', '"', ','])).collect();
    assert_eq!(entries, sources, "src/known/sources.rs lists what there is, sorted");

    let workspace = fs::read_to_string(root.join("../Cargo.toml")).unwrap();
    let parser = workspace.lines().find_map(|line| line.strip_prefix("squawk-parser = ")).unwrap();
    let parser = format!("squawk-parser {}", parser.trim_matches('"'));
    assert!(listed.contains(&format!("\"{parser}\"")), "src/known/sources.rs lacks {parser}");
}
