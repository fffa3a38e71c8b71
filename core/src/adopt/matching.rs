//! The rows of another tool beside the migrations here. Pure: no database in sight.

use super::Tool;
use super::record::{Record, Standing, counting};
use super::sum::{Sum, sum_of};
use crate::layout::Layout;
use crate::version::{Version, VersionKind};

/// A migration here, as far as a history can be about it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text, normalised; nothing where the tool could not have hashed it, as of one in Rust.
    pub text: Option<&'a str>,
}

/// One migration: what is recorded of it there, and what is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name here, or what it is called there if it is not here.
    pub name: String,
    /// The row that counts, and its place among all rows.
    pub record: Option<(usize, Record)>,
    /// What follows.
    pub finding: Finding,
}

/// What follows for one migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Applied there, and here: by its checksum the same text.
    Proven,
    /// Applied there, and here; no checksum says whether it is the same text.
    Matched,
    /// Applied there, and the text here has another checksum, which is this one.
    Changed(String),
    /// Recorded there, and not here.
    NotHere,
    /// Recorded there, and several migrations here could be it.
    Ambiguous(Vec<String>),
    /// It failed there.
    Failed,
    /// It was begun there and not finished.
    Unfinished,
    /// It was undone there, so it is pending here.
    Undone,
    /// It runs again whenever it changes there, which is nothing that can be taken over.
    Repeatable,
    /// Not recorded there; `late` if something newer is.
    Pending {
        /// Whether something newer is recorded.
        late: bool,
    },
}

/// What two migrations must have in common to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Version(Version),
    Text(String),
}

