//! Whether cargo watches a folder already, because the package's build script asks for it.
//!
//! Then the compiler need not watch its files one by one, which costs it a twentieth of a second for a
//! thousand of them in each build.
//!
//! **Invariant:** a folder is said to be watched only if cargo's own record of what the build script has
//! said covers it. A build script that says something else runs again first, and the record is new then.

use std::path::{Component, Path, PathBuf};
use std::{env, fs};

/// Whether cargo builds the package again when something in this folder changes.
pub(crate) fn by_cargo(directory: &Path, package: &Path) -> bool {
    // Cargo keeps what a build script has printed beside the folder it gives the script.
    let output = env::var_os("OUT_DIR").map(|out| Path::new(&out).with_file_name("output"));
    let said = output.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    is_watched(&said, directory, package)
}

/// Of a folder, cargo looks at everything below it.
fn is_watched(said: &str, directory: &Path, package: &Path) -> bool {
    let directory = clean(directory);
    let watched = said.lines().filter_map(|line| {
        let instruction = line.strip_prefix("cargo::").or_else(|| line.strip_prefix("cargo:"))?;
        instruction.strip_prefix("rerun-if-changed=")
    });
    watched.map(|path| clean(&package.join(path))).any(|path| directory.starts_with(path))
}

/// The path without `.` and `..`, as cargo compares it.
fn clean(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                let _popped = clean.pop();
            }
            other => clean.push(other),
        }
        clean
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_watched_if_the_build_script_names_it_or_one_around_it() {
        let is_watched =
            |said| is_watched(said, Path::new("/w/app/../migrations"), Path::new("/w/app"));
        for said in [
            "cargo::rerun-if-changed=../migrations",
            "cargo:rerun-if-changed=../migrations/",
            "hello\ncargo:rerun-if-changed=build.rs\ncargo::rerun-if-changed=..\n",
            "cargo::rerun-if-changed=/w/migrations",
        ] {
            assert!(is_watched(said), "{said}");
        }
        for said in [
            "",
            "cargo::rerun-if-changed=migrations",
            "cargo::rerun-if-changed=../migrations-old",
            "cargo::rerun-if-changed=../migrations/1_a.sql",
            "cargo::rerun-if-env-changed=../migrations",
            "  cargo::rerun-if-changed=../migrations",
            "cargo::warning=rerun-if-changed=../migrations",
        ] {
            assert!(!is_watched(said), "{said}");
        }
    }
}
