//! Every behaviour of Dunlin against a real server, one module per hazard.

mod concurrency;
mod readme;
mod start;
