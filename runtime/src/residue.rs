//! What a text may leave behind in the session it runs in, read from the text.
//!
//! Separate because it decides how much is asked of the server behind each migration. Comparing all
//! settings with those a migration found takes the server 0.7 ms (PostgreSQL 15, 360 settings), which
//! is more than most migrations take, and looking for temporary tables takes a round trip.
//!
//! **Invariant:** a text that is not suspected cannot leave anything by itself, and calls nothing
//! that could: a function, a default or a trigger that sets something has been created by a text that
//! is suspected, or is found in the database when the run begins. What a view or a C function of an
//! extension sets behind everybody's back is only put right at the end of the run.

use dunlin_core::lexer::{Lexed, Token, TokenKind};
use dunlin_core::statement::Statement;

/// What may be left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces {
    /// Settings, the user and the role among them; and the lock and prepared statements, which may be missing.
    pub(crate) settings: bool,
    /// Temporary tables, prepared statements, held cursors, channels that are listened to, advisory locks
    /// of the session.
    pub(crate) belongings: bool,
}

/// What a text may leave behind, now or later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Residue {
    /// When it runs.
    pub(crate) now: Traces,
    /// When a later text calls what it creates.
    pub(crate) later: Traces,
}

/// Words of code that change settings, give the migration lock away, or forget what is prepared for this run.
/// `EXECUTE` runs a text that may be put together of anything.
const SETTING: [&str; 8] = [
    "deallocate",
    "set",
    "reset",
    "set_config",
    "discard",
    "execute",
    "pg_advisory_unlock",
    "pg_advisory_unlock_all",
];
/// Those among them that are called.
const CALLED: [&str; 3] = ["set_config", "pg_advisory_unlock", "pg_advisory_unlock_all"];
/// Words of code that make something that lives as long as the session.
const KEEPING: [&str; 9] = [
    "temp",
    "temporary",
    "pg_temp",
    "prepare",
    "listen",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
];
/// Those among them that are called.
const TAKING: [&str; 4] = [
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
];

/// Commands whose strings are data, or nothing that runs.
const WITHOUT_CODE: [&str; 9] = [
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "COMMENT",
    "GRANT",
    "REVOKE",
    "TRUNCATE",
    "SECURITY LABEL",
];

/// A condition on the row `p` of `pg_proc` (a function outside of the system's own): that its code has
/// one of these words, or in the form of a parsed body, a call of one of these functions.
pub(crate) fn code_with(settings: bool) -> String {
    let words: &[&str] = if settings { &SETTING } else { &KEEPING };
    // `set_config`, `pg_advisory_unlock` and `pg_advisory_unlock_all`; what takes a lock for the session.
    let calls = if settings { "2078|2884|2892" } else { "288[0-3]|288[6-9]" };
    format!(
        "p.oid >= 16384 AND pg_catalog.concat(p.prosrc, p.prosqlbody) ~* '\\m({})\\M|:funcid ({calls})\\M'",
        words.join("|")
    )
}

impl Traces {
    pub(crate) const ALL: Self = Self { settings: true, belongings: true };

    /// What either may leave.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            settings: self.settings || other.settings,
            belongings: self.belongings || other.belongings,
        }
    }
}

/// What a text of these statements may leave behind.
pub(crate) fn residue(text: &str, lexed: &Lexed, statements: &[Statement]) -> Residue {
    let mut residue = Residue::default();
    for statement in statements {
        let tokens = lexed.tokens.get(statement.tokens.clone()).unwrap_or_default();
        let found = of_statement(text, statement.command, tokens);
        residue.now = residue.now.or(found.now);
        residue.later = residue.later.or(found.later);
    }
    residue
}

