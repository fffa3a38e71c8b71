//! What PostgreSQL takes and the parser does not.
//!
//! A statement that the parser refuses is looked at again: where it is refused at one of the places
//! known here, that part is replaced by something of the same length and meaning to the grammar, and
//! the parser is asked once more. Only what it then takes counts, so nothing here can accept a
//! statement whose rest is wrong. Each entry is a finding of `tests/it/syntax_oracle.rs`; DESIGN.md
//! lists what is left.

mod command;
mod label;

use super::budget::{Budget, Spent};
use super::parse::{Fault, first_fault};
use super::view::View;
use super::words::{self, Category};
use crate::lexer::TokenKind;

/// The first fault of a statement that is one to PostgreSQL too; `fault` is the parser's.
pub(super) fn true_fault(
    view: &View<'_>,
    mut fault: Fault,
    budget: &mut Budget,
) -> Result<Option<Fault>, Spent> {
    if command::is_do(view) {
        return Ok(None);
    }
    let mut text = view.sql.to_owned();
    while let Some((mended, next)) = mend(view, &text, fault.at, budget)? {
        text = mended;
        match next {
            Some(next) => fault = next,
            None => return Ok(None),
        }
    }
    Ok(Some(fault))
}

/// The text mended at a fault, and the fault that is then the first, further on.
fn mend(
    view: &View<'_>,
    text: &str,
    at: usize,
    budget: &mut Budget,
) -> Result<Option<(String, Option<Fault>)>, Spent> {
    for edit in edits(view, view.at(at)) {
        let mended = edit.applied(view, text);
        if mended == text {
            continue;
        }
        if let Some(proof) = edit.proof() {
            budget.spend(proof.len())?;
            if first_fault(proof).is_some() {
                continue;
            }
        }
        budget.spend(mended.len())?;
        match first_fault(&mended) {
            Some(next) if next.at <= at => {}
            next => return Ok(Some((mended, next))),
        }
    }
    Ok(None)
}

/// A replacement of tokens by as many bytes.
enum Edit {
    /// A name without a meaning, from one token up to, not including, another.
    Name(usize, usize),
    /// Nothing, from one token up to, not including, another.
    Blank(usize, usize),
    /// A setting's name and a sign: `NAMES` becomes `q   =`.
    Setting(usize, usize),
    /// A pair of parentheses becomes nothing.
    Unwrap(usize, usize),
    /// A text in quotes.
    Text(usize),
    /// Another word, no longer than the one that is there.
    Word(usize, &'static str),
    /// A call without arguments.
    Call(usize, usize),
    /// One that holds if a statement is right, which has in it what is replaced.
    Proven(Box<Self>, String),
}

impl Edit {
    fn name(index: usize) -> Self {
        Self::Name(index, index + 1)
    }

    fn proven(self, statement: String) -> Self {
        Self::Proven(Box::new(self), statement)
    }

    fn proof(&self) -> Option<&str> {
        match self {
            Self::Proven(_, statement) => Some(statement),
            _ => None,
        }
    }

