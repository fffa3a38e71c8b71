//! The histories of other tools: what their rows mean, and whether they fit the migrations here.
//!
//! Separate from the runtime, which reads the rows, because a judgement about them must be testable
//! without a database, and from [`layout`](crate::layout), which reads the tools' folders.
//!
//! **Invariant:** what does not fit is an [`Entry`] of its own; nothing is passed over.

mod matching;
mod record;
mod sum;
mod tool;

#[cfg(test)]
mod tests;

pub use matching::{Candidate, Entry, Finding, fit};
pub use record::{Record, Standing};
pub use sum::{Sum, sum_of};
pub use tool::{Shape, Tool};
