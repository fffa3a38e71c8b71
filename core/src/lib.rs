//! Placeholder.
pub mod checksum;
pub mod source;
pub mod version;
pub use checksum::Checksum;
pub use version::Version;
