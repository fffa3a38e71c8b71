//! The arguments of the macro.

use proc_macro2::{Span, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, bracketed};

/// The folder when none is named: beside `Cargo.toml`.
const DEFAULT_FOLDER: &str = "migrations";

/// `$crate; "folder", ignore = ["file", ...]`, where everything behind the `;` may be absent.
pub(crate) struct Input {
    /// The path of the runtime crate, whatever the user has named it.
    pub(crate) krate: TokenTree,
    /// The folder, relative to the user's `Cargo.toml`.
    pub(crate) folder: String,
    /// Where messages point to: the folder's literal, or the call.
    pub(crate) span: Span,
    /// Files of the folder that are passed over.
    pub(crate) ignore: Vec<String>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.parse()?;
        let _semicolon: Token![;] = input.parse()?;
        let mut parsed = Self {
            krate,
            folder: DEFAULT_FOLDER.to_owned(),
            span: Span::call_site(),
            ignore: Vec::new(),
        };
        if input.peek(LitStr) {
            let folder: LitStr = input.parse()?;
            (parsed.folder, parsed.span) = (folder.value(), folder.span());
            if !input.is_empty() {
                let _comma: Token![,] = input.parse()?;
            }
        }
        while !input.is_empty() {
            parsed.argument(input)?;
            if !input.is_empty() {
                let _comma: Token![,] = input.parse()?;
            }
        }
        Ok(parsed)
    }
}

impl Input {
    fn argument(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name: Ident = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the folder as a string, or `ignore = [\"file\"]`",
            )
        })?;
        if name != "ignore" {
            let text = format!("unknown argument `{name}`; the only one is `ignore = [\"file\"]`");
            return Err(syn::Error::new(name.span(), text));
        }
        let _equals: Token![=] = input.parse()?;
        let files;
        let _bracket = bracketed!(files in input);
        let files = Punctuated::<LitStr, Token![,]>::parse_terminated(&files)?;
        self.ignore.extend(files.iter().map(LitStr::value));
        Ok(())
    }
}
