//! The rules a migrations folder must keep, by name.
//!
//! A rule's name is the name of its fixture folder in `tests/folders/`.

use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $id:literal,)+) => {
        /// A rule that a migrations folder must keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule { $($(#[doc = $doc])+ $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The rule's name in messages, fixtures and documentation.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }
        }
    };
}

rules! {
    /// The folder does not exist or is not a folder.
    MissingFolder = "missing-folder",
    /// A file or folder that the file system does not let us read.
    Unreadable = "unreadable",
    /// Something that is not a migration and not known to lie beside migrations.
    UnexpectedEntry = "unexpected-entry",
    /// A file that looks like a migration and whose name is not `<version>_<name>.sql`.
    MisnamedFile = "misnamed-file",
    /// Two files that would be the same migration.
    DuplicateName = "duplicate-name",
    /// Two migrations with one counter, or with one timestamp that carries a time of day.
    DuplicateVersion = "duplicate-version",
    /// Counters and timestamps in one folder.
    MixedVersions = "mixed-versions",
    /// An undo whose migration does not exist.
    OrphanUndo = "orphan-undo",
    /// A Rust migration that has both a `down` function and a `.down.sql` file.
    TwoUndos = "two-undos",
    /// Bytes that are not UTF-8.
    NotUtf8 = "not-utf-8",
    /// A character that PostgreSQL cannot store: NUL.
    NulCharacter = "nul-character",
    /// A file without anything in it.
    BlankFile = "blank-file",
    /// A `'` that is never closed.
    UnterminatedString = "unterminated-string",
    /// A `"` that is never closed.
    UnterminatedIdentifier = "unterminated-identifier",
    /// A `$tag$` that is never closed.
    UnterminatedDollarQuote = "unterminated-dollar-quote",
    /// A `/*` that is never closed.
    UnterminatedComment = "unterminated-comment",
    /// A parenthesis without its partner.
    UnbalancedParenthesis = "unbalanced-parenthesis",
    /// `BEGIN`, `COMMIT` or `ROLLBACK` in a file that Dunlin runs.
    TransactionControl = "transaction-control",
    /// A statement that PostgreSQL refuses inside a transaction, in a file without `no-transaction`.
    NotInTransaction = "not-in-transaction",
    /// A command of psql, which the server does not know.
    PsqlCommand = "psql-command",
    /// `COPY ... FROM STDIN`, whose data a migration cannot carry.
    CopyFromStdin = "copy-from-stdin",
    /// A `-- dunlin:` line with a word that is no directive.
    UnknownDirective = "unknown-directive",
    /// A `-- dunlin:` line behind the first statement.
    MisplacedDirective = "misplaced-directive",
    /// A Rust migration without `pub async fn up`.
    MissingUp = "missing-up",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
