//! What the database and this build disagree about, and the words for it.

use std::fmt::Write as _;
use std::time::SystemTime;

use dunlin_core::Checksum;
use similar::TextDiff;

use crate::clock::utc;

/// A disagreement between the history table and this build that stops a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The file was edited after it was applied.
    Changed {
        /// The migration's name.
        name: String,
        /// Its file in this build.
        path: String,
        /// When it was applied.
        executed_at: Option<SystemTime>,
        /// The checksum in the history table.
        recorded: String,
        /// The checksum of the file in this build.
        current: Checksum,
        /// The text that was applied against the text of this build, as a unified diff; `None`
        /// when the table does not hold the text.
        diff: Option<String>,
        /// Whether only comments, blanks and line ends differ.
        only_layout: bool,
    },
    /// It was applied and is not in this build, although newer ones are.
    Missing {
        /// The migration's name.
        name: String,
        /// When it was applied.
        executed_at: Option<SystemTime>,
    },
    /// It is pending and older than something applied, and
    /// [`strict_order`](crate::Migrator::strict_order) is on.
    Late {
        /// The migration's name.
        name: String,
        /// Its file in this build.
        path: String,
        /// The newest applied migration.
        newest: String,
    },
}

impl Drift {
    /// The migration's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Changed { name, .. } | Self::Missing { name, .. } | Self::Late { name, .. } => {
                name
            }
        }
    }

    /// Adds what the stored text tells about a changed migration.
    pub(crate) fn compare(&mut self, applied_text: &str, current_text: &str) {
        if let Self::Changed { diff, only_layout, path, executed_at, .. } = self {
            *only_layout =
                path.ends_with(".sql") && dunlin_core::lexer::same_code(applied_text, current_text);
            *diff = Some(unified(applied_text, current_text, &when(*executed_at), path));
        }
    }

    /// The block about it in a message.
    pub(crate) fn described(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Changed { name, path, executed_at, recorded, current, diff, only_layout } => {
                text += &format!(
                    "changed: `{name}` was edited after it was {}\n --> {path}:1:1\n",
                    when(*executed_at)
                );
                match diff {
                    Some(diff) => text += diff,
                    None => text += &format!("  recorded: {recorded}\n  in build: {current}\n"),
                }
                if *only_layout {
                    text += "only comments or layout differ; what the statements do is the same\n";
                }
            }
            Self::Missing { name, executed_at } => {
                text += &format!(
                    "missing: `{name}` was {} and is not in this build\n",
                    when(*executed_at)
                );
            }
            Self::Late { name, path, newest } => {
                text += &format!(
                    "late: `{name}` is pending, but the newer `{newest}` is applied\n --> {path}:1:1\n"
                );
            }
        }
        text
    }
}

/// What to do about each kind that is present.
pub(crate) fn advice(drift: &[Drift]) -> Vec<&'static str> {
    let mut advice = Vec::new();
    if drift.iter().any(|it| matches!(it, Drift::Changed { .. })) {
        advice.push("restore the file as it was applied; a change to an applied migration belongs in a new one");
    }
    if drift.iter().any(|it| matches!(it, Drift::Missing { .. })) {
        advice.push("restore the missing file, or rebuild: the binary is stale if the file is in the folder");
    }
    if drift.iter().any(|it| matches!(it, Drift::Late { .. })) {
        advice.push("give the late migration a version behind the newest applied one, or allow it without `strict_order`");
    }
    advice
}

fn when(executed_at: Option<SystemTime>) -> String {
    executed_at.map_or_else(|| "applied".to_owned(), |at| format!("applied on {}", utc(at)))
}

fn unified(applied: &str, current: &str, when: &str, path: &str) -> String {
    let diff = TextDiff::from_lines(applied, current);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _written: Result<(), _> =
        write!(text, "{}", diff.unified_diff().context_radius(2).header(when, path));
    text
}
