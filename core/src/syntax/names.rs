//! Which words may stand where a name stands.
//!
//! The parser takes nearly every keyword for a name nearly everywhere. PostgreSQL has three kinds of
//! places: names of tables, columns and most else (`ColId`), of functions and types
//! (`type_function_name`), and labels behind AS or a dot, which may be any word.

use squawk_parser::SyntaxKind::{self, *};
use squawk_parser::{is_col_name_keyword, is_reserved_keyword, is_type_func_name_keyword};

/// What is to be said of a keyword in a place.
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// It is not a name there.
    Wrong,
    /// It is one only as a function, in front of `(`.
    OnlyCalled,
    /// It is one only if it is not called.
    NotCalled,
    /// If it is called, then with a number.
    NotEmpty,
}

/// Judges a keyword that no dot precedes. `up` gives the kinds of the nodes around it, innermost
/// first.
pub(super) fn judge(word: SyntaxKind, up: impl Fn(usize) -> SyntaxKind) -> Verdict {
    let reserved = is_reserved_keyword(word);
    let function = is_type_func_name_keyword(word);
    // Reserved since PostgreSQL 16.
    if word == SYSTEM_USER_KW || !(reserved || function || is_col_name_keyword(word)) {
        return Verdict::Fine;
    }
    let is_name = reserved || function && word != CURRENT_SCHEMA_KW;
    let mut depth = 0;
    while matches!(up(depth), PATH | PATH_REF | PATH_SEGMENT | PATH_SEGMENT_REF) {
        depth += 1;
    }
    let place = up(depth);
    let wrong = if depth == 0 {
        match place {
            NAME_REF if function && word != CURRENT_SCHEMA_KW => return Verdict::OnlyCalled,
            NAME_REF if is_value(word) || is_never_called(word) => return Verdict::NotCalled,
            NAME_REF if is_moment(word) => return Verdict::NotEmpty,
            COLUMN_NAME if up(1) == RETURN_TABLE_COLUMN => !function && !is_young(word),
            COLUMN_NAME => is_name && matches!(up(1), COLUMN | ADD_COLUMN | RENAME_COLUMN),
            ROLE => reserved || word == NONE_KW,
            _ => is_name && is_word_name(place),
        }
    } else {
        match place {
            // `FROM current_user` is a call.
            RELATION_NAME_REF => is_name && !reserved,
            _ if is_function_name(place, up(depth + 1)) && !function && !is_young(word) => {
                return Verdict::NotCalled;
            }
            // `OF type` takes any name.
            PATH_TYPE => is_no_type(word) && up(depth + 1) != OF_TYPE,
            _ => is_name && is_path_name(place),
        }
    };
    if wrong { Verdict::Wrong } else { Verdict::Fine }
}

/// Reserved words that are values, without parentheses.
fn is_value(word: SyntaxKind) -> bool {
    matches!(
        word,
        CURRENT_CATALOG_KW
            | CURRENT_DATE_KW
            | CURRENT_ROLE_KW
            | CURRENT_USER_KW
            | SESSION_USER_KW
            | USER_KW
    )
}

/// Reserved words that are values, with a precision or without parentheses.
fn is_moment(word: SyntaxKind) -> bool {
    matches!(word, CURRENT_TIME_KW | CURRENT_TIMESTAMP_KW | LOCALTIME_KW | LOCALTIMESTAMP_KW)
}

/// Keywords that name columns and begin no call.
fn is_never_called(word: SyntaxKind) -> bool {
    matches!(
        word,
        BETWEEN_KW
            | BIGINT_KW
            | BIT_KW
            | BOOLEAN_KW
            | CHAR_KW
            | CHARACTER_KW
            | DEC_KW
            | DECIMAL_KW
            | FLOAT_KW
            | INOUT_KW
            | INT_KW
            | INTEGER_KW
            | NATIONAL_KW
            | NCHAR_KW
            | NONE_KW
            | NUMERIC_KW
            | OUT_KW
            | PRECISION_KW
            | REAL_KW
            | SETOF_KW
            | SMALLINT_KW
            | VALUES_KW
            | VARCHAR_KW
    )
}

