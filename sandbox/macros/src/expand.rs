//! From a function to a test that calls it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, Type};

use crate::arguments::Arguments;

/// The attributes and the visibility of the function go to the test; the function itself stands
/// inside of it under its own name, so that a panic or a trace names what the reader knows.
pub(crate) fn expand(arguments: &Arguments, function: ItemFn) -> Result<TokenStream, Error> {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    if let Some(twice) = attrs.iter().find(|it| it.path().is_ident("test")) {
        let text = "`#[dunlin_sandbox::test]` makes the function a test by itself";
        return Err(Error::new(twice.span(), text));
    }
    let database = match sig.inputs.iter().collect::<Vec<_>>()[..] {
        [] => None,
        [FnArg::Typed(argument)] => Some(matches!(*argument.ty, Type::Reference(_))),
        _ => {
            let text = "a test takes a `dunlin_sandbox::Database`, or nothing";
            return Err(Error::new(sig.inputs.span(), text));
        }
    };
    if let (Some(setup), None) = (&arguments.setup, database) {
        let text = "the template is prepared for a database that the test does not take";
        return Err(Error::new(setup.span(), text));
    }
    let (name, output) = (&sig.ident, &sig.output);
    let made = match &arguments.setup {
        None => quote!(::dunlin_sandbox::harness::database()),
        // A setup that does not fit is an error at its name.
        Some(setup) => {
            quote_spanned!(setup.span()=> ::dunlin_sandbox::harness::database_after(&#setup))
        }
    };
    // A name of our own: the test may be called `database`.
    let local = Ident::new("database", Span::mixed_site());
    let (made, call) = match database {
        None => (None, quote!(#name())),
        Some(true) => (Some(made), quote!(#name(&#local))),
        Some(false) => (Some(made), quote!(#name(#local))),
    };
    let call = match sig.asyncness {
        None => call,
        Some(_) => quote!(::dunlin_sandbox::harness::block_on(#call)),
    };
    // Made before the test's runtime is entered: a setup has one of its own.
    let made = made.map(|made| quote!(let #local = #made;));
    Ok(quote! {
        #(#attrs)*
        #[::core::prelude::v1::test]
        #vis fn #name() #output {
            #sig #block
            #made
            #call
        }
    })
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[track_caller]
    fn check(arguments: &str, function: &str, expected: &str) {
        let expanded = syn::parse_str(arguments)
            .and_then(|arguments| expand(&arguments, syn::parse_str(function)?));
        let error = expanded.expect_err("it is refused");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let takes = "async fn it(database: Database) {}";
        check("with = a", takes, "unknown argument `with`; the argument is `setup = function`");
        check("setup = a, setup = b", takes, "`setup` is given twice");
        check(
            "",
            "fn it(a: Database, b: Database) {}",
            "a test takes a `dunlin_sandbox::Database`, or nothing",
        );
        check("", "fn it(self) {}", "a test takes a `dunlin_sandbox::Database`, or nothing");
        check(
            "setup = a",
            "fn it() {}",
            "the template is prepared for a database that the test does not take",
        );
        check(
            "",
            "#[test] fn it() {}",
            "`#[dunlin_sandbox::test]` makes the function a test by itself",
        );
    }
}
