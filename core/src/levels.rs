//! Which findings are errors, which are warnings, and which are not told.
//!
//! Kept apart from the rules because a rule only finds; what a finding means for the build is asked
//! here, once, when all of them are known.
//!
//! **Invariant:** what a file allows is not told whatever the build denies: the file gives a reason
//! for itself, the build a rule for all. An allowance that hides nothing is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::directive::Allowance;
use crate::rule::{DefaultLevel, Rule};
use crate::source::SourceFile;

/// Why some rules take no other level.
pub const FIXED: &str =
    "without it the folder has no meaning, or would run in another way than it is written";

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
///
/// ```
/// use dunlin_core::{Level, Levels, Rule};
/// let levels = Levels::default().with(Rule::LongIdentifier, Level::Deny);
/// assert_eq!(levels.of(Rule::LongIdentifier), Level::Deny);
/// assert_eq!(levels.of(Rule::EmptyUndo), Level::Warn);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    chosen: BTreeMap<Rule, Level>,
    exempt: Vec<(Rule, String)>,
}

/// A folder as far as levels depend on it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The folder's path as messages show it.
    pub(crate) shown: &'a str,
    /// What its files allow themselves.
    pub(crate) allowances: Vec<(Arc<SourceFile>, Vec<Allowance>)>,
    /// The files whose text must not change any more.
    pub(crate) released: BTreeSet<String>,
}

impl Levels {
    /// The same with another level for a rule.
    ///
    /// A rule whose level is fixed keeps it; see [`DefaultLevel::Fixed`].
    #[must_use]
    pub fn with(mut self, rule: Rule, level: Level) -> Self {
        if rule.default_level() != DefaultLevel::Fixed {
            let _previous = self.chosen.insert(rule, level);
        }
        self
    }

    /// The same with one file for which the rule does not hold, named as it is in its folder.
    ///
    /// For a released file, whose text must not change any more, so that it cannot hold the
    /// directive `allow`.
    #[must_use]
    pub fn exempting(mut self, rule: Rule, file_name: impl Into<String>) -> Self {
        if rule.default_level() != DefaultLevel::Fixed {
            self.exempt.push((rule, file_name.into()));
        }
        self
    }

    /// The same with what a person wrote for a level: the name of a rule, or, for
    /// [`Level::Allow`] alone, `<rule>: <file>`, which exempts that file.
    ///
    /// # Errors
    ///
    /// Why it is neither, as the text of a message.
    pub fn choosing(self, level: Level, text: &str) -> Result<Self, String> {
        let (id, file) = text.split_once(':').unwrap_or((text, ""));
        let (id, file) = (id.trim(), file.trim());
        let Some(rule) = Rule::of_id(id) else {
            let fact = format!("no rule is called `{}`", id.escape_debug());
            return Err(match Rule::nearest(id) {
                Some(rule) => format!("{fact}; did you mean `{rule}`?"),
                None => format!("{fact}; use the name a message shows"),
            });
        };
        if rule.default_level() == DefaultLevel::Fixed && level != Level::Deny {
            return Err(format!("the rule `{rule}` is always an error: {FIXED}"));
        }
        match (level, file) {
            (_, "") => Ok(self.with(rule, level)),
            (Level::Allow, file) => Ok(self.exempting(rule, file)),
            (Level::Warn | Level::Deny, _) => {
                Err(format!("only `allow` can be about one file; write \"{rule}\""))
            }
        }
    }

    /// The level of a rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> Level {
        self.chosen.get(&rule).copied().unwrap_or(match rule.default_level() {
            DefaultLevel::Fixed | DefaultLevel::Deny => Level::Deny,
            DefaultLevel::Warn => Level::Warn,
        })
    }

    /// Makes of what the rules found what is told.
    pub(crate) fn judge(
        &self,
        mut found: Vec<Diagnostic>,
        folder: &Context<'_>,
    ) -> Vec<Diagnostic> {
        let unused = unused_directives(&mut found, folder);
        found.extend(unused);
        let mut unused = Vec::new();
        for (rule, name) in &self.exempt {
            let shown = folder.shown;
            let path = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            if !take(&mut found, *rule, &path) && !is_broken(&found, &path) {
                unused.push(unused_argument(*rule, name, &path));
            }
        }
        found.extend(unused);
        found.into_iter().filter_map(|it| self.levelled(it, folder)).collect()
    }

    fn levelled(&self, mut diagnostic: Diagnostic, folder: &Context<'_>) -> Option<Diagnostic> {
        diagnostic.severity = match self.of(diagnostic.rule) {
            Level::Allow => return None,
            Level::Warn => Severity::Warning,
            Level::Deny => Severity::Error,
        };
        if diagnostic.rule.default_level() == DefaultLevel::Fixed {
            return Some(diagnostic);
        }
        let note = way_out(&diagnostic, folder);
        Some(diagnostic.note(note))
    }
}

