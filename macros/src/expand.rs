//! The folder as tokens: a registry, or every problem at once.
//!
//! **Invariant:** the text that was hashed is the text that is embedded, as a literal. `include_bytes!`
//! stands here only so that the compiler watches the files; its bytes are not used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dunlin_core::folder::{Language, Migration, Script};
use dunlin_core::{Diagnostic, Folder, Layout, Options, Rule, Version, VersionKind};
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};

use crate::input::Input;

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
    let directory = package.join(&input.folder);
    let shown = shown_path(&directory);
    let options =
        Options { ignore: input.ignore.clone(), layout: input.layout, ..Options::default() };
    let reading = Folder::read(&directory, &shown, &options);
    if reading.is_accepted() {
        return registry(input, &directory, &reading.folder);
    }
    let about_folders = |problem: Diagnostic| match problem.rule() {
        Rule::MissingFolder => explain_missing_folder(problem, &package),
        _ => problem,
    };
    problems(input, reading.diagnostics.into_iter().map(about_folders))
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
    problem
        .note(format!("paths are relative to the `Cargo.toml` of the crate, here in {here}"))
        .help("create the folder, or pass its path: embed_migrations!(\"path\")")
}

fn problems(input: &Input, problems: impl Iterator<Item = Diagnostic>) -> TokenStream {
    let krate = &input.krate;
    let errors = problems.map(|problem| {
        let text = problem.to_string();
        quote_spanned! {input.span=> ::core::compile_error!(#text);}
    });
    quote_spanned! {input.span=> { #(#errors)* #krate::Registry::EMPTY }}
}

fn registry(input: &Input, directory: &Path, folder: &Folder) -> TokenStream {
    let krate = &input.krate;
    let scripts =
        || folder.migrations().iter().flat_map(|it| std::iter::once(&it.up).chain(&it.down));
    // The compiler reads Rust files itself, as modules; only SQL needs a tracker, and a file that
    // holds two scripts only one.
    let sql = scripts().filter(|script| matches!(script.language, Language::Sql { .. }));
    let tracked = sql.map(|script| &script.path).chain(folder.settings());
    let trackers = tracked.collect::<BTreeSet<_>>().into_iter().map(|path| {
        let path = absolute(path);
        quote! { const _: &[u8] = ::core::include_bytes!(#path); }
    });
    let rust = folder
        .migrations()
        .iter()
        .enumerate()
        .filter(|(_, it)| matches!(it.up.language, Language::Rust { .. }));
    let modules = rust.map(|(index, migration)| {
        let (name, path) = (module(index), absolute(&migration.up.path));
        quote! { #[allow(unreachable_pub, clippy::duplicate_mod)] #[path = #path] mod #name; }
    });
    let migrations =
        folder.migrations().iter().enumerate().map(|(index, it)| entry(krate, index, it));
    let fingerprint = Literal::byte_string(&folder.fingerprint());
    let (shown, argument) = (folder.path(), &input.folder);
    let (source, ignore) = (absolute(directory), &input.ignore);
    let layout = layout(krate, folder.layout());
    quote! {{
        #(#trackers)*
        #(#modules)*
        const MIGRATIONS: &[#krate::Migration] = &[#(#migrations),*];
        #krate::__private::in_layout(
            #krate::__private::registry(
                MIGRATIONS,
                *#fingerprint,
                #shown,
                #argument,
                if ::core::cfg!(debug_assertions) { ::core::option::Option::Some(#source) } else { ::core::option::Option::None },
                &[#(#ignore),*],
            ),
            #layout,
        )
    }}
}

fn layout(krate: &TokenTree, layout: Layout) -> TokenStream {
    let name = format_ident!("{layout:?}");
    quote! { #krate::__private::Layout::#name }
}

fn entry(krate: &TokenTree, index: usize, migration: &Migration) -> TokenStream {
    let (name, version) = (&migration.name, version(krate, &migration.version));
    let checksum = Literal::byte_string(migration.up.checksum.as_bytes());
    let down = option(migration.down.as_ref().map(|down| sql_file(krate, down)));
    match migration.up.language {
        Language::Sql { .. } => {
            let up = sql_file(krate, &migration.up);
            quote! { #krate::__private::sql(#name, #version, *#checksum, #up, #down) }
        }
        Language::Rust { has_down } => {
            let (path, text, module) =
                (migration.up.file.path(), migration.up.file.text(), module(index));
            let undo =
                option(has_down.then(|| quote! { |cx| ::std::boxed::Box::pin(#module::down(cx)) }));
            let file = quote! {
                #krate::__private::RustFile {
                    path: #path,
                    text: #text,
                    up: |cx| ::std::boxed::Box::pin(#module::up(cx)),
                    down: #undo,
                }
            };
            quote! { #krate::__private::rust(#name, #version, *#checksum, #file, #down) }
        }
    }
}

fn sql_file(krate: &TokenTree, script: &Script) -> TokenStream {
    let (path, text) = (script.file.path(), script.file.text());
    let transactional = matches!(script.language, Language::Sql { transactional: true });
    let run = option(script.run.as_ref().map(|run| quote! { #run }));
    quote! { #krate::__private::SqlFile { path: #path, text: #text, run: #run, transactional: #transactional } }
}

fn version(krate: &TokenTree, version: &Version) -> TokenStream {
    let text = version.as_str();
    match version.kind() {
        VersionKind::Counter => quote! { #krate::__private::counter(#text) },
        VersionKind::Timestamp => quote! { #krate::__private::timestamp(#text) },
        VersionKind::Dotted => quote! { #krate::__private::dotted(#text) },
        VersionKind::Text => quote! { #krate::__private::text(#text) },
    }
}

fn option(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote! { ::core::option::Option::Some(#tokens) },
        None => quote! { ::core::option::Option::None },
    }
}

fn module(index: usize) -> proc_macro2::Ident {
    format_ident!("migration_{index}")
}

/// A path the compiler can open from anywhere.
fn absolute(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
