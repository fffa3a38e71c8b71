//! How commands begin.
//!
//! The parser decides by the first two or three words what a statement is, and when they are not what
//! it knows, it blames the first. PostgreSQL blames the word that does not fit, and so does this.

use super::view::View;
use crate::lexer::TokenKind;

/// The first words of every command, up to where names begin. `|` separates words that may stand in
/// one place.
const HEADS: &[&str] = &[
    "ALTER AGGREGATE|COLLATION|CONVERSION|DATABASE|DOMAIN|EXTENSION|FUNCTION|GROUP|INDEX|LANGUAGE|OPERATOR|POLICY|PROCEDURE|PUBLICATION|ROLE|ROUTINE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION|SYSTEM|TABLE|TABLESPACE|TRIGGER|TYPE|USER|VIEW",
    "ALTER DEFAULT PRIVILEGES",
    "ALTER EVENT TRIGGER",
    "ALTER FOREIGN DATA WRAPPER",
    "ALTER FOREIGN TABLE",
    "ALTER LARGE OBJECT",
    "ALTER MATERIALIZED VIEW",
    "ALTER PROCEDURAL LANGUAGE",
    "ALTER PROPERTY GRAPH",
    "ALTER TEXT SEARCH CONFIGURATION|DICTIONARY|PARSER|TEMPLATE",
    "COMMENT ON",
    "COMMIT PREPARED",
    "CREATE ACCESS METHOD",
    "CREATE AGGREGATE|CAST|COLLATION|CONVERSION|DATABASE|DOMAIN|EXTENSION|FUNCTION|GROUP|INDEX|LANGUAGE|OPERATOR|POLICY|PROCEDURE|PUBLICATION|ROLE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION|TABLE|TABLESPACE|TRANSFORM|TRIGGER|TYPE|USER|VIEW",
    "CREATE CONSTRAINT TRIGGER",
    "CREATE DEFAULT CONVERSION",
    "CREATE EVENT TRIGGER",
    "CREATE FOREIGN DATA WRAPPER",
    "CREATE FOREIGN TABLE",
    "CREATE GLOBAL|LOCAL TEMP|TEMPORARY TABLE|SEQUENCE|VIEW",
    "CREATE MATERIALIZED VIEW",
    "CREATE OR REPLACE AGGREGATE|FUNCTION|LANGUAGE|PROCEDURE|RULE|TRANSFORM|TRIGGER|VIEW",
    "CREATE OR REPLACE CONSTRAINT TRIGGER",
    "CREATE OR REPLACE PROCEDURAL|TRUSTED LANGUAGE",
    "CREATE OR REPLACE RECURSIVE VIEW",
    "CREATE OR REPLACE TEMP|TEMPORARY VIEW",
    "CREATE OR REPLACE TEMP|TEMPORARY RECURSIVE VIEW",
    "CREATE PROCEDURAL LANGUAGE",
    "CREATE PROPERTY GRAPH",
    "CREATE RECURSIVE VIEW",
    "CREATE TEMP|TEMPORARY RECURSIVE VIEW",
    "CREATE TEMP|TEMPORARY|UNLOGGED TABLE|SEQUENCE|VIEW",
    "CREATE TEXT SEARCH CONFIGURATION|DICTIONARY|PARSER|TEMPLATE",
    "CREATE TRUSTED LANGUAGE",
    "CREATE TRUSTED PROCEDURAL LANGUAGE",
    "CREATE UNIQUE INDEX",
    "CREATE UNLOGGED TABLE",
    "CREATE USER MAPPING",
    "DELETE FROM",
    "DROP ACCESS METHOD",
    "DROP AGGREGATE|CAST|COLLATION|CONVERSION|DATABASE|DOMAIN|EXTENSION|FUNCTION|GROUP|INDEX|LANGUAGE|OPERATOR|OWNED|POLICY|PROCEDURE|PUBLICATION|ROLE|ROUTINE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION|TABLE|TABLESPACE|TRANSFORM|TRIGGER|TYPE|USER|VIEW",
    "DROP EVENT TRIGGER",
    "DROP FOREIGN DATA WRAPPER",
    "DROP FOREIGN TABLE",
    "DROP MATERIALIZED VIEW",
    "DROP PROCEDURAL LANGUAGE",
    "DROP PROPERTY GRAPH",
    "DROP TEXT SEARCH CONFIGURATION|DICTIONARY|PARSER|TEMPLATE",
    "DROP USER MAPPING",
    "IMPORT FOREIGN SCHEMA",
    "INSERT INTO",
    "MERGE INTO",
    "REASSIGN OWNED BY",
    "REFRESH MATERIALIZED VIEW",
    "REINDEX DATABASE|INDEX|SCHEMA|SYSTEM|TABLE",
    "SECURITY LABEL",
    "ANALYSE|ANALYZE|CALL|CHECKPOINT|CLOSE|CLUSTER|COPY|DEALLOCATE|DECLARE|DISCARD|DO|EXECUTE|EXPLAIN|FETCH|GRANT|LISTEN|LOAD|LOCK|MOVE|NOTIFY|PREPARE|RELEASE|REPACK|RESET|REVOKE|ROLLBACK|SAVEPOINT|SELECT|SET|SHOW|TABLE|TRUNCATE|UNLISTEN|UPDATE|VACUUM|VALUES|WITH",
];

