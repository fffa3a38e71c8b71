//! A registry from a folder at run time: what the macro makes when an application is built.
//!
//! The names and texts are leaked, because a registry is `'static`; a process of the command line
//! makes one and ends.

use dunlin::__private as generated;
use dunlin::{Error, Migration, Registry, Version};
use dunlin_core::folder::{Language, Migration as Source, Script};
use dunlin_core::{Folder, VersionKind};

/// The registry of a folder that has no errors.
pub(crate) fn of(folder: &Folder, history_table: &str) -> Registry {
    let migrations: Vec<Migration> = folder.migrations().iter().map(migration).collect();
    let registry = generated::registry(
        Vec::leak(migrations),
        folder.fingerprint().number(),
        leaked(folder.path()),
        leaked(folder.path()),
        None,
        &[],
    );
    let registry = generated::in_layout(registry, folder.layout());
    generated::with_history_table(registry, leaked(history_table))
}

fn migration(source: &Source) -> Migration {
    let name = leaked(&source.name);
    let checksum = *source.up.checksum.as_bytes();
    let down = source.down.as_ref().map(sql);
    let version = version(&source.version);
    match source.up.language {
        Language::Sql { .. } => generated::sql(name, version, checksum, sql(&source.up), down),
        Language::Rust { has_down } => {
            let file = generated::RustFile {
                path: leaked(source.up.file.path()),
                text: leaked(source.up.file.text()),
                up: |_| Box::pin(async { Err(not_compiled()) }),
                down: has_down.then_some(|_| Box::pin(async { Err(not_compiled()) })),
            };
            generated::rust(name, version, checksum, file, down)
        }
    }
}

/// Why a migration in Rust does not run here.
fn not_compiled() -> Error {
    Error::custom("it is in Rust, and runs only in the application it is compiled into")
}

fn sql(script: &Script) -> generated::SqlFile {
    generated::SqlFile {
        path: leaked(script.file.path()),
        text: leaked(script.file.text()),
        run: script.run.as_deref().map(leaked),
        transactional: matches!(script.language, Language::Sql { transactional: true }),
    }
}

fn version(version: &Version) -> Version {
    let text = leaked(version.as_str());
    match version.kind() {
        VersionKind::Counter => generated::counter(text),
        VersionKind::Timestamp => generated::timestamp(text),
        VersionKind::Dotted => generated::dotted(text),
        VersionKind::Text => generated::text(text),
    }
}

fn leaked(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
