//! The rules a migrations folder must keep, by name, and what is to be known about each.
//!
//! A rule's name is the name of its fixture folder in `tests/folders/` and of its page in
//! `docs/rules/`, which is made of what stands here.

mod directives;
mod folder;
mod layouts;
mod meaning;
mod names;
mod recorded;
mod released;
mod statements;
mod text;

use std::fmt;

use crate::suggest::nearest;

macro_rules! rules {
    ($(#[doc = $summary:literal] $variant:ident = $id:literal: $level:ident, $explanation:path;)+) => {
        /// A rule that a migrations folder must keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule { $(#[doc = $summary] $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            const IDS: &'static [&'static str] = &[$($id,)+];

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

            /// What it finds, in a sentence.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)+ }.trim()
            }

            /// Why it is a rule, and what to do instead.
            #[must_use]
            pub const fn explanation(self) -> &'static Explanation {
                match self { $(Self::$variant => &$explanation,)+ }
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
    /// Errors: the server would refuse it, or the database would not become what the files say.
    Deny,
    /// Warnings: it works, and is seldom meant.
    Warn,
}

/// What the documentation of a rule says, in Markdown with one sentence per line.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// Why it is a rule.
    pub why: &'static str,
    /// A folder that breaks this rule and no other; empty where text cannot show one.
    pub example: Files,
    /// What to do instead.
    pub instead: &'static str,
    /// The example, mended, so that it breaks no rule; empty where there is nothing to show.
    pub mended: Files,
}

/// The files of a folder: names and texts.
pub type Files = &'static [(&'static str, &'static str)];

