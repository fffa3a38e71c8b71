//! A row of another tool's history, and which rows count.

use std::time::{Duration, SystemTime};

use super::Tool;

/// A row of another tool's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The version or the name, as the row has it; nothing where the row is not about one.
    pub key: Option<String>,
    /// What else the row says of what it is; may be empty.
    pub description: String,
    /// The checksum as text: hexadecimal of sqlx and Prisma, decimal of Flyway and refinery.
    pub sum: Option<String>,
    /// What the row says of the migration.
    pub standing: Standing,
    /// When it was applied.
    pub executed_at: Option<SystemTime>,
    /// Who applied it.
    pub applied_by: Option<String>,
    /// How long it took.
    pub duration: Option<Duration>,
}

/// What a row says of its migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is applied.
    Applied,
    /// It failed, and what of it took effect is not known.
    Failed,
    /// It was begun, and the end is not recorded.
    Unfinished,
    /// It was undone, or what had been done was rolled back.
    Undone,
    /// Everything up to this version was there before the history.
    Baseline,
    /// A person had the row of this version forgotten.
    Deleted,
    /// It runs again whenever it changes, which a history of versions cannot hold.
    Repeatable,
    /// It is about no migration.
    Other,
}

impl Standing {
    const ALL: [Self; 8] = [
        Self::Applied,
        Self::Failed,
        Self::Unfinished,
        Self::Undone,
        Self::Baseline,
        Self::Deleted,
        Self::Repeatable,
        Self::Other,
    ];

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
            Self::Undone => "undone",
            Self::Baseline => "baseline",
            Self::Deleted => "deleted",
            Self::Repeatable => "repeatable",
            Self::Other => "other",
        }
    }

    /// The standing of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// The rows that count, each with its place among all: of several about one migration, the last.
///
/// goose and Flyway add a row for each attempt and each undo, Prisma one for each attempt.
pub(super) fn counting(tool: Tool, records: &[Record]) -> Vec<(usize, &Record)> {
    let mut counting: Vec<(usize, &Record)> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        // Its first row, which goose writes when it makes the table.
        let is_origin = tool == Tool::Goose && record.key.as_deref() == Some("0");
        if is_origin || record.standing == Standing::Other {
            continue;
        }
        let is_same = |it: &Record| {
            it.key == record.key && (it.key.is_some() || it.description == record.description)
        };
        let is_alone = record.standing == Standing::Baseline;
        let earlier = counting
            .iter_mut()
            .find(|(_, it)| !is_alone && it.standing != Standing::Baseline && is_same(it));
        match earlier {
            Some(earlier) => *earlier = (at, record),
            None => counting.push((at, record)),
        }
    }
    counting
}
