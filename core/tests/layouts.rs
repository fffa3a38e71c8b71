//! Whose a folder is, and what its tool's files mean, by folders that are nearly alike.

#![expect(clippy::unwrap_used, reason = "a folder that cannot be written is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dunlin_core::draft::{Moment, Wish};
use dunlin_core::folder::{Reading, glance};
use dunlin_core::{Folder, Layout, Options};

const UP: &str = "SELECT 1;\n";

fn folder(files: &[(&str, &str)]) -> PathBuf {
    static N_FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = N_FOLDERS.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("layouts-{number}"));
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    path
}

fn read(files: &[(&str, &str)]) -> Reading {
    Folder::read(&folder(files), "migrations", &Options::default())
}

fn headlines(reading: &Reading) -> Vec<&str> {
    reading.diagnostics.iter().map(|it| it.headline()).collect()
}

/// Whose a folder is in which nothing is wrong, and the migrations in their order.
#[track_caller]
fn accepts(layout: Layout, files: &[(&str, &str)], names: &[&str]) {
    let reading = read(files);
    assert_eq!(headlines(&reading), [""; 0]);
    assert_eq!(reading.folder.layout(), layout);
    let found: Vec<_> = reading.folder.migrations().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(found, names);
}

/// Whose a folder is in which just this is wrong.
#[track_caller]
fn tells(layout: Layout, files: &[(&str, &str)], expected: &[&str]) {
    let reading = read(files);
    assert_eq!(headlines(&reading), expected);
    assert_eq!(reading.folder.layout(), layout);
}

#[test]
fn a_folder_that_bears_no_mark_is_of_whoever_runs_it_in_the_same_order() {
    // In pairs: golang-migrate's, whatever numbers they are.
    accepts(Layout::GolangMigrate, &[("1_a.up.sql", UP), ("1_a.down.sql", UP)], &["1_a"]);
    let mixed = [("1_a.up.sql", UP), ("20230115120000_b.up.sql", UP), ("20230301_c.up.sql", UP)];
    accepts(Layout::GolangMigrate, &mixed, &["1_a", "20230301_c", "20230115120000_b"]);
    // Dates of one length are dates to all, and a counter has none that is shorter.
    accepts(
        Layout::Dunlin,
        &[("20230301_b.sql", UP), ("20230115_a.sql", UP)],
        &["20230115_a", "20230301_b"],
    );
    accepts(Layout::Dunlin, &[("9_b.sql", UP), ("10_a.sql", UP)], &["9_b", "10_a"]);
    // Two lengths: sqlx runs the shorter first.
    let two = [("20230301_b.sql", UP), ("20230115120000_a.sql", UP)];
    tells(Layout::Dunlin, &two, &["`20230115120000_a.sql` and `20230301_b.sql` have two orders"]);
}

#[test]
fn what_no_other_tool_reads_makes_a_folder_our_own() {
    let a = ("20230115120000_a.sql", UP);
    // A migration in Rust.
    let up = "pub async fn up(_: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    accepts(Layout::Dunlin, &[a, ("20230301_b.rs", up)], &["20230115120000_a", "20230301_b"]);
    // A number within the day.
    accepts(
        Layout::Dunlin,
        &[("20251031_02_a.sql", UP), ("20251104_b.sql", UP), ("20251031_01_c.sql", UP)],
        &["20251031_01_c", "20251031_02_a", "20251104_b"],
    );
    // A file that is nobody's: told as what it is, and not as a question of order.
    tells(
        Layout::Dunlin,
        &[a, ("20230301_b.sql", UP), ("notes.txt", "x")],
        &["a file that is not a migration: `notes.txt`"],
    );
    // A counter among dates: there is no order of our own that could be confused with sqlx's.
    tells(
        Layout::Dunlin,
        &[a, ("20230301_b.sql", UP), ("1_c.sql", UP)],
        &["the counter `1` and the timestamp `20230115120000` in one folder"],
    );
}

#[test]
fn folders_of_migrations_outweigh_files_that_are_none() {
    let files = [("1_a/up.sql", UP), ("notes.txt", "x"), ("todo.txt", "x")];
    let told = [
        "a file that is not a migration: `notes.txt`",
        "a file that is not a migration: `todo.txt`",
    ];
    tells(Layout::Diesel, &files, &told);
    // One folder among migrations that are files is a folder too many.
    tells(
        Layout::Dunlin,
        &[("1_a.sql", UP), ("2_b/up.sql", UP)],
        &["a folder among the migrations: `2_b`"],
    );
}

