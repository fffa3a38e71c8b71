//! The text of one file and places in it.
//!
//! Kept apart so that byte offsets, which the lexer counts, and lines and columns, which people and
//! PostgreSQL count, are converted in one place only.
//!
//! **Invariant:** [`Location`] counts from 1, and columns count characters.

use std::fmt;

/// A range of bytes in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The text in this range, or nothing when the range does not fit the text.
    #[must_use]
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    line: usize,
    column: usize,
}

impl Location {
    /// Where the byte at `offset` of `text` stands.
    ///
    /// An offset inside a character means that character; one behind the text means its end.
    #[must_use]
    pub fn of_byte(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The byte offset in `text` of the place this location names; the end of a line when the
    /// line is shorter, the end of the text when it has fewer lines.
    #[must_use]
    pub fn to_byte(self, text: &str) -> usize {
        let mut start = 0;
        for _ in 1..self.line {
            match text[start..].find('\n') {
                Some(newline) => start += newline + 1,
                None => return text.len(),
            }
        }
        let line = text[start..].split('\n').next().unwrap_or_default();
        start + line.char_indices().nth(self.column - 1).map_or(line.len(), |(index, _)| index)
    }

    /// The line, from 1.
    #[must_use]
    pub const fn line(self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub const fn column(self) -> usize {
        self.column
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The byte offset of a character that is counted from 1, as PostgreSQL counts in the field `P` of
/// an error (Frontend/Backend Protocol, Error and Notice Message Fields).
///
/// A position behind the text is the end of the text; position 0 does not exist and means the start.
#[must_use]
pub fn byte_of_character(text: &str, position: usize) -> usize {
    text.char_indices().nth(position.saturating_sub(1)).map_or(text.len(), |(index, _)| index)
}

/// A text file as it is shown to people and as it is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    /// A file with the path that messages show; `raw` is normalised (see [`normalise`]).
    #[must_use]
    pub fn new(path: impl Into<String>, raw: &str) -> Self {
        Self { path: path.into(), text: normalise(raw) }
    }

    /// The path as messages show it, with `/` between folders.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The normalised text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the byte at `offset` of the normalised text stands. Normalising moves no character to
    /// another line or column, so this is also its place in the file on disk.
    #[must_use]
    pub fn location(&self, offset: usize) -> Location {
        Location::of_byte(&self.text, offset)
    }
}

/// Removes a byte order mark and turns CRLF and CR into LF.
///
/// What a checkout or an editor does to line endings must not look like an edit, and a mark in
/// front of the first statement is a syntax error to PostgreSQL.
#[must_use]
pub fn normalise(raw: &str) -> String {
    let text = raw.strip_prefix('\u{feff}').unwrap_or(raw);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, offset: usize, expected: &str) {
        assert_eq!(Location::of_byte(text, offset).to_string(), expected, "{text:?} at {offset}");
    }

    #[test]
    fn locations_count_lines_and_characters_from_one() {
        check("", 0, "1:1");
        check("abc", 0, "1:1");
        check("abc", 2, "1:3");
        check("abc", 3, "1:4");
        check("a\nb", 1, "1:2");
        check("a\nb", 2, "2:1");
        check("a\n", 2, "2:1");
        check("\n\nx", 2, "3:1");
        check("é表😀x", "é表😀".len(), "1:4");
        check("é\n表x", "é\n表".len(), "2:2");
        check("é", 1, "1:1");
        check("abc", 99, "1:4");
    }

    #[test]
    fn a_server_position_counts_characters() {
        assert_eq!(byte_of_character("é表😀x", 4), "é表😀".len());
        assert_eq!(byte_of_character("abc", 1), 0);
        assert_eq!(byte_of_character("abc", 9), 3);
    }

    #[test]
    fn normalising_touches_only_the_mark_and_the_line_ends() {
        assert_eq!(normalise("\u{feff}a\r\nb\rc\n\nd\u{feff}"), "a\nb\nc\n\nd\u{feff}");
    }

    proptest! {
        #[test]
        fn a_location_leads_back_to_its_byte(text in "[a-c\n\té表😀 ]{0,40}", at in 0usize..60) {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            prop_assert_eq!(Location::of_byte(&text, at).to_byte(&text), at);
        }
    }
}
