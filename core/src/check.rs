//! The rules, each over what it needs and nothing else.

pub(crate) mod names;
pub(crate) mod script;
