//! Problems as data: what is wrong, where, why it matters, what to do.
//!
//! **Invariant:** a diagnostic is complete when it is made. Nothing that shows it adds words.

use std::fmt;
use std::sync::Arc;

use crate::render;
use crate::rule::{DefaultLevel, Rule};
use crate::source::{Location, SourceFile, Span};

/// One problem of a migrations folder.
///
/// `Display` gives the whole text in the shape rustc uses: a headline, a line with only
/// ` --> path:line:column`, the source line with a caret, notes and helps. `path` is shown as it was
/// given to [`Folder::read`](crate::folder::Folder::read).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) headline: String,
    pub(crate) place: Option<Place>,
    pub(crate) also: Vec<Place>,
    pub(crate) notes: Vec<String>,
    pub(crate) helps: Vec<String>,
}

/// Whether a diagnostic fails the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It is told, and the build goes on.
    Warning,
}

/// A place a diagnostic points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) path: String,
    pub(crate) excerpt: Option<Excerpt>,
}

/// The part of a file that a diagnostic underlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) span: Span,
    pub(crate) label: String,
}

impl Place {
    /// A file as a whole, shown as its first line and column without an excerpt.
    #[must_use]
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), excerpt: None }
    }

    /// A part of a file with a word about it beside the caret, which may be empty.
    #[must_use]
    pub fn span(file: &Arc<SourceFile>, span: Span, label: impl Into<String>) -> Self {
        let excerpt = Excerpt { file: Arc::clone(file), span, label: label.into() };
        Self { path: file.path().to_owned(), excerpt: Some(excerpt) }
    }

    /// The path as messages show it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line and column; 1:1 for a file as a whole.
    #[must_use]
    pub fn location(&self) -> Location {
        match &self.excerpt {
            Some(excerpt) => excerpt.file.location(excerpt.span.start),
            None => Location::of_byte("", 0),
        }
    }
}

impl Diagnostic {
    /// A problem with a headline: one line, lower case, no full stop, a fact.
    #[must_use]
    pub fn new(rule: Rule, headline: impl Into<String>) -> Self {
        Self {
            rule,
            severity: match rule.default_level() {
                DefaultLevel::Fixed | DefaultLevel::Deny => Severity::Error,
                DefaultLevel::Warn => Severity::Warning,
            },
            headline: headline.into(),
            place: None,
            also: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// A second place that belongs to the problem.
    #[must_use]
    pub fn also(mut self, place: Place) -> Self {
        self.also.push(place);
        self
    }

    /// Why it matters, or what was seen.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// One action that can be copied.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.helps.push(help.into());
        self
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Whether it fails the build.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The first line of the text.
    #[must_use]
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// Where the problem is, unless it has no place, as a folder that does not exist.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What problems of a folder are sorted by: file, then position, then text.
    pub(crate) fn sort_key(&self) -> (&str, Option<Location>, &str) {
        let place = self.place.as_ref();
        (place.map_or("", Place::path), place.map(Place::location), &self.headline)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::render(self))
    }
}
