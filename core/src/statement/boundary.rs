//! Where one statement ends and the next one begins.
//!
//! The rules of psql, with one difference: the body of `BEGIN ATOMIC ... END` ends at the END that
//! follows a semicolon or ATOMIC, as in PostgreSQL's grammar, instead of by counting CASE and END,
//! which `SELECT 1 AS end` deceives.

use super::Statement;
use super::command::recognise;
use super::cursor::Cursor;
use crate::lexer::{Lexed, Token, TokenKind};
use crate::source::Span;

/// What is not closed in a statement, or closed without having been opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbalanced {
    /// A `(` without its `)`. It takes in everything up to the end of the text.
    OpenParen {
        /// The parenthesis.
        paren: Span,
        /// The first semicolon inside, where the statement was probably meant to end.
        semicolon: Option<Span>,
    },
    /// A `)` without its `(`.
    CloseParen {
        /// The first such parenthesis.
        paren: Span,
    },
    /// `BEGIN ATOMIC` without an END behind a semicolon. It takes in everything up to the end.
    Atomic {
        /// The word BEGIN.
        begin: Span,
    },
}

/// Finds the statements of a text. What holds no token but comments is no statement.
#[must_use]
pub fn split(sql: &str, lexed: &Lexed) -> Vec<Statement> {
    let mut splitter = Splitter::new(sql, &lexed.tokens);
    let mut index = 0;
    while index < lexed.tokens.len() {
        splitter.take(index);
        index += 1;
    }
    splitter.end(false);
    splitter.statements
}

struct Splitter<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    statements: Vec<Statement>,
    /// The first significant token of the statement that is open.
    first: Option<usize>,
    /// Its last one so far.
    last: usize,
    parens: Vec<Span>,
    /// The first semicolon inside of parentheses that are still open, and how many these are.
    swallowed: Option<(Span, usize)>,
    stray: Option<Span>,
    /// The words BEGIN and ATOMIC whose END has not come.
    atomic: Option<(Span, usize)>,
}

impl<'a> Splitter<'a> {
    fn new(sql: &'a str, tokens: &'a [Token]) -> Self {
        Self {
            sql,
            tokens,
            statements: Vec::new(),
            first: None,
            last: 0,
            parens: Vec::new(),
            swallowed: None,
            stray: None,
            atomic: None,
        }
    }

    fn take(&mut self, index: usize) {
        let token = &self.tokens[index];
        match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment
            | TokenKind::CopyData => return,
            TokenKind::Semicolon if self.is_outermost() => {
                self.end(true);
                return;
            }
            TokenKind::PsqlCommand if self.is_outermost() => {
                self.end(false);
                self.first = Some(index);
                self.last = index;
                self.end(false);
                return;
            }
            TokenKind::Semicolon => self.swallow(token.span),
            TokenKind::OpenParen => self.parens.push(token.span),
            TokenKind::CloseParen => self.close(token.span),
            TokenKind::Word => self.word(index, token),
            _ => {}
        }
        if self.first.is_none() {
            self.first = Some(index);
        }
        self.last = index;
    }

    fn is_outermost(&self) -> bool {
        self.parens.is_empty() && self.atomic.is_none()
    }

    fn swallow(&mut self, semicolon: Span) {
        if self.swallowed.is_none() && !self.parens.is_empty() {
            self.swallowed = Some((semicolon, self.parens.len()));
        }
    }

    fn close(&mut self, paren: Span) {
        if self.parens.pop().is_none() {
            self.stray = self.stray.or(Some(paren));
        }
        self.swallowed = match self.swallowed {
            Some((semicolon, depth)) if !self.parens.is_empty() => {
                Some((semicolon, depth.min(self.parens.len())))
            }
            _ => None,
        };
    }

    /// Enters and leaves the body of a function in SQL.
    fn word(&mut self, index: usize, token: &Token) {
        if !self.parens.is_empty() {
            return;
        }
        let Some(first) = self.first else { return };
        match self.atomic {
            None => {
                if token.is_word(self.sql, "begin")
                    && let Some(atomic) = self.atomic_after(index)
                    && self.creates_routine(first)
                {
                    self.atomic = Some((token.span, atomic));
                }
            }
            Some((_, atomic)) => {
                let may_end =
                    self.last == atomic || self.tokens[self.last].kind == TokenKind::Semicolon;
                if may_end && token.is_word(self.sql, "end") {
                    self.atomic = None;
                }
            }
        }
    }

    /// Where the word ATOMIC is, if it is the next one.
    fn atomic_after(&self, index: usize) -> Option<usize> {
        let mut next = index + 1;
        while self.tokens.get(next)?.is_trivia() {
            next += 1;
        }
        self.tokens[next].is_word(self.sql, "atomic").then_some(next)
    }

    fn creates_routine(&self, first: usize) -> bool {
        let mut cursor = Cursor::new(self.sql, &self.tokens[first..]);
        if !cursor.eat_words("CREATE") {
            return false;
        }
        let _replace = cursor.eat_words("OR REPLACE");
        cursor.is_word("FUNCTION") || cursor.is_word("PROCEDURE")
    }

    /// Ends the statement that is open, if there is one.
    fn end(&mut self, terminated: bool) {
        let unbalanced = self.unbalanced();
        self.parens.clear();
        self.swallowed = None;
        self.stray = None;
        self.atomic = None;
        let Some(first) = self.first.take() else { return };
        let last = self.last;
        let tokens = &self.tokens[first..=last];
        let recognised = recognise(Cursor::new(self.sql, tokens));
        self.statements.push(Statement {
            span: Span::new(self.tokens[first].span.start, self.tokens[last].span.end),
            tokens: first..last + 1,
            terminated,
            command: recognised.command,
            kind: recognised.kind,
            in_transaction: recognised.in_transaction,
            effects: recognised.effects,
            unbalanced,
        });
    }

    fn unbalanced(&self) -> Option<Unbalanced> {
        if let Some(paren) = self.stray {
            return Some(Unbalanced::CloseParen { paren });
        }
        // Not simply the innermost: of the text that was swallowed by mistake, later statements
        // may have left parentheses open too.
        let depth = self.swallowed.map_or(self.parens.len(), |(_, depth)| depth);
        let semicolon = self.swallowed.map(|(semicolon, _)| semicolon);
        if let Some(&paren) = depth.checked_sub(1).and_then(|index| self.parens.get(index)) {
            return Some(Unbalanced::OpenParen { paren, semicolon });
        }
        self.atomic.map(|(begin, _)| Unbalanced::Atomic { begin })
    }
}
