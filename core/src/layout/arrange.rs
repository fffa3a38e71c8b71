//! From what lies in a folder to the files of its migrations.

use std::path::PathBuf;
use std::sync::Arc;

use super::Layout;
use super::{diesel, flat, prisma};
use crate::checksum::Checksum;
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Part};
use crate::folder::entry::Entry;
use crate::folder::{self, LoadedFile, Transaction};
use crate::lexer::{Token, lex};
use crate::rule::Rule;
use crate::source::SourceFile;

/// The files of a folder's migrations.
#[derive(Debug, Default)]
pub(crate) struct Arranged {
    pub(crate) files: Vec<LoadedFile>,
    /// Files that are no migrations and say how migrations run.
    pub(crate) settings: Vec<PathBuf>,
}

/// What an entry is, judged by its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Migration(FileName),
    /// It may lie beside migrations.
    Bystander,
    Misnamed {
        fact: String,
        suggestion: String,
    },
    Unexpected,
    /// The tool runs it, and SQL cannot say what it does.
    Beyond {
        headline: String,
        note: &'static str,
        help: String,
    },
    /// Settings of the migration in the file of this name.
    SettingsOf(String),
}

/// Reads the files of a folder's migrations, as the layout says which ones they are.
pub(crate) fn arrange(
    layout: Layout,
    entries: &[Entry],
    diagnostics: &mut Vec<Diagnostic>,
) -> Arranged {
    match layout {
        Layout::Diesel => diesel::arrange(entries, diagnostics),
        Layout::Prisma => prisma::arrange(entries, diagnostics),
        _ => flat::arrange(layout, entries, diagnostics),
    }
}

impl Arranged {
    /// Adds a file of Dunlin's own layout, in which an empty undo is a mistake that is told.
    pub(crate) fn add_as_written(
        &mut self,
        entry: &Entry,
        name: FileName,
        file: Arc<SourceFile>,
        transaction: Transaction,
    ) {
        let (path, checksum) = (entry.path.clone(), entry.checksum(&file));
        self.files.push(LoadedFile { path, name, file, checksum, transaction });
    }

    /// Adds a file, unless it is an undo that undoes nothing.
    ///
    /// The tools write an undo for every migration, and leave it to the author to fill it in. One
    /// without a statement says that there is none.
    pub(crate) fn add(
        &mut self,
        entry: &Entry,
        name: FileName,
        file: Arc<SourceFile>,
        transaction: Transaction,
    ) {
        let checksum = entry.checksum(&file);
        self.add_section(entry, name, file, checksum, transaction);
    }

    /// Adds a part of a file that has a checksum of its own.
    pub(crate) fn add_section(
        &mut self,
        entry: &Entry,
        name: FileName,
        file: Arc<SourceFile>,
        checksum: Checksum,
        transaction: Transaction,
    ) {
        if name.part != Part::Down || has_statement(&file) {
            let path = entry.path.clone();
            self.files.push(LoadedFile { path, name, file, checksum, transaction });
        }
    }
}

fn has_statement(file: &SourceFile) -> bool {
    !lex(file.text()).tokens.iter().all(Token::is_trivia)
}

/// What is wrong with an entry that is no migration, if anything is.
pub(crate) fn objection(layout: Layout, entry: &Entry, role: &Role) -> Option<Diagnostic> {
    match (entry.is_file(), role) {
        (_, Role::Bystander) | (Ok(true), Role::Migration(_) | Role::SettingsOf(_)) => None,
        (Err(error), _) => Some(folder::unreadable(&entry.shown, error)),
        (Ok(true), Role::Misnamed { fact, suggestion }) => {
            Some(folder::misnamed(layout, entry, fact, suggestion))
        }
        (Ok(true), Role::Beyond { headline, note, help }) => {
            Some(beyond(entry, headline.clone(), note, help))
        }
        (Ok(_), _) => Some(folder::unexpected(layout, entry)),
    }
}

/// A file that another tool runs and SQL cannot express.
pub(crate) fn beyond(entry: &Entry, headline: String, note: &str, help: &str) -> Diagnostic {
    Diagnostic::new(Rule::UnsupportedFeature, headline)
        .at(Place::file(&entry.shown))
        .note(note)
        .help(help)
        .help(format!(
            "or pass over it: embed_migrations!(\"...\", ignore = [\"{}\"])",
            entry.inner.escape_debug()
        ))
}