/// Puts the rows beside the migrations, which are given in their order.
///
/// Each migration here has one entry, in that order; what is recorded there alone follows.
#[must_use]
pub fn fit(tool: Tool, records: &[Record], candidates: &[Candidate<'_>]) -> Vec<Entry> {
    let mut found: Vec<Option<((usize, Record), Finding)>> = vec![None; candidates.len()];
    let mut others = Vec::new();
    let counting = counting(tool, records);
    for &(at, record) in &counting {
        let row = (at, record.clone());
        let elsewhere =
            |finding| Entry { name: called(record), record: Some(row.clone()), finding };
        if record.standing == Standing::Repeatable {
            others.push(elsewhere(Finding::Repeatable));
            continue;
        }
        if record.standing == Standing::Baseline {
            continue;
        }
        // Nothing is applied yet: golang-migrate's -1, tern's 0.
        let is_none = tool.counts_up() && matches!(record.key.as_deref(), Some("0" | "-1"));
        match (which(tool, record, candidates).as_slice(), record.standing) {
            ([], Standing::Deleted) => {}
            ([], Standing::Undone) => others.push(elsewhere(Finding::Undone)),
            ([], Standing::Applied) if is_none => {}
            ([], Standing::Failed) => others.push(elsewhere(Finding::Failed)),
            ([], Standing::Unfinished) => others.push(elsewhere(Finding::Unfinished)),
            ([], _) => others.push(elsewhere(Finding::NotHere)),
            ([one], standing) => {
                let finding = finding(tool, record, standing, candidates[*one]);
                if let Some(slot) = found.get_mut(*one) {
                    *slot = Some((row, finding));
                }
            }
            (several, _) => {
                let names = several.iter().map(|&at| candidates[at].name.to_owned()).collect();
                others.push(elsewhere(Finding::Ambiguous(names)));
            }
        }
    }
    for &(at, record) in &counting {
        if tool.counts_up() || record.standing == Standing::Baseline {
            count_up(tool, (at, record), candidates, &mut found);
        }
    }
    let is_applied = |it: &Option<(_, Finding)>| {
        it.as_ref().is_some_and(|(_, finding)| !matches!(finding, Finding::Undone))
    };
    let newest = found.iter().rposition(is_applied);
    let here = candidates.iter().zip(found).enumerate().map(|(index, (candidate, found))| {
        let late = newest.is_some_and(|newest| index < newest);
        let (record, finding) = match found {
            Some((record, finding)) => (Some(record), finding),
            None => (None, Finding::Pending { late }),
        };
        Entry { name: candidate.name.to_owned(), record, finding }
    });
    here.chain(others).collect()
}

/// Everything up to a version counts as applied.
fn count_up(
    tool: Tool,
    (at, record): (usize, &Record),
    candidates: &[Candidate<'_>],
    found: &mut [Option<((usize, Record), Finding)>],
) {
    let Some(Key::Version(up_to)) = key_of_record(tool, record) else { return };
    for (candidate, slot) in candidates.iter().zip(found) {
        let Some(Key::Version(version)) = key_of_name(tool, candidate.name) else { continue };
        if slot.is_none() && version <= up_to {
            // The time of the last one says nothing of this one, the baseline's does.
            let record = Record { sum: None, ..record.clone() };
            *slot = Some(((at, record), Finding::Matched));
        }
    }
}

fn finding(tool: Tool, record: &Record, standing: Standing, candidate: Candidate<'_>) -> Finding {
    match standing {
        Standing::Failed => Finding::Failed,
        Standing::Unfinished => Finding::Unfinished,
        Standing::Undone | Standing::Deleted => Finding::Undone,
        Standing::Repeatable => Finding::Repeatable,
        Standing::Applied | Standing::Baseline | Standing::Other => {
            match candidate.text.map(|text| sum_of(tool, record, text)) {
                Some(Sum::Same) => Finding::Proven,
                Some(Sum::Other(sum)) => Finding::Changed(sum),
                Some(Sum::Unknown) | None => Finding::Matched,
            }
        }
    }
}

/// The migrations that a row may be about: one, unless several share what the row names.
fn which(tool: Tool, record: &Record, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let Some(key) = key_of_record(tool, record) else { return Vec::new() };
    let of_key = |(at, it): (usize, &Candidate<'_>)| {
        (key_of_name(tool, it.name).as_ref() == Some(&key)).then_some(at)
    };
    let all: Vec<usize> = candidates.iter().enumerate().filter_map(of_key).collect();
    if all.len() < 2 {
        return all;
    }
    let is_same = |&at: &usize| {
        let text = candidates[at].text;
        text.is_some_and(|text| sum_of(tool, record, text) == Sum::Same)
    };
    let same: Vec<usize> = all.iter().copied().filter(is_same).collect();
    if same.len() == 1 { same } else { all }
}

/// What a row is called where no name here can be given.
fn called(record: &Record) -> String {
    match &record.key {
        Some(key) => key.clone(),
        None if record.description.is_empty() => "NULL".to_owned(),
        None => record.description.clone(),
    }
}

fn key_of_record(tool: Tool, record: &Record) -> Option<Key> {
    let key = record.key.as_deref()?;
    Some(match tool {
        Tool::Sqlx | Tool::Refinery | Tool::GolangMigrate | Tool::Goose | Tool::Tern => {
            let is_number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                return None;
            }
            Key::Version(Version::new(VersionKind::Counter, key))
        }
        Tool::Flyway => Key::Version(Layout::Flyway.version(key)?),
        Tool::Diesel => Key::Text(key.replace('-', "")),
        Tool::Sequelize | Tool::Table => Key::Text(bare(key).to_owned()),
        Tool::Dbmate | Tool::SqlMigrate | Tool::Prisma => Key::Text(key.to_owned()),
    })
}

fn key_of_name(tool: Tool, name: &str) -> Option<Key> {
    let digits = |text: &str| {
        let n = text.bytes().take_while(u8::is_ascii_digit).count();
        (n > 0).then(|| text[..n].to_owned())
    };
    Some(match tool {
        Tool::Sqlx | Tool::Refinery | Tool::GolangMigrate | Tool::Goose | Tool::Tern => {
            let number = digits(name.trim_start_matches(['V', 'v', 'U']))?;
            Key::Version(Version::new(VersionKind::Counter, &number))
        }
        Tool::Flyway => {
            let version = match Layout::Flyway.split(name) {
                Some((version, _)) => version.as_str().to_owned(),
                None => digits(name.trim_start_matches(['V', 'v']))?,
            };
            Key::Version(Layout::Flyway.version(&version)?)
        }
        Tool::Diesel => {
            let version = name.split('_').next().unwrap_or_default();
            Key::Text(version.replace('-', ""))
        }
        Tool::Dbmate => Key::Text(digits(name)?),
        Tool::SqlMigrate => Key::Text(format!("{name}.sql")),
        Tool::Prisma => Key::Text(name.to_owned()),
        Tool::Sequelize | Tool::Table => Key::Text(bare(name).to_owned()),
    })
}

/// A recorded name without the extension: umzug records the name of the file.
#[must_use]
pub fn bare(name: &str) -> &str {
    const EXTENSIONS: [&str; 8] = [".up.sql", ".sql", ".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];
    EXTENSIONS.into_iter().find_map(|it| name.strip_suffix(it)).unwrap_or(name)
}
