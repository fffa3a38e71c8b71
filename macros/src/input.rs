//! The arguments of the macro.

use dunlin_core::suggest::nearest;
use dunlin_core::{Layout, Level, Options};
use proc_macro2::{Span, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, bracketed};

/// The folder when none is named: beside `Cargo.toml`.
const DEFAULT_FOLDER: &str = "migrations";
/// What may stand behind it, as the end of a sentence.
const ARGUMENTS: &str = "the arguments are `ignore = [\"file\"]`, `layout = \"sqlx\"`, \
    `deny`, `warn` and `allow = [\"rule\"]`, `history_table = \"name\"` and `syntax = false`";

/// `$crate; "folder", ignore = ["file", ...], ...`, where everything behind the `;` may be absent.
pub(crate) struct Input {
    /// The path of the runtime crate, whatever the user has named it.
    pub(crate) krate: TokenTree,
    /// The folder, relative to the user's `Cargo.toml`.
    pub(crate) folder: String,
    /// Where messages point to: the folder's literal, or the call.
    pub(crate) span: Span,
    /// How the folder is read.
    pub(crate) options: Options,
    /// What is wrong with the values of the arguments: all of it, unlike with their form.
    pub(crate) problems: Vec<syn::Error>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.parse()?;
        let _semicolon: Token![;] = input.parse()?;
        let mut parsed = Self {
            krate,
            folder: DEFAULT_FOLDER.to_owned(),
            span: Span::call_site(),
            options: Options::default(),
            problems: Vec::new(),
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
            let text = format!("expected the folder as a string, or an argument; {ARGUMENTS}");
            syn::Error::new(error.span(), text)
        })?;
        let argument = match name.to_string().as_str() {
            "ignore" => Self::ignore,
            "layout" => Self::layout,
            "deny" => |it: &mut Self, input: ParseStream<'_>| it.levels(Level::Deny, input),
            "warn" => |it: &mut Self, input: ParseStream<'_>| it.levels(Level::Warn, input),
            "allow" => |it: &mut Self, input: ParseStream<'_>| it.levels(Level::Allow, input),
            "history_table" => Self::history_table,
            "syntax" => Self::syntax,
            _ => {
                let text = format!("unknown argument `{name}`; {ARGUMENTS}");
                return Err(syn::Error::new(name.span(), text));
            }
        };
        let _equals: Token![=] = input.parse()?;
        argument(self, input)
    }

    fn ignore(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        self.options.ignore.extend(strings(input)?.iter().map(LitStr::value));
        Ok(())
    }

    fn layout(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let literal: LitStr = input.parse()?;
        let id = literal.value();
        self.options.layout = Layout::from_id(&id);
        if self.options.layout.is_none() {
            let known: Vec<_> = Layout::ALL.iter().map(|layout| layout.id()).collect();
            let meant = nearest(&id, &known).map(|near| format!("; did you mean `{near}`?"));
            let (meant, known) = (meant.unwrap_or_default(), known.join(", "));
            let text = format!("unknown layout `{id}`{meant}\n  = note: the layouts are: {known}");
            self.problems.push(syn::Error::new(literal.span(), text));
        }
        Ok(())
    }

    fn levels(&mut self, level: Level, input: ParseStream<'_>) -> syn::Result<()> {
        for rule in strings(input)? {
            match self.options.levels.clone().choosing(level, &rule.value()) {
                Ok(levels) => self.options.levels = levels,
                Err(text) => self.problems.push(syn::Error::new(rule.span(), text)),
            }
        }
        Ok(())
    }

    fn history_table(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        self.options.history_table = input.parse::<LitStr>()?.value();
        Ok(())
    }

    fn syntax(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        self.options.syntax = input.parse::<syn::LitBool>()?.value();
        Ok(())
    }
}

/// `["one", "two"]`
fn strings(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let items;
    let _bracket = bracketed!(items in input);
    let items = Punctuated::<LitStr, Token![,]>::parse_terminated(&items)?;
    Ok(items.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_core::{Levels, Rule};

    fn parse(arguments: &str) -> Result<Input, String> {
        syn::parse_str(&format!("dunlin; {arguments}")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_arguments_of_the_macro() {
        let input = parse("\"db\", ignore = [\"a.sql\"], layout = \"golang-migrate\",").unwrap();
        assert_eq!((input.folder.as_str(), input.options.ignore), ("db", vec!["a.sql".to_owned()]));
        assert_eq!(input.options.layout, Some(Layout::GolangMigrate));
        assert_eq!(parse("").unwrap().options, Options::default());
    }

    #[test]
    fn the_levels_of_rules() {
        let input = parse(
            "deny = [\"long-identifier\"], warn = [\"history-table\",], \
             allow = [\"unrecorded\", \"blank-file: 0003_x.sql\"], history_table = \"History\"",
        );
        let input = input.unwrap();
        assert_eq!(input.problems.len(), 0);
        assert_eq!(input.options.history_table, "History");
        let levels = Levels::default()
            .with(Rule::LongIdentifier, Level::Deny)
            .with(Rule::HistoryTable, Level::Warn)
            .with(Rule::Unrecorded, Level::Allow)
            .exempting(Rule::BlankFile, "0003_x.sql");
        assert_eq!(input.options.levels, levels);
    }

    #[test]
    fn every_level_that_cannot_be_is_told() {
        let input = parse(
            "allow = [\"long-identifer\", \"everything\", \"duplicate-name\"], \
             deny = [\"duplicate-name\", \"empty-undo: a.sql\"], warn = [\"duplicate-name\"]",
        );
        let problems: Vec<_> = input.unwrap().problems.iter().map(ToString::to_string).collect();
        let fixed = "the rule `duplicate-name` is always an error: without it the folder has no \
                     meaning, or would run in another way than it is written";
        assert_eq!(
            problems,
            [
                "no rule is called `long-identifer`; did you mean `long-identifier`?",
                "no rule is called `everything`; use the name a message shows",
                fixed,
                "only `allow` can be about one file; write \"empty-undo\"",
                fixed,
            ]
        );
    }

    #[test]
    fn what_is_no_argument_is_told_the_arguments() {
        let error = parse("\"db\", levels = []").err().unwrap();
        assert!(
            error.starts_with("unknown argument `levels`; the arguments are `ignore"),
            "{error}"
        );
        let error = parse("\"db\", \"other\"").err().unwrap();
        assert!(error.starts_with("expected the folder as a string, or an argument; "), "{error}");
    }

    #[test]
    fn an_unknown_layout_is_told_the_one_that_was_meant() {
        let error = parse("layout = \"gose\"").unwrap().problems[0].to_string();
        let (first, note) = error.split_once('\n').unwrap();
        assert_eq!(first, "unknown layout `gose`; did you mean `goose`?");
        assert_eq!(
            note,
            "  = note: the layouts are: dunlin, sqlx, diesel, refinery, golang-migrate, goose, \
             dbmate, sql-migrate, tern, flyway, prisma"
        );
    }
}
