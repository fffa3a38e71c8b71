//! Rules over what other systems make of a name.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::filename::Part;
use crate::folder::LoadedFile;
use crate::rule::Rule;

/// The width of the history table's column `name`, in characters.
const NAME_MAX: usize = 255;

/// Characters that no name on Windows holds. Control characters are refused everywhere.
const FORBIDDEN: &[char] = &['<', '>', ':', '"', '|', '?', '*', '\\'];

/// Names of devices on Windows, whatever extension follows.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Checks what other systems make of the names of a folder.
pub(crate) fn check(files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    case_only(files, diagnostics);
    for file in files {
        let stem = file.name.stem.as_str();
        if file.name.part != Part::Down && stem.chars().count() > NAME_MAX {
            diagnostics.push(long_name(file));
        }
        let file_name = file.file.path().rsplit('/').next().unwrap_or_default();
        let fact = unportable(file_name).or_else(|| unportable(stem));
        if let Some(fact) = fact {
            diagnostics.push(
                Diagnostic::new(Rule::UnportableName, format!("a name that {fact}"))
                    .at(Place::file(file.file.path()))
                    .note("the name is the identity of the migration, so it must be the same on every system")
                    .help("rename the file, unless it is released"),
            );
        }
    }
}

fn case_only(files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, &LoadedFile> = BTreeMap::new();
    for file in files.iter().filter(|file| file.name.part != Part::Down) {
        let Some(first) = seen.insert(file.name.stem.to_lowercase(), file) else { continue };
        let same_version =
            first.name.version == file.name.version && !file.name.version.is_bare_date();
        // Two equal names, and two equal versions, have been told.
        if first.name.stem == file.name.stem || same_version {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                Rule::CaseOnlyNames,
                format!("`{}` and `{}` differ only in case", first.name.stem, file.name.stem),
            )
            .at(Place::file(file.file.path()))
            .also(Place::file(first.file.path()))
            .note("on Windows and macOS they are one file, so a checkout there lacks one of them")
            .help("rename the one that is not released"),
        );
    }
}

fn long_name(file: &LoadedFile) -> Diagnostic {
    let n = file.name.stem.chars().count();
    Diagnostic::new(Rule::LongName, format!("a name of {n} characters"))
        .at(Place::file(file.file.path()))
        .note(format!("the history table stores names of at most {NAME_MAX} characters"))
        .help("shorten it; what it says belongs into a comment at the head of the file")
}

/// What is wrong with a name elsewhere, as the end of a sentence that begins «a name that».
fn unportable(name: &str) -> Option<String> {
    // Each question is one call into the optimised standard library, which a loop of our own is not.
    let is_forbidden = FORBIDDEN.iter().any(|it| name.contains(*it));
    if let Some(character) = name.chars().find(|it| is_forbidden && FORBIDDEN.contains(it)) {
        return Some(format!("holds `{character}`, which Windows cannot store"));
    }
    if name.ends_with(['.', ' ']) {
        return Some("ends in a dot or a space, which Windows drops".to_owned());
    }
    let base = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_port = |port: &str| {
        base.strip_prefix(port).is_some_and(|digit| {
            matches!(digit, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    if DEVICES.contains(&base.as_str()) || is_port("com") || is_port("lpt") {
        return Some(format!("is the device `{}` on Windows", base.to_uppercase()));
    }
    accented(name).map(|at| {
        format!("holds an accent of its own behind `{at}`, which other systems store as one letter")
    })
}

/// The letter before a combining diacritical mark (Unicode block U+0300 to U+036F).
///
/// Most of these pairs have a composed form, which is what keyboards type; the decomposed one comes
/// from macOS. The few without one are rarer than the harm.
fn accented(name: &str) -> Option<char> {
    if name.is_ascii() {
        return None;
    }
    let pairs = name.chars().zip(name.chars().skip(1));
    pairs
        .filter(|(letter, mark)| letter.is_alphabetic() && ('\u{300}'..='\u{36f}').contains(mark))
        .map(|(letter, _)| letter)
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Checksum;
    use crate::filename::{Judgement, judge};
    use crate::folder::Transaction;
    use crate::source::SourceFile;
    use std::path::PathBuf;
    use std::sync::Arc;

    #[track_caller]
    fn check_name(name: &str, expected: Option<&str>) {
        assert_eq!(unportable(name).as_deref(), expected, "{name}");
    }

    #[test]
    fn what_windows_cannot_store() {
        check_name("0001_a.sql", None);
        check_name("0001_create x@[1].v2.sql", None);
        check_name("0001_a?.sql", Some("holds `?`, which Windows cannot store"));
        check_name("0001_a\\b.sql", Some("holds `\\`, which Windows cannot store"));
        check_name("0001_a.", Some("ends in a dot or a space, which Windows drops"));
        check_name("0001_a ", Some("ends in a dot or a space, which Windows drops"));
        check_name("NUL.sql", Some("is the device `NUL` on Windows"));
        check_name("com1", Some("is the device `COM1` on Windows"));
        check_name("lpt².up.sql", Some("is the device `LPT²` on Windows"));
        check_name("com10.sql", None);
        check_name("console.sql", None);
    }

    #[test]
    fn an_accent_is_part_of_its_letter() {
        check_name("0001_größe.sql", None);
        check_name(
            "0001_gro\u{308}ße.sql",
            Some("holds an accent of its own behind `o`, which other systems store as one letter"),
        );
        // Thai vowels and the marks of Hindi have no composed form.
        check_name("0001_ที่.sql", None);
    }

    /// No common file system holds such a file, so this rule has no fixture; layouts that make a
    /// name of several parts may.
    #[test]
    fn a_name_must_fit_the_column() {
        let file = |n: usize| {
            let name = format!("1_{}.sql", "é".repeat(n - 2));
            let Judgement::Migration(judged) = judge(&name) else { panic!("{name}") };
            let file = Arc::new(SourceFile::new(format!("migrations/{name}"), "SELECT 1;\n"));
            let checksum = Checksum::of(file.text());
            let (path, transaction) = (PathBuf::new(), Transaction::One);
            LoadedFile { path, name: judged, file, checksum, transaction }
        };
        let found = |n| {
            let mut diagnostics = Vec::new();
            check(&[file(n)], &mut diagnostics);
            diagnostics
        };
        assert_eq!(found(255), []);
        let [problem] = found(256).try_into().unwrap();
        assert_eq!(
            (problem.rule(), problem.headline()),
            (Rule::LongName, "a name of 256 characters")
        );
    }
}