fn of_statement(text: &str, command: &str, tokens: &[Token]) -> Residue {
    let significant = || tokens.iter().filter(|token| !token.is_trivia());
    let mut residue = Residue::default();
    let first = significant().next().map_or("", |token| token.text(text));
    if is_one_of(first, &["set", "reset", "discard", "deallocate", "load"])
        || command.ends_with(" EXTENSION")
    {
        residue.now.settings = true;
    }
    if is_one_of(first, &["prepare", "listen", "declare"]) {
        residue.now.belongings = true;
    }
    let mut before = "";
    for token in significant() {
        let word = token.text(text);
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier => {
                if is_one_of(word.trim_matches('"'), &CALLED) {
                    residue.now.settings = true;
                    residue.later.settings = true;
                }
                if is_one_of(word.trim_matches('"'), &TAKING) {
                    residue.now.belongings = true;
                    residue.later.belongings = true;
                }
                let is_temporary = is_one_of(word, &["temp", "temporary"])
                    && is_one_of(before, &["create", "into", "replace", "local", "global"]);
                residue.now.belongings |= is_temporary || is_one_of(word, &["pg_temp"]);
                before = word;
            }
            TokenKind::String | TokenKind::DollarString if !WITHOUT_CODE.contains(&command) => {
                let code = in_code(word);
                residue.now = residue.now.or(code);
                residue.later = residue.later.or(code);
            }
            _ => {}
        }
    }
    residue
}

fn in_code(text: &str) -> Traces {
    let mut traces = Traces::default();
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        traces.settings |= is_one_of(word, &SETTING);
        traces.belongings |= is_one_of(word, &KEEPING);
    }
    traces
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|it| word.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use dunlin_core::lexer::lex;
    use dunlin_core::statement::split;

    use super::*;

    const NOTHING: Traces = Traces { settings: false, belongings: false };
    const SETTINGS: Traces = Traces { settings: true, belongings: false };
    const BELONGINGS: Traces = Traces { settings: false, belongings: true };

    #[track_caller]
    fn check(text: &str, now: Traces, later: Traces) {
        let lexed = lex(text);
        let found = residue(text, &lexed, &split(text, &lexed));
        assert_eq!(found, Residue { now, later }, "{text}");
    }

    #[test]
    fn ordinary_migrations_are_not_suspected() {
        for text in [
            "CREATE TABLE t (id int DEFAULT 0, temp int REFERENCES u ON DELETE SET NULL); -- SET x",
            "ALTER TABLE t ALTER c SET NOT NULL, ALTER d SET DEFAULT 1; ALTER TABLE t SET SCHEMA s",
            "UPDATE t SET a = 'set x = 1; prepare'; INSERT INTO t VALUES ('reset', 'temp')",
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1; COMMENT ON TABLE t IS 'the set'",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$ BEGIN NEW.a = now(); RETURN NEW; END $$",
            "CREATE TABLE setting (\"set\" int, reset text); SELECT * FROM setting",
        ] {
            check(text, NOTHING, NOTHING);
        }
    }

    #[test]
    fn what_sets_is_suspected() {
        for text in [
            "SET ROLE x",
            "CREATE TABLE t (a int); /* c */ set search_path to a;",
            "RESET ALL",
            "DEALLOCATE ALL",
            "CREATE EXTENSION citext",
        ] {
            check(text, SETTINGS, NOTHING);
        }
        for text in [
            "SELECT set_config('a', 'b', false)",
            "SELECT pg_catalog.\"set_config\"('a', 'b', false)",
            "SELECT pg_advisory_unlock_all()",
            "DO $$ BEGIN DEALLOCATE ALL; END $$",
            "DO $$ BEGIN SET search_path = x; END $$",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'RESET ALL'",
            "SELECT run('SET search_path = x')",
            "CREATE FUNCTION f(a text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE a; END $$",
        ] {
            check(text, SETTINGS, SETTINGS);
        }
    }

    #[test]
    fn what_lives_as_long_as_the_session_is_suspected() {
        for text in [
            "CREATE TEMP TABLE t (a int)",
            "create temporary view v as select 1",
            "CREATE LOCAL TEMPORARY TABLE t (a int)",
            "SELECT 1 AS a INTO TEMP t",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "LISTEN news",
            "PREPARE p AS SELECT 1",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        ] {
            check(text, BELONGINGS, NOTHING);
        }
        for text in [
            "DO $$ BEGIN CREATE TEMP TABLE t (a int); END $$",
            "SELECT pg_advisory_lock(1)",
            "CREATE VIEW v AS SELECT pg_catalog.\"pg_try_advisory_lock_shared\"(1, 2)",
        ] {
            check(text, BELONGINGS, BELONGINGS);
        }
        check("SELECT pg_advisory_xact_lock(1)", NOTHING, NOTHING);
    }
}
