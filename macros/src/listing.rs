//! The migrations as the text of an array, which the compiler reads itself.
//!
//! Text and no tokens, because there are many: the compiler's lexer is optimised, while this crate is not
//! where an application is built for debugging, and would hand over each token on its own.

use std::fmt::Write as _;

use dunlin_core::folder::{Folder, Language, Migration, Script};
use proc_macro2::TokenStream;

/// The name of the module of the Rust migration with this index.
pub(crate) fn module(index: usize) -> String {
    format!("migration_{index}")
}

/// `[sql(...), undoable(...), rust(...)]`: calls with nothing but literals, as few as can be, because the
/// compiler has to look at each in every build of the application.
pub(crate) fn listing(folder: &Folder) -> Result<TokenStream, String> {
    let mut text = String::from("[");
    for (index, migration) in folder.migrations().iter().enumerate() {
        entry(&mut text, index, migration);
        text.push(',');
    }
    text.push(']');
    tokens(&text)
}

/// The compiler's reading, where there is a compiler: `proc-macro2` would read the text itself before.
fn tokens(text: &str) -> Result<TokenStream, String> {
    if proc_macro::is_available() {
        let tokens: Result<proc_macro::TokenStream, _> = text.parse();
        tokens.map(TokenStream::from).map_err(|error| error.to_string())
    } else {
        text.parse().map_err(|error: proc_macro2::LexError| error.to_string())
    }
}

fn entry(text: &mut String, index: usize, migration: &Migration) {
    let (up, down) = (&migration.up, &migration.down);
    text.push_str(match (up.language, down) {
        (Language::Sql { .. }, None) => "sql(",
        (Language::Sql { .. }, Some(_)) => "undoable(",
        (Language::Rust { .. }, _) => "rust(",
    });
    string(text, &migration.name);
    let _infallible = write!(text, ",{}u8,", migration.version.kind().__number());
    string(text, migration.version.as_str());
    bytes(text, migration.up.checksum.as_bytes());
    match up.language {
        Language::Sql { .. } => {
            sql_file(text, up);
            if let Some(down) = down {
                sql_file(text, down);
            }
        }
        Language::Rust { has_down } => rust_file(text, index, up, has_down, down.as_ref()),
    }
    text.push(')');
}

/// Path, text, what runs if that is not the text, and whether it runs in a transaction.
fn sql_file(text: &mut String, script: &Script) {
    let transactional = matches!(script.language, Language::Sql { transactional: true });
    for argument in [script.file.path(), script.file.text(), script.run.as_deref().unwrap_or("")] {
        text.push(',');
        string(text, argument);
    }
    text.push_str(if transactional { ",true" } else { ",false" });
}

fn rust_file(text: &mut String, index: usize, up: &Script, has_down: bool, down: Option<&Script>) {
    for argument in [up.file.path(), up.file.text()] {
        text.push(',');
        string(text, argument);
    }
    let module = module(index);
    let call = |function: &str| format!("|cx| ::std::boxed::Box::pin({module}::{function}(cx))");
    let option = |some: Option<String>| match some {
        Some(some) => format!("::core::option::Option::Some({some})"),
        None => "::core::option::Option::None".to_owned(),
    };
    let undo = option(has_down.then(|| call("down")));
    let down = option(down.map(|down| {
        let mut file = String::new();
        sql_file(&mut file, down);
        format!("({})", file.trim_start_matches(','))
    }));
    let _infallible = write!(text, ",{},{undo},{down}", call("up"));
}

/// A literal. Most texts stand in one as they are.
fn string(text: &mut String, value: &str) {
    // Each question is one call into the optimised standard library.
    let is_plain = value.is_ascii() && !value.contains('\r');
    if !is_plain {
        let _infallible = write!(text, "{value:?}");
        return;
    }
    let n_hashes = |rest: &str| rest.len() - rest.trim_start_matches('#').len() + 1;
    let hashes = "#".repeat(value.split('"').skip(1).map(n_hashes).max().unwrap_or_default());
    for part in ["r", &hashes, "\"", value, "\"", &hashes] {
        text.push_str(part);
    }
}

fn bytes(text: &mut String, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut literal = Vec::with_capacity(4 * value.len());
    for byte in value {
        let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
        literal.extend_from_slice(&[b'\\', b'x', DIGITS[high], DIGITS[low]]);
    }
    text.push_str(",b\"");
    text.push_str(&String::from_utf8_lossy(&literal));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The compiler's own reading of a literal must be the text.
    #[test]
    fn a_text_is_in_its_literal_what_it_is() {
        for value in [
            "",
            "SELECT 1;\n\t-- x\n",
            "\"",
            "\"#",
            "a\"##b\"#c",
            "#\"",
            "\\n",
            "{x}",
            "é",
            "\u{202e}",
            "\r",
            "\0",
            "\u{7f}",
            "'\"##\"###",
        ] {
            let mut text = String::new();
            string(&mut text, value);
            assert_eq!(syn::parse_str::<syn::LitStr>(&text).unwrap().value(), value, "{text}");
            let is_plain = value.is_ascii() && !value.contains('\r');
            assert_eq!(text.starts_with('r'), is_plain, "{text}");
            // The compiler refuses a literal that reads from right to left.
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }

    #[test]
    fn bytes_are_in_their_literal_what_they_are() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        bytes(&mut text, &all);
        assert_eq!(syn::parse_str::<syn::LitByteStr>(&text[1..]).unwrap().value(), all);
    }
}
