//! PostgreSQL migrations compiled into a Rust binary.
//!
//! [`embed_migrations!`] reads a folder when the application is built and yields a [`Registry`]:
//! ordered, checksummed, `const`. A malformed folder fails the build. [`Migrator`] brings a database
//! to where the registry says it should be.
//!
//! ```no_run
//! use dunlin::{Console, Migrator, Registry};
//!
//! static MIGRATIONS: Registry = dunlin::embed_migrations!("../migrations");
//!
//! # async fn start(pool: deadpool_postgres::Pool) -> dunlin::Result<()> {
//! let report = Migrator::new(&MIGRATIONS)
//!     .observer(Console::new(|line| println!("{line}")))
//!     .apply(&pool)
//!     .await?;
//! println!("{} applied now, {} in all", report.done().len(), report.n_total());
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! | --- | --- |
//! | apply what is pending | [`Migrator::apply`], [`Migrator::apply_to`] |
//! | undo | [`Migrator::roll_back`] |
//! | look, without writing | [`Migrator::status`], [`Migrator::plan`] |
//! | hand a script over to somebody else | [`Migrator::script`] |
//! | fail when an applied file was edited | [`Migrator::verify`] |
//! | take over a table `id, name, executed_at` | [`Migrator::adopt`] |
//! | take over the history of another tool (feature `adopt`) | `Migrator::adopt_from` |
//! | begin with a database that has the schema | [`Migrator::baseline`] |
//! | correct the history | [`Migrator::repair`], [`Migrator::mark`] |
//! | see and end who holds the lock | [`Migrator::lock_holder`], [`Migrator::unlock`] |
//! | follow a run | [`Observer`], [`Console`] |
//! | ask from elsewhere where it stands | [`Health`] |
//! | write a migration in Rust | [`Context`] |
//!
//! The README explains folders, rebuilds and guarantees; `DESIGN.md` in the repository gives reasons.
//!
//! # Features
//!
//! * `deadpool` (default): runs on a `deadpool_postgres::Pool` or a pooled `Object`. Without it, on a
//!   `tokio_postgres::Client`.
//! * `adopt`: takes over the histories of sqlx, diesel, refinery, golang-migrate, goose, dbmate,
//!   sql-migrate, tern, Flyway, Prisma and Sequelize: `Migrator::origins`, `adoption`, `rehearse` and
//!   `adopt_from`. Two small crates for their checksums.
//! * `tracing`: a span `migrate` for each run (`direction`, `database`, `table`), in it a span `migration`
//!   for each migration (`name`, `version`, `direction`, `database`, `table`), and in these an event for
//!   everything an observer is told, with the target `dunlin`. What a migration in Rust says is in its
//!   span. A failed run is an error; what a person should look at, a warning; results and what takes
//!   long, information; the beginning of each migration and each statement, for debugging.
//!
//! # What is absent
//!
//! The runtime prints nothing, parses no arguments, reads no environment, and in release builds reads
//! no files. It makes no connections; whoever makes them decides about TLS.

mod migrator;

mod plan;
mod policy;
mod registry;
mod status;

#[cfg(feature = "adopt")]
mod adopt;
mod amend;
mod applied;
mod belongings;
mod budget;
mod context;
mod drift;
mod duplicates;
mod execute;
mod execute_evidence;
mod execute_failure;
mod execute_statements;
mod handover;
mod history;
mod invalid_index;
#[cfg(feature = "adopt")]
mod inventory;
mod line_diff;
mod lock;
mod log;
mod other_history;
mod pipeline;
mod prepared;
mod primary;
mod residue;
#[doc(hidden)]
pub mod scratch;
mod script;
mod secret;
mod session;
mod settings;
mod shape;
mod single;
mod stale;
mod summary;
mod watch;

mod clock;
mod console;
mod database;
mod error;
mod event;
mod health;
mod quote;
mod report;
mod told;
mod trace;

#[cfg(feature = "adopt")]
pub use adopt::{Adopting, Adoption, AdoptionState, Origin, Proof, Scratch};
pub use amend::{Mark, Repaired};
pub use applied::{Applied, Progress};
pub use console::Console;
pub use context::Context;
pub use database::Database;
pub use drift::Drift;
#[cfg(feature = "adopt")]
pub use dunlin_core::adopt::{Place, Record, Standing, Tool};
pub use dunlin_core::{Checksum, Diagnostic, Location, Version};
pub use error::{Error, ErrorKind, Result};
pub use event::{Blocker, Direction, Event, Holder, Observer, Statement};
pub use health::{Current, Health, Migrating, Phase, Snapshot};
#[cfg(feature = "adopt")]
pub use inventory::Difference;
pub use migrator::Migrator;
pub use plan::{Plan, Step, Target};
pub use policy::{AheadPolicy, Policy};
pub use registry::{Migration, Registry};
pub use report::{Done, Report};
pub use status::{Entry, State, Status};
pub use watch::ServerProgress;

#[doc(hidden)]
pub mod __private {
    pub use crate::registry::generated::*;
    pub use crate::registry::of_folder;
    pub use dunlin_macros::embed;
}

