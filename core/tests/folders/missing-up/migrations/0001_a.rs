//! No function.
pub fn up() {}
