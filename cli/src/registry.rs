//! A registry of a folder that is read now. Its migrations in Rust are not compiled.

use dunlin::__private::of_folder;
use dunlin::{Error, Registry};
use dunlin_core::Folder;
use dunlin_core::folder::Language;

/// The registry of a folder that has no errors.
pub(crate) fn of(folder: &Folder, history_table: &str) -> Registry {
    of_folder(folder, history_table, |migration| {
        let has_down = matches!(migration.up.language, Language::Rust { has_down: true });
        (
            |_| Box::pin(async { Err(not_compiled()) }),
            has_down.then_some(|_| Box::pin(async { Err(not_compiled()) })),
        )
    })
}

/// Why a migration in Rust does not run here.
fn not_compiled() -> Error {
    Error::custom("it is in Rust, and runs only in the application it is compiled into")
}
