//! Which findings are errors, which are warnings, and which are not told.
//!
//! Kept apart from the rules because a rule only finds; what a finding means for the build is asked
//! here, once, when all of them are known.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::rule::{DefaultLevel, Rule};

/// What becomes of the findings of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// They are not told.
    Allow,
    /// They are told, and the build goes on.
    Warn,
    /// They fail the build.
    Deny,
}

/// The levels of all rules: the default ones, and those that were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    chosen: BTreeMap<Rule, Level>,
}

impl Levels {
    /// The same with another level for a rule. A rule whose level is fixed keeps it; the macro says
    /// so before it asks.
    #[must_use]
    pub fn with(mut self, rule: Rule, level: Level) -> Self {
        if rule.default_level() != DefaultLevel::Fixed {
            let _previous = self.chosen.insert(rule, level);
        }
        self
    }

    /// The level of a rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> Level {
        self.chosen.get(&rule).copied().unwrap_or(match rule.default_level() {
            DefaultLevel::Fixed | DefaultLevel::Deny => Level::Deny,
            DefaultLevel::Warn => Level::Warn,
        })
    }

    /// Gives findings the severity of their level, and drops those that are not to be told.
    pub(crate) fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.retain_mut(|diagnostic| {
            match self.of(diagnostic.rule) {
                Level::Allow => return false,
                Level::Warn => diagnostic.severity = Severity::Warning,
                Level::Deny => diagnostic.severity = Severity::Error,
            }
            true
        });
    }
}
