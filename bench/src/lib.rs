//! Dunlin beside the tools people use now: how long a start takes, and how long a build.
//!
//! `run` measures starts, `builds` builds; both write their tables into `RESULTS.md`.

mod by_hand;

pub mod application;
pub mod contender;
pub mod packages;
pub mod proxy;
pub mod report;
pub mod sample;
pub mod server;
pub mod wire;

pub use dunlin_bench_embedded::migrations;

/// Anything may go wrong, and then the benchmark ends.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
