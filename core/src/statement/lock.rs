//! Which tables a statement locks, and how strongly: «Explicit Locking» of PostgreSQL's manual, and
//! the pages of the commands.
//!
//! For people who read a plan. It is what the words of a statement tell: a function that is called, a
//! trigger, a cascade and the table of an index that is only named lock more, and what is only read is
//! not listed.

use super::cursor::Cursor;
use super::{Object, Statement, Verb};
use crate::lexer::{Lexed, TokenKind};

/// A lock on a table, view or index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// The name as it is written in effects: `app.users`.
    pub relation: String,
    /// How strong it is.
    pub mode: LockMode,
}

/// How strong a lock is, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Rows are written; nobody else waits but those that lock the table as a whole.
    RowExclusive,
    /// Reading and writing go on; other changes of the table wait.
    ShareUpdateExclusive,
    /// Writing waits.
    Share,
    /// Writing waits, and so does whoever wants the same.
    ShareRowExclusive,
    /// All but reading waits.
    Exclusive,
    /// Reading and writing wait.
    AccessExclusive,
}

impl LockMode {
    /// The words for it in SQL: `ACCESS EXCLUSIVE`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The name of the mode in `pg_locks`.
    #[must_use]
    pub const fn in_catalog(self) -> &'static str {
        match self {
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }
}

/// What a statement locks of what was there before; the strongest lock on each, by name.
#[must_use]
pub fn locks(sql: &str, lexed: &Lexed, statement: &Statement) -> Vec<Lock> {
    let cursor = Cursor::new(sql, lexed.tokens.get(statement.tokens.clone()).unwrap_or_default());
    let mut found = match statement.command {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => written(cursor).into_iter().collect(),
        "TRUNCATE" | "TRUNCATE TABLE" => listed(cursor, LockMode::AccessExclusive),
        "REFRESH MATERIALIZED VIEW" => refreshed(cursor).into_iter().collect(),
        _ => of_effects(cursor, statement),
    };
    found.sort();
    // Of one relation the last one is the strongest.
    found.reverse();
    found.dedup_by(|weaker, stronger| weaker.relation == stronger.relation);
    found.reverse();
    found
}

/// The table that rows are written to.
fn written(mut cursor: Cursor<'_>) -> Option<Lock> {
    // A `WITH` in front reads, or writes another table, which its own parentheses hold.
    while !["INSERT", "UPDATE", "DELETE", "MERGE"].contains(&cursor.keyword().as_str()) {
        let _token = cursor.token()?;
        cursor.skip();
    }
    cursor.advance();
    let _words = cursor.eat_words("INTO") || cursor.eat_words("FROM");
    let _only = cursor.eat_words("ONLY");
    lock(&cursor.name(), LockMode::RowExclusive)
}

/// The tables in a list behind the command.
fn listed(mut cursor: Cursor<'_>, mode: LockMode) -> Vec<Lock> {
    cursor.advance();
    let _table = cursor.eat_words("TABLE");
    let mut found = Vec::new();
    loop {
        let _only = cursor.eat_words("ONLY");
        found.extend(lock(&cursor.name(), mode));
        let _star = cursor.eat(TokenKind::Operator);
        if !cursor.eat(TokenKind::Comma) {
            return found;
        }
    }
}

fn refreshed(mut cursor: Cursor<'_>) -> Option<Lock> {
    let _words = cursor.eat_words("REFRESH MATERIALIZED VIEW");
    let concurrently = cursor.eat_words("CONCURRENTLY");
    let mode = if concurrently { LockMode::Exclusive } else { LockMode::AccessExclusive };
    lock(&cursor.name(), mode)
}

