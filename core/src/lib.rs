//! The rules of a Dunlin migrations folder.
//!
//! A folder goes in, and either an ordered, checksummed [`Folder`] or every problem it has comes out.
//! The macro, the runtime and the command line all ask this crate, so they cannot disagree.
//!
//! What is absent: there is no async code here, no network, no clock and no environment, and only
//! [`folder`] touches the file system.
//!
//! This crate is the inside of [`dunlin`](https://docs.rs/dunlin) and follows its version exactly;
//! depend on `dunlin` instead.

pub mod adopt;
pub mod base;
pub mod draft;
pub mod folder;
pub mod layout;
pub mod options;

pub mod filename;
pub mod version;

pub mod directive;
pub mod lexer;
pub mod rust_source;
pub mod statement;
#[cfg(feature = "syntax")]
pub mod syntax;

pub mod checksum;
pub mod fingerprint;
pub mod source;
pub mod sum;

mod check;
pub mod diagnostic;
mod known;
pub mod levels;
pub mod render;
pub mod rule;
pub mod suggest;

pub use checksum::Checksum;
pub use diagnostic::{Diagnostic, Place, Severity};
pub use fingerprint::Fingerprint;
pub use folder::Folder;
pub use known::Known;
pub use layout::Layout;
pub use levels::{Level, Levels};
pub use options::Options;
pub use rule::Rule;
pub use source::{Location, SourceFile, Span};
pub use version::{Version, VersionKind};
