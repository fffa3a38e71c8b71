//! A registry of a folder that is read at run time: what the macro makes when an application is built.
//!
//! For the command line, and for tests that write folders. A registry is `'static`, so names and texts
//! are leaked; whoever calls this makes one and ends.

use dunlin_core::Folder;
use dunlin_core::folder::{Language, Migration as Source, Script as File};

use super::{Code, Migration, Registry, RustMigration, Script};

/// The registry of a folder that has no errors. `functions` are those of a migration in Rust: what it
/// does, and how it is undone if its file says so.
pub fn of_folder(
    folder: &Folder,
    history_table: &str,
    functions: impl Fn(&Source) -> (RustMigration, Option<RustMigration>),
) -> Registry {
    let migrations: Vec<_> =
        folder.migrations().iter().map(|source| migration(source, &functions)).collect();
    let path = leaked(folder.path());
    Registry {
        migrations: migrations.leak(),
        fingerprint: folder.fingerprint(),
        folder: path,
        folder_argument: path,
        source: None,
        ignore: &[],
        layout: folder.layout(),
        history_table: leaked(history_table),
    }
}

fn migration(
    source: &Source,
    functions: impl Fn(&Source) -> (RustMigration, Option<RustMigration>),
) -> Migration {
    let (code, undo) = match source.up.language {
        Language::Sql { transactional } => (Code::Sql { transactional }, None),
        Language::Rust { .. } => {
            let (up, down) = functions(source);
            (Code::Rust(up), down)
        }
    };
    let up = script(&source.up, code);
    let down = match (undo, &source.down) {
        (Some(undo), _) => Some(Script { code: Code::Rust(undo), ..up }),
        (None, Some(file)) => {
            let transactional = matches!(file.language, Language::Sql { transactional: true });
            Some(script(file, Code::Sql { transactional }))
        }
        (None, None) => None,
    };
    Migration {
        name: leaked(&source.name),
        version: source.version.clone(),
        checksum: source.up.checksum,
        up,
        down,
    }
}

fn script(file: &File, code: Code) -> Script {
    let text = leaked(file.file.text());
    let run_text = file.run.as_deref().map_or(text, leaked);
    Script { path: leaked(file.file.path()), text, run_text, code }
}

fn leaked(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