fn of_effects(cursor: Cursor<'_>, statement: &Statement) -> Vec<Lock> {
    let mut found = Vec::new();
    for effect in &statement.effects {
        let mut add = |name: &Option<String>, mode| {
            found.extend(name.clone().map(|relation| Lock { relation, mode }));
        };
        let exclusive = LockMode::AccessExclusive;
        match (&effect.verb, effect.object) {
            (Verb::Created, Object::Index) if effect.concurrently => {
                add(&effect.on, LockMode::ShareUpdateExclusive);
            }
            (Verb::Created, Object::Index) => add(&effect.on, LockMode::Share),
            (Verb::Created, Object::Trigger) => add(&effect.on, LockMode::ShareRowExclusive),
            (Verb::Created, Object::Table | Object::Policy | Object::Rule) => {
                add(&effect.on, exclusive);
            }
            (Verb::Altered, Object::Table) => add(&effect.name, altered(cursor)),
            (
                Verb::Altered | Verb::Renamed { .. },
                Object::Table | Object::View | Object::MaterializedView | Object::ForeignTable,
            ) => add(&effect.name, exclusive),
            (Verb::Dropped, Object::Index) if effect.concurrently => {
                add(&effect.name, LockMode::ShareUpdateExclusive);
            }
            (
                Verb::Dropped,
                Object::Table
                | Object::View
                | Object::MaterializedView
                | Object::ForeignTable
                | Object::Sequence
                | Object::Index,
            ) => add(&effect.name, exclusive),
            (
                Verb::Dropped | Verb::Altered | Verb::Renamed { .. },
                Object::Trigger | Object::Policy | Object::Rule,
            ) => add(&effect.on, exclusive),
            _ => {}
        }
        if matches!(effect.object, Object::Table)
            && matches!(effect.verb, Verb::Created | Verb::Altered)
        {
            // A table that refers to itself was not there before.
            let is_new = |it: &Lock| {
                effect.verb == Verb::Created && effect.name.as_ref() == Some(&it.relation)
            };
            found.extend(referenced(cursor).into_iter().filter(|it| !is_new(it)));
        }
    }
    found
}

/// The lock of an `ALTER TABLE`: the strongest of its actions.
fn altered(mut cursor: Cursor<'_>) -> LockMode {
    let _words = cursor.eat_words("ALTER TABLE");
    let _if_exists = cursor.eat_words("IF EXISTS");
    let _only = cursor.eat_words("ONLY");
    let _name = cursor.name();
    let _star = cursor.eat(TokenKind::Operator);
    let mut strongest = LockMode::RowExclusive;
    loop {
        strongest = strongest.max(action(&mut cursor));
        while cursor.token().is_some() && !cursor.is(TokenKind::Comma) {
            cursor.skip();
        }
        if !cursor.eat(TokenKind::Comma) {
            return strongest;
        }
    }
}

/// The lock of one action, by its first words.
fn action(cursor: &mut Cursor<'_>) -> LockMode {
    const WEAK: &[&str] =
        &["VALIDATE CONSTRAINT", "ATTACH PARTITION", "CLUSTER ON", "SET WITHOUT CLUSTER"];
    const TRIGGERS: &[&str] = &["ENABLE TRIGGER", "DISABLE TRIGGER"];
    if WEAK.iter().any(|words| cursor.eat_words(words)) {
        return LockMode::ShareUpdateExclusive;
    }
    if TRIGGERS.iter().any(|words| cursor.eat_words(words)) {
        return LockMode::ShareRowExclusive;
    }
    if cursor.eat_words("ALTER") {
        let _column = cursor.eat_words("COLUMN");
        let _name = cursor.name();
        return match cursor.eat_words("SET STATISTICS") {
            true => LockMode::ShareUpdateExclusive,
            false => LockMode::AccessExclusive,
        };
    }
    if cursor.eat_words("ADD") {
        if cursor.eat_words("CONSTRAINT") {
            let _name = cursor.name();
        }
        if cursor.eat_words("FOREIGN KEY") {
            return LockMode::ShareRowExclusive;
        }
    }
    LockMode::AccessExclusive
}

/// The tables that foreign keys lead to.
fn referenced(mut cursor: Cursor<'_>) -> Vec<Lock> {
    let mut found = Vec::new();
    while cursor.token().is_some() {
        if cursor.eat_words("REFERENCES") {
            found.extend(lock(&cursor.name(), LockMode::ShareRowExclusive));
        } else {
            // Into parentheses too: there the columns of a new table are.
            cursor.advance();
        }
    }
    found
}

