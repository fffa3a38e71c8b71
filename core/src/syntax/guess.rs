//! The guesses at what is wrong with a statement.
//!
//! Apart from [`super::repair`], which tries them, because each knows one mistake that people make.

use super::parse::{Fault, What, first_fault};
use super::repair::{Cause, FAR_TOKENS, Search};
use super::view::View;
use super::words::Category;
use super::{dialect, head};
use crate::lexer::TokenKind;
use crate::suggest::distance;

/// Keywords that are often left out, behind which words, or in which commands.
const OFTEN_MISSING: &[(&str, &str)] = &[
    ("BY", "GROUP ORDER OWNED PARTITION"),
    ("KEY", "FOREIGN PRIMARY"),
    ("JOIN", "CROSS FULL INNER LEFT NATURAL OUTER RIGHT"),
    ("INTO", "INSERT MERGE"),
    ("FROM", "DELETE REVOKE SELECT"),
    ("SET", "UPDATE"),
    ("AS", "CREATE PREPARE WITH"),
    ("ON", "CREATE COMMENT DROP GRANT REVOKE SELECT"),
    ("TO", "ALTER GRANT"),
    ("VALUES", "INSERT"),
    ("FOR", "CREATE"),
];

/// Comparing a word with all keywords takes as long as parsing so much.
const ALL_KEYWORDS_BYTES: usize = 4_000;

/// Words behind which ON stands in GRANT and REVOKE.
const PRIVILEGES: &str = "ALL CONNECT CREATE DELETE EXECUTE INSERT PRIVILEGES REFERENCES SELECT TRIGGER TRUNCATE UPDATE USAGE";

/// Words behind which names stand.
const BEFORE_NAMES: &str = "ADD AS BY COLUMN CONSTRAINT DOMAIN EXISTS FROM FUNCTION INDEX INTO JOIN ONLY PROCEDURE REFERENCES ROLE SCHEMA SEQUENCE TABLE TO TRIGGER TYPE UPDATE VIEW";

impl Search<'_, '_> {
    /// The tokens at and around the fault, the likeliest first.
    fn nearby(&self) -> impl Iterator<Item = usize> + use<> {
        let (fault, n) = (self.fault, self.view.pieces.len());
        [Some(fault), fault.checked_sub(1), Some(fault + 1), fault.checked_sub(2)]
            .into_iter()
            .flatten()
            .filter(move |&index| index < n)
    }

    /// The words a statement begins with.
    pub(super) fn head(&mut self) -> Option<Cause> {
        let (token, words) = head::misfit(self.view)?;
        if dialect::advice(self.view, token).is_some() {
            return None;
        }
        let typed = self.view.text(token).to_ascii_uppercase();
        let keyword = near(&typed, words.into_iter()).into_iter().next();
        keyword.map(|keyword| Cause::Misspelt { token, keyword })
    }

    pub(super) fn reserved(&mut self, fault: &Fault) -> Option<Cause> {
        let token = self.fault;
        let word = self.view.text(token);
        let is_reserved = match Category::of(word) {
            Some(Category::Reserved | Category::FunctionName) => true,
            Some(Category::ColumnName) => fault.what == What::Reserved,
            Some(Category::Unreserved) | None => false,
        };
        if self.view.kind(token) != Some(TokenKind::Word) || !is_reserved {
            return None;
        }
        let before = token.checked_sub(1)?;
        let is_name = match self.view.kind(before) {
            Some(TokenKind::OpenParen | TokenKind::Comma | TokenKind::Dot) => true,
            _ => BEFORE_NAMES.split(' ').any(|word| self.view.has(before, word)),
        };
        let cause = Cause::Reserved { token };
        let quoted = format!("\"{}\"", word.to_ascii_lowercase());
        let expected = fault.what == What::Reserved || is_name;
        (expected && self.mends(token, token + 1, &quoted, &cause)).then_some(cause)
    }

    /// A command, at the beginning of a line, in front of which the statement is complete.
    pub(super) fn second_statement(&mut self, fault: &Fault) -> Option<Cause> {
        for token in [self.fault, self.fault.saturating_sub(1), self.fault.saturating_sub(2)] {
            let Some(piece) = self.view.pieces.get(token) else { continue };
            let is_sure = fault.what == What::SecondStatement && token == self.fault;
            if token == 0 || !(piece.begins_line || is_sure) || !head::is_command(self.view, token)
            {
                continue;
            }
            let (before, after) = self.view.sql.split_at(piece.span.start);
            if self.spend()
                && first_fault(before).is_none()
                && first_fault(after).is_none_or(|fault| View::new(after).at(fault.at) > FAR_TOKENS)
            {
                return Some(Cause::SecondStatement { token });
            }
        }
        None
    }

    pub(super) fn misspelt(&mut self) -> Option<Cause> {
        for token in self.nearby() {
            if self.view.kind(token) != Some(TokenKind::Word) {
                continue;
            }
            if self.budget.spend(ALL_KEYWORDS_BYTES).is_err() {
                return None;
            }
            let typed = self.view.text(token).to_ascii_uppercase();
            let keywords = Category::ALL.into_iter().flat_map(Category::words);
            let mut candidates = near(&typed, keywords);
            candidates.extend(halves(&typed));
            for keyword in candidates {
                let cause = Cause::Misspelt { token, keyword: keyword.clone() };
                if self.mends(token, token + 1, &keyword, &cause) {
                    return Some(cause);
                }
            }
        }
        None
    }

    pub(super) fn trailing_comma(&mut self) -> Option<Cause> {
        for token in [self.fault, self.fault.wrapping_sub(1)] {
            if self.view.kind(token) == Some(TokenKind::Comma) {
                let cause = Cause::TrailingComma { token };
                if self.mends(token, token + 1, " ", &cause) {
                    return Some(cause);
                }
            }
        }
        None
    }

