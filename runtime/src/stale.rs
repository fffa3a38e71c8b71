//! Whether this binary was built before its folder changed. Debug builds only.
//!
//! Cargo notices edits and deletions of embedded files by itself, but not new files: without a
//! `build.rs` line the newest migration is silently absent from the build.

use std::path::Path;

use dunlin_core::folder::glance;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::Registry;

/// Compares the registry with the folder it came from, if this is a debug build that can see it.
pub(crate) fn check(registry: &Registry) -> Result<()> {
    let Some(source) = registry.source else { return Ok(()) };
    // A debug build that runs elsewhere has no folder to compare with.
    let Ok(found) = glance(Path::new(source), registry.layout, registry.ignore) else {
        return Ok(());
    };
    let mut facts = Vec::new();
    for (name, checksum) in &found {
        match registry.get(name) {
            None => facts.push(format!("`{name}` is in the folder but was not embedded")),
            Some(embedded) if embedded.checksum != *checksum => {
                facts.push(format!("`{name}` was edited after this build"));
            }
            Some(_) => {}
        }
    }
    for migration in registry {
        if !found.iter().any(|(name, _)| name == migration.name) {
            facts.push(format!("`{}` was embedded and is no longer in the folder", migration.name));
        }
    }
    if facts.is_empty() {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Stale, format!("this build is stale: {}", facts[0]));
    let error = facts[1..].iter().fold(error, |error, fact| error.note(fact.clone()));
    Err(error
        .note(format!(
            "compared with the folder `{}`; nothing was changed in the database",
            registry.folder
        ))
        .help(advice(registry)))
}

/// What to do about a build that lacks files.
pub(crate) fn advice(registry: &Registry) -> String {
    format!(
        "build again; so that cargo notices new files by itself, add a build.rs beside Cargo.toml with\n\
         fn main() {{ println!(\"cargo::rerun-if-changed={}\"); }}",
        registry.folder_argument
    )
}
