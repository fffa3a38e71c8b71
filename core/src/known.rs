//! Texts in which nothing was found before, so that a build need not look again.
//!
//! Separate from the checks because what is known outlives a build: the macro keeps it in the folder that
//! cargo gives a package for such things.
//!
//! **Invariant:** a text is known only if it runs as it is in one transaction and no rule said anything of
//! it: by the same version, in the same layout, with the same options. What cannot be read is as good as
//! nothing.

use std::collections::BTreeSet;
use std::fmt;

use crate::checksum::Checksum;
use crate::filename::Part;
use crate::layout::Layout;
use crate::options::Options;

/// Texts that are in order, by their checksums.
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
    texts: BTreeSet<(bool, Checksum)>,
}

impl Known {
    /// Nothing yet, to be judged by the rules of this version for a layout.
    pub(crate) fn by(layout: Layout, options: &Options) -> Self {
        let syntax = options.syntax && cfg!(feature = "syntax");
        let by = format!(
            "dunlin-core {}, layout {}, syntax {syntax}, history table {:?}",
            env!("CARGO_PKG_VERSION"),
            layout.id(),
            options.history_table
        );
        Self { by, texts: BTreeSet::new() }
    }

    /// Whether both were judged by the same.
    pub(crate) fn is_comparable(&self, other: &Self) -> bool {
        self.by == other.by
    }

    pub(crate) fn has(&self, part: Part, text: &Checksum) -> bool {
        self.texts.contains(&(part == Part::Down, *text))
    }

    pub(crate) fn add(&mut self, part: Part, text: Checksum) {
        let _is_new = self.texts.insert((part == Part::Down, text));
    }

    /// What [`Display`](fmt::Display) has written.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (by, lines) = text.split_once('\n').unwrap_or((text, ""));
        let line = |line: &str| {
            let (part, text) = line.split_once(' ')?;
            Some((part == "down", text.parse().ok()?))
        };
        Self { by: by.to_owned(), texts: lines.lines().filter_map(line).collect() }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.by)?;
        self.texts.iter().try_for_each(|(is_down, text)| {
            writeln!(f, "{} {text}", if *is_down { "down" } else { "up" })
        })
    }
}
