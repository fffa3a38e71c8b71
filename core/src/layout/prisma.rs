//! Prisma: a folder for each migration, with `migration.sql`.
//!
//! An undo is not run by Prisma, but its manual lays one beside the migration as `down.sql`.

use super::arrange::{Arranged, Role, objection};
use super::settings::{problem, settings};
use super::{Layout, flat};
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Part, is_bystander};
use crate::folder::entry::Entry;
use crate::folder::{Transaction, unexpected};
use crate::rule::Rule;

/// The file that makes a folder a migration.
pub(crate) const UP: &str = "migration.sql";
/// The file that says for which database the migrations are.
pub(crate) const LOCK: &str = "migration_lock.toml";
const DOWN: &str = "down.sql";

/// The migrations among what lies in a folder.
pub(crate) fn arrange(entries: &[Entry], diagnostics: &mut Vec<Diagnostic>) -> Arranged {
    let mut arranged = Arranged::default();
    // Where the schema is, the migrations are one folder deeper, and nothing else has to be told.
    if let Some(schema) = entries.iter().find(|it| is_schema(&it.name)) {
        diagnostics.push(beside_a_schema(schema));
        return arranged;
    }
    for entry in entries {
        let name = entry.name.as_str();
        if is_bystander(name) || flat::is_left_by_a_tool(Layout::Prisma, name) {
            continue;
        }
        if entry.is_folder() {
            migration(entry, &mut arranged, diagnostics);
        } else if name == LOCK {
            arranged.settings.push(entry.path.clone());
            provider(entry, diagnostics);
        } else {
            diagnostics.extend(objection(Layout::Prisma, entry, &Role::Unexpected));
        }
    }
    arranged
}

/// Whether a file is a part of a schema, which may be of several files.
pub(crate) fn is_schema(file_name: &str) -> bool {
    file_name.ends_with(".prisma")
}

fn beside_a_schema(schema: &Entry) -> Diagnostic {
    let headline = format!("a schema of Prisma, no migration: `{}`", schema.name.escape_debug());
    Diagnostic::new(Rule::UnsupportedFeature, headline)
        .at(Place::file(&schema.shown))
        .note(
            "a schema says what migrations should lead to; they are in SQL, in a folder beside it",
        )
        .help("name that folder: embed_migrations!(\".../migrations\")")
}

fn migration(folder: &Entry, arranged: &mut Arranged, diagnostics: &mut Vec<Diagnostic>) {
    let Some((version, _)) = Layout::Prisma.split(&folder.name) else {
        diagnostics.push(unexpected(Layout::Prisma, folder));
        return;
    };
    let n_before = diagnostics.len();
    let entries = folder.open(diagnostics);
    if !entries.iter().any(|entry| entry.name == UP) {
        if diagnostics.len() > n_before {
            return;
        }
        diagnostics.push(
            Diagnostic::new(
                Rule::UnexpectedEntry,
                format!("a folder without `{UP}`: `{}`", folder.name.escape_debug()),
            )
            .at(Place::file(&folder.shown))
            .note("each folder among Prisma's is a migration")
            .help(format!("add `{}/{UP}`, or remove the folder", folder.name)),
        );
        return;
    }
    for entry in entries {
        let part = match entry.name.as_str() {
            UP => Part::Up,
            DOWN => Part::Down,
            name if is_bystander(name) => continue,
            _ => {
                diagnostics.push(unexpected(Layout::Prisma, entry));
                continue;
            }
        };
        let name = FileName { stem: folder.name.clone(), version: version.clone(), part };
        if let Some(file) = entry.load(diagnostics) {
            // Prisma sends a file as it is, so one statement runs alone and several run as one
            // implicit transaction.
            arranged.add(entry, name, file, Transaction::AsNeeded);
        }
    }
}

/// The migrations of another database are SQL that PostgreSQL does not know.
fn provider(file: &Entry, diagnostics: &mut Vec<Diagnostic>) {
    let Some(text) = file.load(diagnostics) else { return };
    let Some(provider) = settings(&text).find(|setting| setting.key == "provider") else { return };
    if !matches!(provider.value, "postgresql" | "postgres") {
        diagnostics.push(
            problem(format!("migrations for `{}`", provider.value))
                .at(provider.place("not PostgreSQL"))
                .help("name the folder with the migrations for PostgreSQL"),
        );
    }
}
