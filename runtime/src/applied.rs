//! A row of the history table.
//!
//! Its own type: what a database says was applied is not a migration of this build.

use std::time::{Duration, SystemTime};

/// A migration that the history table says was applied.
///
/// Columns that are null, as in a row written by hand, are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) executed_at: Option<SystemTime>,
    pub(crate) checksum: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) duration: Option<Duration>,
    pub(crate) applied_by: Option<String>,
    pub(crate) application: Option<String>,
    pub(crate) progress: Option<Progress>,
    pub(crate) has_down_text: bool,
    pub(crate) is_breaking: bool,
}

/// How far a migration without a transaction has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Statements completed and recorded.
    pub n_done: usize,
    /// Statements begun: one more than `n_done` when the run was cut off in the middle of one, so
    /// that nobody can say whether it took effect.
    pub n_begun: usize,
    /// Statements in the file when it was begun.
    pub n_statements: usize,
}

/// How a migration was applied: the column `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SQL in one transaction.
    Sql,
    /// SQL, statement by statement.
    SqlNoTransaction,
    /// Rust in one transaction.
    Rust,
    /// Its undo was begun, statement by statement, and is not finished.
    Undo,
    /// Nothing was run: it was there before the history.
    Baseline,
    /// Nothing was run: somebody says so.
    Marked,
    /// Nothing was run: another tool's history says so.
    Adopted,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::SqlNoTransaction => "sql no-transaction",
            Self::Rust => "rust",
            Self::Undo => "undo no-transaction",
            Self::Baseline => "baseline",
            Self::Marked => "marked",
            Self::Adopted => "adopted",
        }
    }
}

impl Applied {
    /// The number the table gave the row. It grows, with gaps, in the order rows are written.
    #[must_use]
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// The migration's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it was completed, by the server's clock.
    #[must_use]
    pub const fn executed_at(&self) -> Option<SystemTime> {
        self.executed_at
    }

    /// The checksum as it is written in the table; `None` for an adopted row, which is unverified.
    #[must_use]
    pub fn checksum(&self) -> Option<&str> {
        self.checksum.as_deref()
    }

    /// `sql`, `sql no-transaction`, `rust`, `adopted`, `baseline` or `marked`; `undo no-transaction` while an undo that runs
    /// without a transaction is not finished.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// How long it took.
    #[must_use]
    pub const fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// The role that applied it.
    #[must_use]
    pub fn applied_by(&self) -> Option<&str> {
        self.applied_by.as_deref()
    }

    /// The `application_name` of the session that applied it.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// Whether it was marked `-- dunlin: breaking`: older builds cannot work with the database since.
    #[must_use]
    pub const fn is_breaking(&self) -> bool {
        self.is_breaking
    }

    /// How far it has come, for a migration without a transaction that was interrupted, or its undo.
    #[must_use]
    pub fn unfinished(&self) -> Option<Progress> {
        self.progress.filter(|progress| progress.n_done < progress.n_statements)
    }
}
