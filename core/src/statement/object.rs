//! The kinds of things that CREATE, ALTER and DROP are about.

use super::cursor::Cursor;

/// Declares the kinds, each with the words that name it in SQL.
macro_rules! objects {
    ($($(#[$doc:meta])* $variant:ident = $words:literal,)*) => {
        /// A kind of database object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Object {
            $($(#[$doc])* #[doc = concat!("`", $words, "`")] $variant,)*
        }

        impl Object {
            /// The words that name it in SQL: `MATERIALIZED VIEW`.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }

            pub(super) const fn create_command(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("CREATE ", $words),)*
                }
            }

            pub(super) const fn alter_command(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("ALTER ", $words),)*
                }
            }

            pub(super) const fn drop_command(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("DROP ", $words),)*
                }
            }
        }

        const PHRASES: &[(&str, Object)] = &[
            $(($words, Object::$variant),)*
            // Other words for the same; PostgreSQL's command tags know only the first ones.
            ("USER", Object::Role),
            ("GROUP", Object::Role),
            ("PROCEDURAL LANGUAGE", Object::Language),
        ];
    };
}

// Where one phrase begins another, the longer one comes first.
objects! {
    Table = "TABLE",
    Index = "INDEX",
    View = "VIEW",
    MaterializedView = "MATERIALIZED VIEW",
    Function = "FUNCTION",
    Trigger = "TRIGGER",
    Type = "TYPE",
    Sequence = "SEQUENCE",
    Schema = "SCHEMA",
    Extension = "EXTENSION",
    Policy = "POLICY",
    Procedure = "PROCEDURE",
    /// A function, a procedure or an aggregate; only to be altered or dropped.
    Routine = "ROUTINE",
    Domain = "DOMAIN",
    ForeignTable = "FOREIGN TABLE",
    ForeignDataWrapper = "FOREIGN DATA WRAPPER",
    Server = "SERVER",
    UserMapping = "USER MAPPING",
    Role = "ROLE",
    Database = "DATABASE",
    Tablespace = "TABLESPACE",
    Rule = "RULE",
    EventTrigger = "EVENT TRIGGER",
    Aggregate = "AGGREGATE",
    OperatorClass = "OPERATOR CLASS",
    OperatorFamily = "OPERATOR FAMILY",
    Operator = "OPERATOR",
    Cast = "CAST",
    Transform = "TRANSFORM",
    Collation = "COLLATION",
    Conversion = "CONVERSION",
    Language = "LANGUAGE",
    Publication = "PUBLICATION",
    Subscription = "SUBSCRIPTION",
    Statistics = "STATISTICS",
    TextSearchConfiguration = "TEXT SEARCH CONFIGURATION",
    TextSearchDictionary = "TEXT SEARCH DICTIONARY",
    TextSearchParser = "TEXT SEARCH PARSER",
    TextSearchTemplate = "TEXT SEARCH TEMPLATE",
    AccessMethod = "ACCESS METHOD",
}

impl Object {
    /// Takes the words that name a kind of object.
    pub(super) fn eat(cursor: &mut Cursor<'_>) -> Option<Self> {
        for &(phrase, object) in PHRASES {
            if cursor.eat_words(phrase) {
                return Some(object);
            }
        }
        None
    }

    /// Whether `ON table` follows its name.
    pub(super) const fn is_on_table(self) -> bool {
        matches!(self, Self::Trigger | Self::Policy | Self::Rule)
    }

    /// Whether it has no name, or one that is no identifier.
    pub(super) const fn is_nameless(self) -> bool {
        matches!(self, Self::Cast | Self::Transform | Self::Operator | Self::UserMapping)
    }

    /// Whether it is in a schema, so that `SET SCHEMA` changes its full name.
    pub(super) const fn is_in_schema(self) -> bool {
        !matches!(self, Self::Extension)
    }
}
