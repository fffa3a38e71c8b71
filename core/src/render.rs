//! A diagnostic as text.
//!
//! The shape is not taste: the problem matchers of VS Code, Vim and Emacs jump to the `.sql` file
//! only if ` --> path:line:column` is the second line and stands alone on it, and rustc prints escape
//! sequences inside `compile_error!` as visible characters, so there is no colour.
//!
//! **Invariant:** the only user of `annotate-snippets`.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Excerpt, Place};

/// The whole text of a diagnostic, without a final line end.
pub(crate) fn render(diagnostic: &Diagnostic) -> String {
    frame(
        &diagnostic.headline,
        diagnostic.place.as_ref(),
        &diagnostic.also,
        &diagnostic.notes,
        &diagnostic.helps,
    )
}

/// A headline, the places it speaks of, and the notes and helps below them, in rustc's shape.
///
/// The frame of every message: diagnostics of a build and errors of a run go through it alike.
#[must_use]
pub fn frame(
    headline: &str,
    place: Option<&Place>,
    also: &[Place],
    notes: &[String],
    helps: &[String],
) -> String {
    if place.is_none() && also.is_empty() {
        return without_place(headline, notes, helps);
    }
    // `primary_title` would print the headline with the level's name; an unnamed level leaves it bare.
    let mut group = Group::with_title(Level::ERROR.no_name().primary_title(one_line(headline)));
    for place in place.into_iter().chain(also) {
        group = match &place.excerpt {
            Some(excerpt) => group.element(snippet(place, excerpt)),
            None => group.element(Origin::path(place.path.as_str()).line(1).char_column(1)),
        };
    }
    for note in notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in helps {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    aligned(&Renderer::plain().decor_style(DecorStyle::Ascii).render(&[group]))
}

/// The renderer would draw the bar of an excerpt that is not there.
fn without_place(headline: &str, notes: &[String], helps: &[String]) -> String {
    let mut text = one_line(headline);
    let told =
        notes.iter().map(|note| ("note", note)).chain(helps.iter().map(|help| ("help", help)));
    for (kind, told) in told {
        let told = told.replace('\n', "\n          ");
        text += &format!("\n  = {kind}: {told}");
    }
    text
}

/// Without an excerpt there is no line number to align an arrow with, and the renderer puts it at
/// the very left; rustc never does.
fn aligned(text: &str) -> String {
    let is_arrow = |line: &str| line.starts_with("--> ") || line.starts_with("::: ");
    let lines: Vec<_> = text
        .lines()
        .map(|line| if is_arrow(line) { format!(" {line}") } else { line.to_owned() })
        .collect();
    lines.join("\n")
}

fn snippet<'a>(
    place: &'a Place,
    excerpt: &'a Excerpt,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = excerpt.file.text();
    let start = excerpt.span.start.min(text.len());
    // A caret under one line says more than a bracket over twenty.
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let end = excerpt.span.end.clamp(start, line_end);
    let annotation = AnnotationKind::Primary.span(start..end);
    let annotation = if excerpt.label.is_empty() {
        annotation
    } else {
        annotation.label(excerpt.label.as_str())
    };
    Snippet::source(text).path(place.path.as_str()).annotation(annotation)
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