/// Words that begin a statement.
pub(super) fn is_command(view: &View<'_>, index: usize) -> bool {
    HEADS.iter().any(|head| takes(head.split(' ').next().unwrap_or_default(), view, index))
}

/// The first token that no command has where it stands, and the words that commands have there.
/// Nothing when the head of the statement is that of a command.
pub(super) fn misfit(view: &View<'_>) -> Option<(usize, Vec<&'static str>)> {
    let mut depth = 0;
    let mut heads: Vec<&str> = HEADS.to_vec();
    loop {
        let fitting: Vec<&str> = heads
            .iter()
            .copied()
            .filter(|head| head.split(' ').nth(depth).is_some_and(|word| takes(word, view, depth)))
            .collect();
        if fitting.is_empty() {
            let words: Vec<&str> = heads
                .iter()
                .filter_map(|head| head.split(' ').nth(depth))
                .flat_map(|words| words.split('|'))
                .collect();
            return Some((depth, words));
        }
        depth += 1;
        // A whole head was read: what follows is the command's own.
        if fitting.iter().any(|head| head.split(' ').count() == depth) {
            return None;
        }
        heads = fitting;
    }
}

/// Whether a token is one of the words.
fn takes(words: &str, view: &View<'_>, index: usize) -> bool {
    let is_word = view.kind(index) == Some(TokenKind::Word);
    let is_paren = view.kind(index) == Some(TokenKind::OpenParen);
    // `(SELECT 1) UNION ...`, `REINDEX (VERBOSE) TABLE`.
    is_paren && (words.contains("SELECT") || words.contains("SYSTEM"))
        || is_word && words.split('|').any(|word| view.text(index).eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: Option<&str>) {
        let view = View::new(sql);
        assert_eq!(misfit(&view).map(|(index, _)| view.text(index)), expected, "{sql}");
    }

    #[test]
    fn the_word_that_fits_no_command_is_found() {
        check("CREATE TABLE t (a int)", None);
        check("create unique index i on t (a)", None);
        check("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", None);
        check("((SELECT 1))", None);
        check("CREATE TABEL t (a int)", Some("TABEL"));
        check("CREATE OR REPLACE FUNKTION f()", Some("FUNKTION"));
        check("CRAETE TABLE t", Some("CRAETE"));
        check("ALTER FOREIGN TABEL t", Some("TABEL"));
        check("ALTER", Some(""));
        check("DROP t", Some("t"));
        check("42", Some("42"));
    }
}
