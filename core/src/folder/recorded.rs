//! The file `dunlin.sum` of a folder: read with every reading, written only on purpose.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Folder, Migration, entry};
use crate::diagnostic::{Diagnostic, Place};
use crate::options::Options;
use crate::rule::Rule;
use crate::source::SourceFile;
use crate::sum::{self, Entry, Sum};

/// Records in the folder's `dunlin.sum` what it does not hold yet, and says how many migrations
/// that were. The file is made if there is none.
///
/// # Errors
///
/// Every error of the folder, what is recorded and is not so any more, and the file system's. Then
/// nothing is written.
pub fn record(directory: &Path, shown: &str, options: &Options) -> Result<usize, Vec<Diagnostic>> {
    let reading = Folder::read(directory, shown, options);
    let errors: Vec<_> =
        reading.errors().filter(|it| it.rule() != Rule::Unrecorded).cloned().collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let old = reading.folder.sum.as_ref().map(|sum| &sum.file);
    let recorded = sum::record(old, &entries(reading.folder.migrations()))?;
    // Beside it first, so that a write that fails leaves what was there. A dot file is passed over.
    let (path, beside) =
        (directory.join(sum::FILE_NAME), directory.join(format!(".{}.new", sum::FILE_NAME)));
    let written = fs::write(&beside, recorded.text).and_then(|()| fs::rename(&beside, &path));
    match written {
        Ok(()) => Ok(recorded.n_new),
        Err(error) => {
            let headline = format!("`{}` cannot be written: {error}", sum::FILE_NAME);
            Err(vec![Diagnostic::new(Rule::Unreadable, headline).at(Place::file(shown))])
        }
    }
}

/// The `dunlin.sum` of a folder.
#[derive(Clone, Debug)]
pub(super) struct SumFile {
    pub(super) path: PathBuf,
    file: Arc<SourceFile>,
}

impl SumFile {
    /// The file among what lies in a folder.
    pub(super) fn find(
        entries: &[entry::Entry],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let entry = entries.iter().find(|entry| entry.name == sum::FILE_NAME)?;
        let n_before = diagnostics.len();
        let file = entry.load(diagnostics)?;
        // Of a text that is not UTF-8 nothing more can be said.
        (diagnostics.len() == n_before).then(|| Self { path: entry.path.clone(), file })
    }

    /// What is wrong with it, or with what it records.
    pub(super) fn check(&self, migrations: &[Migration]) -> Vec<Diagnostic> {
        Sum::read(&self.file)
            .map_or_else(|problems| problems, |sum| sum.check(&entries(migrations)))
    }

    /// The files of the migrations it records, as messages show them.
    pub(super) fn released(&self, migrations: &[Migration]) -> BTreeSet<String> {
        let Ok(sum) = Sum::read(&self.file) else { return BTreeSet::new() };
        let recorded = migrations.iter().filter(|it| sum.records(&it.name));
        recorded.map(|it| it.up.file.path().to_owned()).collect()
    }
}

fn entries(migrations: &[Migration]) -> Vec<Entry<'_>> {
    migrations
        .iter()
        .map(|it| Entry { name: &it.name, checksum: it.up.checksum, path: it.up.file.path() })
        .collect()
}
