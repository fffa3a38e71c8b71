//! Whose layout a folder has.
//!
//! A layout leaves marks: lines inside files, names that mean nothing elsewhere, folders with files of
//! a certain name. A folder with the marks of one tool has its layout; one with the marks of two must
//! be told which. Many folders bear no mark, because `1_users.sql` is a name for half of the tools:
//! such a folder is Dunlin's own, as long as the others that could have made it would run it in the
//! same order.
//!
//! **Invariant:** no folder is read in silence as one layout if another that fits it would run it in
//! another order.

use std::collections::{BTreeMap, BTreeSet};

use super::section::{Line, Marker, Markers};
use super::{Layout, dbmate, diesel, flat, flyway, goose, prisma, sql_migrate, tern};
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Judgement, Part, judge};
use crate::folder::entry::Entry;
use crate::lexer::{Token, lex};
use crate::rule::Rule;
use crate::version::{Version, VersionKind};

/// The layout of a folder, or nothing when it fits two.
pub(crate) fn recognise(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Option<Layout> {
    let mut marks: BTreeMap<Layout, Place> = BTreeMap::new();
    let mut mark = |layout, place| {
        let _first = marks.entry(layout).or_insert(place);
    };
    folders(entries, &mut mark);
    for entry in entries.iter().filter(|entry| entry.is_file().is_ok_and(|is_file| is_file)) {
        if let Some((layout, place)) = inside(entry) {
            mark(layout, place);
        }
    }
    names(entries, &mut mark);
    let mut marks = marks.into_iter();
    match (marks.next(), marks.next()) {
        (None, _) => unmarked(entries, diagnostics),
        (Some((layout, _)), None) => Some(layout),
        (Some(one), Some(other)) => {
            diagnostics.push(two_layouts(one, other));
            None
        }
    }
}

fn folders(entries: &[Entry], mark: &mut impl FnMut(Layout, Place)) {
    let has = |folder: &Entry, name: &str| folder.peek_inside().iter().any(|it| it.name == name);
    let of = |name: &'static str| entries.iter().filter(move |it| it.is_folder() && has(it, name));
    // A folder among migrations that are files is no migration, whatever lies in it.
    let has_folders = entries.iter().any(Entry::is_folder);
    let is_file = |it: &&Entry| has_folders && !it.is_folder() && is_migration(&it.name);
    let n_files = entries.iter().filter(is_file).count();
    for (layout, name) in [(Layout::Diesel, diesel::UP), (Layout::Prisma, prisma::UP)] {
        if let Some(first) = of(name).next().filter(|_| of(name).count() > n_files) {
            mark(layout, Place::file(format!("{}/{name}", first.shown)));
        }
    }
    let is_prismas = |it: &&Entry| it.name == prisma::LOCK || prisma::is_schema(&it.name);
    if let Some(entry) = entries.iter().find(is_prismas) {
        mark(Layout::Prisma, Place::file(&entry.shown));
    }
    let versioned = |it: &&Entry| Layout::Flyway.split(&it.name).is_some();
    let deep =
        entries.iter().filter(|it| it.is_folder()).flat_map(Entry::peek_inside).find(versioned);
    if let Some(deep) = deep.filter(|_| n_files == 0) {
        mark(Layout::Flyway, Place::file(&deep.shown));
    }
}

fn is_migration(file_name: &str) -> bool {
    matches!(judge(file_name), Judgement::Migration(_))
}

/// The mark inside a file.
fn inside(entry: &Entry) -> Option<(Layout, Place)> {
    let is_sql = entry.name.ends_with(".sql");
    if !is_sql && !entry.name.ends_with(".rs") {
        return None;
    }
    let file = entry.peek()?;
    if !is_sql {
        let is_refinerys = flat::is_refinerys(&entry.name, file);
        return is_refinerys.then(|| (Layout::Refinery, Place::file(&entry.shown)));
    }
    let text = file.text();
    // Of a thousand files nearly all hold none of these words, and few their rarest character, which is found
    // much sooner.
    let holds = |before: &str, character: char, behind: &str| {
        text.match_indices(character).any(|(at, found)| {
            text[..at].ends_with(before) && text[at + found.len()..].starts_with(behind)
        })
    };
    let is_marked = holds("", '+', "goose") || holds("", '+', "migrate");
    if is_marked || holds("migrate", ':', "") || text.contains("----") {
        // A text in quotes may hold what looks like a marker.
        let tokens = lex(text).tokens;
        let begins_comment = |line: Line<'_>| {
            let begins = |it: &Token| it.span.start == line.span.start && it.is_trivia();
            tokens.iter().any(begins)
        };
        let found = Line::all(file).find_map(|line| {
            let layout = if is_section::<goose::Goose>(line) {
                Layout::Goose
            } else if is_section::<dbmate::Dbmate>(line) {
                Layout::Dbmate
            } else if is_section::<sql_migrate::SqlMigrate>(line) {
                Layout::SqlMigrate
            } else if matches!(tern::Tern::read(line), Some(Ok(_))) {
                Layout::Tern
            } else {
                return None;
            };
            begins_comment(line).then(|| (layout, line.whole()))
        });
        if found.is_some() {
            return found;
        }
    }
    let is_versioned = Layout::Flyway.split(&entry.name).is_some();
    (is_versioned && flyway::has_bare_placeholder(text))
        .then(|| (Layout::Flyway, Place::file(&entry.shown)))
}

