//! The name of a file: what it says, or what it should be.
//!
//! **Invariant:** every name gets one of three answers, and a refused name comes with a suggestion.

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

/// How often a suggestion is judged again: a name can be wrong at its front and at its end.
const MAX_MENDINGS: usize = 3;

/// Judges the name of a file.
#[must_use]
pub fn judge(file_name: &str) -> Judgement {
    let mut judgement = judge_once(file_name);
    if let Judgement::Misnamed { suggestion, .. } = &mut judgement {
        for _ in 0..MAX_MENDINGS {
            match judge_once(suggestion) {
                Judgement::Misnamed { suggestion: better, .. } if !suggestion.starts_with('<') => {
                    *suggestion = better
                }
                _ => break,
            }
        }
    }
    judgement
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
    judge_stem(file_name, stem, part)
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
        return misnamed(&fact, format!("{clean}{tail}"));
    }
    let Some((version, rest)) = Version::split(stem) else {
        let name = stem.trim_start_matches(['_', '-', '.', ' ']);
        return misnamed(
            "the name does not begin with a version",
            format!("<version>_{name}{tail}"),
        );
    };
    let name = rest.trim_start_matches(['_', '-']);
    if name.is_empty() {
        return misnamed(
            "there is no name behind the version",
            format!("{version}_<what_it_does>{tail}"),
        );
    }
    if rest.len() == name.len() {
        let name = name.trim_start_matches(['.', ' ']);
        let name = if name.is_empty() { "<what_it_does>" } else { name };
        return misnamed(
            "neither `_` nor `-` stands behind the version",
            format!("{version}_{name}{tail}"),
        );
    }
    Judgement::Migration(FileName { stem: stem.to_owned(), version, part })
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
        fn a_suggestion_without_gaps_is_accepted(name in "[0-9vV_. a-z-]{0,12}(\\.up|\\.Down)?\\.(sql|rs|SQL)") {
            if let Judgement::Misnamed { suggestion, .. } = judge(&name) && !suggestion.contains('<') {
                prop_assert!(matches!(judge(&suggestion), Judgement::Migration(_)), "{name} -> {suggestion}");
            }
        }
    }
}
