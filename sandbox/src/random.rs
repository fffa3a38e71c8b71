//! Numbers for names that must not collide; nothing secret depends on them.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A different number each time; `RandomState` is seeded by the system for each thread and then
/// varied for each value.
pub(crate) fn number() -> u32 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    let bytes = hasher.finish().to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
