//! A registry from a folder at run time: what the macro makes when an application is built.
//!
//! The names and texts are leaked, because a registry is `'static`; a process of the command line
//! makes one and ends.

use dunlin::__private as generated;
use dunlin::{Error, Migration, Registry};
use dunlin_core::Folder;
use dunlin_core::folder::{Language, Migration as Source, Script};

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
    let (name, version) = (leaked(&source.name), leaked(source.version.as_str()));
    let kind = source.version.kind().__number();
    let checksum: &'static [u8; 32] = Box::leak(Box::new(*source.up.checksum.as_bytes()));
    let (path, text, run, transactional) = sql(&source.up);
    let down = source.down.as_ref().map(sql);
    match (source.up.language, down) {
        (Language::Rust { has_down }, down) => generated::rust(
            name,
            kind,
            version,
            checksum,
            path,
            text,
            |_| Box::pin(async { Err(not_compiled()) }),
            has_down.then_some(|_| Box::pin(async { Err(not_compiled()) })),
            down,
        ),
        (Language::Sql { .. }, None) => {
            generated::sql(name, kind, version, checksum, path, text, run, transactional)
        }
        (Language::Sql { .. }, Some(down)) => generated::undoable(
            name,
            kind,
            version,
            checksum,
            path,
            text,
            run,
            transactional,
            down.0,
            down.1,
            down.2,
            down.3,
        ),
    }
}

/// Why a migration in Rust does not run here.
fn not_compiled() -> Error {
    Error::custom("it is in Rust, and runs only in the application it is compiled into")
}

/// Path, text, what runs if that is not the text, and whether it runs in a transaction.
fn sql(script: &Script) -> (&'static str, &'static str, &'static str, bool) {
    let transactional = matches!(script.language, Language::Sql { transactional: true });
    let run = leaked(script.run.as_deref().unwrap_or_default());
    (leaked(script.file.path()), leaked(script.file.text()), run, transactional)
}

fn leaked(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
