//! One token at a time: the rules of PostgreSQL's scanner, on bytes.
//!
//! Invariant: every method that moves leaves `at` on a character boundary. Tokens begin and end at
//! ASCII characters or at the ends of runs that take in every byte of a character outside of ASCII.

use super::class::{CLASSES, Class, begins_word};
use super::{TokenKind, Unterminated, UnterminatedKind};
use crate::source::Span;

pub(super) struct Scanner<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where a quote continues an `E'...'` of an earlier line, and so has its escapes.
    escapes_at: Option<usize>,
    /// Up to here there are only `+` and `-`, each a token of its own; see [`Scanner::operator`].
    signs_until: usize,
    /// No line is only `\.` from here on, so nobody has to look for one again.
    no_copy_end: bool,
    unterminated: Option<Unterminated>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        let bytes = sql.as_bytes();
        Self {
            sql,
            bytes,
            at: 0,
            escapes_at: None,
            signs_until: 0,
            no_copy_end: false,
            unterminated: None,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn into_unterminated(self) -> Option<Unterminated> {
        self.unterminated
    }

    /// Moves behind the next token, of at least one byte, and says what it is.
    pub(super) fn token(&mut self) -> TokenKind {
        let byte = self.bytes[self.at];
        match CLASSES[byte as usize] {
            Class::Space => self.whitespace(),
            Class::Letter => self.word(),
            Class::Prefix => self.prefixed(byte),
            Class::Digit => self.number(),
            Class::Operator => self.comment_or_operator(byte),
            Class::Single => self.single(byte),
            Class::Quote => self.quoted_string(1),
            Class::DoubleQuote => self.quoted_identifier(1),
            Class::Dollar => self.dollar(),
            Class::Backslash => {
                self.at = self.line_end(self.at);
                TokenKind::PsqlCommand
            }
            Class::Other => {
                self.at += 1;
                TokenKind::Unknown
            }
        }
    }

    /// The byte at an offset, or 0 (which begins nothing) behind the end.
    fn byte(&self, offset: usize) -> u8 {
        if offset < self.bytes.len() { self.bytes[offset] } else { 0 }
    }

    /// The next occurrence of an ASCII character. The standard library is compiled with
    /// optimisation even where this crate is not, so for long runs it beats a loop of ours.
    fn find(&self, from: usize, wanted: char) -> Option<usize> {
        self.sql.get(from..)?.find(wanted).map(|offset| from + offset)
    }

    fn line_end(&self, from: usize) -> usize {
        let mut end = from;
        while end < self.bytes.len() && self.bytes[end] != b'\n' && self.bytes[end] != b'\r' {
            end += 1;
        }
        end
    }

    fn whitespace(&mut self) -> TokenKind {
        let mut end = self.at + 1;
        while end < self.bytes.len() && CLASSES[self.bytes[end] as usize] == Class::Space {
            end += 1;
        }
        self.at = end;
        TokenKind::Whitespace
    }

    fn word(&mut self) -> TokenKind {
        self.at = self.word_end(self.at);
        TokenKind::Word
    }

    /// The end of a word that continues at an offset: letters, digits and dollars.
    fn word_end(&self, from: usize) -> usize {
        let mut end = from;
        while end < self.bytes.len() {
            match CLASSES[self.bytes[end] as usize] {
                Class::Letter | Class::Prefix | Class::Digit | Class::Dollar => end += 1,
                _ => break,
            }
        }
        end
    }

    /// A word, unless a quote follows its first letter.
    fn prefixed(&mut self, byte: u8) -> TokenKind {
        match (byte, self.byte(self.at + 1)) {
            (b'e' | b'E', b'\'') => self.escape_string(2),
            (b'b' | b'B' | b'n' | b'N' | b'x' | b'X', b'\'') => self.quoted_string(2),
            (b'u' | b'U', b'&') => match self.byte(self.at + 2) {
                b'\'' => self.quoted_string(3),
                b'"' => self.quoted_identifier(3),
                _ => self.word(),
            },
            _ => self.word(),
        }
    }

    fn single(&mut self, byte: u8) -> TokenKind {
        let next = self.byte(self.at + 1);
        if byte == b'.' && next.is_ascii_digit() {
            return self.number();
        }
        if matches!((byte, next), (b'.', b'.') | (b':', b':' | b'=')) {
            self.at += 2;
            return TokenKind::Operator;
        }
        self.at += 1;
        match byte {
            b',' => TokenKind::Comma,
            b';' => TokenKind::Semicolon,
            b'(' => TokenKind::OpenParen,
            b')' => TokenKind::CloseParen,
            b'[' => TokenKind::OpenBracket,
            b']' => TokenKind::CloseBracket,
            b'.' => TokenKind::Dot,
            _ => TokenKind::Colon,
        }
    }

    fn number(&mut self) -> TokenKind {
        let mut end = self.digits_end(self.at);
        // `1..2` is a range of PL/pgSQL, not `1.` and `.2`.
        if self.byte(end) == b'.' && self.byte(end + 1) != b'.' {
            end = self.digits_end(end + 1);
        }
        if matches!(self.byte(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            if self.byte(end + 1 + sign).is_ascii_digit() {
                end = self.digits_end(end + 1 + sign);
            }
        }
        self.at = self.junk_end(end);
        TokenKind::Number
    }

    /// The end of the letters that directly follow a number. They are part of its token: PostgreSQL
    /// calls them trailing junk, and as a word of their own they could begin a dollar quote where the
    /// server sees none. Only the `E` of `E'...'` is not: PostgreSQL 14 reads a string there, with its
    /// escapes, and later versions refuse the number.
    fn junk_end(&self, from: usize) -> usize {
        let next = self.byte(from);
        let escapes = matches!(next, b'e' | b'E') && self.byte(from + 1) == b'\'';
        if begins_word(next) && !escapes { self.word_end(from) } else { from }
    }

    fn digits_end(&self, from: usize) -> usize {
        let mut end = from;
        while end < self.bytes.len() && matches!(self.bytes[end], b'0'..=b'9' | b'_') {
            end += 1;
        }
        end
    }

    fn comment_or_operator(&mut self, byte: u8) -> TokenKind {
        match (byte, self.byte(self.at + 1)) {
            (b'-', b'-') => {
                self.at = self.line_end(self.at);
                TokenKind::LineComment
            }
            (b'/', b'*') => self.block_comment(),
            _ => self.operator(),
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        let start = self.at;
        let mut nested: Vec<usize> = Vec::new();
        let mut at = start + 2;
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'*' if self.byte(at + 1) == b'/' => {
                    at += 2;
                    if nested.pop().is_none() {
                        self.at = at;
                        return TokenKind::BlockComment;
                    }
                }
                b'/' if self.byte(at + 1) == b'*' => {
                    nested.push(at);
                    at += 2;
                }
                _ => at += 1,
            }
        }
        let nested = nested.last().map(|&start| Span { start, end: start + 2 });
        self.runs_to_the_end(UnterminatedKind::BlockComment { nested }, 2);
        TokenKind::BlockComment
    }

    /// The longest run of operator characters that holds no comment start; but a `+` or `-` at its
    /// end belongs to what follows (`a=-1`), unless the operator holds one of `~!@#^&|?%` or a
    /// backquote, which no standard operator does.
    fn operator(&mut self) -> TokenKind {
        let start = self.at;
        if start < self.signs_until {
            self.at += 1;
            return TokenKind::Operator;
        }
        let mut end = start;
        // Behind the last character that is neither `+` nor `-`.
        let mut stem = start;
        let mut keeps_signs = false;
        while end < self.bytes.len() {
            let byte = self.bytes[end];
            match (byte, self.byte(end + 1)) {
                (b'-', b'-') | (b'/', b'*') => break,
                _ if CLASSES[byte as usize] != Class::Operator => break,
                _ => {}
            }
            end += 1;
            match byte {
                b'+' | b'-' => {}
                b'*' | b'/' | b'<' | b'>' | b'=' => stem = end,
                _ => {
                    stem = end;
                    keeps_signs = true;
                }
            }
        }
        if !keeps_signs {
            // What is left over is remembered instead of looked at again, sign by sign, each time
            // up to the end of the run.
            self.signs_until = end;
            end = if stem == start { start + 1 } else { stem };
        }
        self.at = end;
        TokenKind::Operator
    }

    /// `'...'` with a prefix; a doubled quote is a quote, and nothing else is special.
    fn quoted_string(&mut self, opening: usize) -> TokenKind {
        if self.escapes_at == Some(self.at) {
            return self.escape_string(opening);
        }
        self.doubled_quotes('\'', opening, UnterminatedKind::String);
        TokenKind::String
    }

    fn quoted_identifier(&mut self, opening: usize) -> TokenKind {
        self.doubled_quotes('"', opening, UnterminatedKind::QuotedIdentifier);
        TokenKind::QuotedIdentifier
    }

    fn doubled_quotes(&mut self, quote: char, opening: usize, kind: UnterminatedKind) {
        let mut at = self.at + opening;
        while let Some(found) = self.find(at, quote) {
            at = found + 1;
            if self.byte(at) != self.bytes[found] {
                self.at = at;
                return;
            }
            at += 1;
        }
        self.runs_to_the_end(kind, opening);
    }

    /// `E'...'`: also a backslash hides what follows it.
    fn escape_string(&mut self, opening: usize) -> TokenKind {
        let mut at = self.at + opening;
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'\\' => at += 2,
                b'\'' if self.byte(at + 1) == b'\'' => at += 2,
                b'\'' => {
                    self.at = at + 1;
                    self.escapes_at = self.continuation(at + 1);
                    return TokenKind::String;
                }
                _ => at += 1,
            }
        }
        self.runs_to_the_end(UnterminatedKind::String, opening);
        TokenKind::String
    }

    /// Where the string that ends at an offset is continued: at a quote behind whitespace that holds
    /// a line end. Line comments count as whitespace there, block comments do not.
    fn continuation(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut next_line = false;
        loop {
            match self.byte(at) {
                b'\n' | b'\r' => {
                    next_line = true;
                    at += 1;
                }
                b'-' if self.byte(at + 1) == b'-' => at = self.line_end(at),
                b'\'' if next_line => return Some(at),
                byte if CLASSES[byte as usize] == Class::Space => at += 1,
                _ => return None,
            }
        }
    }

    /// `$tag$...$tag$`, `$1`, or a dollar that means nothing.
    fn dollar(&mut self) -> TokenKind {
        let start = self.at;
        if self.byte(start + 1).is_ascii_digit() {
            let end = self.digits_end(start + 1);
            self.at = self.junk_end(end);
            return TokenKind::Parameter;
        }
        let Some(opening) = self.dollar_delimiter(start) else {
            self.at = start + 1;
            return TokenKind::Unknown;
        };
        // No dollar is inside a tag, so every failed comparison ends at the next candidate.
        let tag = &self.bytes[start..opening];
        let mut at = opening;
        while let Some(found) = self.find(at, '$') {
            if self.bytes[found..].starts_with(tag) {
                self.at = found + tag.len();
                return TokenKind::DollarString;
            }
            at = found + 1;
        }
        let tag = self.sql[start..opening].to_owned();
        let width = tag.len();
        self.runs_to_the_end(UnterminatedKind::DollarString { tag }, width);
        TokenKind::DollarString
    }

    /// The end of the `$tag$` at an offset. A tag is an identifier without dollars, or empty.
    fn dollar_delimiter(&self, start: usize) -> Option<usize> {
        let mut end = start + 1;
        while matches!(
            CLASSES[self.byte(end) as usize],
            Class::Letter | Class::Prefix | Class::Digit
        ) {
            end += 1;
        }
        (self.byte(end) == b'$').then_some(end + 1)
    }

    fn runs_to_the_end(&mut self, kind: UnterminatedKind, opening: usize) {
        let opened = Span { start: self.at, end: self.at + opening };
        self.unterminated = Some(Unterminated { kind, opened });
        self.at = self.bytes.len();
    }

    /// Moves behind the line that is only `\.`, which ends the data of a COPY; false, and not moved,
    /// when there is none.
    pub(super) fn copy_data(&mut self) -> bool {
        let mut line = self.line_end(self.at);
        while !self.no_copy_end && line < self.bytes.len() {
            let end = self.line_end(line + 1);
            if &self.bytes[line + 1..end] == b"\\." {
                self.at = end;
                return true;
            }
            line = end;
        }
        self.no_copy_end = true;
        false
    }
}
