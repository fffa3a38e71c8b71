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
fn is_label(view: &View<'_>, index: usize) -> bool {
    let Some(last) = index.checked_sub(1) else { return false };
    let is_case = view.has(last, "END");
    if !is_case && !is_operand_end(view, last) {
        return false;
    }
    let mut at = index;
    let mut is_same_value = !is_case;
    while let Some(before) = at.checked_sub(1) {
        at = before;
        match view.kind(before) {
            Some(TokenKind::CloseParen | TokenKind::CloseBracket) => match view.opening(before) {
                Some(open) => at = open,
                None => return false,
            },
            Some(TokenKind::OpenParen | TokenKind::OpenBracket) => return false,
            Some(TokenKind::Comma) => is_same_value = false,
            Some(TokenKind::Word) => {
                let is = |words: &[&str]| words.iter().any(|word| view.has(before, word));
                if is(&["SELECT", "RETURNING"]) {
                    return true;
                }
                let binds_less = is(&["AND", "BETWEEN", "ILIKE", "LIKE", "OR", "SIMILAR"]);
                if is(&["FROM"]) || is_same_value && binds_less {
                    return false;
                }
            }
            _ => {}
        }
    }
    false
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
