//! Migrations in languages that do not end up in a Rust binary.

use super::arrange::Role;

/// Languages that tools write migrations in, by how their files end.
const LANGUAGES: &[(&str, &str)] = &[
    ("C#", "cs"),
    ("Elixir", "ex exs"),
    ("Go", "go"),
    ("Java", "java"),
    ("JavaScript", "cjs js mjs"),
    ("Kotlin", "kt"),
    ("PHP", "php"),
    ("Python", "py"),
    ("Ruby", "rb"),
    ("TypeScript", "cts mts ts"),
];

/// What a file is whose name is that of a migration in another language. One that is passed over
/// would be a migration that never runs.
pub(super) fn role(file_name: &str) -> Option<Role> {
    let (stem, extension) = file_name.rsplit_once('.')?;
    let is_it = |ends: &str| ends.split(' ').any(|it| extension.eq_ignore_ascii_case(it));
    let (language, _) = LANGUAGES.iter().find(|(_, ends)| is_it(ends))?;
    stem.starts_with(|first: char| first.is_ascii_digit()).then(|| Role::Beyond {
        headline: format!("a migration in {language}: `{file_name}`"),
        note: "only migrations in SQL and Rust are compiled into the binary",
        help: format!("write it in SQL as `{stem}.sql`, or in Rust as `{stem}.rs`"),
    })
}
