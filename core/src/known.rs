//! What an earlier build has found out about texts, so that the next one need not look again.
//!
//! Separate from the checks because what is known outlives a build: the macro keeps it in the folder that
//! cargo gives a package for such things.
//!
//! **Invariant:** a text is in order only if it runs as it is in one transaction and no rule said anything of
//! it: by the same version, in the same layout, with the same options. What cannot be read is as good as
//! nothing.

mod sources;

use std::collections::BTreeMap;
use std::fmt;

use crate::checksum::Checksum;
use crate::filename::Part;
use crate::layout::Layout;
use crate::options::Options;

/// Texts of migrations, their checksums, and which of them are in order.
///
/// ```
/// use dunlin_core::Known;
///
/// assert_eq!(Known::parse(&Known::default().to_string()), Known::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What they were judged by.
    by: String,
    /// By the text itself: hashing a thousand of them is most of what a macro does, which is not optimised,
    /// and comparing them is next to nothing.
    texts: BTreeMap<String, Text>,
}

/// What everything begins with that this version has found out.
const VERSION: &str = concat!("dunlin-core ", env!("CARGO_PKG_VERSION"), ", ");

/// What is known of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Text {
    /// Of the text as it is. A section of a file is known without, as its checksum leaves out blank lines.
    checksum: Option<Checksum>,
    /// Whether it is in order as a migration.
    up: bool,
    /// Whether it is in order as an undo.
    down: bool,
}

impl Known {
    /// Nothing yet, to be judged by the rules of this version for a layout.
    pub(crate) fn by(layout: Layout, options: &Options) -> Self {
        let syntax = options.syntax && cfg!(feature = "syntax");
        let by = format!(
            "{VERSION}layout {}, syntax {syntax}, history table {:?}",
            layout.id(),
            options.history_table
        );
        Self { by, ..Self::default() }
    }

    /// A number for the rules of this build, another one as soon as one of their sources is.
    ///
    /// What is kept between builds is good only as long as it is the same: the version stays, where the
    /// crate comes out of a repository.
    #[must_use]
    pub fn rules() -> u128 {
        sources::number()
    }

    /// Whether both were judged by the same.
    pub(crate) fn is_comparable(&self, other: &Self) -> bool {
        self.by == other.by
    }

    /// Whether a text is in order.
    pub(crate) fn has(&self, part: Part, text: &str) -> bool {
        let is_in_order = |it: &Text| if part == Part::Down { it.down } else { it.up };
        self.texts.get(text).is_some_and(is_in_order)
    }

    pub(crate) fn add(&mut self, part: Part, text: &str) {
        let known = self.texts.entry(text.to_owned()).or_default();
        if part == Part::Down {
            known.down = true;
        } else {
            known.up = true;
        }
    }

    /// The checksum of a text that this version has hashed before.
    pub(crate) fn checksum(&self, text: &str) -> Option<Checksum> {
        let texts = Some(&self.texts).filter(|_| self.by.starts_with(VERSION));
        texts.and_then(|it| it.get(text)).and_then(|it| it.checksum)
    }

    pub(crate) fn add_checksum(&mut self, text: &str, checksum: Checksum) {
        self.texts.entry(text.to_owned()).or_default().checksum = Some(checksum);
    }

    /// What [`Display`](fmt::Display) has written.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (by, mut rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut texts = Vec::new();
        while let Some((known, behind)) = one(rest) {
            texts.push(known);
            rest = behind;
        }
        Self { by: by.to_owned(), texts: texts.into_iter().collect() }
    }
}

/// `14 up sha256:...`, and 14 bytes behind the end of the line.
fn one(rest: &str) -> Option<((String, Text), &str)> {
    let (line, rest) = rest.split_once('\n')?;
    let (n_bytes, line) = line.split_once(' ')?;
    let (parts, checksum) = line.split_once(' ')?;
    let (text, rest) = rest.split_at_checked(n_bytes.parse().ok()?)?;
    let (up, down) = match parts {
        "both" => (true, true),
        "up" => (true, false),
        "down" => (false, true),
        "neither" => (false, false),
        _ => return None,
    };
    let checksum = if checksum == "-" { None } else { Some(checksum.parse().ok()?) };
    Some(((text.to_owned(), Text { checksum, up, down }), rest))
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.by)?;
        for (text, &Text { checksum, up, down }) in &self.texts {
            let parts = match (up, down) {
                (true, true) => "both",
                (true, false) => "up",
                (false, true) => "down",
                (false, false) => "neither",
            };
            let checksum = checksum.map_or_else(|| "-".to_owned(), |it| it.to_string());
            write!(f, "{} {parts} {checksum}\n{text}", text.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(texts: &[&str]) -> Known {
        let mut known = Known::by(Layout::Dunlin, &Options::default());
        for text in texts {
            known.add_checksum(text, Checksum::of(text));
        }
        known
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut known =
            known(&["", "SELECT 1;\n", "3 up sha256:00\nabc3 up -\nabc", "é\n\n", "no end"]);
        known.add(Part::Up, "SELECT 1;\n");
        known.add(Part::Up, "é\n\n");
        known.add(Part::Down, "é\n\n");
        known.add(Part::Down, "\n\nsection");
        let read = Known::parse(&known.to_string());
        assert_eq!(read, known);
        assert_eq!(read.checksum("no end"), Some(Checksum::of("no end")));
        assert_eq!(read.checksum("\n\nsection"), None);
        let in_order = |text| (read.has(Part::Up, text), read.has(Part::Down, text));
        assert_eq!(in_order("SELECT 1;\n"), (true, false));
        assert_eq!(in_order("é\n\n"), (true, true));
        assert_eq!(in_order("\n\nsection"), (false, true));
        assert_eq!(in_order("no end"), (false, false));
        assert_eq!(in_order("unknown"), (false, false));
    }

    #[test]
    fn what_was_cut_off_is_not_known() {
        let whole = known(&["SELECT 1;\n", "SELECT 'é';\n"]).to_string();
        for (end, _) in whole.char_indices() {
            let read = Known::parse(&whole[..end]);
            for text in read.texts.keys() {
                assert_eq!(read.checksum(text), Some(Checksum::of(text)), "{end}");
            }
            assert!(read.texts.len() < 2, "{end}");
        }
    }
}
