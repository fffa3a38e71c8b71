//! The arguments of what works on a folder.

use std::path::PathBuf;

use clap::Args;

use super::Secret;

/// Which folder, and how it is read: the arguments of `embed_migrations!`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Folder")]
pub(crate) struct FolderArgs {
    /// The migrations folder; `migrations` here, else beside the next `Cargo.toml` above
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) folder: Option<PathBuf>,
    /// A file that may lie beside the migrations
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ignore: Vec<String>,
    /// Whose layout the folder has, where it cannot be told
    #[arg(long, global = true, value_name = "TOOL")]
    pub(crate) layout: Option<String>,
    /// A rule whose findings are errors
    #[arg(long, global = true, value_name = "RULE")]
    pub(crate) deny: Vec<String>,
    /// A rule whose findings are warnings
    #[arg(long, global = true, value_name = "RULE")]
    pub(crate) warn: Vec<String>,
    /// A rule that is not told, or `<rule>: <file>`
    #[arg(long, global = true, value_name = "RULE")]
    pub(crate) allow: Vec<String>,
    /// Check no statement against PostgreSQL's grammar, as `syntax = false` in the macro
    #[arg(long, global = true)]
    pub(crate) no_syntax: bool,
}

/// Begin the next migration, in the folder's own style
///
/// The version is the next one in the numbering the folder has: counters in their width, dates in
/// their form. Words become the name with the signs the folder uses between them. The folders of other
/// tools get the files that those tools would make. A file that is there is never written. A `dunlin.sum`
/// notes that it is begun.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin new create users\n  cargo dunlin new \"add users.email\" --down"
)]
pub(crate) struct New {
    /// What it does, in words
    #[arg(required = true, num_args = 1..)]
    pub(crate) name: Vec<String>,
    /// In Rust instead of SQL
    #[arg(long)]
    pub(crate) rust: bool,
    /// With an undo
    #[arg(long)]
    pub(crate) down: bool,
}

/// Begin with migrations: the folder, a first one, and what the build needs
///
/// Makes the folder with a first migration, a `build.rs` that has cargo notice new files, and a line in
/// `.gitattributes` that keeps line ends. What is there already stays as it is; what it lacks is told.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin init\n  cargo dunlin init --folder db/migrations"
)]
pub(crate) struct Init {}

/// Check the folder as the build does, without a database
///
/// Says what `embed_migrations!` would say, in the same words, and holds the folder against its
/// `dunlin.sum`. With `--base` also against a branch: what exists there must be unchanged, and what is
/// new must come behind it. With `--server` a private PostgreSQL is started, whose parser reads every
/// statement, and on which all migrations are applied, undone as far as they can be, and applied again.
/// With `--server <URL>` the same is done in a scratch database on that server, which is removed
/// afterwards; what migrations do to a whole server, such as roles, stays there.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin check\n  cargo dunlin check --base origin/main --server --format github\n  \
    cargo dunlin check --server postgres://postgres@localhost"
)]
pub(crate) struct Check {
    /// A commit, branch or tag of git that the folder is to be merged into
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
    #[command(flatten)]
    pub(crate) trial: Trial,
}

/// Try this application's migrations on a server of their own
///
/// Their texts were checked when the application was built. With `--server` all of them, those in Rust
/// too, are applied, undone as far as they can be, and applied again: on a private PostgreSQL that is
/// started for it, or with a URL in a scratch database on that server, which is removed afterwards; what
/// migrations do to a whole server, such as roles, stays there.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin check --server\n  cargo dunlin check --server postgres://postgres@localhost"
)]
pub(crate) struct ApplicationCheck {
    #[command(flatten)]
    pub(crate) trial: Trial,
}

/// Whether migrations are tried, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct Trial {
    /// Apply, undo and apply again: on a private PostgreSQL, which is fetched if none is installed, or
    /// in a scratch database on the server of this URL
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    #[expect(
        clippy::option_option,
        reason = "clap's type for an option whose value may be left out"
    )]
    pub(crate) server: Option<Option<Secret>>,
}

/// Record what is released in `dunlin.sum`
///
/// Appends a line for each migration that the file does not hold yet, and makes the file if there is
/// none. From then on the build fails when one of them is edited, removed, renamed or moved. Nothing is
/// recorded while the folder has errors, or when what is recorded is not so any more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo dunlin sum")]
pub(crate) struct Sum {}

/// Move this branch's own migrations behind those of another branch
///
/// For after the other branch was merged, or before it is: migrations that the base does not have, from
/// the first on that does not come behind the base's last one, get the next versions in the order they
/// have. Migrations that are released are not touched. In a `dunlin.sum` that records them they are
/// recorded anew.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin renumber --base origin/main --dry-run\n  cargo dunlin renumber --base origin/main"
)]
pub(crate) struct Renumber {
    /// The commit, branch or tag of git to come behind
    #[arg(long, value_name = "REF")]
    pub(crate) base: String,
    /// Only show what would be renamed
    #[arg(long)]
    pub(crate) dry_run: bool,
}
