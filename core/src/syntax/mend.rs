//! What PostgreSQL takes and the parser does not.
//!
//! A statement that the parser refuses is looked at again: where it is refused at one of the places
//! known here, that part is replaced by something of the same length and meaning to the grammar, and
//! the parser is asked once more. Only what it then takes counts, so nothing here can accept a
//! statement whose rest is wrong. Each entry is a finding of `tests/it/syntax_oracle.rs`; DESIGN.md
//! lists what is left.

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
    if is_do(view) {
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
    /// A name without a meaning.
    Name(usize),
    /// Nothing, from one token up to, not including, another.
    Blank(usize, usize),
    /// A setting's name and a sign: `NAMES` becomes `q   =`.
    Setting(usize, usize),
    /// A pair of parentheses becomes nothing.
    Unwrap(usize, usize),
}

impl Edit {
    fn applied(&self, view: &View<'_>, text: &str) -> String {
        let (first, behind) = match *self {
            Self::Unwrap(open, close) => {
                let inner = Self::Blank(close, close + 1).applied(view, text);
                return Self::Blank(open, open + 1).applied(view, &inner);
            }
            Self::Name(index) => (index, index + 1),
            Self::Blank(from, to) | Self::Setting(from, to) => (from, to),
        };
        let from = view.start(first);
        let to = view.end_before(behind).max(from);
        let filling = match self {
            Self::Name(_) => "q".repeat(to - from),
            Self::Blank(..) => " ".repeat(to - from),
            Self::Setting(..) | Self::Unwrap(..) => {
                format!("q{}=", " ".repeat((to - from).saturating_sub(2)))
            }
        };
        format!("{}{filling}{}", &text[..from], &text[to..])
    }
}

/// What may help at a token, the likeliest first.
fn edits(view: &View<'_>, at: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let nearby = [Some(at), at.checked_sub(1), at.checked_sub(2), Some(at + 1)];
    edits.extend(
        nearby.into_iter().flatten().filter(|&index| may_be_name(view, index)).map(Edit::Name),
    );
    edits.extend(bare_label(view, at));
    // `json_value (1)` with the arguments of a function that is not PostgreSQL's.
    let young = (0..at).rev().take(32).filter(|&index| {
        words::is_young(view.text(index)) && view.kind(index + 1) == Some(TokenKind::OpenParen)
    });
    edits.extend(young.map(Edit::Name));
    of_command(view, at, &mut edits);
    if view.has(at, "READ ONLY") && at > 0 && view.has(at - 1, "FOR") {
        edits.push(Edit::Blank(at - 1, at + 2));
    }
    if view.has(at, "USER") && at > 1 && view.has(at - 2, "MAPPING FOR") {
        edits.push(Edit::Name(at));
    }
    edits
}

/// `SELECT a like FROM t`: an operator with nothing behind it is a label, or the name of a class.
fn bare_label(view: &View<'_>, at: usize) -> Option<Edit> {
    let words = ["BETWEEN", "ILIKE", "IN", "LIKE"];
    let index = [Some(at), at.checked_sub(1)]
        .into_iter()
        .flatten()
        .find(|&index| index > 0 && words.iter().any(|word| view.has(index, word)))?;
    // What it is the label of.
    let is_operand = match view.kind(index - 1)? {
        TokenKind::Word => Category::of(view.text(index - 1)).is_none(),
        TokenKind::Number | TokenKind::String | TokenKind::QuotedIdentifier => true,
        kind => kind == TokenKind::CloseParen,
    };
    let is_end = match view.kind(index + 1) {
        None | Some(TokenKind::Comma | TokenKind::CloseParen) => true,
        _ => view.has(index + 1, "FROM"),
    };
    (is_operand && is_end).then_some(Edit::Name(index))
}

/// What is known of single commands.
fn of_command(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    let n = view.pieces.len();
    if view.has(0, "CREATE") {
        // Behind `FROM f()`, WITH is taken for the beginning of WITH ORDINALITY.
        for tail in ["WITH DATA", "WITH NO DATA"] {
            let length = tail.split(' ').count();
            if n > length && view.has(n - length, tail) {
                edits.push(Edit::Blank(n - length, n));
            }
        }
        // Without a type before it, it is taken for one.
        if let Some(returns) =
            at.checked_sub(1).filter(|&it| view.has(it, "RETURNS NULL ON NULL INPUT"))
        {
            edits.push(Edit::Blank(returns, returns + 5));
        }
        let mut kind = 1;
        while view.has(kind, "TRUSTED") || view.has(kind, "PROCEDURAL") {
            kind += 1;
        }
        if kind > 1 && view.has(kind, "LANGUAGE") {
            edits.push(Edit::Blank(1, kind));
        }
    }
    if view.has(0, "CREATE") {
        edits.extend(trigger_arguments(view, at));
    }
    if view.has(0, "ALTER STATISTICS IF EXISTS") {
        edits.push(Edit::Blank(2, 4));
    }
    if view.has(0, "DROP EVENT TRIGGER") && view.kind(at) == Some(TokenKind::Comma) {
        let names = (at..n)
            .take_while(|&index| !view.has(index, "CASCADE") && !view.has(index, "RESTRICT"));
        let end = names.clone().count() + at;
        let is_name_last = view.kind(end - 1) != Some(TokenKind::Comma);
        if is_name_last
            && names.enumerate().all(|(offset, index)| is_listed_name(view, index, offset))
        {
            edits.push(Edit::Blank(at, end));
        }
    }
    if view.has(0, "REVOKE") && view.has(2, "OPTION FOR") {
        edits.push(Edit::Blank(1, 4));
    }
    // `((SELECT 1) UNION SELECT 2)` as a value.
    if at > 1
        && view.kind(at - 1) == Some(TokenKind::CloseParen)
        && let Some(open) = view.opening(at - 1)
        && open > 0
        && view.kind(open - 1) == Some(TokenKind::OpenParen)
    {
        edits.push(Edit::Unwrap(open, at - 1));
    }
    settings(view, at, edits);
    columns(view, at, edits);
}

