//! diesel: a folder for each migration, with `up.sql`, `down.sql` and `metadata.toml`.

use super::arrange::{Arranged, Role, objection};
use super::settings::{problem, settings};
use super::{Layout, flat};
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Part, is_bystander};
use crate::folder::entry::Entry;
use crate::folder::{Transaction, unexpected};
use crate::rule::Rule;

/// The file that makes a folder a migration.
pub(crate) const UP: &str = "up.sql";
const DOWN: &str = "down.sql";
const SETTINGS: &str = "metadata.toml";

/// The migrations among what lies in a folder.
pub(crate) fn arrange(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Arranged {
    let mut arranged = Arranged::default();
    for entry in entries {
        if is_bystander(&entry.name) || flat::is_left_by_a_tool(Layout::Diesel, &entry.name) {
            continue;
        }
        if entry.is_folder() {
            migration(entry, &mut arranged, diagnostics);
        } else {
            diagnostics.extend(objection(Layout::Diesel, entry, &Role::Unexpected));
        }
    }
    arranged
}

fn migration(folder: &Entry, arranged: &mut Arranged, diagnostics: &mut Vec<Diagnostic>) {
    let n_before = diagnostics.len();
    let entries = folder.open(diagnostics);
    let of = |name: &str| entries.iter().find(|entry| entry.name == name);
    let Some((version, _)) = Layout::Diesel.split(&folder.name) else {
        diagnostics.push(unexpected(Layout::Diesel, folder));
        return;
    };
    if of(UP).is_none() && diagnostics.len() == n_before {
        diagnostics.push(without_up(folder, of(DOWN).is_some()));
    }
    let transaction = match of(SETTINGS) {
        Some(file) => {
            arranged.settings.push(file.path.clone());
            run_in_transaction(file, diagnostics)
        }
        None => true,
    };
    let transaction = if transaction { Transaction::One } else { Transaction::None };
    for entry in entries {
        let part = match entry.name.as_str() {
            UP => Part::Up,
            DOWN if of(UP).is_some() => Part::Down,
            DOWN | SETTINGS => continue,
            name if is_bystander(name) => continue,
            _ => {
                diagnostics.push(unexpected(Layout::Diesel, entry));
                continue;
            }
        };
        let name = FileName { stem: folder.name.clone(), version: version.clone(), part };
        if let Some(file) = entry.load(diagnostics) {
            arranged.add(entry, name, file, transaction);
        }
    }
}

fn without_up(folder: &Entry, has_down: bool) -> Diagnostic {
    let rule = if has_down { Rule::OrphanUndo } else { Rule::UnexpectedEntry };
    let help = format!("add `{}/{UP}`, or remove the folder", folder.name);
    Diagnostic::new(rule, format!("a folder without `{UP}`: `{}`", folder.name.escape_debug()))
        .at(Place::file(&folder.shown))
        .note("each folder among diesel's is a migration")
        .help(help)
}

/// `run_in_transaction` of a `metadata.toml`.
///
/// diesel takes a file without this key for `false`, and one that is no TOML for `true`; neither is
/// what anybody means.
fn run_in_transaction(file: &Entry, diagnostics: &mut Vec<Diagnostic>) -> bool {
    const KEY: &str = "run_in_transaction";
    let Some(text) = file.load(diagnostics) else { return true };
    let found = settings(&text).find(|setting| setting.key == KEY);
    match found {
        Some(setting) => setting.boolean().unwrap_or_else(|problem| {
            diagnostics.push(*problem);
            true
        }),
        None => {
            diagnostics.push(
                problem(format!("a `{SETTINGS}` without `{KEY}`"))
                    .at(Place::file(&file.shown))
                    .note("diesel runs such a migration outside a transaction, which hardly anybody means")
                    .help(format!("write `{KEY} = true` or `{KEY} = false` into it, or remove it")),
            );
            true
        }
    }
}
