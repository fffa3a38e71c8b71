//! Registries of files a test writes, through the same core as the macro.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use dunlin::{Context, Registry};
use dunlin_core::options::DEFAULT_HISTORY_TABLE;
use dunlin_core::{Folder, Options};

use dunlin::__private::of_folder;

/// A function of a migration in Rust, as the macro names it: `|cx| Box::pin(async move { .. })`.
pub type Function = for<'a, 'b> fn(
    &'a mut Context<'b>,
)
    -> Pin<Box<dyn Future<Output = dunlin::Result<()>> + Send + 'a>>;

/// The functions of a `.rs` file of a test.
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// The name of the migration.
    pub name: &'static str,
    /// What it does.
    pub up: Function,
    /// How it is undone, if it can be.
    pub down: Option<Function>,
}

/// Writes files into a new temporary folder and returns it.
pub fn folder(files: &[(&str, &str)]) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("dunlin-test-{}-{:x}", std::process::id(), random()));
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        let path = folder.join(name);
        // A name may lead into a folder, as in the layouts of some tools.
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The registry of SQL files, as the macro would make it. It lives as long as the test process.
pub fn registry(files: &[(&str, &str)]) -> Registry {
    registry_with(files, &[])
}

/// As [`registry`], with migrations in Rust among the files: a `.rs` file is added for each.
pub fn registry_with(files: &[(&str, &str)], rust: &[Functions]) -> Registry {
    let folder = folder(files);
    for Functions { name, .. } in rust {
        let text = format!("// {name}\npub async fn up(cx: &mut Context<'_>) -> Result<()> {{}}\n");
        std::fs::write(folder.join(format!("{name}.rs")), text).unwrap();
    }
    let registry = registry_of(&folder, rust);
    std::fs::remove_dir_all(&folder).unwrap();
    registry
}

/// The registry of a folder, which is read now and not looked at again.
pub fn registry_of(folder: &Path, rust: &[Functions]) -> Registry {
    // What the server says to a statement that the build would refuse is tested too.
    let options = Options { syntax: false, ..Options::default() };
    let reading = Folder::read(folder, "migrations", &options);
    if let Some(error) = reading.errors().next() {
        panic!("{error}");
    }
    of_folder(&reading.folder, DEFAULT_HISTORY_TABLE, |migration| {
        let functions = rust.iter().find(|functions| functions.name == migration.name).unwrap();
        (functions.up, functions.down)
    })
}

fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
