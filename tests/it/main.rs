//! Every behaviour of Dunlin against a real server, one module per hazard.

#![expect(clippy::unwrap_used, reason = "what a test cannot do is a failed test")]

mod start;