    fn applied(&self, view: &View<'_>, text: &str) -> String {
        let (first, behind) = match self {
            Self::Unwrap(open, close) => {
                let inner = Self::Blank(*close, close + 1).applied(view, text);
                return Self::Blank(*open, open + 1).applied(view, &inner);
            }
            Self::Proven(edit, _) => return edit.applied(view, text),
            Self::Text(index) | Self::Word(index, _) => (*index, index + 1),
            Self::Name(from, to)
            | Self::Blank(from, to)
            | Self::Setting(from, to)
            | Self::Call(from, to) => (*from, *to),
        };
        let from = view.start(first);
        let to = view.end_before(behind).max(from);
        let room = |taken: usize| " ".repeat((to - from).saturating_sub(taken));
        let filling = match self {
            Self::Name(..) => "q".repeat(to - from),
            Self::Setting(..) => format!("q{}=", room(2)),
            Self::Text(_) => format!("'{}'", room(2)),
            Self::Word(_, word) => format!("{word}{}", room(word.len())),
            Self::Call(..) => format!("q{}()", room(3)),
            Self::Blank(..) | Self::Unwrap(..) | Self::Proven(..) => room(0),
        };
        format!("{}{filling}{}", &text[..from], &text[to..])
    }
}

/// What may help at a token, the likeliest first.
fn edits(view: &View<'_>, at: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let nearby = [Some(at), at.checked_sub(1), at.checked_sub(2), Some(at + 1)];
    edits.extend(
        nearby.into_iter().flatten().filter(|&index| may_be_name(view, index)).map(Edit::name),
    );
    edits.extend(label::bare_label(view, at));
    // `json_value (1)` with the arguments of a function that is not PostgreSQL's.
    let young = (0..at).rev().take(32).filter(|&index| {
        words::is_young(view.text(index)) && view.kind(index + 1) == Some(TokenKind::OpenParen)
    });
    edits.extend(young.map(Edit::name));
    command::edits(view, at, &mut edits);
    edits.extend(uescape(view, at));
    edits.extend(hidden_quote(view, at));
    edits.extend(row_value(view, at));
    edits.extend(call_in_from(view, at));
    // `a = ANY ((SELECT 1) UNION SELECT 2)`, `((SELECT 1) LIMIT 1)` as a value.
    if at > 1
        && view.kind(at - 1) == Some(TokenKind::CloseParen)
        && let Some(open) = view.opening(at - 1)
        && open > 0
        && view.kind(open - 1) == Some(TokenKind::OpenParen)
    {
        edits.push(Edit::Unwrap(open, at - 1));
    }
    if view.has(at, "READ ONLY") && at > 0 && view.has(at - 1, "FOR") {
        edits.push(Edit::Blank(at - 1, at + 2));
    }
    if view.has(at, "USER") && at > 1 && view.has(at - 2, "MAPPING FOR") {
        edits.push(Edit::name(at));
    }
    edits
}

/// `UESCAPE E'!'`, `UESCAPE $$!$$`: any text but one with escapes of this kind.
fn uescape(view: &View<'_>, at: usize) -> Option<Edit> {
    let word = (at.saturating_sub(2)..=at).find(|&it| view.has(it, "UESCAPE"))?;
    let text = (0..word).rev().find(|&it| !view.text(it).starts_with('\''))?;
    let escaped = view.text(text).get(..2).unwrap_or_default();
    let is_text = |index| {
        let kind = view.kind(index);
        matches!(kind, Some(TokenKind::String | TokenKind::DollarString))
            && view.text(index).starts_with(['\'', 'E', 'e', '$'])
    };
    let goes_on = |index| view.text(index).starts_with('\'') && view.pieces[index].begins_line;
    let end = (word + 2..).find(|&it| !goes_on(it))?;
    (escaped.eq_ignore_ascii_case("U&") && is_text(word + 1)).then_some(Edit::Blank(word, end))
}

/// `E'a'`, and in the next line `'b\'c'`: the escapes hold there too, and the parser sees two texts.
fn hidden_quote(view: &View<'_>, at: usize) -> Option<Edit> {
    let is_hiding = |&it: &usize| {
        let text = view.text(it);
        text.starts_with('\'') && text.contains("\\'") && view.kind(it) == Some(TokenKind::String)
    };
    (at.saturating_sub(2)..=at).find(is_hiding).map(Edit::Text)
}

/// `SET (a, b) = f(1)`: several columns take any value, the parser knows only rows and queries.
fn row_value(view: &View<'_>, at: usize) -> Option<Edit> {
    let equals = (1..=at)
        .rev()
        .find(|&it| view.text(it) == "=" && view.kind(it - 1) == Some(TokenKind::CloseParen))?;
    let open = view.opening(equals - 1)?;
    let before = open.checked_sub(1)?;
    let is_column = view.has(before, "SET") || view.kind(before) == Some(TokenKind::Comma);
    is_column.then_some(Edit::Name(open, equals))
}

/// `FROM xmlforest(a AS b)`: calls with words of their own, which the parser knows only as values.
fn call_in_from(view: &View<'_>, at: usize) -> Option<Edit> {
    let open = open_around(view, at)?;
    let word = open.checked_sub(1).filter(|&it| view.kind(it) == Some(TokenKind::Word))?;
    let before = word.checked_sub(1)?;
    let is_from = view.kind(before) == Some(TokenKind::Comma)
        || ["FROM", "JOIN", "LATERAL"].iter().any(|words| view.has(before, words));
    let close = view.closing(open).filter(|_| is_from)?;
    let call = &view.sql[view.start(word)..view.end_before(close + 1)];
    Some(Edit::Call(word, close + 1).proven(format!("SELECT {call}")))
}

/// The parenthesis that is open in front of a token.
fn open_around(view: &View<'_>, at: usize) -> Option<usize> {
    let mut depth = 0usize;
    (0..at).rev().find(|&it| match view.kind(it) {
        Some(TokenKind::CloseParen) => {
            depth += 1;
            false
        }
        Some(TokenKind::OpenParen) if depth > 0 => {
            depth -= 1;
            false
        }
        kind => kind == Some(TokenKind::OpenParen),
    })
}

/// Whether a word at a token is a name to PostgreSQL, although it is a keyword.
fn may_be_name(view: &View<'_>, index: usize) -> bool {
    if view.kind(index) != Some(TokenKind::Word) {
        return false;
    }
    let opens = view.kind(index + 1) == Some(TokenKind::OpenParen);
    if index > 0 && view.has(index - 1, "LANGUAGE") {
        return Category::of(view.text(index)).is_some_and(|it| it != Category::Reserved);
    }
    if words::is_young(view.text(index)) {
        return true;
    }
    match Category::of(view.text(index)) {
        // Not the name of a table, in `UPDATE t SET SET a = 1`.
        Some(Category::Unreserved) => !view.has(index, "SET SET"),
        Some(Category::ColumnName) if index > 0 && view.has(index - 1, "PARALLEL") => true,
        Some(Category::ColumnName) if view.has(index, "SUBSTRING") => {
            opens && view.kind(index + 2) == Some(TokenKind::CloseParen)
        }
        // The name of a column in a list, or of a common table expression; not `VALUES (1)`.
        Some(Category::ColumnName) => {
            let before = index.checked_sub(1);
            let is_query = before
                .is_some_and(|before| view.has(before, "WITH") || view.has(before, "RECURSIVE"));
            let begins = is_query
                || before.is_some_and(|before| {
                    matches!(view.kind(before), Some(TokenKind::OpenParen | TokenKind::Comma))
                });
            let ends = match view.kind(index + 1) {
                // `WITH values (a, b) AS`.
                Some(TokenKind::OpenParen) => is_query,
                Some(TokenKind::Word) => {
                    ["AS", "WITH", "COLLATE"].iter().any(|word| view.has(index + 1, word))
                }
                Some(
                    TokenKind::Comma
                    | TokenKind::CloseParen
                    | TokenKind::OpenBracket
                    | TokenKind::Dot,
                ) => true,
                _ => false,
            };
            begins && ends
        }
        // `FROM left('abc', 1)`, `RETURNS TABLE (right text)`.
        Some(Category::FunctionName) => {
            let behind = index.checked_sub(1).and_then(|before| view.kind(before));
            opens && !(index > 0 && view.has(index - 1, "TABLE"))
                || view.has(0, "CREATE")
                    && matches!(behind, Some(TokenKind::OpenParen | TokenKind::Comma))
                    && (1..4).any(|index| view.has(index, "FUNCTION"))
        }
        Some(Category::Reserved) | None => false,
    }
}
