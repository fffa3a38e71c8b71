//! What earlier builds of a package have found out, kept where cargo has a place for it.
//!
//! That is the folder of its build script's output; a package without a build script has none, and looks at
//! everything in each build.
//!
//! **Invariant:** nothing depends on it but time. What cannot be read or written is left alone, and what was
//! found out by other rules is forgotten.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use dunlin_core::{Checksum, Known};

/// The file about one migrations folder.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    /// The first line of the file: which rules.
    rules: String,
    text: String,
}

impl Memory {
    /// What is known of a folder.
    pub(crate) fn of(directory: &Path) -> Self {
        // A package may embed several.
        let folder = Checksum::of(&directory.to_string_lossy()).to_string();
        let name = format!("dunlin-{}", &folder["sha256:".len()..][..16]);
        let file = env::var_os("OUT_DIR").map(|out| Path::new(&out).join(name));
        let rules = format!("rules {:032x}\n", Known::rules());
        let text = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let text = text.as_ref().and_then(|text| text.strip_prefix(&rules)).unwrap_or_default();
        Self { file, text: text.to_owned(), rules }
    }

    /// The texts that need no look.
    pub(crate) fn known(&self) -> Known {
        Known::parse(&self.text)
    }

    /// Keeps what is known now, if that is something else than what was read.
    pub(crate) fn keep(&self, known: &Known, before: &Known) {
        let Some(file) = self.file.as_ref().filter(|_| known != before) else { return };
        // Several crates of a package may be compiled at once.
        let new = file.with_extension(process::id().to_string());
        let text = format!("{}{known}", self.rules);
        let _kept = fs::write(&new, text).and_then(|()| fs::rename(&new, file));
    }
}