rules! {
    /// The folder does not exist or is not a folder.
    MissingFolder = "missing-folder": Fixed, folder::MISSING_FOLDER;
    /// A file or folder that the file system does not let us read.
    Unreadable = "unreadable": Fixed, folder::UNREADABLE;
    /// A folder that fits the layouts of two tools, which would read it differently.
    AmbiguousLayout = "ambiguous-layout": Fixed, layouts::AMBIGUOUS_LAYOUT;
    /// A line that divides a file into sections, misplaced or almost right.
    SectionMarker = "section-marker": Fixed, layouts::SECTION_MARKER;
    /// What another tool would do with a file, and SQL cannot say.
    UnsupportedFeature = "unsupported-feature": Fixed, layouts::UNSUPPORTED_FEATURE;
    /// A settings file of another tool that says nothing, or nothing known.
    ToolSetting = "tool-setting": Fixed, layouts::TOOL_SETTING;
    /// Something that is not a migration and not known to lie beside migrations.
    UnexpectedEntry = "unexpected-entry": Fixed, folder::UNEXPECTED_ENTRY;
    /// A file that looks like a migration and whose name is not `<version>_<name>.sql`.
    MisnamedFile = "misnamed-file": Fixed, folder::MISNAMED_FILE;
    /// Bytes that are not UTF-8.
    NotUtf8 = "not-utf-8": Fixed, folder::NOT_UTF_8;
    /// A character that PostgreSQL cannot store: NUL.
    NulCharacter = "nul-character": Fixed, folder::NUL_CHARACTER;
    /// A file without anything in it.
    BlankFile = "blank-file": Deny, folder::BLANK_FILE;

    /// Two files that would be the same migration.
    DuplicateName = "duplicate-name": Fixed, names::DUPLICATE_NAME;
    /// Two migrations with one counter, or with one timestamp that carries a time of day.
    DuplicateVersion = "duplicate-version": Fixed, names::DUPLICATE_VERSION;
    /// Counters and timestamps in one folder.
    MixedVersions = "mixed-versions": Fixed, names::MIXED_VERSIONS;
    /// An undo whose migration does not exist.
    OrphanUndo = "orphan-undo": Fixed, names::ORPHAN_UNDO;
    /// A Rust migration that has both a `down` function and a `.down.sql` file.
    TwoUndos = "two-undos": Fixed, names::TWO_UNDOS;
    /// Two names that differ only in the case of their letters.
    CaseOnlyNames = "case-only-names": Deny, names::CASE_ONLY_NAMES;
    /// A name longer than the column of the history table that holds it.
    LongName = "long-name": Fixed, names::LONG_NAME;
    /// A name that another system's file system cannot hold, or changes.
    UnportableName = "unportable-name": Warn, names::UNPORTABLE_NAME;

    /// A `'` that is never closed.
    UnterminatedString = "unterminated-string": Fixed, text::UNTERMINATED_STRING;
    /// A `"` that is never closed.
    UnterminatedIdentifier = "unterminated-identifier": Fixed, text::UNTERMINATED_IDENTIFIER;
    /// A `$tag$` that is never closed.
    UnterminatedDollarQuote = "unterminated-dollar-quote": Fixed, text::UNTERMINATED_DOLLAR_QUOTE;
    /// A `/*` that is never closed.
    UnterminatedComment = "unterminated-comment": Fixed, text::UNTERMINATED_COMMENT;
    /// A parenthesis without its partner.
    UnbalancedParenthesis = "unbalanced-parenthesis": Fixed, text::UNBALANCED_PARENTHESIS;

    /// A statement that PostgreSQL's grammar does not have.
    Syntax = "syntax": Deny, text::SYNTAX;

    /// `BEGIN`, `COMMIT` or `ROLLBACK` in a file that Dunlin runs.
    TransactionControl = "transaction-control": Fixed, statements::TRANSACTION_CONTROL;
    /// `BEGIN` and `COMMIT` around a whole file.
    WrappedTransaction = "wrapped-transaction": Warn, statements::WRAPPED_TRANSACTION;
    /// A file whose statements PostgreSQL refuses inside a transaction, without `no-transaction`.
    NotInTransaction = "not-in-transaction": Fixed, statements::NOT_IN_TRANSACTION;
    /// A statement that PostgreSQL refuses inside a transaction, among statements that need one.
    MixedTransaction = "mixed-transaction": Fixed, statements::MIXED_TRANSACTION;
    /// A command of psql, which the server does not know.
    PsqlCommand = "psql-command": Fixed, statements::PSQL_COMMAND;
    /// `COPY ... FROM STDIN`, whose data a migration cannot carry.
    CopyFromStdin = "copy-from-stdin": Fixed, statements::COPY_FROM_STDIN;
    /// `COPY ... TO STDOUT`, whose rows nobody receives.
    CopyToStdout = "copy-to-stdout": Fixed, statements::COPY_TO_STDOUT;
    /// An undo that undoes nothing.
    EmptyUndo = "empty-undo": Warn, statements::EMPTY_UNDO;
    /// A Rust migration without `pub async fn up`.
    MissingUp = "missing-up": Fixed, statements::MISSING_UP;

    /// An enum value that is added and used in one transaction.
    EnumValueUsed = "enum-value-used": Deny, meaning::ENUM_VALUE_USED;
    /// An identifier that PostgreSQL cuts because it is longer than 63 bytes.
    LongIdentifier = "long-identifier": Warn, meaning::LONG_IDENTIFIER;
    /// A setting that would outlive its file.
    LeakingSetting = "leaking-setting": Warn, meaning::LEAKING_SETTING;
    /// A statement that changes the history table.
    HistoryTable = "history-table": Deny, meaning::HISTORY_TABLE;

    /// A `-- dunlin:` line with a word that is no directive.
    UnknownDirective = "unknown-directive": Fixed, directives::UNKNOWN_DIRECTIVE;
    /// A `-- dunlin:` line behind the first statement.
    MisplacedDirective = "misplaced-directive": Fixed, directives::MISPLACED_DIRECTIVE;
    /// A `-- dunlin: allow` without a reason, or of a rule that cannot be allowed.
    MalformedAllowance = "malformed-allowance": Fixed, directives::MALFORMED_ALLOWANCE;
    /// An allowance of something that is not there.
    UnusedAllowance = "unused-allowance": Warn, directives::UNUSED_ALLOWANCE;

    /// A `dunlin.sum` that cannot be read as one.
    MalformedSum = "malformed-sum": Fixed, recorded::MALFORMED_SUM;
    /// A migration that was edited after it was recorded in `dunlin.sum`.
    RecordedEdited = "recorded-edited": Fixed, recorded::RECORDED_EDITED;
    /// A migration that is recorded in `dunlin.sum` and is not in the folder.
    RecordedMissing = "recorded-missing": Fixed, recorded::RECORDED_MISSING;
    /// Migrations in another order than `dunlin.sum` records.
    RecordedOrder = "recorded-order": Fixed, recorded::RECORDED_ORDER;
    /// A migration that `dunlin.sum` does not record yet.
    Unrecorded = "unrecorded": Warn, recorded::UNRECORDED;

    /// A migration that the base branch has, edited here (`cargo dunlin check --base`).
    ReleasedEdited = "released-edited": Fixed, released::RELEASED_EDITED;
    /// A migration that the base branch has and that is not here (`cargo dunlin check --base`).
    ReleasedMissing = "released-missing": Fixed, released::RELEASED_MISSING;
    /// A new migration that does not come behind those of the base branch (`cargo dunlin check --base`).
    ReleasedOrder = "released-order": Fixed, released::RELEASED_ORDER;
}

impl Rule {
    /// The rule of that name.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }

    /// The rule whose name is nearest to a mistyped one.
    #[must_use]
    pub fn nearest(id: &str) -> Option<Self> {
        nearest(id, Self::IDS).and_then(Self::of_id)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