fn is_section<M: Markers>(line: Line<'_>) -> bool {
    matches!(M::read(line), Some(Ok(Marker::Up { .. } | Marker::Down { .. })))
}

/// The marks that are names.
fn names(entries: &[Entry], mark: &mut impl FnMut(Layout, Place)) {
    let version = |name: &str, prefix: char| {
        let number = name.strip_suffix(".sql")?.strip_prefix(prefix)?;
        Layout::Flyway.version(&number[..flyway::version_length(number)?])
    };
    let has_version = |wanted: &Version| {
        entries.iter().any(|it| version(&it.name, 'V').is_some_and(|found| found == *wanted))
    };
    for entry in entries.iter().filter(|it| !it.is_folder()) {
        let script = entry.name.strip_suffix(".conf");
        if flyway::is_unmistakable(&entry.name)
            || script.is_some_and(|script| Layout::Flyway.split(script).is_some())
        {
            mark(Layout::Flyway, Place::file(&entry.shown));
        }
        // To Flyway it undoes the migration of its version, to refinery it is one of its own.
        match version(&entry.name, 'U') {
            Some(version) if has_version(&version) => {
                mark(Layout::Flyway, Place::file(&entry.shown))
            }
            Some(_) => mark(Layout::Refinery, Place::file(&entry.shown)),
            None => {}
        }
    }
    sqlx(entries, mark);
}

/// sqlx's mark counts only where sqlx would read the folder; elsewhere it is a comment.
fn sqlx(entries: &[Entry], mark: &mut impl FnMut(Layout, Place)) {
    let sql = || entries.iter().filter(|it| !it.is_folder() && it.name.ends_with(".sql"));
    let marked =
        sql().find(|it| it.peek().is_some_and(|file| file.text().starts_with(flat::SQLX_MARK)));
    let fits = || sql().all(|it| Layout::Sqlx.split(&it.name).is_some());
    if let Some(marked) = marked.filter(|_| fits()) {
        mark(Layout::Sqlx, Place::file(&marked.shown));
    }
}

