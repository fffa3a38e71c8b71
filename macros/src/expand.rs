//! The folder as tokens: a registry, or every problem at once.
//!
//! **Invariant:** the text that was hashed is the text that is embedded, as a literal. `include_bytes!`
//! stands here only so that the compiler watches the files; its bytes are not used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dunlin_core::folder::Language;
use dunlin_core::options::DEFAULT_HISTORY_TABLE;
use dunlin_core::{Diagnostic, Folder, Layout, Options, Rule, Severity};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

use crate::input::Input;
use crate::listing::{listing, module};
use crate::memory::Memory;
use crate::watched;

/// A registry as an expression that can stand in a `const`, or the problems of the folder and an
/// empty registry, so that one mistake is one error.
pub(crate) fn expand(input: &Input) -> TokenStream {
    let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        let krate = &input.krate;
        return quote_spanned! {input.span=> {
            ::core::compile_error!("`CARGO_MANIFEST_DIR` is not set\n  = help: build with cargo, or set it to the folder of `Cargo.toml`");
            #krate::Registry::EMPTY
        }};
    };
    if !input.problems.is_empty() {
        let (krate, errors) =
            (&input.krate, input.problems.iter().map(syn::Error::to_compile_error));
        return quote_spanned! {input.span=> { #(#errors;)* #krate::Registry::EMPTY }};
    }
    let directory = package.join(&input.folder);
    let shown = shown_path(&directory);
    let memory = Memory::of(&directory);
    let options = Options { known: memory.known(), ..input.options.clone() };
    let reading = Folder::read(&directory, &shown, &options);
    memory.keep(&reading.known, &options.known);
    let krate = &input.krate;
    let registry = if reading.is_accepted() {
        registry(input, &package, &directory, &reading.folder)
    } else {
        quote_spanned! {input.span=> #krate::Registry::EMPTY }
    };
    let told = reading.diagnostics.into_iter().map(|problem| match problem.rule() {
        Rule::MissingFolder => explain_missing_folder(problem, &package),
        _ => problem,
    });
    let told = told.map(|problem| match problem.severity() {
        Severity::Error => error(input.span, &problem),
        Severity::Warning => warning(input.span, &problem),
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        return registry;
    }
    quote_spanned! {input.span=> { #(#told)* #registry }}
}

fn error(span: Span, problem: &Diagnostic) -> TokenStream {
    let text = problem.to_string();
    quote_spanned! {span=> ::core::compile_error!(#text); }
}

/// A warning on a stable compiler: the use of something deprecated, whose note is the text.
///
/// A macro of the rule's name, because rustc then writes that name and no path in front of the
/// headline. `warn(warnings)` keeps `deny(warnings)` and `-D warnings` of the user from making it an
/// error: that is said with the macro's own `deny`. Where warnings are not shown, as in a dependency
/// (`--cap-lints`), nothing else is lost; an error never goes this way.
fn warning(span: Span, problem: &Diagnostic) -> TokenStream {
    let text = problem.to_string();
    let name = Ident::new(&problem.rule().id().replace('-', "_"), span);
    quote_spanned! {span=>
        #[warn(warnings)]
        const _: () = {
            #[deprecated(note = #text)]
            macro_rules! #name { () => {} }
            #name! {}
        };
    }
}

/// The path as rustc would print it: relative to the folder rustc runs in, `/` between names.
///
/// Never canonicalised: that would resolve symbolic links out of the workspace, and on Windows give
/// a form that no editor opens.
fn shown_path(directory: &Path) -> String {
    let clean: PathBuf = directory.components().fold(PathBuf::new(), |mut path, component| {
        match component {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if path.file_name().is_some() => {
                let _popped = path.pop();
            }
            other => path.push(other),
        }
        path
    });
    let relative = std::env::current_dir()
        .ok()
        .and_then(|here| clean.strip_prefix(here).map(Path::to_path_buf).ok());
    relative.unwrap_or(clean).to_string_lossy().replace('\\', "/")
}

fn explain_missing_folder(problem: Diagnostic, package: &Path) -> Diagnostic {
    let here = shown_path(package);
    let here =
        if here.is_empty() { "the workspace's root".to_owned() } else { format!("`{here}`") };
    // It is no folder where a file has the name.
    let help = match problem.headline().contains("not a folder") {
        true => "pass the folder of the migrations: embed_migrations!(\"path\")",
        false => "create the folder, or pass its path: embed_migrations!(\"path\")",
    };
    problem
        .note(format!("paths are relative to the `Cargo.toml` of the crate, here in {here}"))
        .help(help)
}

fn registry(input: &Input, package: &Path, directory: &Path, folder: &Folder) -> TokenStream {
    let krate = &input.krate;
    let watched = watched::by_cargo(directory, package).then_some(directory);
    let trackers = trackers(folder, watched);
    let rust = folder
        .migrations()
        .iter()
        .enumerate()
        .filter(|(_, it)| matches!(it.up.language, Language::Rust { .. }));
    let modules = rust.map(|(index, migration)| {
        let (name, path) = (format_ident!("{}", module(index)), absolute(&migration.up.path));
        quote! { #[allow(unreachable_pub, clippy::duplicate_mod)] #[path = #path] mod #name; }
    });
    let migrations = match listing(folder) {
        Ok(migrations) => migrations,
        Err(error) => {
            let text = format!("the registry cannot be read: {error}");
            return quote_spanned! {input.span=> ::core::compile_error!(#text) };
        }
    };
    let fingerprint = folder.fingerprint().number();
    let (shown, argument) = (folder.path(), &input.folder);
    let (source, ignore) = (absolute(directory), &input.options.ignore);
    let layout = layout(krate, folder.layout());
    let registry = quote! {
        #krate::__private::in_layout(
            #krate::__private::registry(
                MIGRATIONS,
                #fingerprint,
                #shown,
                #argument,
                if ::core::cfg!(debug_assertions) { ::core::option::Option::Some(#source) } else { ::core::option::Option::None },
                &[#(#ignore),*],
            ),
            #layout,
        )
    };
    let registry = match input.options.history_table.as_str() {
        DEFAULT_HISTORY_TABLE => registry,
        table => quote! { #krate::__private::with_history_table(#registry, #table) },
    };
    quote! {{
        #[allow(unused_imports)]
        use #krate::__private::{rust, sql, undoable};
        #trackers
        #(#modules)*
        const MIGRATIONS: &[#krate::Migration] = &#migrations;
        #registry
    }}
}

/// Has the compiler watch each file that cargo does not watch. It reads Rust files itself, as modules; only
/// what it does not read needs a tracker, and a file that holds two scripts only one.
fn trackers(folder: &Folder, watched: Option<&Path>) -> TokenStream {
    let scripts = folder.migrations().iter().flat_map(|it| std::iter::once(&it.up).chain(&it.down));
    let sql = scripts.filter(|script| matches!(script.language, Language::Sql { .. }));
    let tracked = sql.map(|script| &script.path).chain(folder.settings());
    let tracked = tracked.map(PathBuf::as_path).chain(folder.sum());
    let tracked = tracked.filter(|path| watched.is_none_or(|folder| !path.starts_with(folder)));
    // One constant for all of them: the compiler checks each constant on its own.
    let trackers = tracked.collect::<BTreeSet<_>>().into_iter().map(|path| {
        let path = absolute(path);
        quote! { ::core::include_bytes!(#path) }
    });
    quote! { const _: &[&[u8]] = &[#(#trackers),*]; }
}

fn layout(krate: &TokenTree, layout: Layout) -> TokenStream {
    let name = format_ident!("{layout:?}");
    quote! { #krate::__private::Layout::#name }
}

/// A path the compiler can open from anywhere.
fn absolute(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
