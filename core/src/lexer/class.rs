//! What a byte may begin: one look into a table instead of a chain of comparisons.

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Space,
    /// A letter, an underscore, or a byte of a character outside of ASCII.
    Letter,
    /// A letter that may begin a quoted thing: B, E, N, U, X.
    Prefix,
    Digit,
    /// A character of an operator.
    Operator,
    Single,
    Quote,
    DoubleQuote,
    Dollar,
    Backslash,
    Other,
}

/// The class of each byte.
pub(super) const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0u8;
    loop {
        let class = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => Class::Space,
            b'b' | b'B' | b'e' | b'E' | b'n' | b'N' | b'u' | b'U' | b'x' | b'X' => Class::Prefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'+' | b'-' | b'*'
            | b'/' | b'%' | b'<' | b'>' | b'=' => Class::Operator,
            b',' | b';' | b'(' | b')' | b'[' | b']' | b'.' | b':' => Class::Single,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'$' => Class::Dollar,
            b'\\' => Class::Backslash,
            _ => Class::Other,
        };
        table[byte as usize] = class;
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

pub(super) fn begins_word(byte: u8) -> bool {
    matches!(CLASSES[byte as usize], Class::Letter | Class::Prefix)
}
