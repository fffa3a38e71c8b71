//! A walk over the tokens of one statement that matter.
//!
//! Invariant: a method that asks for something and does not find it leaves the cursor where it is,
//! and moving is bounded by the tokens of the statement, so a recogniser made of these methods
//! always ends.

use crate::lexer::{Token, TokenKind};

#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `tokens` are those of the statement, the first of them significant.
    pub(crate) fn new(sql: &'a str, tokens: &'a [Token]) -> Self {
        Self { sql, tokens, at: 0 }
    }

    pub(crate) fn token(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn is(&self, kind: TokenKind) -> bool {
        self.token().is_some_and(|token| token.kind == kind)
    }

    pub(crate) fn is_word(&self, keyword: &str) -> bool {
        self.token().is_some_and(|token| token.is_word(self.sql, keyword))
    }

    /// The word under the cursor in capitals; empty when it is no word.
    pub(crate) fn keyword(&self) -> String {
        match self.token() {
            Some(token) if token.kind == TokenKind::Word => {
                token.text(self.sql).to_ascii_uppercase()
            }
            _ => String::new(),
        }
    }

    pub(crate) fn advance(&mut self) {
        self.at += 1;
        while self.token().is_some_and(Token::is_trivia) {
            self.at += 1;
        }
    }

    pub(crate) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        if found {
            self.advance();
        }
        found
    }

    /// Takes words in a row, all or none: `eat_words("IF NOT EXISTS")`.
    pub(crate) fn eat_words(&mut self, words: &str) -> bool {
        // Most often not even the first letter is the same; without optimisation, finding that out
        // word by word is half of the time that classifying takes.
        let start = self.token().map_or(usize::MAX, |token| token.span.start);
        match (self.sql.as_bytes().get(start), words.as_bytes().first()) {
            (Some(found), Some(wanted)) if found.eq_ignore_ascii_case(wanted) => {}
            _ => return false,
        }
        let mut ahead = *self;
        for word in words.split(' ') {
            if !ahead.is_word(word) {
                return false;
            }
            ahead.advance();
        }
        *self = ahead;
        true
    }

    /// Takes a `(...)` or `[...]` with everything in it.
    pub(crate) fn eat_group(&mut self) -> bool {
        let opens = self.is(TokenKind::OpenParen) || self.is(TokenKind::OpenBracket);
        if opens {
            self.skip();
        }
        opens
    }

    /// Passes one token, or a whole group where one opens.
    pub(crate) fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.token() {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    /// Moves behind the next such word outside of parentheses; to the end when there is none.
    pub(crate) fn skip_past(&mut self, keyword: &str) -> bool {
        while self.token().is_some() {
            if self.is_word(keyword) {
                self.advance();
                return true;
            }
            self.skip();
        }
        false
    }

    /// Takes a name with its qualifiers: each part as PostgreSQL stores it, and quoted where it
    /// would read otherwise without quotes. Empty when there is no name.
    pub(crate) fn name(&mut self) -> Vec<String> {
        let mut parts = Vec::new();
        while let Some(part) = self.token().and_then(|token| identifier(token, self.sql)) {
            self.advance();
            parts.push(part);
            if !self.eat(TokenKind::Dot) {
                break;
            }
        }
        parts
    }

    /// Takes a string and gives its value.
    pub(crate) fn string(&mut self) -> Option<String> {
        let token = self.token()?;
        let value = string_value(token, self.sql)?;
        self.advance();
        Some(value)
    }

    /// Takes what stands for a value of an option: a word, a number or a string, in lower case.
    pub(crate) fn option_value(&mut self) -> Option<String> {
        let token = self.token()?;
        let value = match token.kind {
            TokenKind::Word | TokenKind::Number => token.text(self.sql).to_owned(),
            _ => string_value(token, self.sql)?,
        };
        self.advance();
        Some(value.to_ascii_lowercase())
    }
}

/// A part of a name, in the form in which SQL would have to repeat it.
pub(crate) fn identifier(token: &Token, sql: &str) -> Option<String> {
    let text = token.text(sql);
    match token.kind {
        // PostgreSQL folds only ASCII letters where the encoding is UTF-8.
        TokenKind::Word => Some(text.to_ascii_lowercase()),
        TokenKind::QuotedIdentifier => {
            let body = text.split_once('"')?.1.strip_suffix('"')?;
            if text.len() > body.len() + 2 {
                // U&"..." keeps its escapes: decoding them needs a UESCAPE that may follow.
                return Some(text.to_owned());
            }
            let plain = body.bytes().enumerate().all(|(index, byte)| match byte {
                b'a'..=b'z' | b'_' | 0x80.. => true,
                b'0'..=b'9' | b'$' => index > 0,
                _ => false,
            });
            Some(if plain && !body.is_empty() { body.to_owned() } else { text.to_owned() })
        }
        _ => None,
    }
}

/// The value of a string in its usual spellings; nothing for one with escapes that are not plain.
pub(crate) fn string_value(token: &Token, sql: &str) -> Option<String> {
    let text = token.text(sql);
    match token.kind {
        TokenKind::String => {
            let (prefix, body) = text.split_once('\'')?;
            let body = body.strip_suffix('\'')?;
            let escapes = !prefix.is_empty() && body.contains('\\');
            (!escapes).then(|| body.replace("''", "'"))
        }
        TokenKind::DollarString => {
            let tag = text.get(1..)?.find('$')? + 2;
            text.get(tag..text.len().checked_sub(tag)?).map(str::to_owned)
        }
        _ => None,
    }
}
