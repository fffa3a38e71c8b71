//! One statement through the parser: the first thing that is wrong with it.
//!
//! **Invariant:** the only user of `squawk_parser`, so that another parser could take its place.

use squawk_parser::{EntryPoint, LexedStr, StrStep};

use super::escape::Escape;
use super::tree::Tree;

/// The first place of a statement where the grammar does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, in bytes of the statement; its length when something is missing at its end.
    pub(super) at: usize,
    /// What is wrong there.
    pub(super) what: What,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Something else is expected, in the parser's own words.
    Unexpected(String),
    /// Another statement begins.
    SecondStatement,
    /// FROM without SELECT.
    FromFirst,
    /// `:name`.
    PsqlVariable,
    /// `[1, 2]` without ARRAY.
    BareArray,
    /// An operator that needs a left side.
    NoLeftSide,
    /// `a = b = c`.
    ComparedTwice,
    /// A string follows a string on the same line.
    SecondString,
    /// A reserved word where a name is expected.
    Reserved,
    /// A column without a type stands before it.
    NoType,
    /// Something that other places have, and what to do instead.
    Misplaced(&'static str),
    /// A byte order mark within a file.
    ByteOrderMark,
    /// A name that no role has.
    ReservedRole,
    /// An escape, of so many bytes.
    Escape(Escape, usize),
}

#[cfg(test)]
thread_local! {
    /// How much this thread has parsed, for tests of what a text can cost.
    pub(super) static PARSED_BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The first fault of a statement.
///
/// The caller has seen to it that the statement is not nested too deeply; see [`super::depth`].
pub(super) fn first_fault(statement: &str) -> Option<Fault> {
    #[cfg(test)]
    PARSED_BYTES.set(PARSED_BYTES.get() + statement.len());
    let lexed = LexedStr::new(statement);
    let output = EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut tree = Tree::new(statement);
    for (range, words) in lexed.errors() {
        tree.lexical(range.start as usize, words);
    }
    let _whole = lexed.intersperse_trivia(&output, &mut |step| match step {
        StrStep::Enter { kind } => tree.enter(kind),
        StrStep::Exit => tree.exit(),
        StrStep::Token { kind, text } => tree.token(kind, text),
        StrStep::Error { msg, .. } => tree.error(msg),
    });
    tree.into_fault()
}
