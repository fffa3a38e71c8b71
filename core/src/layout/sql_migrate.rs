//! sql-migrate: `-- +migrate Up`, `-- +migrate Down`, both with the option `notransaction`, and
//! `-- +migrate StatementBegin`.
//!
//! As its parser (rubenv/sql-migrate, `sqlparse`), except that a line which is almost a marker is an
//! error: sql-migrate passes it over.

use crate::diagnostic::Diagnostic;
use crate::suggest::nearest;

use super::Layout;
use super::section::{Line, Marker, Markers, problem};

/// The commands of sql-migrate.
pub(crate) struct SqlMigrate;

const WORDS: [&str; 4] = ["Up", "Down", "StatementBegin", "StatementEnd"];
const NO_TRANSACTION: &str = "notransaction";

impl Markers for SqlMigrate {
    const LAYOUT: Layout = Layout::SqlMigrate;
    const UP: &'static str = "-- +migrate Up";
    const DOWN: &'static str = "-- +migrate Down";
    const REPEATS: bool = true;
    const DOWN_MAY_BE_FIRST: bool = true;

    fn read(line: Line<'_>) -> Option<Result<Marker, Box<Diagnostic>>> {
        let comment = line.text.trim().strip_prefix("--")?;
        let (before, command) = comment.split_once("+migrate")?;
        if !before.trim_matches(['-', ' ', '\t']).is_empty() {
            return None;
        }
        let mut words = command.split_whitespace();
        let word = words.next().unwrap_or_default();
        if !line.text.starts_with("-- +migrate ") || !WORDS.contains(&word) {
            return Some(Err(unknown(line, word)));
        }
        let mut transaction = true;
        for option in words {
            if option != NO_TRANSACTION {
                return Some(Err(unknown_option(line, option)));
            }
            transaction = false;
        }
        Some(Ok(match word {
            "Up" => Marker::Up { transaction },
            "Down" => Marker::Down { transaction },
            "StatementBegin" => Marker::StatementBegin,
            _ => Marker::StatementEnd,
        }))
    }
}

fn unknown(line: Line<'_>, word: &str) -> Box<Diagnostic> {
    let lower = WORDS.map(str::to_ascii_lowercase);
    let lower: Vec<_> = lower.iter().map(String::as_str).collect();
    let label = nearest(word, &lower)
        .and_then(|near| WORDS.iter().find(|known| known.eq_ignore_ascii_case(near)))
        .map(|known| format!("did you mean `-- +migrate {known}`?"))
        .unwrap_or_default();
    Box::new(
        problem(
            "a line that is almost a command of sql-migrate",
            line.place(line.text.trim(), label),
        )
        .note(format!(
            "sql-migrate passes it over; its commands are `-- +migrate` and one of: {}",
            WORDS.join(", ")
        )),
    )
}

fn unknown_option(line: Line<'_>, option: &str) -> Box<Diagnostic> {
    let label = nearest(option, &[NO_TRANSACTION])
        .map(|known| format!("did you mean `{known}`?"))
        .unwrap_or_default();
    Box::new(
        problem(format!("unknown option `{option}` of sql-migrate"), line.place(option, label))
            .note(format!("the only option is `{NO_TRANSACTION}`")),
    )
}
