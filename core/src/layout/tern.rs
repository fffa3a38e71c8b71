//! tern, the one in Go: `---- create above / drop below ----` and `---- tern: disable-tx ----`.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::rule::Rule;
use crate::source::{SourceFile, Span};

use super::Layout;
use super::section::{Line, Marker, Markers};

/// The marker lines of tern. There is none for the migration: it is what stands above the undo.
pub(crate) struct Tern;

/// What divides a file.
pub(crate) const DIVIDER: &str = "---- create above / drop below ----";
/// What makes a section run outside a transaction.
pub(crate) const DISABLE_TX: &str = "---- tern: disable-tx ----";

impl Markers for Tern {
    const LAYOUT: Layout = Layout::Tern;
    const UP: &'static str = "";
    const DOWN: &'static str = DIVIDER;
    const REPEATS: bool = false;
    const DOWN_MAY_BE_FIRST: bool = false;

    fn read(line: Line<'_>) -> Option<Result<Marker, Box<Diagnostic>>> {
        match line.text.trim() {
            DIVIDER => Some(Ok(Marker::Down { transaction: true })),
            DISABLE_TX => Some(Ok(Marker::NoTransactionHere)),
            _ => None,
        }
    }
}

/// What tern would fill in when it runs the file.
pub(crate) fn templates(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let start = file.text().find("{{")?;
    let line_end = file.text()[start..].find('\n').map_or(file.text().len(), |end| start + end);
    let end = file.text()[start..line_end].find("}}").map_or(start + 2, |end| start + end + 2);
    Some(
        Diagnostic::new(Rule::UnsupportedFeature, "a template of tern")
            .at(crate::diagnostic::Place::span(file, Span::new(start, end), ""))
            .note("tern fills it in when it runs the file; what is embedded runs as it is written")
            .help("write what the template yields; what differs between machines belongs in a migration in Rust"),
    )
}
