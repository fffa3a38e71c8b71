//! The arguments of what works on a database.

use clap::Subcommand;

/// What can be done with a database.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {}
