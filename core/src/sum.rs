//! `dunlin.sum`: which migrations are released, and what they were then.
//!
//! Separate from the history table because it needs no database: an edit of a released migration
//! fails the build. The file lies in the folder, is optional, and is read by every build and written
//! by none: recording is what releasing means, and a build that recorded would agree with anything.
//!
//! # Use
//!
//! Begin with a file that holds only the line `# dunlin.sum 1`. The build then warns that the
//! migrations are not recorded (rule `unrecorded`) and shows the lines to append; append them when
//! the migrations are released. From then on a build fails when one of them is edited, removed,
//! renamed or moved in the order, and names the file. A new migration may be edited at will until
//! its line is appended; a team that wants none unrecorded says `deny = ["unrecorded"]`.
//!
//! The compiler watches the file, so that recording a migration builds it in, also without a
//! `build.rs`.
//!
//! Two branches that both record a migration conflict when they are merged. Keep the lines of both
//! and build: the message shows the lines that are right for the order the two now have.
//!
//! `cargo dunlin new` adds the comment `# begun: <name>`, which records nothing, so that two branches
//! that both begin a migration conflict as well. `cargo dunlin sum` takes such comments away when it
//! records.
//!
//! # Format
//!
//! UTF-8 text. The first line is `# dunlin.sum 1`, where 1 is the version of the format; other lines
//! that begin with `#`, and blank ones, mean nothing. Each other line is one migration, in the order
//! they run in: 64 hexadecimal digits in lower case, one space, and the whole name of the migration.
//! Line ends may be LF, CRLF or CR, a byte order mark and spaces at the front of a line are passed
//! over. Dunlin writes LF and nothing else.
//!
//! The digits are a running hash:
//!
//! ```text
//! hash(0) = 32 bytes of zero
//! hash(n) = SHA-256( hash(n-1) || length(name) || name || SHA-256(text) )
//! ```
//!
//! `length` is the number of bytes as 8 bytes, the highest first, so that no name and text can be
//! taken for others; `text` is normalised as for [`Checksum`]. The undo is not part of it: mending
//! one changes nothing that was released.
//!
//! Because each hash depends on the one before, two branches that both record a migration write
//! different lines in the same place, and lines that were merged without looking do not follow from
//! each other.
//!
//! **Invariant:** a sum about which nothing is found is, line by line, the one [`write()`] would make
//! of the same migrations, apart from those behind its last line.

mod begun;
mod check;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::checksum::{Checksum, hex};
use crate::diagnostic::Diagnostic;
use crate::rule::Rule;
use crate::source::{SourceFile, Span};

pub use self::begun::{begin, begun_as};

/// The name of the file in a migrations folder.
pub const FILE_NAME: &str = "dunlin.sum";

const HEADER: &str = "# dunlin.sum 1";
const EXPLANATION: &str = "# Released migrations. The build fails when one of them changes; new ones are recorded on purpose.";

/// A hash of the chain.
type Link = [u8; 32];

/// What is before the first.
const START: Link = [0; 32];

/// A migration as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The whole name.
    pub name: &'a str,
    /// The checksum of its text.
    pub checksum: Checksum,
    /// The file, as messages show it.
    pub path: &'a str,
}

/// A `dunlin.sum` that was read.
#[derive(Clone, Debug)]
pub struct Sum {
    file: Arc<SourceFile>,
    lines: Vec<Line>,
    /// Where the line of each name is.
    by_name: BTreeMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Line {
    link: Link,
    name: String,
    span: Span,
}

/// The text of a sum that records these migrations, whatever was recorded before.
#[must_use]
pub fn write(migrations: &[Entry<'_>]) -> String {
    format!("{HEADER}\n{EXPLANATION}\n{}", lines(START, migrations))
}

/// What recording gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The text of the sum.
    pub text: String,
    /// How many migrations it records that the old one did not.
    pub n_new: usize,
}

/// The sum that records these migrations, made of the one that was there.
///
/// What is recorded already must be as it was; what is new must come behind it, and is added.
///
/// # Errors
///
/// What is wrong with the sum, or with what it records; then nothing should be written.
pub fn record(
    old: Option<&Arc<SourceFile>>,
    migrations: &[Entry<'_>],
) -> Result<Recorded, Vec<Diagnostic>> {
    let Some(old) = old else {
        return Ok(Recorded { text: write(migrations), n_new: migrations.len() });
    };
    let sum = Sum::read(old)?;
    let mut found = sum.check(migrations);
    found.retain(|it| it.rule() != Rule::Unrecorded);
    if !found.is_empty() {
        return Err(found);
    }
    // Nothing was found, so the lines are those of the first migrations.
    let new = &migrations[sum.lines.len()..];
    // Whatever was begun is recorded now.
    let text = begun::without_begun(old.text());
    let line_end = if text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{line_end}{}", lines(sum.last(), new));
    Ok(Recorded { text, n_new: new.len() })
}

/// The hash of a migration behind another one.
fn link(previous: Link, migration: &Entry<'_>) -> Link {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update((migration.name.len() as u64).to_be_bytes());
    hasher.update(migration.name);
    hasher.update(migration.checksum.as_bytes());
    hasher.finalize().into()
}

/// The hashes of a whole folder.
fn chain(migrations: &[Entry<'_>]) -> Vec<Link> {
    let mut previous = START;
    let links = migrations.iter().map(|migration| {
        previous = link(previous, migration);
        previous
    });
    links.collect()
}

/// The lines of some migrations behind what has this hash.
fn lines(mut previous: Link, migrations: &[Entry<'_>]) -> String {
    let mut text = String::new();
    for migration in migrations {
        previous = link(previous, migration);
        let _never_fails = writeln!(text, "{} {}", hex(&previous), migration.name);
    }
    text
}