/// `EXECUTE FUNCTION f (, table, 1, 'x')`: what is handed to a trigger's function may be any word.
fn trigger_arguments(view: &View<'_>, at: usize) -> Option<Edit> {
    let execute = (0..at)
        .rev()
        .find(|&it| view.has(it, "EXECUTE FUNCTION") || view.has(it, "EXECUTE PROCEDURE"))?;
    let open = (execute..at).find(|&it| view.kind(it) == Some(TokenKind::OpenParen))?;
    let close =
        (open..view.pieces.len()).find(|&it| view.kind(it) == Some(TokenKind::CloseParen))?;
    // The first may be missing. Each other token follows a token of the other kind.
    let is_list = (open + 1..close).all(|it| match view.kind(it) {
        Some(TokenKind::Comma) => it + 1 < close && view.kind(it + 1) != Some(TokenKind::Comma),
        Some(
            TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::Number | TokenKind::String,
        ) => it == open + 1 || view.kind(it - 1) == Some(TokenKind::Comma),
        _ => false,
    });
    (at < close && is_list).then_some(Edit::Blank(open + 1, close))
}

/// `DO` with its text and its language in any order, `DO LANGUAGE 'plpgsql' 'BEGIN END'`.
fn is_do(view: &View<'_>) -> bool {
    let is_string =
        |index| matches!(view.kind(index), Some(TokenKind::String | TokenKind::DollarString));
    let mut at = 1;
    while at < view.pieces.len() {
        if view.has(at, "LANGUAGE") {
            at += 1;
            if !is_string(at) && view.kind(at) != Some(TokenKind::Word) {
                return false;
            }
        } else if !is_string(at) {
            return false;
        }
        at += 1;
    }
    view.has(0, "DO") && at > 1
}

/// `, name, name`: a comma at each even place.
fn is_listed_name(view: &View<'_>, index: usize, offset: usize) -> bool {
    match view.kind(index) {
        Some(TokenKind::Comma) => offset.is_multiple_of(2),
        Some(TokenKind::Word | TokenKind::QuotedIdentifier) => !offset.is_multiple_of(2),
        _ => false,
    }
}

/// `SET NAMES 'utf8'`, `SET role TO default`, `ALTER ROLE r SET TIME ZONE 'utc'`.
fn settings(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    for set in (0..=at).rev().take(6).filter(|&index| view.has(index, "SET")) {
        let name =
            set + 1 + usize::from(view.has(set + 1, "LOCAL") || view.has(set + 1, "SESSION"));
        if view.has(name, "NAMES") {
            edits.push(Edit::Setting(name, name + 1));
        }
        if view.has(name, "TIME ZONE") {
            edits.push(Edit::Setting(name, name + 2));
        }
        if view.has(name, "ROLE") || view.has(name, "TIME") {
            edits.push(Edit::Name(name));
        }
    }
}

/// Parts of columns and constraints.
fn columns(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    if view.has(0, "ALTER") && (view.has(at, "COMPRESSION") || view.has(at, "STORAGE")) {
        edits.push(Edit::Blank(at, at + 2));
    }
    let is_in_exclude = (0..at).any(|index| view.has(index, "EXCLUDE"));
    // EXCLUDE (time WITH &&): the parser waits for TIME ZONE.
    if is_in_exclude {
        let times = (0..at).rev().take(8).filter(|&index| {
            index > 0
                && (view.has(index, "TIME") || view.has(index, "TIMESTAMP"))
                && matches!(view.kind(index - 1), Some(TokenKind::OpenParen | TokenKind::Comma))
        });
        edits.extend(times.map(Edit::Name));
    }
    // An operator class in EXCLUDE (column class WITH &&).
    let with = (at..view.pieces.len())
        .take(8)
        .take_while(|&index| view.kind(index) != Some(TokenKind::Comma))
        .find(|&index| view.has(index, "WITH"));
    if let Some(with) = with
        && with > at
        && is_in_exclude
    {
        edits.push(Edit::Blank(at, with));
    }
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
        Some(Category::Unreserved) => true,
        // The name of a column in a list, or of a common table expression; not `VALUES (1)`.
        Some(Category::ColumnName) => {
            let before = index.checked_sub(1);
            let begins = before.is_some_and(|before| {
                matches!(view.kind(before), Some(TokenKind::OpenParen | TokenKind::Comma))
                    || view.has(before, "WITH")
                    || view.has(before, "RECURSIVE")
            });
            let ends = match view.kind(index + 1) {
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