/// Removes what the files allow themselves, and gives the allowances that remove nothing.
fn unused_directives(found: &mut Vec<Diagnostic>, folder: &Context<'_>) -> Vec<Diagnostic> {
    let mut unused = Vec::new();
    // A file of another tool that holds an undo as well is here twice.
    let mut used = BTreeMap::new();
    for (file, allowances) in &folder.allowances {
        for allowance in allowances {
            let key = (file.path(), allowance.rule);
            if take(found, allowance.rule, file.path()) {
                let _none = used.insert(key, allowance.span);
            } else if used.get(&key) != Some(&allowance.span) && !is_broken(found, file.path()) {
                unused.push(unused_directive(file, allowance));
            }
        }
    }
    unused
}

/// Whether so much is wrong with a file that not all of it was looked at.
fn is_broken(found: &[Diagnostic], path: &str) -> bool {
    found.iter().any(|it| {
        it.rule.default_level() == DefaultLevel::Fixed
            && it.place.as_ref().is_some_and(|place| place.path == path)
    })
}

/// Removes the findings of a rule in a file, and says whether there were any.
fn take(found: &mut Vec<Diagnostic>, rule: Rule, path: &str) -> bool {
    let n_before = found.len();
    found.retain(|it| it.rule != rule || it.place.as_ref().is_none_or(|place| place.path != path));
    found.len() < n_before
}

/// The name of the rule, and how it is turned off where it does not fit.
fn way_out(diagnostic: &Diagnostic, folder: &Context<'_>) -> String {
    let rule = diagnostic.rule;
    let turned_off = || format!("rule `{rule}`; `allow = [\"{rule}\"]` in the macro turns it off");
    match &diagnostic.place {
        // About the macro's own arguments.
        Some(place) if rule == Rule::UnusedAllowance && place.excerpt.is_none() => {
            format!("rule `{rule}`")
        }
        // One finding about all of them.
        _ if rule == Rule::Unrecorded => turned_off(),
        // A finding in the text; one about a file's name or about a whole file may be about a file
        // that cannot hold a directive.
        Some(place)
            if rule != Rule::UnusedAllowance
                && place.excerpt.is_some()
                && !folder.released.contains(&place.path) =>
        {
            format!("rule `{rule}`; the line `-- dunlin: allow {rule}: <reason>` exempts this file")
        }
        Some(place) => {
            let name = place.path.strip_prefix(folder.shown).unwrap_or(&place.path);
            let name = name.trim_matches('/');
            format!("rule `{rule}`; `allow = [\"{rule}: {name}\"]` in the macro exempts this file")
        }
        None => turned_off(),
    }
}

fn unused_directive(file: &Arc<SourceFile>, allowance: &Allowance) -> Diagnostic {
    Diagnostic::new(
        Rule::UnusedAllowance,
        format!("nothing here breaks the rule `{}`", allowance.rule),
    )
    .at(Place::span(file, allowance.span, ""))
    .note("an allowance that is not needed would hide the next mistake")
    .help("remove this line, unless the file is released: then it stays as it is")
}

fn unused_argument(rule: Rule, name: &str, path: &str) -> Diagnostic {
    Diagnostic::new(Rule::UnusedAllowance, format!("nothing in `{name}` breaks the rule `{rule}`"))
        .at(Place::file(path))
        .note("an allowance that is not needed would hide the next mistake")
        .help(format!("remove \"{rule}: {name}\" from the macro's argument `allow`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(level: Level, text: &str, expected: Result<Levels, &str>) {
        let found = Levels::default().choosing(level, text);
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn what_a_person_writes_for_a_level() {
        let levels = Levels::default;
        check(Level::Deny, "empty-undo", Ok(levels().with(Rule::EmptyUndo, Level::Deny)));
        check(Level::Allow, " empty-undo ", Ok(levels().with(Rule::EmptyUndo, Level::Allow)));
        let exempting = levels().exempting(Rule::EmptyUndo, "1_a: b.down.sql");
        check(Level::Allow, "empty-undo: 1_a: b.down.sql", Ok(exempting));
        // What is an error anyway may be said to be one.
        check(Level::Deny, "duplicate-name", Ok(levels()));
    }

    #[test]
    fn what_is_no_level() {
        let fixed = format!("the rule `duplicate-name` is always an error: {FIXED}");
        check(Level::Allow, "duplicate-name", Err(&fixed));
        check(Level::Warn, "duplicate-name: 1_a.sql", Err(&fixed));
        check(
            Level::Allow,
            "empty",
            Err("no rule is called `empty`; use the name a message shows"),
        );
        check(Level::Allow, "", Err("no rule is called ``; use the name a message shows"));
        let meant = "no rule is called `emptyundo`; did you mean `empty-undo`?";
        check(Level::Deny, "emptyundo", Err(meant));
        let one_file = "only `allow` can be about one file; write \"empty-undo\"";
        check(Level::Warn, "empty-undo: 1_a.down.sql", Err(one_file));
    }

    #[test]
    fn a_fixed_rule_keeps_its_level() {
        let levels = Levels::default().with(Rule::DuplicateName, Level::Allow);
        assert_eq!(levels.of(Rule::DuplicateName), Level::Deny);
        assert_eq!(levels.exempting(Rule::DuplicateName, "1_a.sql"), Levels::default());
    }
}
