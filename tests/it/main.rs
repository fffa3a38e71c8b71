//! Every behaviour of Dunlin against a real server, one module per hazard.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do is a failed test")]

mod adopt;
mod amend;
mod cancel;
mod concurrency;
mod cuts;
mod drift;
mod embed;
mod evidence;
mod failure;
mod hazards;
mod health;
mod history;
mod hygiene;
mod kills;
mod laws;
mod layouts;
mod locks;
mod log;
mod meaning;
mod oracle;
mod other_history;
mod policy;
mod pooler;
mod prepared;
mod progress;
mod projects;
mod readme;
mod reconnect;
mod rust_migrations;
mod scenarios;
mod secrets;
mod single;
mod standby;
mod start;
mod syntax_oracle;
mod traces;
mod undo;
mod watch;
