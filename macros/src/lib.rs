//! The procedural macro behind `dunlin::embed_migrations!`.
//!
//! It translates: `dunlin-core` reads and judges the folder, this crate turns the result into tokens.
//! Depend on `dunlin`, whose documentation explains the macro, not on this crate.

mod expand;
mod input;
mod listing;
mod memory;
mod watched;

use proc_macro::TokenStream;

/// `embed!(<crate>; "folder", ignore = ["file"])`: called by `dunlin::embed_migrations!` only.
#[doc(hidden)]
#[proc_macro]
pub fn embed(tokens: TokenStream) -> TokenStream {
    match syn::parse::<input::Input>(tokens) {
        Ok(input) => expand::expand(&input).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
