//! The rules, each over what it needs and nothing else.

mod grammar;
pub(crate) mod meaning;
pub(crate) mod names;
pub(crate) mod portable;
pub(crate) mod script;
pub(crate) mod transaction;

#[cfg(test)]
mod tests;
