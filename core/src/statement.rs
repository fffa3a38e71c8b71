//! Where statements begin and end, and what they are.
//!
//! Separate from the grammar check because a migration must be cut and classified even where its
//! grammar is not checked, or not known: what may run in a transaction, what opens or closes one,
//! and what is created, altered or dropped is read from the first words of a statement.
//!
//! Invariants: statements are in order and do not overlap, every token that is not trivia, a
//! separating semicolon or data of COPY belongs to exactly one, and a valid statement is cut where
//! PostgreSQL's own parser cuts it. Nothing here can fail: what is not recognised is
//! [`Kind::Ordinary`], may run in a transaction, and has no effects.

mod boundary;
mod command;
pub(crate) mod cursor;
mod effect;
mod lock;
mod object;
mod subscription;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use self::boundary::{Unbalanced, split};
pub use self::effect::{Effect, Verb};
pub use self::lock::{Lock, LockMode, locks};
pub use self::object::Object;
use crate::source::Span;

/// One statement of a text, found by [`split`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// From its first to its last token, without comments around it and without the `;`.
    pub span: Span,
    /// The same as indices of [`Lexed::tokens`](crate::lexer::Lexed::tokens).
    pub tokens: Range<usize>,
    /// Whether a `;` ends it.
    pub terminated: bool,
    /// Its command for a message: `CREATE TABLE`, `INSERT`; `statement` when it is not known.
    ///
    /// As PostgreSQL names it in a command tag, except where the words that were written say more:
    /// `END`, `ABORT`, `CREATE TABLE AS`, `VALUES`.
    pub command: &'static str,
    /// What needs a treatment of its own, apart from sending it to the server.
    pub kind: Kind,
    /// Whether PostgreSQL runs it in a transaction block.
    pub in_transaction: InTransaction,
    /// What it creates, alters, renames or drops.
    pub effects: Vec<Effect>,
    /// What is not closed, or closed without having been opened.
    pub unbalanced: Option<Unbalanced>,
}

impl Statement {
    /// The text of the statement; `sql` is the text that was split.
    #[must_use]
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        self.span.text(sql)
    }

    /// Its first line, cut to [`HEADLINE`] characters; ` …` says that there is more.
    #[must_use]
    pub fn headline(&self, sql: &str) -> String {
        let text = self.text(sql);
        let line = text.lines().next().unwrap_or_default().trim_end();
        let mut headline: String = line.chars().take(HEADLINE).collect();
        if headline.len() < text.len() {
            headline.truncate(headline.trim_end().len());
            headline.push_str(" …");
        }
        headline
    }
}

/// The most characters of a line that [`Statement::headline`] shows.
pub const HEADLINE: usize = 72;

/// What a statement asks of whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// SQL without further ado.
    Ordinary,
    /// It begins or ends a transaction, or a part of one.
    Transaction(TransactionControl),
    /// `COPY ... FROM STDIN`: it needs data that a migration cannot carry.
    CopyFromStdin,
    /// `COPY ... TO STDOUT`: it sends data that nobody receives.
    CopyToStdout,
    /// A backslash command of psql, which is no SQL.
    PsqlCommand,
}

/// A statement about transactions. Those inside of a function body are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin {
        /// An isolation level, `READ ONLY` or `DEFERRABLE` was asked for.
        modes: bool,
    },
    /// `COMMIT`, `END`.
    Commit {
        /// `AND CHAIN`: the next transaction begins at once.
        and_chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// `AND CHAIN`: the next transaction begins at once.
        and_chain: bool,
    },
    /// `PREPARE TRANSACTION`, which ends the transaction without committing it.
    Prepare,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`: they stay inside of the transaction.
    Savepoint,
    /// `SET TRANSACTION`.
    SetTransaction,
    /// `SET SESSION CHARACTERISTICS`.
    SetSessionCharacteristics,
}

impl TransactionControl {
    /// Whether it begins or ends a transaction, so that one which encloses it would not be one.
    #[must_use]
    pub const fn is_boundary(self) -> bool {
        matches!(
            self,
            Self::Begin { .. } | Self::Commit { .. } | Self::Rollback { .. } | Self::Prepare
        )
    }
}

/// Whether PostgreSQL runs a statement in a transaction block: the callers of
/// `PreventInTransactionBlock`, PostgreSQL 14 to 18.
///
/// Transaction control itself is `Allowed`; see [`TransactionControl::is_boundary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InTransaction {
    /// Yes.
    Allowed,
    /// No: SQLSTATE 25001. Holds the name by which the error message calls the command,
    /// «CREATE INDEX CONCURRENTLY cannot run inside a transaction block».
    Never(&'static str),
    /// It depends on what the database holds, for example on whether a table is partitioned.
    Sometimes(&'static str),
}
