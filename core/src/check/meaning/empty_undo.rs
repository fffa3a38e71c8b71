//! An undo that undoes nothing.

use crate::check::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::Part;
use crate::lexer::TokenKind;
use crate::rule::Rule;

/// An undo that has comments and no statements.
pub(super) fn check(sql: &Sql<'_>) -> Option<Diagnostic> {
    if sql.part != Part::Down || !sql.statements.is_empty() {
        return None;
    }
    let comment = sql
        .lexed
        .tokens
        .iter()
        .find(|token| matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment));
    let place = comment.map_or_else(
        || Place::file(sql.file.path()),
        |token| Place::span(sql.file, token.span, ""),
    );
    Some(
        Diagnostic::new(Rule::EmptyUndo, "an undo that undoes nothing")
            .at(place)
            .note("with it the migration counts as one that can be undone, and would then run a second time")
            .help("write the undo, or remove the file: then undoing this migration is refused"),
    )
}
