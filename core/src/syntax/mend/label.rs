//! Operators that are labels, without AS, or names of classes.
//!
//! The parser takes each of them for the beginning of `LIKE ...`.

use super::{Edit, open_around};
use crate::lexer::TokenKind;
use crate::syntax::view::View;
use crate::syntax::words::Category;

/// `SELECT a like FROM t`: an operator with nothing behind it is a label, or the name of a class.
pub(super) fn bare_label(view: &View<'_>, at: usize) -> Option<Edit> {
    let words = ["BETWEEN", "ILIKE", "IN", "LIKE"];
    let index = [Some(at), at.checked_sub(1)]
        .into_iter()
        .flatten()
        .find(|&index| words.iter().any(|word| view.has(index, word)))?;
    let is_end = match view.kind(index + 1) {
        None | Some(TokenKind::Comma | TokenKind::CloseParen) => true,
        // WHERE, UNION and all others that end a list are reserved.
        _ => Category::of(view.text(index + 1)) == Some(Category::Reserved),
    };
    let is_name = is_end && (is_label(view, index) || is_class(view, index));
    is_name.then_some(Edit::name(index))
}

/// Whether a value of a select list ends before a token, and would not go on with an operator there.
///
/// It would go on where something waits that binds less than LIKE: `a < b` and `NOT a`; but not
/// `a + b`, which is complete, nor `a < b IS NULL`, which is complete with NULL.
fn is_label(view: &View<'_>, index: usize) -> bool {
    let Some(last) = index.checked_sub(1) else { return false };
    if !view.has(last, "END") && !is_operand_end(view, last) && !is_test_end(view, last) {
        return false;
    }
    let mut at = index;
    let (mut is_same_value, mut is_tested) = (true, false);
    // Each AND of a value that is tested waits, unless it belongs to a BETWEEN.
    let mut ands = 0usize;
    while let Some(before) = at.checked_sub(1) {
        at = before;
        let is = |words: &[&str]| words.iter().any(|word| view.has(before, word));
        match view.kind(before) {
            Some(TokenKind::CloseParen | TokenKind::CloseBracket) => match view.opening(before) {
                Some(open) => at = open,
                None => return false,
            },
            Some(TokenKind::OpenParen | TokenKind::OpenBracket) => return false,
            Some(TokenKind::Comma) => is_same_value = false,
            Some(TokenKind::Word) if is(&["SELECT", "RETURNING"]) => return ands == 0,
            Some(TokenKind::Word) if is(&["FROM"]) => return false,
            _ if !is_same_value => {}
            Some(TokenKind::Word) if is(&["END"]) => at = case_of(view, before).unwrap_or(before),
            Some(TokenKind::Word) if is(&["IS", "ISNULL", "NOTNULL"]) => is_tested = true,
            Some(TokenKind::Word) if is_tested && is(&["AND"]) => ands += 1,
            Some(TokenKind::Word) if is_tested && is(&["BETWEEN"]) => ands = ands.saturating_sub(1),
            _ if waits(view, before, is_tested) => return false,
            _ => {}
        }
    }
    false
}

/// Whether a token begins what binds less than LIKE, or as much, and needs what stands behind it.
fn waits(view: &View<'_>, at: usize, is_tested: bool) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| view.has(at, word));
    let is_like = is(&["BETWEEN", "ILIKE", "LIKE", "SIMILAR"]);
    let compares = ["<", ">", "=", "<=", ">=", "<>", "!="].contains(&view.text(at));
    let is_list = ["ALL", "ANY", "SOME"].iter().any(|word| view.has(at + 1, word));
    is(&["AND", "OR"])
        || is(&["NOT"]) && !is_in_operator(view, at)
        || !is_tested && (is_like || compares && !is_list)
}

/// The CASE that ends at a token.
fn case_of(view: &View<'_>, end: usize) -> Option<usize> {
    let mut depth = 0usize;
    (0..=end).rev().find(|&index| {
        let is_name = index > 0 && (view.has(index - 1, "AS") || view.text(index - 1) == ".");
        match (view.has(index, "END"), view.has(index, "CASE")) {
            (true, _) if !is_name => depth += 1,
            (_, true) if !is_name => depth = depth.saturating_sub(1),
            _ => return false,
        }
        depth == 0
    })
}

/// Whether a NOT is part of `IS NOT NULL`, `NOT IN` and the like.
fn is_in_operator(view: &View<'_>, not: usize) -> bool {
    let behind = ["BETWEEN", "ILIKE", "IN", "LIKE", "SIMILAR"];
    not > 0 && view.has(not - 1, "IS") || behind.iter().any(|word| view.has(not + 1, word))
}

/// Whether a token may end `IS NFC NORMALIZED`, `IS JSON` and the like.
fn is_test_end(view: &View<'_>, last: usize) -> bool {
    let words = (0..last).rev().take(5).take_while(|&it| view.kind(it) == Some(TokenKind::Word));
    words.into_iter().any(|it| view.has(it, "IS"))
}

/// Whether a value may end with a token.
fn is_operand_end(view: &View<'_>, index: usize) -> bool {
    let constants = [
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "FALSE",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "NULL",
        "SESSION_USER",
        "TRUE",
        "USER",
    ];
    match view.kind(index) {
        Some(TokenKind::Word) => {
            let before = index.checked_sub(1).map_or("", |before| view.text(before));
            let begins =
                [",", ".", "::"].contains(&before) || before.eq_ignore_ascii_case("SELECT");
            match Category::of(view.text(index)) {
                None => true,
                Some(Category::Unreserved | Category::ColumnName) => begins,
                Some(Category::FunctionName) => {
                    view.has(index, "ISNULL") || view.has(index, "NOTNULL")
                }
                Some(Category::Reserved) => constants.iter().any(|word| view.has(index, word)),
            }
        }
        Some(
            TokenKind::Number
            | TokenKind::String
            | TokenKind::DollarString
            | TokenKind::QuotedIdentifier
            | TokenKind::Parameter
            | TokenKind::CloseParen
            | TokenKind::CloseBracket,
        ) => true,
        _ => view.text(index) == "*" && index.checked_sub(1).is_some_and(|it| view.text(it) == "."),
    }
}

/// `CREATE INDEX i ON t (a between)`: the only one of the operators that may name a class.
fn is_class(view: &View<'_>, index: usize) -> bool {
    let is_index = view.has(0, "CREATE INDEX") || view.has(0, "CREATE UNIQUE INDEX");
    let before = open_around(view, index).and_then(|open| open.checked_sub(1));
    let is_list = ["CONFLICT", "HASH", "LIST", "RANGE"]
        .iter()
        .any(|word| before.is_some_and(|before| view.has(before, word)));
    view.has(index, "BETWEEN") && (is_index || is_list)
}
