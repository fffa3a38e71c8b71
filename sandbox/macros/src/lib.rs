//! The attribute behind `#[dunlin_sandbox::test]`.
//!
//! It translates a function into a test: what a test needs at run time is in `dunlin-sandbox`, whose
//! documentation explains the attribute. Depend on that crate, not on this one.

mod arguments;
mod expand;

use proc_macro::TokenStream;

/// See `dunlin_sandbox::test`.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = syn::parse(arguments)
        .and_then(|arguments| expand::expand(&arguments, syn::parse(item.clone())?));
    match expanded {
        Ok(test) => test.into(),
        // The function stays, so that one mistake is one error.
        Err(error) => [TokenStream::from(error.into_compile_error()), item].into_iter().collect(),
    }
}