    /// `GRANT SELECT t TO bob`, which a comma would make a grant of the role `t`.
    pub(super) fn privilege_without_on(&mut self, fault: &Fault) -> Option<Cause> {
        let before = self.fault.checked_sub(1)?;
        let is_privilege = (self.view.has(0, "GRANT") || self.view.has(0, "REVOKE"))
            && PRIVILEGES.split(' ').any(|word| self.view.has(before, word));
        if is_privilege { self.missing(fault) } else { None }
    }

    pub(super) fn missing_comma(&mut self) -> Option<Cause> {
        for token in [self.fault, self.fault.saturating_sub(1)] {
            let cause = Cause::MissingComma { token };
            if token > 0 && token < self.view.pieces.len() && self.mends(token, token, ", ", &cause)
            {
                return Some(cause);
            }
        }
        None
    }

    pub(super) fn doubled(&mut self) -> Option<Cause> {
        for token in self.nearby().filter(|&token| token > 0) {
            if self.view.text(token).eq_ignore_ascii_case(self.view.text(token - 1)) {
                let cause = Cause::Doubled { token };
                if self.mends(token, token + 1, " ", &cause) {
                    return Some(cause);
                }
            }
        }
        None
    }

    pub(super) fn conditions(&mut self) -> Option<Cause> {
        for words in ["IF NOT EXISTS", "IF EXISTS"] {
            let n = words.split(' ').count();
            for token in self.fault.saturating_sub(n)..=self.fault {
                let cause = Cause::NoCondition { token, words };
                if self.view.has(token, words) && self.mends(token, token + n, " ", &cause) {
                    return Some(cause);
                }
            }
        }
        None
    }

    pub(super) fn strings(&mut self) -> Option<Cause> {
        for token in self.nearby() {
            let cause = Cause::QuotedString { token };
            if self.view.kind(token) == Some(TokenKind::QuotedIdentifier)
                && self.mends(token, token + 1, "''", &cause)
            {
                return Some(cause);
            }
        }
        None
    }

    /// CASE without END. Parentheses are counted before anything is parsed.
    pub(super) fn unclosed(&mut self) -> Option<Cause> {
        let mut open: Vec<usize> = Vec::new();
        for token in 0..self.fault.min(self.view.pieces.len()) {
            match self.view.kind(token) {
                Some(TokenKind::OpenParen | TokenKind::OpenBracket) => open.push(token),
                Some(TokenKind::Word) if self.view.has(token, "CASE") => open.push(token),
                Some(TokenKind::Word)
                    if self.view.has(token, "END")
                        && open.last().is_some_and(|&last| self.view.has(last, "CASE")) =>
                {
                    let _case = open.pop();
                }
                Some(TokenKind::CloseParen | TokenKind::CloseBracket) => {
                    while let Some(last) = open.pop() {
                        if !self.view.has(last, "CASE") {
                            break;
                        }
                    }
                }
                _ => {}
            }
        }
        let opened = *open.last()?;
        let close = match self.view.text(opened) {
            "(" => return None,
            "[" => "]",
            _ => "END",
        };
        let cause = Cause::Unclosed { opened, token: self.fault, close };
        self.mends(self.fault, self.fault, &format!(" {close} "), &cause).then_some(cause)
    }

    /// `uuid-ossp` without quotes.
    pub(super) fn hyphen(&mut self) -> Option<Cause> {
        let first = self.fault.checked_sub(1)?;
        let ends = |index: usize| self.view.end_before(index + 1);
        let is_joined = self.view.text(self.fault) == "-"
            && ends(first) == self.view.start(self.fault)
            && ends(self.fault) == self.view.start(self.fault + 1)
            && self.view.kind(self.fault + 1) == Some(TokenKind::Word);
        let cause = Cause::Hyphen { token: first };
        (is_joined && self.mends(first, first + 3, "\"\u{e4}\"", &cause)).then_some(cause)
    }

    pub(super) fn missing(&mut self, fault: &Fault) -> Option<Cause> {
        let token = self.fault;
        let is_unexpected = matches!(fault.what, What::Unexpected(_) | What::SecondStatement);
        if !is_unexpected || token == 0 || self.view.kind(token) != Some(TokenKind::Word) {
            return None;
        }
        for (keyword, words) in OFTEN_MISSING {
            let fits = words
                .split(' ')
                .any(|word| self.view.has(token - 1, word) || self.view.has(0, word));
            let cause = Cause::Missing { token, keyword };
            if fits && self.mends(token, token, &format!(" {keyword} "), &cause) {
                return Some(cause);
            }
        }
        None
    }
}

/// The keywords near to a typed word, in capitals, the nearest first.
fn near<'a>(typed: &str, keywords: impl Iterator<Item = &'a str>) -> Vec<String> {
    let length = typed.chars().count();
    if length < 3 {
        return Vec::new();
    }
    let limit = length.max(3) / 3;
    let mut found: Vec<(usize, String)> = keywords
        .filter(|keyword| keyword.len().abs_diff(length) <= limit)
        .map(str::to_ascii_uppercase)
        .map(|keyword| (distance(typed, &keyword), keyword))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .collect();
    found.sort();
    found.into_iter().take(6).map(|(_, keyword)| keyword).collect()
}

/// Two keywords in one word: `PRIMARYKEY`.
fn halves(typed: &str) -> Option<String> {
    (2..typed.len().saturating_sub(1)).filter_map(|at| typed.split_at_checked(at)).find_map(
        |(left, right)| {
            let both = Category::of(left).is_some() && Category::of(right).is_some();
            both.then(|| format!("{left} {right}"))
        },
    )
}
