//! Escapes in texts and names.
//!
//! PostgreSQL reads them while it parses, so a wrong one is an error of syntax; the parser looks at
//! little more than the digits of `\u`. Bytes such as `\xff` are left alone: whether they are characters
//! depends on the encoding of the database. See the manual, section 4.1.2.

use super::parse::{Fault, What};
use crate::lexer::{Token, TokenKind};

/// What is wrong with an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// Fewer digits behind `\u` or `\U` than there must be, which is so many.
    Digits(usize),
    /// Neither a number nor a second sign behind the sign of `U&'...'`.
    NoNumber,
    /// One half of a pair that makes a character.
    Half,
    /// A number that no character has.
    NoCharacter,
    /// The byte 0.
    Zero,
    /// What UESCAPE names cannot be the sign.
    Sign,
    /// UESCAPE has no text behind it.
    NoSign,
}

/// The first wrong escape in the tokens of a statement.
pub(super) fn first_fault(text: &str, tokens: &[Token]) -> Option<Fault> {
    let found = tokens.iter().enumerate().find_map(|(index, token)| {
        if !matches!(token.kind, TokenKind::String | TokenKind::QuotedIdentifier) {
            return None;
        }
        match token.text(text).bytes().next() {
            Some(b'e' | b'E') => in_escape_string(text, &tokens[index..]),
            Some(b'u' | b'U') => in_unicode(text, &tokens[index..]),
            _ => None,
        }
    });
    found.map(|(at, behind, escape)| Fault { at, what: What::Escape(escape, behind - at) })
}

/// From, up to, and what is wrong there.
type Wrong = (usize, usize, Escape);

/// A character within quotes, with its place.
type Character = (usize, char);

/// What stands for one character, or for half of one.
enum Unit {
    Plain,
    /// The number of a character or of a half.
    Code(u32),
    Wrong(Escape),
}

/// `E'...'`. No escape goes on in another line.
fn in_escape_string(text: &str, tokens: &[Token]) -> Option<Wrong> {
    pieces(text, tokens).0.into_iter().find_map(|piece| {
        let characters = characters(text, piece);
        let has_any = characters.iter().any(|&(_, it)| it == '\\');
        if has_any { judge(&characters, piece.span.end - 1, backslash) } else { None }
    })
}

/// `U&'...'` and `U&"..."`, with the sign that UESCAPE names. The lines of a text are one.
fn in_unicode(text: &str, tokens: &[Token]) -> Option<Wrong> {
    let (pieces, behind) = pieces(text, tokens);
    let end = pieces.last()?.span.end - 1;
    let quote = if tokens[0].kind == TokenKind::String { '\'' } else { '"' };
    let all: Vec<_> =
        pieces.into_iter().flat_map(|piece| undoubled(characters(text, piece), quote)).collect();
    let sign = match named_sign(text, behind) {
        Sign::Is(sign) => sign,
        Sign::Unseen => return None,
        Sign::None(at) => return Some((at, at, Escape::NoSign)),
        Sign::Wrong(at, behind) => return Some((at, behind, Escape::Sign)),
    };
    judge(&all, end, |left| signed(left, sign))
}

/// The tokens of a text that may go on in other lines, and those behind it.
fn pieces<'a>(text: &str, tokens: &'a [Token]) -> (Vec<Token>, &'a [Token]) {
    let (mut found, mut behind) = (vec![tokens[0]], &tokens[1..]);
    while found[0].kind == TokenKind::String
        && let Some(next) = behind.iter().position(|token| !token.is_trivia())
        && behind[next].text(text).starts_with('\'')
        && goes_on(text, &behind[..next])
    {
        found.push(behind[next]);
        behind = &behind[next + 1..];
    }
    (found, behind)
}

/// Whether a text goes on behind a gap.
fn goes_on(text: &str, gap: &[Token]) -> bool {
    gap.iter().any(|token| token.text(text).contains(['\n', '\r']))
        && gap.iter().all(|token| token.kind != TokenKind::BlockComment)
}

/// What stands within the quotes of a token.
fn characters(text: &str, token: Token) -> Vec<Character> {
    let shown = token.text(text);
    let first = shown.find(['\'', '"']).map_or(0, |quote| quote + 1);
    let inside = shown.get(first..shown.len().saturating_sub(1)).unwrap_or_default();
    inside.char_indices().map(|(at, it)| (token.span.start + first + at, it)).collect()
}

/// The characters with one quote where there are two.
fn undoubled(mut characters: Vec<Character>, quote: char) -> Vec<Character> {
    let mut is_first = false;
    characters.retain(|&(_, character)| {
        is_first = character == quote && !is_first;
        !is_first
    });
    characters
}

/// What UESCAPE makes the sign of a text in front of it.
enum Sign {
    Is(char),
    /// What stands there is not looked into here.
    Unseen,
    /// No text stands at a place.
    None(usize),
    /// From and up to what cannot be one.
    Wrong(usize, usize),
}

