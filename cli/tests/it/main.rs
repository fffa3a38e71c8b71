//! Every command through the real binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be set up is a failed test")]

mod support;

mod base;
mod folder;
