//! The name of a file: what it says, or what it should be.
//!
//! **Invariant:** every name gets one of three answers, and a refused name comes with a suggestion.

use crate::suggest::nearest;
use crate::sum;
use crate::version::Version;

/// The name of a migration's file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The migration's whole name, `20251104-create-kpi-views`: what the history table stores.
    pub stem: String,
    /// The version at the front of the name.
    pub version: Version,
    /// What the file holds.
    pub part: Part,
}

/// What one file holds of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The migration, in SQL.
    Up,
    /// Its undo, in SQL.
    Down,
    /// Migration and undo, in Rust.
    Rust,
}

/// What a file in a migrations folder is, judged by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A migration or its undo.
    Migration(FileName),
    /// A file that may lie beside migrations: `README*`, dot files and `dunlin.sum`.
    Bystander,
    /// A migration with a wrong name.
    Misnamed {
        /// What is wrong with it, as a fact.
        fact: String,
        /// The name it should have, if one can be told; `<...>` marks what only its author knows.
        suggestion: String,
    },
    /// Not a migration at all.
    Unexpected,
}

/// What stands in a suggestion for a version that only the author knows.
const VERSION_GAP: &str = "<version>";

/// What stands in a suggestion for a name that only the author knows.
const NAME_GAP: &str = "<what_it_does>";

/// Judges the name of a file.
#[must_use]
pub fn judge(file_name: &str) -> Judgement {
    let mut judgement = judge_once(file_name);
    if let Judgement::Misnamed { suggestion, .. } = &mut judgement {
        // A name can be wrong in many places. Each turn leaves fewer capitals or control characters,
        // or takes more of the name into a timestamp, so there is a last one.
        while let Some(better) = better(suggestion) {
            *suggestion = better;
        }
    }
    judgement
}

/// What is proposed for a proposal, any version standing for one that only the author knows.
fn better(suggestion: &str) -> Option<String> {
    let gap = suggestion.strip_prefix(VERSION_GAP);
    let name = gap.map_or_else(|| suggestion.to_owned(), |rest| format!("1{rest}"));
    let Judgement::Misnamed { suggestion: better, .. } = judge_once(&name) else { return None };
    match gap {
        Some(_) => better.strip_prefix('1').map(|rest| format!("{VERSION_GAP}{rest}")),
        None => Some(better),
    }
}

/// Whether a file may lie beside migrations of any kind.
pub(crate) fn is_bystander(file_name: &str) -> bool {
    file_name.to_ascii_lowercase().starts_with("readme")
        || file_name.starts_with('.')
        || file_name == sum::FILE_NAME
}

fn judge_once(file_name: &str) -> Judgement {
    if is_bystander(file_name) {
        return Judgement::Bystander;
    }
    let Some((stem, extension)) = file_name.rsplit_once('.') else { return Judgement::Unexpected };
    let lower_extension = extension.to_ascii_lowercase();
    if lower_extension != "sql" && lower_extension != "rs" {
        return Judgement::Unexpected;
    }
    if extension != lower_extension {
        return misnamed(
            "the extension is in capital letters",
            format!("{stem}.{lower_extension}"),
        );
    }
    let (stem, part) = if extension == "rs" {
        (stem, Part::Rust)
    } else {
        let lower_stem = stem.to_ascii_lowercase();
        let marked =
            |mark: &str| lower_stem.ends_with(mark).then(|| &stem[..stem.len() - mark.len()]);
        match (marked(".up"), marked(".down")) {
            (Some(bare), _) => (bare, Part::Up),
            (_, Some(bare)) => (bare, Part::Down),
            _ => (stem, Part::Up),
        }
    };
    if let Some(judgement) = nearly_an_undo(stem, extension) {
        return judgement;
    }
    judge_stem(file_name, stem, part)
}

/// `1_users.dwon.sql`, which would run as a migration.
fn nearly_an_undo(stem: &str, extension: &str) -> Option<Judgement> {
    let (bare, mark) = stem.rsplit_once('.').filter(|_| extension == "sql")?;
    let lower = mark.to_ascii_lowercase();
    let is_meant = ["revert", "rollback", "undo"].contains(&lower.as_str())
        || nearest(&lower, &["down"]).is_some();
    is_meant.then(|| {
        let fact = format!("`.{mark}` is no mark of an undo, `.down` is");
        misnamed(&fact, format!("{bare}.down.{extension}"))
    })
}

fn judge_stem(file_name: &str, stem: &str, part: Part) -> Judgement {
    let tail = &file_name[stem.len()..];
    if tail != tail.to_ascii_lowercase() {
        return misnamed(
            "the extension is in capital letters",
            format!("{stem}{}", tail.to_ascii_lowercase()),
        );
    }
    if let Some(control) = stem.chars().find(|character| character.is_control()) {
        let clean: String = stem.chars().filter(|character| !character.is_control()).collect();
        let fact = format!("the name holds the control character {}", control.escape_unicode());
        let suggestion = format!("{clean}{tail}");
        // Without them the file could be passed over in silence: `read\tme.sql`.
        let is_lost = is_bystander(&suggestion);
        return misnamed(&fact, if is_lost { versioned(&clean, tail) } else { suggestion });
    }
    let Some((version, rest)) = Version::split(stem) else {
        return misnamed("the name does not begin with a version", versioned(stem, tail));
    };
    let name = rest.trim_start_matches(['_', '-']);
    if name.is_empty() {
        return misnamed(
            "there is no name behind the version",
            format!("{version}_{NAME_GAP}{tail}"),
        );
    }
    if rest.len() == name.len() {
        let name = name.trim_start_matches(['.', ' ']);
        let name = if name.is_empty() { NAME_GAP } else { name };
        return misnamed(
            "neither `_` nor `-` stands behind the version",
            format!("{version}_{name}{tail}"),
        );
    }
    Judgement::Migration(FileName { stem: stem.to_owned(), version, part })
}

