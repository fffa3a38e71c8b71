//! PostgreSQL migrations compiled into a Rust binary.

mod migrator;

mod plan;
mod registry;
mod status;

mod applied;
mod context;
mod drift;
mod execute;
mod execute_statements;
mod history;
mod lock;
mod script;
mod session;
mod stale;

mod clock;
mod console;
mod database;
mod error;
mod event;
mod quote;
mod report;

pub use applied::{Applied, Progress};
pub use console::Console;
pub use context::Context;
pub use database::Database;
pub use drift::Drift;
pub use dunlin_core::{Checksum, Diagnostic, Location, Version};
pub use error::{Error, ErrorKind, Result};
pub use event::{Direction, Event, Holder, Observer};
pub use migrator::Migrator;
pub use plan::{Plan, Step, Target};
pub use registry::{Migration, Registry};
pub use report::{Done, Report};
pub use status::{Entry, State, Status};

#[doc(hidden)]
pub mod __private {
    pub use crate::registry::generated::*;
    pub use dunlin_macros::embed;
}

/// Reads a migrations folder at build time and yields its [`Registry`].
#[macro_export]
macro_rules! embed_migrations {
    ($($argument:tt)*) => { $crate::__private::embed!($crate; $($argument)*) };
}
