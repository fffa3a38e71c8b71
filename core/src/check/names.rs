//! Rules over the names of all files of a folder.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::filename::Part;
use crate::folder::LoadedFile;
use crate::layout::Layout;
use crate::rule::Rule;
use crate::version::{Version, VersionKind};

/// Checks the names of a folder against each other.
pub(crate) fn check(layout: Layout, files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    duplicate_names(files, diagnostics);
    if !layout.shares_versions() {
        duplicate_versions(files, diagnostics);
    }
    mixed_versions(files, diagnostics);
    orphan_undos(layout, files, diagnostics);
}

fn ups(files: &[LoadedFile]) -> impl Iterator<Item = &LoadedFile> + Clone {
    files.iter().filter(|file| file.name.part != Part::Down)
}

fn place(file: &LoadedFile) -> Place {
    Place::file(file.file.path())
}

/// `1_a.sql`, `1_a.up.sql` and `1_a.rs` are one migration, and so can only be one file.
fn duplicate_names(files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&str, bool), &LoadedFile> = BTreeMap::new();
    for file in files {
        let key = (file.name.stem.as_str(), file.name.part == Part::Down);
        if let Some(first) = seen.get(&key) {
            diagnostics.push(
                Diagnostic::new(
                    Rule::DuplicateName,
                    format!("two files for the migration `{}`", file.name.stem),
                )
                .at(place(file))
                .also(place(first))
                .help("keep one of them, or give the other a version and a name of its own"),
            );
        } else {
            let _none = seen.insert(key, file);
        }
    }
}

/// Versions decide the order. Only a bare date says too little to be meant as one.
fn duplicate_versions(files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    // Names are sorted, and so nearly always are their versions: each is then compared once.
    if ups(files).map(|file| &file.name.version).is_sorted_by(|left, right| left < right) {
        return;
    }
    let mut seen: BTreeMap<&Version, &LoadedFile> = BTreeMap::new();
    for file in ups(files).filter(|file| !file.name.version.is_bare_date()) {
        let Some(first) =
            seen.get(&file.name.version).filter(|first| first.name.stem != file.name.stem)
        else {
            let _previous = seen.insert(&file.name.version, file);
            continue;
        };
        let (version, stem) = (&file.name.version, &file.name.stem);
        let free = next_version(ups(files).map(|file| &file.name.version), version);
        let name = &stem[version.as_str().len()..];
        let tail = &file.file.path()
            [file.file.path().rfind(stem.as_str()).map_or(0, |at| at + stem.len())..];
        let (what, tail) = if tail.starts_with('/') { ("folders", "") } else { ("files", tail) };
        diagnostics.push(
            Diagnostic::new(Rule::DuplicateVersion, format!("duplicate version `{version}`"))
                .at(place(file))
                .also(place(first))
                .note("versions decide the order, so each may be used once")
                .help(format!("rename one of the {what}, for example to `{free}{name}{tail}`")),
        );
    }
}

/// The version behind the last one, written with as many digits as `like`.
fn next_version<'a>(versions: impl Iterator<Item = &'a Version>, like: &Version) -> String {
    let last =
        versions.filter(|version| version.kind() == like.kind()).max().unwrap_or(like).as_str();
    let prefix = &last[..last.len() - last.bytes().rev().take_while(u8::is_ascii_digit).count()];
    let mut digits = last.as_bytes()[prefix.len()..].to_vec();
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return format!("{prefix}{}", String::from_utf8_lossy(&digits));
        }
        *digit = b'0';
    }
    format!("{prefix}1{}", String::from_utf8_lossy(&digits))
}

fn mixed_versions(files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    let of_kind = |kind| ups(files).filter(move |file| file.name.version.kind() == kind);
    let (counters, timestamps) = (of_kind(VersionKind::Counter), of_kind(VersionKind::Timestamp));
    let (Some(counter), Some(timestamp)) = (counters.clone().next(), timestamps.clone().next())
    else {
        return;
    };
    let few_counters = counters.count() <= timestamps.count();
    let (odd, other) = if few_counters { (counter, timestamp) } else { (timestamp, counter) };
    diagnostics.push(
        Diagnostic::new(
            Rule::MixedVersions,
            format!(
                "the counter `{}` and the timestamp `{}` in one folder",
                counter.name.version, timestamp.name.version
            ),
        )
        .at(place(odd))
        .also(place(other))
        .note("a number has no place among dates, so the order cannot be told")
        .help(format!("give `{}` a version of the kind the other files have", odd.name.stem)),
    );
}

fn orphan_undos(layout: Layout, files: &[LoadedFile], diagnostics: &mut Vec<Diagnostic>) {
    for down in files.iter().filter(|file| file.name.part == Part::Down) {
        if ups(files).any(|up| up.name.stem == down.name.stem) {
            continue;
        }
        let same_version = ups(files).find(|up| up.name.version == down.name.version);
        let diagnostic = Diagnostic::new(
            Rule::OrphanUndo,
            format!("an undo without its migration `{}`", layout.file_of(&down.name.stem)),
        )
        .at(place(down));
        diagnostics.push(match same_version {
            Some(up) => {
                let name = layout.undo_file_of(&up.name.stem);
                diagnostic.also(place(up)).help(format!("rename it to `{name}`"))
            }
            None => {
                let migration = layout.file_of(&down.name.stem);
                diagnostic.help(format!("add `{migration}`, or remove this file"))
            }
        });
    }
}
