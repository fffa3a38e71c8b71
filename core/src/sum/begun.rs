//! Migrations that are begun and not released: comments in a sum.
//!
//! They record nothing, and so a begun migration may be edited at will. They are there for git: two
//! branches that both begin a migration change the same place of one file.

const BEGUN: &str = "# begun: ";

/// The text of a sum with a migration begun behind all others.
#[must_use]
pub fn begin(text: &str, name: &str) -> String {
    let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{line_end}{BEGUN}{name}\n")
}

/// The text of a sum in which a begun migration has another name; the same where it is not begun.
#[must_use]
pub fn begun_as(text: &str, old: &str, new: &str) -> String {
    let renamed = |line: &str| match line.strip_prefix(BEGUN) {
        Some(name) if name.trim_end() == old => format!("{BEGUN}{new}\n"),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(renamed).collect()
}

/// The text of a sum in which nothing is begun.
pub(super) fn without_begun(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(BEGUN)).collect()
}
