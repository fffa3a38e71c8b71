//! A private server, for real: processes are started, killed and looked for.
//!
//! As root every test runs the server as the user root drops to; those that also matter for
//! other users run their owner process as `nobody` too (see `owner::Owner::by_nobody`), and
//! as the present user where that is not root.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod attribute;
mod fetched;
mod kept;
mod leftovers;
mod life;
mod owner;
mod places;
mod template;
