//! Every command through the real binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be set up is a failed test")]

mod server;
mod support;
mod terminal;

mod adopt;
mod amend;
mod base;
mod check_server;
mod connection;
mod database;
mod failover;
mod folder;
mod interrupt;
mod schema;
mod screens;