fn named_sign<'a>(text: &str, behind: &'a [Token]) -> Sign {
    let next = |tokens: &'a [Token]| {
        let index = tokens.iter().position(|token| !token.is_trivia())?;
        Some(&tokens[index..])
    };
    let Some(word) = next(behind).filter(|it| it[0].is_word(text, "UESCAPE")) else {
        return Sign::Is('\\');
    };
    let Some(named) = next(&word[1..]) else { return Sign::None(word[0].span.end) };
    match (named[0].kind, named[0].text(text).bytes().next()) {
        (TokenKind::String, Some(b'\'')) => {}
        (TokenKind::DollarString, _) | (TokenKind::String, Some(b'e' | b'E')) => {
            return Sign::Unseen;
        }
        _ => return Sign::None(named[0].span.start),
    }
    let (pieces, _) = pieces(text, named);
    let (start, end) = (pieces[0].span.start, pieces[pieces.len() - 1].span.end);
    let mut signs = pieces.into_iter().flat_map(|it| undoubled(characters(text, it), '\''));
    match (signs.next(), signs.next()) {
        (Some((_, sign)), None) if sign.is_ascii() && !is_no_sign(sign) => Sign::Is(sign),
        _ => Sign::Wrong(start, end),
    }
}

fn is_no_sign(character: char) -> bool {
    character.is_ascii_hexdigit() || "+'\" \t\n\r\u{c}".contains(character)
}

/// The first unit that is wrong; `end` is where the text ends.
fn judge(
    characters: &[Character],
    end: usize,
    unit: impl Fn(&[Character]) -> (usize, Unit),
) -> Option<Wrong> {
    let place = |index: usize| characters.get(index).map_or(end, |&(at, _)| at);
    // The first half of a pair, which must be followed by the second.
    let mut half: Option<Wrong> = None;
    let mut index = 0;
    while index < characters.len() {
        let (length, unit) = unit(&characters[index..]);
        let wrong = |escape| Some((place(index), place(index + length), escape));
        match (unit, half.take()) {
            (Unit::Code(0xDC00..=0xDFFF), Some(_)) => {}
            (_, Some(half)) => return Some(half),
            (Unit::Code(0xD800..=0xDBFF), None) => half = wrong(Escape::Half),
            (Unit::Code(0xDC00..=0xDFFF), None) => return wrong(Escape::Half),
            (Unit::Code(0 | 0x11_0000..), None) => return wrong(Escape::NoCharacter),
            (Unit::Wrong(escape), None) => return wrong(escape),
            (Unit::Code(_) | Unit::Plain, None) => {}
        }
        index += length;
    }
    half
}

/// What begins an `E'...'`, or what is left of it, and how many characters it has.
fn backslash(left: &[Character]) -> (usize, Unit) {
    let kind = left.get(1).map_or(' ', |&(_, kind)| kind);
    match (left[0].1, kind) {
        ('\\', 'u' | 'U') => {
            let wanted = if kind == 'u' { 4 } else { 8 };
            match number(left, 2, 16, wanted) {
                (n, code) if n == wanted => (2 + n, Unit::Code(code)),
                _ => (tried(left, 2, wanted), Unit::Wrong(Escape::Digits(wanted))),
            }
        }
        ('\\', 'x') => byte(2, number(left, 2, 16, 2)),
        ('\\', '0'..='7') => byte(1, number(left, 1, 8, 3)),
        ('\\', _) => (2, Unit::Plain),
        _ => (1, Unit::Plain),
    }
}

/// A byte by its number, of which the server takes the last eight bits.
fn byte(n_before: usize, (n_digits, value): (usize, u32)) -> (usize, Unit) {
    let is_zero = n_digits > 0 && value % 256 == 0;
    (n_before + n_digits, if is_zero { Unit::Wrong(Escape::Zero) } else { Unit::Plain })
}

/// What begins an `U&'...'`, or what is left of it, and how many characters it has.
fn signed(left: &[Character], sign: char) -> (usize, Unit) {
    let behind = left.get(1).map(|&(_, behind)| behind);
    if left[0].1 != sign {
        return (1, Unit::Plain);
    }
    if behind == Some(sign) {
        return (2, Unit::Plain);
    }
    let (first, wanted) = if behind == Some('+') { (2, 6) } else { (1, 4) };
    match number(left, first, 16, wanted) {
        (n, code) if n == wanted => (first + n, Unit::Code(code)),
        _ => (tried(left, first, wanted), Unit::Wrong(Escape::NoNumber)),
    }
}

/// How many characters belong to an escape as it was meant, with letters among its digits.
fn tried(left: &[Character], first: usize, most: usize) -> usize {
    let meant = left.get(first..).unwrap_or_default().iter().take(most);
    first + meant.take_while(|(_, character)| character.is_ascii_alphanumeric()).count()
}

/// How many digits stand at an index, at most so many, and their value.
fn number(left: &[Character], first: usize, base: u32, most: usize) -> (usize, u32) {
    let digits = left.get(first..).unwrap_or_default().iter().take(most);
    let digits = digits.map_while(|&(_, character)| character.to_digit(base));
    digits.fold((0, 0), |(n, value), digit| (n + 1, value * base + digit))
}
