//! The arguments of the macro.

use dunlin_core::Layout;
use dunlin_core::suggest::nearest;
use proc_macro2::{Span, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, bracketed};

/// The folder when none is named: beside `Cargo.toml`.
const DEFAULT_FOLDER: &str = "migrations";
/// What may stand behind it, as the end of a sentence.
const ARGUMENTS: &str = "the arguments are `ignore = [\"file\"]` and `layout = \"sqlx\"`";

/// `$crate; "folder", ignore = ["file", ...], layout = "sqlx"`, where everything behind the `;` may be absent.
pub(crate) struct Input {
    /// The path of the runtime crate, whatever the user has named it.
    pub(crate) krate: TokenTree,
    /// The folder, relative to the user's `Cargo.toml`.
    pub(crate) folder: String,
    /// Where messages point to: the folder's literal, or the call.
    pub(crate) span: Span,
    /// Files of the folder that are passed over.
    pub(crate) ignore: Vec<String>,
    /// Whose layout the folder has, if it is said.
    pub(crate) layout: Option<Layout>,
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
            layout: None,
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
        let argument = match name.to_string().as_str() {
            "ignore" => Self::ignore,
            "layout" => Self::layout,
            _ => {
                let text = format!("unknown argument `{name}`; {ARGUMENTS}");
                return Err(syn::Error::new(name.span(), text));
            }
        };
        let _equals: Token![=] = input.parse()?;
        argument(self, input)
    }

    fn ignore(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let files;
        let _bracket = bracketed!(files in input);
        let files = Punctuated::<LitStr, Token![,]>::parse_terminated(&files)?;
        self.ignore.extend(files.iter().map(LitStr::value));
        Ok(())
    }

    fn layout(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let literal: LitStr = input.parse()?;
        let id = literal.value();
        self.layout = Layout::from_id(&id);
        if self.layout.is_some() {
            return Ok(());
        }
        let known: Vec<_> = Layout::ALL.iter().map(|layout| layout.id()).collect();
        let meant = nearest(&id, &known).map(|near| format!("; did you mean `{near}`?"));
        let (meant, known) = (meant.unwrap_or_default(), known.join(", "));
        let text = format!("unknown layout `{id}`{meant}\n  = note: the layouts are: {known}");
        Err(syn::Error::new(literal.span(), text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Input, String> {
        syn::parse_str(&format!("dunlin; {arguments}")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_arguments_of_the_macro() {
        let input = parse("\"db\", ignore = [\"a.sql\"], layout = \"golang-migrate\",").unwrap();
        assert_eq!((input.folder.as_str(), input.ignore), ("db", vec!["a.sql".to_owned()]));
        assert_eq!(input.layout, Some(Layout::GolangMigrate));
        assert_eq!(parse("").unwrap().layout, None);
    }

    #[test]
    fn an_unknown_layout_is_told_the_one_that_was_meant() {
        let error = parse("layout = \"gose\"").err().unwrap();
        let (first, note) = error.split_once('\n').unwrap();
        assert_eq!(first, "unknown layout `gose`; did you mean `goose`?");
        assert_eq!(
            note,
            "  = note: the layouts are: dunlin, sqlx, diesel, refinery, golang-migrate, goose, \
             dbmate, sql-migrate, tern, flyway, prisma"
        );
    }
}
