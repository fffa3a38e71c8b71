//! The arguments of the attribute.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, Path, Token};

/// `setup = path`, or nothing.
pub(crate) struct Arguments {
    /// The function that prepares the template.
    pub(crate) setup: Option<Path>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut parsed = Self { setup: None };
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name != "setup" {
                let text = format!("unknown argument `{name}`; the argument is `setup = function`");
                return Err(syn::Error::new(name.span(), text));
            }
            if parsed.setup.is_some() {
                return Err(syn::Error::new(name.span(), "`setup` is given twice"));
            }
            let _equals: Token![=] = input.parse()?;
            parsed.setup = Some(input.parse()?);
            if !input.is_empty() {
                let _comma: Token![,] = input.parse()?;
            }
        }
        Ok(parsed)
    }
}