/// A folder of names that several tools would take.
fn unmarked(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Option<Layout> {
    let mut files: Vec<(FileName, &Entry)> = Vec::new();
    for entry in entries.iter().filter(|it| !it.is_folder()) {
        match judge(&entry.name) {
            Judgement::Migration(name) => files.push((name, entry)),
            _ if flat::is_left_by_a_tool(Layout::GolangMigrate, &entry.name) => {}
            Judgement::Bystander => {}
            Judgement::Misnamed { .. } | Judgement::Unexpected => return Some(Layout::Dunlin),
        }
    }
    // `20251031_01_a` is a date and a number to Dunlin, and to nobody else.
    let fits = |(name, _): &(FileName, &Entry)| {
        let number = Layout::Sqlx.split(&name.stem);
        name.part != Part::Rust
            && number.is_some_and(|(number, _)| number.as_str() == name.version.as_str())
    };
    let ups: Vec<_> = files.iter().filter(|(name, _)| name.part != Part::Down).collect();
    if ups.is_empty() || !files.iter().all(fits) {
        return Some(Layout::Dunlin);
    }
    let in_pairs = ups.iter().all(|(_, entry)| entry.name.ends_with(".up.sql"));
    let other = if in_pairs { Layout::GolangMigrate } else { Layout::Sqlx };
    let of_kind = |kind| ups.iter().any(|(name, _)| name.version.kind() == kind);
    let is_mixed = of_kind(VersionKind::Counter) && of_kind(VersionKind::Timestamp);
    let mut numbers = BTreeSet::new();
    let repeated =
        !ups.iter().all(|(name, _)| numbers.insert(name.version.as_str().trim_start_matches('0')));
    // No tool that counts takes a number twice, so the folder is of none.
    if repeated {
        return Some(Layout::Dunlin);
    }
    match differing(&ups, other) {
        // Without an order of our own there is nothing to confuse theirs with.
        _ if in_pairs && is_mixed => Some(Layout::GolangMigrate),
        Some((ours, theirs)) if !is_mixed => {
            diagnostics.push(two_orders(other, ours, theirs));
            None
        }
        _ if in_pairs => Some(Layout::GolangMigrate),
        _ => Some(Layout::Dunlin),
    }
}

/// The first two files of which Dunlin would run one at the place where the tool runs the other.
fn differing<'a>(ups: &[&(FileName, &'a Entry)], tool: Layout) -> Option<(&'a Entry, &'a Entry)> {
    let length = |(name, _): &(FileName, &Entry)| name.version.as_str().len();
    let all = |is: &dyn Fn(&(FileName, &Entry)) -> bool| ups.iter().all(|up| is(up));
    let first = ups.first().map(|up| length(up));
    // Numbers are numbers to both, and so are dates of one length.
    if all(&|up| up.0.version.kind() == VersionKind::Counter)
        || all(&|up| Some(length(up)) == first)
    {
        return None;
    }
    let order = |layout: Layout| {
        let mut order = ups.to_vec();
        order.sort_by(|(left, _), (right, _)| layout.compare_names(&left.stem, &right.stem));
        order
    };
    let (ours, theirs) = (order(Layout::Dunlin), order(tool));
    ours.iter()
        .zip(&theirs)
        .find(|(ours, theirs)| ours.0.stem != theirs.0.stem)
        .map(|(ours, theirs)| (ours.1, theirs.1))
}

fn two_layouts((one, at): (Layout, Place), (other, also): (Layout, Place)) -> Diagnostic {
    Diagnostic::new(
        Rule::AmbiguousLayout,
        format!("a folder of {} and of {}", one.tool(), other.tool()),
    )
    .at(at)
    .also(also)
    .note(format!(
        "the first file is one of {}'s, the second one of {}'s",
        one.tool(),
        other.tool()
    ))
    .help(format!(
        "say whose the folder is: embed_migrations!(\"...\", layout = \"{one}\") or \"{other}\""
    ))
}

fn two_orders(other: Layout, ours: &Entry, theirs: &Entry) -> Diagnostic {
    Diagnostic::new(
        Rule::AmbiguousLayout,
        format!("`{}` and `{}` have two orders", ours.name, theirs.name),
    )
    .at(Place::file(&ours.shown))
    .also(Place::file(&theirs.shown))
    .note(format!(
        "{} compares versions as numbers and runs `{}` first; Dunlin compares dates from the left and runs `{}` first",
        other.tool(), theirs.name, ours.name
    ))
    .help(format!(
        "say whose the folder is: embed_migrations!(\"...\", layout = \"{other}\") or \"{}\"",
        Layout::Dunlin
    ))
}