/// Reads a migrations folder at build time and yields its [`Registry`], as an expression that can
/// stand in a `static` or a `const`.
///
/// ```
/// use dunlin::Registry;
///
/// static MIGRATIONS: Registry = dunlin::embed_migrations!("../migrations");
/// assert_eq!(MIGRATIONS.len(), 14);
/// assert!(MIGRATIONS.iter().all(|migration| migration.has_undo()));
/// ```
///
/// The path is relative to the crate's `Cargo.toml`; `embed_migrations!()` means
/// `embed_migrations!("migrations")`. Files that lie in the folder and are no migrations are named:
/// `embed_migrations!("migrations", ignore = ["schema.sql"])`.
///
/// # Layouts
///
/// The folders of sqlx, diesel, refinery, golang-migrate, goose, dbmate, sql-migrate, tern (the one in
/// Go), Flyway and Prisma are read as they are: their names, their order, the undo in the same file or
/// beside it, what they run outside a transaction. The layout is recognised from the folder. One that
/// fits two is an error, and an argument decides:
///
/// ```
/// static MIGRATIONS: dunlin::Registry =
///     dunlin::embed_migrations!("../migrations", layout = "dunlin");
/// assert_eq!(MIGRATIONS.len(), 14);
/// ```
///
/// The layouts are `dunlin`, `sqlx`, `diesel`, `refinery`, `golang-migrate`, `goose`, `dbmate`,
/// `sql-migrate`, `tern`, `flyway` and `prisma`. A migration is named after its file or its folder:
/// `00001_users.sql` of goose is `00001_users`, `V1.2__users.sql` of Flyway is `V1.2__users`,
/// `2025-11-19-091444_users/up.sql` of diesel is `2025-11-19-091444_users`. The checksum of a file that
/// holds an undo as well is taken without the undo. An undo without a statement, which the tools write
/// for the author to fill in, is no undo. Of Flyway, names and placeholders are those of its defaults.
///
/// # Errors
///
/// Every problem of the folder fails the build, all of them at once, each with the place in its
/// file: misnamed and unexpected files, duplicate versions, counters mixed with dates, an undo
/// without its migration, text that is not UTF-8, blank files, quotes, comments and parentheses that
/// are never closed, transaction control, statements that cannot run in a transaction, commands of
/// psql, `COPY FROM STDIN`, unknown directives, an enum value used before it can be, statements on the history table, names that
/// differ only in case, what `dunlin.sum` records otherwise; in the layouts of other tools also markers that are
/// misplaced or almost right, and what SQL cannot say: code in other languages, placeholders,
/// templates, repeatable migrations, callbacks.
///
/// ```compile_fail
/// static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("no-such-folder");
/// ```
///
/// # Levels and warnings
///
/// A finding is an error or a warning. Warnings are what works and is seldom meant: identifiers that
/// PostgreSQL cuts, settings that would outlive their file, an undo that undoes nothing, `BEGIN` and
/// `COMMIT` around a file, which are left out of what runs. The level of a rule is an argument, for the
/// folder or, to allow it, for one file:
///
/// ```
/// static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(
///     "../migrations",
///     deny = ["long-identifier"],
///     warn = ["enum-value-used"],
///     allow = ["wrapped-transaction"],
/// );
/// assert_eq!(MIGRATIONS.len(), 14);
/// ```
///
/// `allow = ["leaking-setting: 0003_settings.sql"]` exempts a released file, whose text must not
/// change; any other says it itself, at its head: `-- dunlin: allow leaking-setting: <reason>`. An
/// allowance that hides nothing is a warning. Rules without which a folder has no meaning cannot be
/// allowed. The page of each rule is in `docs/rules/` of the repository.
///
/// A warning reaches the user of a stable compiler as the use of something deprecated, named after its
/// rule. It stays a warning under `deny(warnings)` and `-D warnings`; what is to be an error is said
/// with `deny`.
///
/// # The history table
///
/// `history_table = "name"` says in which table a [`Migrator`] keeps the history, `migrations`
/// otherwise. A migration that changes this table is an error.
///
/// # Released migrations
///
/// With a file `dunlin.sum` in the folder, a migration that it records fails the build when it is
/// edited, removed, renamed or moved in the order. Begin with one that holds only the line
/// `# dunlin.sum 1`: the build shows the lines to append.
///
/// # Rebuilds
///
/// Cargo notices edits and removals of embedded files. For new files it needs one line in `build.rs`:
///
/// ```
/// println!("cargo::rerun-if-changed=migrations");
/// ```
///
/// or a `dunlin.sum`: recording a migration in it builds it in.
///
/// Without it, a debug build that lacks a file of its folder refuses to run
/// ([`ErrorKind::Stale`]). A release build does not look, and does not hold the folder's absolute
/// path; only a `.rs` migration has its own in it, where the compiler notes what may panic.
#[macro_export]
macro_rules! embed_migrations {
    ($($argument:tt)*) => { $crate::__private::embed!($crate; $($argument)*) };
}