#[test]
fn a_migration_in_rust_is_refinerys_only_with_its_function() {
    let ours = "pub async fn up(_: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    accepts(Layout::Dunlin, &[("V1__a.rs", ours)], &["V1__a"]);
    let theirs = "pub fn migration() -> String { String::new() }\n";
    tells(Layout::Refinery, &[("V1__a.rs", theirs)], &["a migration of refinery in Rust"]);
}

#[test]
fn prismas_folders_may_hold_a_readme() {
    let files = [
        ("1_a/migration.sql", UP),
        ("1_a/README.md", "x"),
        ("README.md", "x"),
        ("migration_lock.toml", "provider = \"postgresql\"\n"),
    ];
    accepts(Layout::Prisma, &files, &["1_a"]);
    let stray = [("1_a/migration.sql", UP), ("1_a/notes.txt", "x")];
    tells(Layout::Prisma, &stray, &["a file that is not a migration: `1_a/notes.txt`"]);
    let empty = [("1_a/migration.sql", UP), ("2_b/down.sql", UP)];
    tells(Layout::Prisma, &empty, &["a folder without `migration.sql`: `2_b`"]);
}

#[test]
fn flyways_settings_belong_to_a_script() {
    let a = ("V1.1__a.sql", UP);
    let conf = "executeInTransaction=false\nencoding=utf-8\n";
    accepts(Layout::Flyway, &[a, ("V1.1__a.sql.conf", conf)], &["V1.1__a"]);
    tells(Layout::Flyway, &[a, ("V1.2__b.sql.conf", conf)], &["settings without `V1.2__b.sql`"]);
    tells(
        Layout::Flyway,
        &[a, ("V1.1__a.sql.conf", "encoding=latin1\n")],
        &["a script in `latin1`"],
    );
}

#[test]
fn what_only_looks_like_flyways_beyond_sql_is_none() {
    let a = ("V1.1__a.sql", UP);
    for (name, expected) in [
        ("V2__b.java", "a migration of Flyway in Java: `V2__b.java`"),
        ("Vehicle.java", "a file that is not a migration: `Vehicle.java`"),
        ("x__y.java", "a file that is not a migration: `x__y.java`"),
        ("createSchema.sql", "a callback of Flyway: `createSchema.sql`"),
        ("afterMigrate__x.sql", "a callback of Flyway: `afterMigrate__x.sql`"),
        ("after.sql", "`after.sql` is not the name of a migration"),
        ("aftermath.sql", "`aftermath.sql` is not the name of a migration"),
    ] {
        tells(Layout::Flyway, &[a, (name, UP)], &[expected]);
    }
}

#[test]
fn a_placeholder_is_flyways_where_flyway_would_fill_it_in() {
    let whose = |text: &str| read(&[("V1__a.sql", text)]).folder.layout();
    assert_eq!(whose("SELECT ${schema};\n"), Layout::Flyway);
    // In quotes the same is a text, and anybody's.
    assert_eq!(whose("SELECT '${schema}';\n"), Layout::Dunlin);
    let told = |text: &str| {
        let reading = read(&[("V1.1__a.sql", text)]);
        headlines(&reading).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        told("SELECT '${flyway:user-name.x_1}';\n"),
        ["a placeholder of Flyway: `${flyway:user-name.x_1}`"]
    );
    assert_eq!(told("SELECT '${a b}', '${}', '${a', '$';\n"), [""; 0]);
    assert_eq!(told("-- ${schema}\nSELECT 1;\n"), [""; 0]);
}

