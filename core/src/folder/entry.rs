//! What lies in a folder, before anything is made of it.
//!
//! Separate because a folder's layout is recognised from names and texts, and reading it afterwards
//! must not read them again.
//!
//! **Invariant:** a text is read once, at the first time it is asked for.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{not_utf8, unreadable, utf16};
use crate::checksum::Checksum;
use crate::diagnostic::Diagnostic;
use crate::known::Known;
use crate::source::SourceFile;

/// A file or a folder inside a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path as messages show it.
    pub(crate) shown: String,
    /// Its own name.
    pub(crate) name: String,
    /// Its path from the migrations folder, as `ignore` takes it.
    pub(crate) inner: String,
    is_file: io::Result<bool>,
    text: OnceCell<Result<Text, Box<Diagnostic>>>,
    checksum: OnceCell<Checksum>,
    entries: OnceCell<(Vec<Self>, Vec<Diagnostic>)>,
    /// What may be passed over inside it.
    ignore: Vec<String>,
}

/// A text, and what is wrong with its bytes.
#[derive(Debug)]
struct Text {
    file: Arc<SourceFile>,
    problem: Option<Diagnostic>,
}

/// What lies in a folder, sorted by name; entries named in `ignore` are passed over.
///
/// # Errors
///
/// The file system's, when the folder cannot be read. What cannot be read in it is a diagnostic.
pub(crate) fn list(
    directory: &Path,
    shown: &str,
    ignore: &[String],
    diagnostics: &mut Vec<Diagnostic>,
) -> io::Result<Vec<Entry>> {
    list_inside(directory, shown, "", ignore, diagnostics)
}

fn list_inside(
    directory: &Path,
    shown: &str,
    inner: &str,
    ignore: &[String],
    diagnostics: &mut Vec<Diagnostic>,
) -> io::Result<Vec<Entry>> {
    let join = |folder: &str, name: &str| {
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                diagnostics.push(unreadable(shown, &error));
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        let (shown, inner) = (join(shown, &name), join(inner, &name));
        if !ignore.contains(&inner) {
            let path = entry.path();
            let is_file = match entry.file_type() {
                Ok(kind) if kind.is_file() || kind.is_dir() => Ok(kind.is_file()),
                // `metadata` follows symbolic links, so that a link to a file is a file.
                _ => match fs::metadata(&path) {
                    Ok(metadata) => Ok(metadata.is_file()),
                    Err(error) => Err(of_link(&path, error)),
                },
            };
            entries.push(Entry::new(path, shown, name, inner, is_file, ignore));
        }
    }
    entries.sort_by(|left, right| left.shown.cmp(&right.shown));
    Ok(entries)
}

/// What is wrong with a link that leads nowhere.
fn of_link(path: &Path, error: io::Error) -> io::Error {
    match (error.kind(), fs::read_link(path)) {
        (io::ErrorKind::NotFound, Ok(target)) => {
            let said = format!("it is a link to `{}`, where nothing is", target.display());
            io::Error::new(io::ErrorKind::NotFound, said)
        }
        _ => error,
    }
}

impl Entry {
    fn new(
        path: PathBuf,
        shown: String,
        name: String,
        inner: String,
        is_file: io::Result<bool>,
        ignore: &[String],
    ) -> Self {
        let ignore = ignore.iter().filter(|it| it.starts_with(&inner)).cloned().collect();
        Self {
            path,
            shown,
            name,
            inner,
            is_file,
            text: OnceCell::new(),
            checksum: OnceCell::new(),
            entries: OnceCell::new(),
            ignore,
        }
    }

    /// Whether it is a file and not a folder; what the file system says when it does not tell.
    pub(crate) const fn is_file(&self) -> Result<bool, &io::Error> {
        match &self.is_file {
            Ok(is_file) => Ok(*is_file),
            Err(error) => Err(error),
        }
    }

    /// Whether it is a folder.
    pub(crate) const fn is_folder(&self) -> bool {
        matches!(self.is_file, Ok(false))
    }

    /// The text of a file for a look at it; nothing when it cannot be read.
    pub(crate) fn peek(&self) -> Option<&Arc<SourceFile>> {
        self.text().as_ref().ok().map(|text| &text.file)
    }

