//! What the tests share: a database for each test, and registries made at run time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do is a failed test")]
#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    reason = "not an API"
)]

mod cutter;
mod database;
mod pair;
mod pgbouncer;
mod project;
mod proxy;
mod recorder;
mod registry;
mod rendered;
mod story;
mod text;

pub use cutter::{Cut, Cutter};
pub use database::{Gate, TestDatabase, connect, pool, pool_of, server, until};
pub use pair::Pair;
pub use pgbouncer::Pgbouncer;
pub use project::{Project, Said, manifest};
pub use proxy::{Message, Moment, Proxy, Side, Traffic};
pub use recorder::Recorder;
pub use registry::{Function, Functions, folder, registry, registry_of, registry_with};
pub use rendered::rendered;
pub use story::{Chapter, Deed, Harm, Story, TALLY, Verb};
pub use text::undated;
