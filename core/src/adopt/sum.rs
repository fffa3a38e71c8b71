//! The checksums of other tools, computed again.
//!
//! Each tool hashes the bytes of the file, and a registry keeps the text without a byte order mark and
//! with LF. So a text is tried as the file may have been: with LF and with CRLF, with and without a
//! mark. A file whose line ends were mixed cannot be told from one that was edited.
//!
//! sqlx can be told to pass over blanks (`ignored-chars` in `sqlx.toml`); the set that its manual proposes
//! is tried as well.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256, Sha384};
use siphasher::sip::SipHasher13;

use super::Tool;
use super::record::Record;
use crate::checksum::hex;

/// What comparing a text with a recorded checksum gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sum {
    /// They agree.
    Same,
    /// They do not; this is the text's.
    Other(String),
    /// The row has none, or the tool keeps none.
    Unknown,
}

/// Compares a text with the checksum a row has.
#[must_use]
pub fn sum_of(tool: Tool, record: &Record, text: &str) -> Sum {
    let Some(recorded) = record.sum.as_deref() else { return Sum::Unknown };
    let version = record.key.as_deref().unwrap_or_default();
    let any = |hash: &dyn Fn(&str) -> String| {
        let files = files(text);
        if files.iter().any(|file| hash(file).eq_ignore_ascii_case(recorded)) {
            Sum::Same
        } else {
            Sum::Other(hash(text))
        }
    };
    match tool {
        Tool::Sqlx => match any(&sqlx) {
            Sum::Other(_) if sqlx(&without_blanks(text)).eq_ignore_ascii_case(recorded) => {
                Sum::Same
            }
            sum => sum,
        },
        Tool::Prisma => any(&|file| hex(&Sha256::digest(file.as_bytes()))),
        Tool::Flyway => any(&flyway),
        Tool::Refinery => {
            // With the feature `int8-versions` the version is hashed as 64 bits.
            let wide =
                |file: &str| refinery(&record.description, version.parse::<i64>().ok(), file);
            match any(&wide) {
                Sum::Same => Sum::Same,
                _ => any(&|file| refinery(&record.description, version.parse::<i32>().ok(), file)),
            }
        }
        _ => Sum::Unknown,
    }
}

/// sqlx': SHA-384 of the file.
fn sqlx(file: &str) -> String {
    hex(&Sha384::digest(file.as_bytes()))
}

/// What sqlx hashes with `ignored-chars = [" ", "\t", "\r", "\n", "\uFEFF"]`.
fn without_blanks(text: &str) -> String {
    text.chars().filter(|it| !matches!(it, ' ' | '\t' | '\r' | '\n' | '\u{feff}')).collect()
}

/// What the file of a text may have been.
fn files(text: &str) -> [String; 4] {
    let windows = text.replace('\n', "\r\n");
    let marked = |text: &str| format!("\u{feff}{text}");
    [text.to_owned(), windows.clone(), marked(text), marked(&windows)]
}

/// Flyway's: CRC-32 over the lines without their ends, as Java's signed integer. A mark is no part of it.
fn flyway(text: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        hasher.update(line.as_bytes());
    }
    hasher.finalize().cast_signed().to_string()
}

/// refinery's: SipHash-1-3 with no key over name, version and text, as `Hash` feeds them.
fn refinery(name: &str, version: Option<impl Hash>, text: &str) -> String {
    let Some(version) = version else { return String::new() };
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish().to_string()
}