/// The name for a file without a version.
fn versioned(stem: &str, tail: &str) -> String {
    let name = stem.trim_start_matches(['_', '-', '.', ' ']);
    let name = if name.is_empty() { NAME_GAP } else { name };
    format!("{VERSION_GAP}_{name}{tail}")
}

fn misnamed(fact: &str, suggestion: String) -> Judgement {
    Judgement::Misnamed { fact: fact.to_owned(), suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn accepts(file_name: &str, stem: &str, version: &str, part: Part) {
        match judge(file_name) {
            Judgement::Migration(found) => {
                assert_eq!(
                    (found.stem.as_str(), found.version.as_str(), found.part),
                    (stem, version, part)
                );
            }
            other => panic!("{file_name}: {other:?}"),
        }
    }

    #[track_caller]
    fn refuses(file_name: &str, suggested: &str) {
        match judge(file_name) {
            Judgement::Misnamed { suggestion, .. } => {
                assert_eq!(suggestion, suggested, "{file_name}")
            }
            other => panic!("{file_name}: {other:?}"),
        }
    }

    #[test]
    fn what_is_nearly_an_undo_is_no_migration() {
        refuses("1_users.dwon.sql", "1_users.down.sql");
        refuses("1_users.DONW.sql", "1_users.down.sql");
        refuses("1_users.undo.sql", "1_users.down.sql");
        refuses("users.rollback.sql", "<version>_users.down.sql");
        accepts("1_shut.town.v2.sql", "1_shut.town.v2", "1", Part::Up);
        accepts("1_undo.sql", "1_undo", "1", Part::Up);
    }

    #[test]
    fn the_forms_of_a_migration() {
        accepts("1_users.sql", "1_users", "1", Part::Up);
        accepts("0002-users.up.sql", "0002-users", "0002", Part::Up);
        accepts("0002-users.down.sql", "0002-users", "0002", Part::Down);
        accepts("V10__users.sql", "V10__users", "V10", Part::Up);
        accepts("20251105-add-skip-fields.rs", "20251105-add-skip-fields", "20251105", Part::Rust);
        accepts(
            "20251031_01_create x@[1].v2.sql",
            "20251031_01_create x@[1].v2",
            "20251031_01",
            Part::Up,
        );
        accepts("3_größe.sql", "3_größe", "3", Part::Up);
    }

    #[test]
    fn a_misnamed_file_is_told_its_name() {
        refuses("users.sql", "<version>_users.sql");
        refuses("-users.down.sql", "<version>_users.down.sql");
        refuses("0001.sql", "0001_<what_it_does>.sql");
        refuses("0001_.sql", "0001_<what_it_does>.sql");
        refuses("20251104_01.sql", "20251104_01_<what_it_does>.sql");
        refuses("0001users.sql", "0001_users.sql");
        refuses("1.2_users.sql", "1_2_users.sql");
        refuses("0001_users.SQL", "0001_users.sql");
        refuses("0001_users.Down.sql", "0001_users.down.sql");
        refuses("0001_us\ters.sql", "0001_users.sql");
        refuses("_.sql", "<version>_<what_it_does>.sql");
    }

    #[test]
    fn no_file_is_told_a_name_that_is_passed_over() {
        refuses("read\u{b}\u{13}me 2.sql", "<version>_readme 2.sql");
        refuses("\t.users.down.sql", "<version>_users.down.sql");
        refuses("\t.sql", "<version>_<what_it_does>.sql");
    }

    #[test]
    fn a_name_wrong_in_many_places_is_told_the_last_name() {
        refuses("1.-.D\town.SQL", "1_<what_it_does>.down.sql");
        refuses("\t.a.Do\twn.SQL", "<version>_a.down.sql");
        refuses("20251104.01.sql", "20251104_01_<what_it_does>.sql");
    }

    #[test]
    fn what_is_no_migration() {
        for bystander in ["README.md", "readme", ".gitkeep", ".DS_Store", "dunlin.sum"] {
            assert_eq!(judge(bystander), Judgement::Bystander, "{bystander}");
        }
        for unexpected in
            ["schema.sqlite", "0001_users", "notes.txt", "0001_users.sql~", "mod.py", ""]
        {
            assert_eq!(judge(unexpected), Judgement::Unexpected, "{unexpected}");
        }
    }

    proptest! {
        #[test]
        fn every_name_gets_an_answer(name in ".{0,40}") {
            let _judgement = judge(&name);
        }

        #[test]
        fn a_suggestion_is_accepted(
            name in "(read|20251104|1)?[0-9vV_. a-z\\t-]{0,12}(\\.up|\\.Do\t?wn)?\\.(sql|rs|SQL)"
        ) {
            if let Judgement::Misnamed { suggestion, .. } = judge(&name) {
                let filled = suggestion.replace(VERSION_GAP, "1").replace(NAME_GAP, "x");
                prop_assert!(
                    matches!(judge(&filled), Judgement::Migration(_)),
                    "{name:?} -> {suggestion:?}"
                );
            }
        }
    }
}