/// Keywords that name columns and no types.
fn is_no_type(word: SyntaxKind) -> bool {
    matches!(
        word,
        BETWEEN_KW
            | COALESCE_KW
            | EXISTS_KW
            | EXTRACT_KW
            | GREATEST_KW
            | GROUPING_KW
            | LEAST_KW
            | NONE_KW
            | NULLIF_KW
            | OVERLAY_KW
            | POSITION_KW
            | PRECISION_KW
            | ROW_KW
            | SUBSTRING_KW
            | TREAT_KW
            | TRIM_KW
            | VALUES_KW
    )
}

/// Keywords that were mere names in PostgreSQL 14, in their own part of the list; see
/// [`super::words`].
fn is_young(word: SyntaxKind) -> bool {
    matches!(
        word,
        JSON_KW
            | JSON_ARRAY_KW
            | JSON_ARRAYAGG_KW
            | JSON_EXISTS_KW
            | JSON_OBJECT_KW
            | JSON_OBJECTAGG_KW
            | JSON_QUERY_KW
            | JSON_SCALAR_KW
            | JSON_SERIALIZE_KW
            | JSON_TABLE_KW
            | JSON_VALUE_KW
            | MERGE_ACTION_KW
            | SYSTEM_USER_KW
    )
}

/// Whether a node holds the name of a function; the new name of `RENAME TO` may be any name.
fn is_function_name(node: SyntaxKind, parent: SyntaxKind) -> bool {
    matches!(node, FUNCTION_NAME_REF | PROCEDURE_NAME_REF)
        || matches!(parent, CREATE_AGGREGATE | CREATE_FUNCTION | CREATE_PROCEDURE)
            && matches!(node, AGGREGATE_NAME | FUNCTION_NAME | PROCEDURE_NAME)
}

/// Nodes that hold one word, the name of something.
fn is_word_name(node: SyntaxKind) -> bool {
    matches!(
        node,
        ACCESS_METHOD
            | ACCESS_METHOD_REF
            | COLUMN_NAME_REF
            | CONSTRAINT_NAME
            | CTE_NAME
            | CURSOR
            | CURSOR_REF
            | DATABASE
            | DATABASE_REF
            | EVENT_TRIGGER
            | EVENT_TRIGGER_REF
            | EXTENSION
            | EXTENSION_REF
            | FOREIGN_DATA_WRAPPER
            | FOREIGN_DATA_WRAPPER_REF
            | PARTITION_STRATEGY
            | POLICY
            | POLICY_REF
            | PREPARED_STATEMENT
            | PREPARED_STATEMENT_REF
            | PUBLICATION
            | PUBLICATION_REF
            | RULE
            | RULE_REF
            | SCHEMA
            | SCHEMA_REF
            | SERVER
            | SERVER_REF
            | SUBSCRIPTION
            | SUBSCRIPTION_REF
            | TABLE_ALIAS
            | TABLESPACE
            | TABLESPACE_REF
            | TRANSITION_RELATION_NAME
            | TRIGGER
            | TRIGGER_REF
            | WINDOW
            | WINDOW_REF
    )
}

/// Nodes that hold a name which may be qualified.
fn is_path_name(node: SyntaxKind) -> bool {
    matches!(
        node,
        COLLATION
            | COLLATION_REF
            | CONFIG_PARAMETER_REF
            | CONSTRAINT_NAME_REF
            | CONVERSION
            | CONVERSION_REF
            | DOMAIN
            | INDEX
            | INDEX_REF
            | OP_CLASS_NAME
            | OP_FAMILY_NAME
            | RELATION_NAME
            | SEQUENCE
            | SEQUENCE_REF
            | STATISTICS
            | STATISTICS_REF
            | TABLE_NAME
            | TABLE_NAME_REF
            | TEXT_SEARCH_CONFIGURATION
            | TEXT_SEARCH_DICTIONARY
            | TYPE_NAME
            | VIEW
            | VIEW_REF
    )
}