    /// The text of a file that is used, with the problems of reading it.
    pub(crate) fn load(&self, diagnostics: &mut Vec<Diagnostic>) -> Option<Arc<SourceFile>> {
        match self.text() {
            Ok(text) => {
                diagnostics.extend(text.problem.clone());
                Some(Arc::clone(&text.file))
            }
            Err(problem) => {
                diagnostics.push((**problem).clone());
                None
            }
        }
    }

    /// The checksum of a file's whole text.
    pub(crate) fn checksum(&self, file: &SourceFile) -> Checksum {
        *self.checksum.get_or_init(|| Checksum::of(file.text()))
    }

    /// Takes the checksums of migrations from what is known: of files here, and one folder further in.
    pub(crate) fn recall(&self, known: &Known) {
        if self.is_folder() {
            let _opened = self.inside();
        }
        self.each_script(&mut |script, file| {
            if let Some(checksum) = known.checksum(file.text()) {
                let _set = script.checksum.set(checksum);
            }
        });
    }

    /// Keeps the checksums of migrations for the next time.
    pub(crate) fn keep_checksums(&self, known: &mut Known) {
        self.each_script(&mut |script, file| {
            if let Some(checksum) = script.checksum.get() {
                known.add_checksum(file.text(), *checksum);
            }
        });
    }

    /// All scripts, as far as folders have been opened. To open them all would be to read whatever lies
    /// below, such as everything that a link leads to.
    fn each_script(&self, see: &mut impl FnMut(&Self, &SourceFile)) {
        if self.is_folder() {
            let opened = self.entries.get();
            opened.into_iter().flat_map(|(it, _)| it).for_each(|it| it.each_script(see));
        } else if self.name.ends_with(".sql")
            && let Some(file) = self.peek()
        {
            see(self, file);
        }
    }

    /// What lies in a folder, for a look at it; nothing when it cannot be read.
    pub(crate) fn peek_inside(&self) -> &[Self] {
        &self.inside().0
    }

    /// What lies in a folder that is used, with the problems of reading it.
    pub(crate) fn open(&self, diagnostics: &mut Vec<Diagnostic>) -> &[Self] {
        let (entries, problems) = self.inside();
        diagnostics.extend(problems.iter().cloned());
        entries
    }

    fn inside(&self) -> &(Vec<Self>, Vec<Diagnostic>) {
        self.entries.get_or_init(|| {
            let (path, shown, inner) = (&self.path, &self.shown, &self.inner);
            let mut problems = Vec::new();
            let entries = list_inside(path, shown, inner, &self.ignore, &mut problems);
            let entries = entries.unwrap_or_else(|error| {
                problems.push(unreadable(shown, &error));
                Vec::new()
            });
            (entries, problems)
        })
    }

    fn text(&self) -> &Result<Text, Box<Diagnostic>> {
        self.text.get_or_init(|| {
            let bytes =
                fs::read(&self.path).map_err(|error| Box::new(unreadable(&self.shown, &error)))?;
            if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                return Err(Box::new(utf16(&self.shown)));
            }
            let (text, problem) = match String::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(error) => {
                    let start = error.utf8_error().valid_up_to();
                    let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
                    let problem = not_utf8(&self.shown, &lossy, start, error.as_bytes()[start]);
                    (lossy, Some(problem))
                }
            };
            Ok(Text { file: Arc::new(SourceFile::new(self.shown.clone(), &text)), problem })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_looks_into_folders_of_folders_for_what_is_known() {
        let folder = std::env::temp_dir().join(format!("dunlin-entry-{}", std::process::id()));
        fs::create_dir_all(folder.join("a/b/c")).unwrap();
        fs::write(folder.join("a/1_x.sql"), "SELECT 1;\n").unwrap();
        let entries = list(&folder, "migrations", &[], &mut Vec::new()).unwrap();
        let mut known = Known::default();
        known.add_checksum("SELECT 1;\n", Checksum::of("SELECT 2;\n"));
        entries[0].recall(&known);
        let inside = entries[0].peek_inside();
        let names: Vec<_> = inside.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["1_x.sql", "b"]);
        assert!(inside[1].entries.get().is_none());
        entries[0].keep_checksums(&mut known);
        assert!(inside[1].entries.get().is_none());
        fs::remove_dir_all(folder).unwrap();
    }
}
