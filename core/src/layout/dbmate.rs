//! dbmate: `-- migrate:up`, `-- migrate:down`, both with options such as `transaction:false`.
//!
//! As its parser (amacneil/dbmate, `pkg/dbmate/migration.go`), except that a line which is almost a
//! marker is an error: dbmate takes it for a comment, and the undo below it for a part of the
//! migration.

use crate::diagnostic::Diagnostic;
use crate::suggest::nearest;

use super::Layout;
use super::section::{Line, Marker, Markers, problem};

/// The block directives of dbmate.
pub(crate) struct Dbmate;

impl Markers for Dbmate {
    const LAYOUT: Layout = Layout::Dbmate;
    const UP: &'static str = "-- migrate:up";
    const DOWN: &'static str = "-- migrate:down";
    // dbmate 2 takes the file, runs the first pair, and then fails to record the second one.
    const REPEATS: bool = false;
    const DOWN_MAY_BE_FIRST: bool = false;

    fn read(line: Line<'_>) -> Option<Result<Marker, Box<Diagnostic>>> {
        let comment = line.text.trim().strip_prefix("--")?.trim_start_matches('-').trim_start();
        let behind = comment.get("migrate".len()..)?;
        let named = comment[.."migrate".len()].eq_ignore_ascii_case("migrate");
        let behind = behind.trim_start().strip_prefix(':').filter(|_| named)?;
        let (word, options) = behind.split_once(char::is_whitespace).unwrap_or((behind, ""));
        let is_clean = line.text.starts_with("--")
            && !line.text.starts_with("---")
            && comment.starts_with("migrate:");
        match (word, is_clean) {
            ("up", true) => {
                Some(transaction(line, options).map(|transaction| Marker::Up { transaction }))
            }
            ("down", true) => {
                Some(transaction(line, options).map(|transaction| Marker::Down { transaction }))
            }
            _ => almost(line, behind).map(Err),
        }
    }
}

/// Whether the section runs in a transaction, as its options say.
fn transaction(line: Line<'_>, options: &str) -> Result<bool, Box<Diagnostic>> {
    let mut transaction = true;
    for option in options.split_whitespace() {
        match option {
            "transaction:false" => transaction = false,
            "transaction:true" => transaction = true,
            _ => {
                let label = nearest(option, &["transaction:false", "transaction:true"])
                    .map(|known| format!("did you mean `{known}`?"))
                    .unwrap_or_default();
                return Err(Box::new(
                    problem(
                        format!("unknown option `{option}` of dbmate"),
                        line.place(option, label),
                    )
                    .note("the options are: transaction:false, transaction:true"),
                ));
            }
        }
    }
    Ok(transaction)
}

/// A line that would be a marker in other letters, or with other blanks. Other comments that begin
/// with «migrate:» are prose.
fn almost(line: Line<'_>, behind: &str) -> Option<Box<Diagnostic>> {
    let known = nearest(behind.split_whitespace().next()?, &["up", "down"])?;
    let label = format!("did you mean `-- migrate:{known}`?");
    Some(Box::new(
        problem("a line that is almost a marker of dbmate", line.place(line.text.trim(), label))
            .note("dbmate takes it for a comment, and what stands below for a part of the section above")
            .help(format!("write `-- migrate:{known}` at the beginning of the line")),
    ))
}
