//! One statement as the checks look at it: its text, and its tokens without comments.

use crate::lexer::{TokenKind, lex};
use crate::source::Span;

/// A token of a [`View`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
    /// Whether it is the first of its line.
    pub(super) begins_line: bool,
}

/// A statement, with places counted from its first byte.
pub(super) struct View<'a> {
    pub(super) sql: &'a str,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> View<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        let mut begins_line = true;
        let mut pieces = Vec::new();
        for token in lex(sql).tokens {
            if token.is_trivia() {
                begins_line |= token.text(sql).contains('\n');
            } else {
                pieces.push(Piece { kind: token.kind, span: token.span, begins_line });
                begins_line = false;
            }
        }
        Self { sql, pieces }
    }

    /// The text of a token; nothing where there is none.
    pub(super) fn text(&self, index: usize) -> &'a str {
        self.pieces.get(index).map_or("", |piece| piece.span.text(self.sql))
    }

    pub(super) fn kind(&self, index: usize) -> Option<TokenKind> {
        self.pieces.get(index).map(|piece| piece.kind)
    }

    /// Whether words stand at a token, in any case: `"IF NOT EXISTS"`.
    pub(super) fn has(&self, index: usize, words: &str) -> bool {
        words.split(' ').enumerate().all(|(offset, word)| {
            self.kind(index + offset) == Some(TokenKind::Word)
                && self.text(index + offset).eq_ignore_ascii_case(word)
        })
    }

    /// The token at a byte or the first one behind it.
    pub(super) fn at(&self, byte: usize) -> usize {
        self.pieces.partition_point(|piece| piece.span.end <= byte)
    }

    /// Where a token begins; the end of the text behind the last one.
    pub(super) fn start(&self, index: usize) -> usize {
        self.pieces.get(index).map_or(self.sql.len(), |piece| piece.span.start)
    }

    /// Where the token before this one ends.
    pub(super) fn end_before(&self, index: usize) -> usize {
        index
            .checked_sub(1)
            .and_then(|index| self.pieces.get(index))
            .map_or(0, |piece| piece.span.end)
    }

    /// The token that opens the group which a token closes.
    pub(super) fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        for index in (0..=close).rev() {
            match self.kind(index) {
                Some(TokenKind::CloseParen | TokenKind::CloseBracket) => depth += 1,
                Some(TokenKind::OpenParen | TokenKind::OpenBracket) => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The token that closes the group which a token opens.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for index in open..self.pieces.len() {
            match self.kind(index) {
                Some(TokenKind::OpenParen | TokenKind::OpenBracket) => depth += 1,
                Some(TokenKind::CloseParen | TokenKind::CloseBracket) => {
                    depth = depth.checked_sub(1)?;
                }
                _ => {}
            }
            if depth == 0 {
                return (index > open).then_some(index);
            }
        }
        None
    }
}