fn lock(parts: &[String], mode: LockMode) -> Option<Lock> {
    (!parts.is_empty()).then(|| Lock { relation: parts.join("."), mode })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::lex;
    use crate::statement::split;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        let lexed = lex(sql);
        let found: Vec<_> = split(sql, &lexed)
            .iter()
            .flat_map(|it| locks(sql, &lexed, it))
            .map(|it| format!("{} {}", it.relation, it.mode.words()))
            .collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn what_is_written() {
        check("INSERT INTO app.t VALUES (1)", &["app.t ROW EXCLUSIVE"]);
        check(
            "WITH a AS (DELETE FROM x RETURNING *) UPDATE ONLY t SET a = 1",
            &["t ROW EXCLUSIVE"],
        );
        check("TRUNCATE TABLE a, ONLY b", &["a ACCESS EXCLUSIVE", "b ACCESS EXCLUSIVE"]);
        check("DELETE FROM app.t", &["app.t ROW EXCLUSIVE"]);
        check("SELECT * FROM t", &[]);
    }

    #[test]
    fn what_is_altered() {
        check("ALTER TABLE t ADD COLUMN a int", &["t ACCESS EXCLUSIVE"]);
        check("ALTER TABLE t VALIDATE CONSTRAINT c", &["t SHARE UPDATE EXCLUSIVE"]);
        check("ALTER TABLE t VALIDATE CONSTRAINT c, ADD b int", &["t ACCESS EXCLUSIVE"]);
        check("ALTER TABLE t ALTER a SET STATISTICS 9", &["t SHARE UPDATE EXCLUSIVE"]);
        check(
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o (a)",
            &["o SHARE ROW EXCLUSIVE", "t SHARE ROW EXCLUSIVE"],
        );
        check("ALTER TABLE t ADD a int REFERENCES t", &["t ACCESS EXCLUSIVE"]);
        check("ALTER VIEW v RENAME TO w", &["v ACCESS EXCLUSIVE"]);
        check("ALTER POLICY p ON t TO r", &["t ACCESS EXCLUSIVE"]);
    }

    #[test]
    fn what_is_dropped() {
        check("DROP TABLE a, b", &["a ACCESS EXCLUSIVE", "b ACCESS EXCLUSIVE"]);
        check("DROP INDEX i", &["i ACCESS EXCLUSIVE"]);
        check("DROP INDEX CONCURRENTLY i", &["i SHARE UPDATE EXCLUSIVE"]);
        check("DROP TRIGGER g ON t", &["t ACCESS EXCLUSIVE"]);
        check("DROP FUNCTION f(int)", &[]);
    }

    #[test]
    fn what_is_refreshed() {
        check("REFRESH MATERIALIZED VIEW app.v", &["app.v ACCESS EXCLUSIVE"]);
        check("REFRESH MATERIALIZED VIEW CONCURRENTLY v", &["v EXCLUSIVE"]);
    }

    /// `pg_locks` has the words without spaces, and `Lock` behind them.
    #[test]
    fn a_mode_has_the_name_that_the_catalog_gives_it() {
        use LockMode::*;
        let all = [
            RowExclusive,
            ShareUpdateExclusive,
            Share,
            ShareRowExclusive,
            Exclusive,
            AccessExclusive,
        ];
        for mode in all {
            let words = mode.words().replace(' ', "") + "LOCK";
            assert_eq!(mode.in_catalog().to_uppercase(), words);
        }
    }

    #[test]
    fn what_is_created() {
        check("CREATE TABLE t (a int REFERENCES o)", &["o SHARE ROW EXCLUSIVE"]);
        check("CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t)", &[]);
        check("CREATE INDEX i ON t (a)", &["t SHARE"]);
        check("CREATE INDEX CONCURRENTLY i ON t (a)", &["t SHARE UPDATE EXCLUSIVE"]);
        check("CREATE VIEW v AS SELECT 1", &[]);
        check(
            "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
            &["t SHARE ROW EXCLUSIVE"],
        );
        check("CREATE POLICY p ON t", &["t ACCESS EXCLUSIVE"]);
        check("CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", &["t ACCESS EXCLUSIVE"]);
    }
}
