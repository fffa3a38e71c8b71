//! What the README shows is what people see.

use dunlin::Migrator;
use dunlin_tests::{Recorder, TestDatabase, registry, undated};

const README: &str = include_str!("../../README.md");

/// The blocks between code fences of one language, without indentation of their own.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in README.lines() {
        match &mut open {
            Some(block) if line.trim() == "```" => {
                blocks.push(std::mem::take(block));
                open = None;
            }
            Some(block) => *block += &format!("{line}\n"),
            None if line.trim() == fence => open = Some(String::new()),
            None => {}
        }
    }
    blocks
}

fn block_with(text: &str) -> String {
    let found = blocks("text").into_iter().find(|block| block.contains(text));
    found.unwrap_or_else(|| panic!("no block of the README holds {text:?}"))
}

#[test]
fn the_error_of_a_build() {
    let expected = include_str!("../../core/tests/folders/unterminated-string/expected.txt");
    // rustc indents what follows the headline by the width of `error: `.
    let mut lines = expected.lines();
    let headline = lines.next().unwrap();
    let rest: Vec<_> = lines.map(|line| format!("       {line}")).collect();
    assert_eq!(block_with("unterminated string"), format!("{headline}\n{}\n", rest.join("\n")));
}

#[tokio::test]
async fn the_error_of_a_failed_migration() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("0001_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age text);\n"),
        (
            "0002_age.sql",
            "COMMENT ON TABLE users IS 'People.';\nALTER TABLE users ALTER COLUMN age TYPE integer;\n",
        ),
    ]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!(format!("{error:#}\n"), block_with("cannot be cast"));
}

#[tokio::test]
async fn the_error_of_an_edited_file() {
    let database = TestDatabase::new();
    let create = |age: &str| {
        registry(&[(
            "0001_users.sql",
            &format!("CREATE TABLE users (id bigint PRIMARY KEY, age {age});\n"),
        )])
    };
    let _report = Migrator::new(&create("text")).apply(database.pool()).await.unwrap();
    let error = Migrator::new(&create("integer")).apply(database.pool()).await.unwrap_err();
    assert_eq!(undated(&format!("{error:#}\n")), undated(&block_with("was edited after")));
}

#[tokio::test]
async fn the_console_of_a_first_start() {
    let database = TestDatabase::new();
    let recorder = Recorder::default();
    static SAMPLES: dunlin::Registry = dunlin::embed_migrations!("../migrations");
    let _report =
        Migrator::new(&SAMPLES).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    let lines = recorder.lines();
    let shown = block_with("Database connected");
    let shown: Vec<_> = shown.lines().map(|line| line.split(" (9 ms)").next().unwrap()).collect();
    // The first and the last line are the application's own.
    let (before, after) = shown[1..shown.len() - 1]
        .split_at(shown.iter().position(|line| *line == "...").unwrap() - 1);
    assert_eq!(lines[..before.len()], *before);
    assert_eq!(lines[lines.len() - (after.len() - 1)..], after[1..]);
}
