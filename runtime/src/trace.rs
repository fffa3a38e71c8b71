//! Spans and events of `tracing`, with the feature of that name; without it, nothing.
//!
//! The events are told by an observer like any other, the first of every migrator. The spans are not:
//! they are entered while a run is polled, so that what the driver and migrations in Rust say belongs
//! to them.
//!
//! **Invariant:** with and without the feature, the rest of the crate is the same text.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Trace, first_observer, in_run, located};
#[cfg(feature = "tracing")]
pub(crate) use on::{Trace, first_observer, in_run, located};
