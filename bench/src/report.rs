//! Tables, and the page they are written into.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::Result;

/// The page, beside `Cargo.toml`.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");

/// What was resolved, and so what is measured.
pub const LOCK_FILE: &str = include_str!("../Cargo.lock");

/// A table in Markdown.
#[must_use]
pub fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        let cells = cells.join(" | ");
        // A String takes everything.
        let _infallible = writeln!(text, "| {cells} |");
    };
    line(head);
    let rule: Vec<_> =
        (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }.to_owned()).collect();
    line(&rule);
    for row in rows {
        line(row);
    }
    text
}

/// Replaces the part of the page between `<!-- name -->` and `<!-- end of name -->`.
///
/// # Errors
///
/// When the page cannot be read or written, or has no such part.
pub fn write(name: &str, text: &str) -> Result<()> {
    let page = std::fs::read_to_string(PAGE)?;
    std::fs::write(Path::new(PAGE), replaced(&page, name, text)?)?;
    Ok(())
}

fn replaced(page: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) =
        page.split_once(&begin).ok_or_else(|| format!("no `{}` in the page", begin.trim_end()))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| format!("no `{end}` in the page"))?;
    Ok(format!("{before}{begin}\n{text}\n{end}{after}"))
}

/// The first line a program says about itself.
///
/// # Errors
///
/// When it cannot be started.
pub fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("`{program}`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Today, in UTC.
///
/// # Errors
///
/// When there is no `date`.
pub fn today() -> Result<String> {
    said("date", &["-u", "+%Y-%m-%d"])
}

/// The version of a crate in the lock file.
#[must_use]
pub fn version(krate: &str) -> &'static str {
    let entry = format!("name = \"{krate}\"\nversion = \"");
    let rest = LOCK_FILE.split_once(&entry).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("?", |(version, _)| version)
}

/// The versions of several, in words.
#[must_use]
pub fn versions(crates: &[&str]) -> String {
    crates.iter().map(|it| format!("{it} {}", version(it))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_part_changes() -> Result<()> {
        let page = "a\n<!-- run -->\nold\n<!-- end of run -->\nb\n";
        let page = replaced(page, "run", "new")?;
        assert_eq!(page, "a\n<!-- run -->\n\nnew\n<!-- end of run -->\nb\n");
        assert!(replaced(&page, "builds", "x").is_err());
        Ok(())
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        assert!(version("tokio-postgres").starts_with("0.7."));
        assert_eq!(version("no-such-crate"), "?");
    }
}
