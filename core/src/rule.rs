//! The rules a migrations folder must keep, by name.
//!
//! A rule's name is the name of its fixture folder in `tests/folders/`.

use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $id:literal: $level:ident,)+) => {
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

            /// What its findings are when nobody has chosen otherwise.
            #[must_use]
            pub const fn default_level(self) -> DefaultLevel {
                match self { $(Self::$variant => DefaultLevel::$level,)+ }
            }
        }
    };
}

/// What the findings of a rule are when nobody has chosen otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefaultLevel {
    /// Errors, and nobody can choose otherwise: without this rule the folder has no meaning, or
    /// would run in another way than it is written.
    Fixed,
    /// Errors.
    Deny,
    /// Warnings.
    Warn,
}

rules! {
    /// The folder does not exist or is not a folder.
    MissingFolder = "missing-folder": Fixed,
    /// A file or folder that the file system does not let us read.
    Unreadable = "unreadable": Fixed,
    /// A folder that fits the layouts of two tools, which would read it differently.
    AmbiguousLayout = "ambiguous-layout": Fixed,
    /// A line that divides a file into sections, misplaced or almost right.
    SectionMarker = "section-marker": Fixed,
    /// What another tool would do with a file, and SQL cannot say.
    UnsupportedFeature = "unsupported-feature": Fixed,
    /// A settings file of another tool that says nothing, or nothing known.
    ToolSetting = "tool-setting": Fixed,
    /// Something that is not a migration and not known to lie beside migrations.
    UnexpectedEntry = "unexpected-entry": Deny,
    /// A file that looks like a migration and whose name is not `<version>_<name>.sql`.
    MisnamedFile = "misnamed-file": Fixed,
    /// Two files that would be the same migration.
    DuplicateName = "duplicate-name": Fixed,
    /// Two migrations with one counter, or with one timestamp that carries a time of day.
    DuplicateVersion = "duplicate-version": Fixed,
    /// Counters and timestamps in one folder.
    MixedVersions = "mixed-versions": Fixed,
    /// An undo whose migration does not exist.
    OrphanUndo = "orphan-undo": Deny,
    /// A Rust migration that has both a `down` function and a `.down.sql` file.
    TwoUndos = "two-undos": Fixed,
    /// Bytes that are not UTF-8.
    NotUtf8 = "not-utf-8": Fixed,
    /// A character that PostgreSQL cannot store: NUL.
    NulCharacter = "nul-character": Fixed,
    /// A file without anything in it.
    BlankFile = "blank-file": Deny,
    /// A `'` that is never closed.
    UnterminatedString = "unterminated-string": Fixed,
    /// A `"` that is never closed.
    UnterminatedIdentifier = "unterminated-identifier": Fixed,
    /// A `$tag$` that is never closed.
    UnterminatedDollarQuote = "unterminated-dollar-quote": Fixed,
    /// A `/*` that is never closed.
    UnterminatedComment = "unterminated-comment": Fixed,
    /// A parenthesis without its partner.
    UnbalancedParenthesis = "unbalanced-parenthesis": Fixed,
    /// `BEGIN`, `COMMIT` or `ROLLBACK` in a file that Dunlin runs.
    TransactionControl = "transaction-control": Fixed,
    /// A statement that PostgreSQL refuses inside a transaction, in a file without `no-transaction`.
    NotInTransaction = "not-in-transaction": Fixed,
    /// A command of psql, which the server does not know.
    PsqlCommand = "psql-command": Fixed,
    /// `COPY ... FROM STDIN`, whose data a migration cannot carry.
    CopyFromStdin = "copy-from-stdin": Fixed,
    /// A `-- dunlin:` line with a word that is no directive.
    UnknownDirective = "unknown-directive": Fixed,
    /// A `-- dunlin:` line behind the first statement.
    MisplacedDirective = "misplaced-directive": Fixed,
    /// A Rust migration without `pub async fn up`.
    MissingUp = "missing-up": Fixed,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
