//! What earlier builds of a package have found out, kept where cargo has a place for it.
//!
//! That is the folder of its build script's output; a package without a build script has none, and looks at
//! everything in each build.
//!
//! **Invariant:** nothing depends on it but time. What cannot be read or written is left alone.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use dunlin_core::{Checksum, Known};

/// The file about one migrations folder.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    text: String,
}

impl Memory {
    /// What is known of a folder.
    pub(crate) fn of(directory: &Path) -> Self {
        // A package may embed several.
        let folder = Checksum::of(&directory.to_string_lossy()).to_string();
        let name = format!("dunlin-{}", &folder["sha256:".len()..][..16]);
        let file = env::var_os("OUT_DIR").map(|out| Path::new(&out).join(name));
        let text = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        Self { file, text: text.unwrap_or_default() }
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
        let _kept = fs::write(&new, known.to_string()).and_then(|()| fs::rename(&new, file));
    }
}
