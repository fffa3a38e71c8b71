//! What the macro generates: the migrations of a build, in order.
//!
//! **Invariant:** everything here is `const`. A registry costs nothing when the program starts; one that
//! is read then has a room of its own.

mod leaked;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use dunlin_core::options::DEFAULT_HISTORY_TABLE;
use dunlin_core::{Checksum, Fingerprint, Layout, Version};

pub use self::leaked::of_folder;
use crate::context::Context;
use crate::error::Result;
use crate::script::SqlText;
use crate::settings::undeclared_in;

/// The migrations compiled into this binary, ordered and checksummed.
///
/// Made by [`embed_migrations!`](crate::embed_migrations), by nothing else.
///
/// ```
/// static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../migrations");
///
/// assert_eq!(MIGRATIONS.len(), 14);
/// let first = MIGRATIONS.iter().next().unwrap();
/// assert_eq!(first.name(), "2025103001-create-workflow-requests");
/// ```
#[derive(Clone, Copy)]
pub struct Registry {
    pub(crate) migrations: &'static [Migration],
    pub(crate) fingerprint: Fingerprint,
    pub(crate) folder: &'static str,
    /// The folder as the macro's argument named it: relative to `Cargo.toml`.
    pub(crate) folder_argument: &'static str,
    /// Where the folder was, in debug builds only: for the question whether this build is stale.
    pub(crate) source: Option<&'static str>,
    pub(crate) ignore: &'static [&'static str],
    /// Whose layout the folder has, which decides the order of names.
    pub(crate) layout: Layout,
    /// The history table that the folder was checked against, which a [`Migrator`](crate::Migrator)
    /// uses unless it is told otherwise.
    pub(crate) history_table: &'static str,
}

/// One migration of a [`Registry`].
pub struct Migration {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    pub(crate) checksum: Checksum,
    pub(crate) up: Script,
    pub(crate) down: Option<Script>,
}

/// What a migration or its undo runs.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) path: &'static str,
    /// The file.
    pub(crate) text: &'static str,
    /// What runs: the file, or the file with what is not sent blanked out.
    pub(crate) run_text: &'static str,
    pub(crate) code: Code,
}

/// How a script runs.
#[derive(Clone, Copy)]
pub(crate) enum Code {
    Sql { transactional: bool },
    Rust(RustMigration),
}

/// A migration in Rust with its future boxed, so that all have one type.
pub(crate) type RustMigration =
    for<'a, 'b> fn(&'a mut Context<'b>) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

impl Registry {
    /// A registry without migrations.
    pub const EMPTY: Self = Self {
        migrations: &[],
        fingerprint: Fingerprint::EMPTY,
        folder: "",
        folder_argument: "",
        source: None,
        ignore: &[],
        layout: Layout::Dunlin,
        history_table: DEFAULT_HISTORY_TABLE,
    };

    /// The migrations in the order they run in.
    pub fn iter(&self) -> std::slice::Iter<'static, Migration> {
        self.migrations.iter()
    }

    /// How many migrations there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.migrations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.migrations.is_empty()
    }

    /// The migration of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static Migration> {
        self.migrations.iter().find(|migration| migration.name == name)
    }

    /// The names of parameters that no library has declared and some migration or undo may set.
    pub(crate) fn undeclared_settings(&self) -> BTreeSet<String> {
        self.iter()
            .flat_map(|migration| [Some(migration.up), migration.down])
            .flatten()
            .flat_map(|script| undeclared_in(script.run_text))
            .collect()
    }

    /// The folder the migrations came from, as messages show it.
    #[must_use]
    pub const fn folder(&self) -> &'static str {
        self.folder
    }
}

impl IntoIterator for &Registry {
    type Item = &'static Migration;
    type IntoIter = std::slice::Iter<'static, Migration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Migration {
    /// How many statements run; nothing for a migration in Rust.
    pub(crate) fn n_statements(&self) -> Option<usize> {
        let Script { path, run_text, code, .. } = self.up;
        matches!(code, Code::Sql { .. }).then(|| SqlText::new(path, run_text).statements.len())
    }

