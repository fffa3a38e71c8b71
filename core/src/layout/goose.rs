//! goose: `-- +goose Up`, `-- +goose Down`, `-- +goose StatementBegin`, in any case.
//!
//! As its parser (pressly/goose, `internal/sqlparser`): a comment line that holds `+goose` is an
//! annotation or an error, and one with blanks in front is an error.

use crate::diagnostic::Diagnostic;
use crate::rule::Rule;
use crate::suggest::nearest;

use super::Layout;
use super::section::{Line, Marker, Markers, problem};

/// The annotations of goose.
pub(crate) struct Goose;

const WORDS: &[&str] =
    &["up", "down", "statementbegin", "statementend", "no transaction", "envsub on", "envsub off"];
const WRITTEN: &[&str] =
    &["Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF"];

impl Markers for Goose {
    const LAYOUT: Layout = Layout::Goose;
    const UP: &'static str = "-- +goose Up";
    const DOWN: &'static str = "-- +goose Down";
    const REPEATS: bool = false;
    const DOWN_MAY_BE_FIRST: bool = false;

    fn read(line: Line<'_>) -> Option<Result<Marker, Box<Diagnostic>>> {
        let comment = line.text.trim().strip_prefix("--")?;
        let (before, word) = comment.split_once("+goose")?;
        let word = word.trim();
        let lower = word.to_ascii_lowercase();
        let known = WORDS.iter().position(|known| *known == lower);
        let is_clean = before.trim_matches(['-', ' ', '\t']).is_empty();
        Some(match known {
            _ if !is_clean => Err(unknown(line, word)),
            None => Err(unknown(line, word)),
            Some(_) if line.text.starts_with([' ', '\t']) => Err(indented(line)),
            Some(0) => Ok(Marker::Up { transaction: true }),
            Some(1) => Ok(Marker::Down { transaction: true }),
            Some(2) => Ok(Marker::StatementBegin),
            Some(3) => Ok(Marker::StatementEnd),
            Some(4) => Ok(Marker::NoTransaction),
            Some(5) => Err(environment(line)),
            Some(_) => Ok(Marker::Other),
        })
    }
}

fn unknown(line: Line<'_>, word: &str) -> Box<Diagnostic> {
    let label = nearest(word, WORDS)
        .and_then(|near| WORDS.iter().position(|known| *known == near))
        .map(|index| format!("did you mean `-- +goose {}`?", WRITTEN[index]))
        .unwrap_or_default();
    Box::new(
        problem("an unknown annotation of goose", line.place(line.text.trim(), label))
            .note(format!("the annotations are: {}", WRITTEN.join(", ")))
            .help("a comment that is none must not hold `+goose`"),
    )
}

fn indented(line: Line<'_>) -> Box<Diagnostic> {
    Box::new(
        problem("an annotation of goose that does not begin its line", line.whole())
            .note("goose refuses it")
            .help("remove the blanks in front of it"),
    )
}

fn environment(line: Line<'_>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Rule::UnsupportedFeature,
            "goose puts environment variables into this text",
        )
        .at(line.whole())
        .note("what is embedded runs as it is written, on every machine the same")
        .help("write the values; what differs between machines belongs in a migration in Rust"),
    )
}