#[test]
fn a_mark_of_sqlx_counts_at_the_very_beginning() {
    let sqlx = |text: &str| {
        let options = Options { layout: Some(Layout::Sqlx), ..Options::default() };
        let reading = Folder::read(&folder(&[("1_a.sql", text)]), "migrations", &options);
        headlines(&reading).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let misplaced = ["`-- no-transaction` that does not begin the file"];
    assert_eq!(sqlx("-- no-transaction\nVACUUM;\n"), [""; 0]);
    assert_eq!(sqlx("\n-- no-transaction\nSELECT 1;\n"), misplaced);
    assert_eq!(sqlx("-- why\n-- no-transaction\nSELECT 1;\n"), misplaced);
    // Behind the first statement it is nothing but a comment.
    assert_eq!(sqlx("SELECT 1;\n-- no-transaction\nSELECT 2;\n"), [""; 0]);
}

#[test]
fn a_section_is_begun_once_and_its_options_are_known() {
    tells(
        Layout::Goose,
        &[(
            "1_a.sql",
            "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n-- +goose Down\nSELECT 3;\n",
        )],
        &["a second `-- +goose Down`"],
    );
    tells(
        Layout::Goose,
        &[("1_a.sql", "-- +goose Up\nSELECT 1;\n-- see +goose Down\nSELECT 2;\n")],
        &["an unknown annotation of goose"],
    );
    accepts(
        Layout::Dbmate,
        &[("1_a.sql", "-- migrate:up transaction:true\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n")],
        &["1_a"],
    );
    tells(
        Layout::Dbmate,
        &[
            ("0_z.sql", "-- migrate:up\nSELECT 1;\n"),
            ("1_a.sql", "-- migrate:up transaction:maybe\nSELECT 1;\n"),
        ],
        &["unknown option `transaction:maybe` of dbmate"],
    );
}

#[test]
fn a_template_of_tern_is_underlined_from_end_to_end() {
    let text = "SELECT 1, '{{ .user }}';\n---- create above / drop below ----\nSELECT 2;\n";
    let reading = read(&[("001_a.sql", text)]);
    assert_eq!(headlines(&reading), ["a template of tern"]);
    let message = reading.diagnostics[0].to_string();
    assert!(
        message.contains("1 | SELECT 1, '{{ .user }}';\n  |            ^^^^^^^^^^^\n"),
        "{message}"
    );
    let open = read(&[("001_a.sql", &text.replace("}}", ""))]);
    let message = open.diagnostics[0].to_string();
    assert!(message.contains("  |            ^^\n"), "{message}");
}

#[test]
fn a_glance_finds_what_a_reading_finds() {
    let path = folder(&[
        ("2_b.sql", "SELECT 2;\n"),
        ("1_a.sql", UP),
        ("1_a.down.sql", "SELECT 0;\n"),
        ("notes.txt", "x"),
    ]);
    let reading = Folder::read(&path, "migrations", &Options::default());
    let read: Vec<_> =
        reading.folder.migrations().iter().map(|it| (it.name.clone(), it.up.checksum)).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(glance(&path, Layout::Dunlin, &["notes.txt"]).unwrap(), read);
    assert!(glance(&path.join("nowhere"), Layout::Dunlin, &[]).is_err());
    // A file among them that is there and cannot be read is no migration less.
    fs::create_dir_all(path.join("3_c.sql")).unwrap();
    assert_eq!(glance(&path, Layout::Dunlin, &[]).unwrap(), read);
}

#[test]
fn what_is_no_folder_is_not_called_a_missing_one() {
    let path = folder(&[("1_a.sql", UP)]);
    let headline = |path: &Path| {
        let reading = Folder::read(path, "migrations", &Options::default());
        headlines(&reading).join("\n")
    };
    assert_eq!(headline(&path.join("1_a.sql")), "`migrations` is not a folder");
    assert_eq!(headline(&path.join("2_b")), "no migrations folder at `migrations`");
}

#[test]
fn the_next_migration_has_files_like_the_last_one() {
    let moment = Moment { year: 2026, month: 5, day: 2, hour: 10, minute: 14, second: 7 };
    let next = |files: &[(&str, &str)]| {
        let wish = Wish { words: "more", rust: false, undo: true, moment };
        let draft = read(files).folder.draft(wish).unwrap();
        draft.files.into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    let rust = "pub async fn up(_: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n";
    assert_eq!(next(&[("1_a.sql", UP)]), ["2_more.sql", "2_more.down.sql"]);
    assert_eq!(next(&[("1_a.sql", UP), ("V2_b.rs", rust)]), ["V3_more.sql", "V3_more.down.sql"]);
    let marked = [("1_a.up.sql", UP), ("1_a.down.sql", UP)];
    assert_eq!(next(&marked), ["2_more.up.sql", "2_more.down.sql"]);
}

#[test]
fn a_version_that_is_taken_is_answered_with_the_next_free_one() {
    let help = |files: &[(&str, &str)]| read(files).diagnostics[0].to_string();
    assert!(help(&[("9_a.sql", UP), ("9_b.sql", UP)]).contains("for example to `10_b.sql`"));
    assert!(help(&[("08_a.sql", UP), ("08_b.sql", UP)]).contains("for example to `09_b.sql`"));
    assert!(help(&[("1_a.sql", UP), ("1_b.sql", UP), ("99_c.sql", UP)]).contains("`100_b.sql`"));
}