    /// The whole name, `20251104-create-kpi-views`: what the history table stores.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The version at the front of the name.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// SHA-256 of the normalised text.
    #[must_use]
    pub const fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The file, as messages show it.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.up.path
    }

    /// The text that was embedded.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.up.text
    }

    /// Whether there is an undo.
    #[must_use]
    pub const fn has_undo(&self) -> bool {
        self.down.is_some()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("folder", &self.folder)
            .field("migrations", &self.migrations)
            .finish()
    }
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("name", &self.name)
            .field("checksum", &self.checksum)
            .finish()
    }
}

/// For the code the macro generates. Not public in any other sense.
#[doc(hidden)]
#[expect(
    clippy::too_many_arguments,
    reason = "nobody reads the calls, and the compiler reads a thousand of them in each build"
)]
pub(crate) mod generated {
    use super::{Code, Migration, Registry, RustMigration, Script};
    pub use dunlin_core::Layout;
    use dunlin_core::options::DEFAULT_HISTORY_TABLE;
    use dunlin_core::{Checksum, Fingerprint, Version, VersionKind};

    /// A migration in SQL without an undo. `run` is what runs, if that is not the text.
    #[must_use]
    pub const fn sql(
        name: &'static str,
        kind: u8,
        version: &'static str,
        checksum: &'static [u8; 32],
        path: &'static str,
        text: &'static str,
        run: &'static str,
        transactional: bool,
    ) -> Migration {
        let up = sql_script((path, text, run, transactional));
        migration(name, kind, version, checksum, up, None)
    }

    /// The same with an undo.
    #[expect(
        clippy::too_many_arguments,
        reason = "nobody reads the calls, and the compiler reads many"
    )]
    #[must_use]
    pub const fn undoable(
        name: &'static str,
        kind: u8,
        version: &'static str,
        checksum: &'static [u8; 32],
        path: &'static str,
        text: &'static str,
        run: &'static str,
        transactional: bool,
        down_path: &'static str,
        down_text: &'static str,
        down_run: &'static str,
        down_transactional: bool,
    ) -> Migration {
        let up = sql_script((path, text, run, transactional));
        let down = sql_script((down_path, down_text, down_run, down_transactional));
        migration(name, kind, version, checksum, up, Some(down))
    }

    /// A migration in Rust, with an undo in the same file, in a file in SQL, or without one.
    #[must_use]
    pub const fn rust(
        name: &'static str,
        kind: u8,
        version: &'static str,
        checksum: &'static [u8; 32],
        path: &'static str,
        text: &'static str,
        up: RustMigration,
        undo: Option<RustMigration>,
        down: Option<SqlFile>,
    ) -> Migration {
        let down = match (undo, down) {
            (Some(run), _) => Some(rust_script(path, text, run)),
            (None, Some(file)) => Some(sql_script(file)),
            (None, None) => None,
        };
        migration(name, kind, version, checksum, rust_script(path, text, up), down)
    }

    #[must_use]
    pub const fn registry(
        migrations: &'static [Migration],
        fingerprint: u64,
        folder: &'static str,
        folder_argument: &'static str,
        source: Option<&'static str>,
        ignore: &'static [&'static str],
    ) -> Registry {
        Registry {
            migrations,
            fingerprint: Fingerprint::from_number(fingerprint),
            folder,
            folder_argument,
            source,
            ignore,
            layout: Layout::Dunlin,
            history_table: DEFAULT_HISTORY_TABLE,
        }
    }

    #[must_use]
    pub const fn with_history_table(registry: Registry, history_table: &'static str) -> Registry {
        Registry { history_table, ..registry }
    }

    #[must_use]
    pub const fn in_layout(registry: Registry, layout: Layout) -> Registry {
        Registry { layout, ..registry }
    }

    /// Path, text, what runs if that is not the text, and whether it runs in a transaction.
    type SqlFile = (&'static str, &'static str, &'static str, bool);

    const fn sql_script((path, text, run, transactional): SqlFile) -> Script {
        let run_text = if run.is_empty() { text } else { run };
        Script { path, text, run_text, code: Code::Sql { transactional } }
    }

    const fn rust_script(path: &'static str, text: &'static str, run: RustMigration) -> Script {
        Script { path, text, run_text: text, code: Code::Rust(run) }
    }

    const fn migration(
        name: &'static str,
        kind: u8,
        version: &'static str,
        checksum: &'static [u8; 32],
        up: Script,
        down: Option<Script>,
    ) -> Migration {
        let version = Version::__from_static(VersionKind::__from_number(kind), version);
        Migration { name, version, checksum: Checksum::from_bytes(*checksum), up, down }
    }
}
