//! What would make a wrong statement right: the cause behind a fault.
//!
//! Each guess is tried: the statement is changed and parsed again, and a guess counts if the fault is
//! then gone, or far behind. So «did you mean» never proposes what would not be accepted there.

use super::budget::Budget;
use super::mend;
use super::parse::{Fault, first_fault};
use super::view::View;

/// Why a statement is wrong, as far as a change that mends it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No change was found.
    Unknown,
    /// A word is a mistyped keyword.
    Misspelt { token: usize, keyword: String },
    /// A word is a keyword that cannot be a name there.
    Reserved { token: usize },
    /// A token begins another statement.
    SecondStatement { token: usize },
    /// A comma has nothing behind it.
    TrailingComma { token: usize },
    /// There should be a comma in front of a token.
    MissingComma { token: usize },
    /// A token stands there twice.
    Doubled { token: usize },
    /// `IF EXISTS` or `IF NOT EXISTS` where the command has none.
    NoCondition { token: usize, words: &'static str },
    /// A name in double quotes where a string belongs.
    QuotedString { token: usize },
    /// CASE or a bracket that is not closed, and where it should be.
    Unclosed { opened: usize, token: usize, close: &'static str },
    /// A keyword is missing in front of a token.
    Missing { token: usize, keyword: &'static str },
    /// A name with a hyphen, without quotes: `uuid-ossp`.
    Hyphen { token: usize },
}

/// Beyond this, what comes behind a change no longer counts for it.
pub(super) const FAR_TOKENS: usize = 3;

/// The cause of a fault.
pub(super) fn cause(view: &View<'_>, fault: &Fault, budget: &mut Budget) -> Cause {
    let mut search = Search { view, fault: view.at(fault.at), budget, best: None };
    let found = search.run(fault);
    found.or_else(|| search.best.take()).unwrap_or(Cause::Unknown)
}

pub(super) struct Search<'a, 'b> {
    pub(super) view: &'a View<'a>,
    /// The token that is wrong; their number when the end is.
    pub(super) fault: usize,
    pub(super) budget: &'b mut Budget,
    /// What moved the fault far away without removing it.
    best: Option<Cause>,
}

impl Search<'_, '_> {
    /// The first change that removes the fault.
    fn run(&mut self, fault: &Fault) -> Option<Cause> {
        self.head()
            .or_else(|| self.second_statement(fault))
            .or_else(|| self.trailing_comma())
            .or_else(|| self.doubled())
            .or_else(|| self.reserved(fault))
            .or_else(|| self.misspelt())
            .or_else(|| self.privilege_without_on(fault))
            .or_else(|| self.missing_comma())
            .or_else(|| self.conditions())
            .or_else(|| self.strings())
            .or_else(|| self.hyphen())
            .or_else(|| self.unclosed())
            .or_else(|| self.missing(fault))
    }

    /// Takes what one look at the whole statement costs; false when it cannot be afforded.
    pub(super) fn spend(&mut self) -> bool {
        self.budget.spend(self.view.sql.len()).is_ok()
    }

    /// Whether a change mends the statement: `text` instead of the tokens from `first` up to `behind`.
    pub(super) fn mends(&mut self, first: usize, behind: usize, text: &str, cause: &Cause) -> bool {
        let sql = self.view.sql;
        if !self.spend() {
            return false;
        }
        let from = self.view.start(first);
        let to = if behind > first { self.view.end_before(behind) } else { from };
        let changed = format!("{}{text}{}", &sql[..from], &sql[to..]);
        let Some(left) = first_fault(&changed) else { return true };
        // Where that is in the original, if it is behind the change.
        let behind_change = left.at.checked_sub(from + text.len()).map(|offset| to + offset);
        let Some(at) = behind_change else { return false };
        let token = self.view.at(at);
        // These are made several times in one statement.
        let near_is_enough = match cause {
            Cause::Reserved { .. } => token > self.fault,
            Cause::MissingComma { .. } => token > self.fault + 1,
            _ => false,
        };
        if near_is_enough {
            return true;
        }
        if token > self.fault.max(behind) + FAR_TOKENS {
            // The rest may be one of those that only PostgreSQL takes.
            if let Ok(None) = mend::true_fault(&View::new(&changed), left, self.budget) {
                return true;
            }
            if self.best.is_none() {
                self.best = Some(cause.clone());
            }
        }
        false
    }
}
