//! The histories of other tools: what their rows mean, and whether they fit the migrations here.
//!
//! Separate from the runtime, which reads the rows, because a judgement about them must be testable
//! without a database, and from [`layout`](crate::layout), which reads the tools' folders.
//!
//! Which tools there are is known in every build, because a first run looks for their tables; the rest is
//! behind the feature `adopt`.
//!
//! **Invariant:** what does not fit is an [`Entry`] of its own; nothing is passed over.

#[cfg(feature = "adopt")]
mod matching;
#[cfg(feature = "adopt")]
mod place;
#[cfg(feature = "adopt")]
mod record;
#[cfg(feature = "adopt")]
mod sum;
mod tool;

#[cfg(test)]
#[cfg(feature = "adopt")]
mod tests;

#[cfg(feature = "adopt")]
pub use matching::{Candidate, Entry, Finding, bare, fit};
#[cfg(feature = "adopt")]
pub use place::Place;
#[cfg(feature = "adopt")]
pub use record::{Record, Standing};
#[cfg(feature = "adopt")]
pub use sum::{Sum, sum_of};
pub use tool::{Shape, Tool};
