//! What a statement is, from its first words.
//!
//! Small on purpose: it knows enough to say what may run in a transaction and what is transaction
//! control, and leaves the grammar to the grammar check. A statement that is wrong further on is
//! still recognised by how it begins.

use super::cursor::Cursor;
use super::effect::{self, Effect};
use super::object::Object;
use super::{InTransaction, Kind, TransactionControl, subscription};
use crate::lexer::TokenKind;

pub(super) struct Recognised {
    pub(super) command: &'static str,
    pub(super) kind: Kind,
    pub(super) in_transaction: InTransaction,
    pub(super) effects: Vec<Effect>,
}

impl Recognised {
    fn ordinary(command: &'static str) -> Self {
        Self {
            command,
            kind: Kind::Ordinary,
            in_transaction: InTransaction::Allowed,
            effects: Vec::new(),
        }
    }

    fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    fn transaction(self, control: TransactionControl) -> Self {
        self.kind(Kind::Transaction(control))
    }

    fn in_transaction(self, in_transaction: InTransaction) -> Self {
        Self { in_transaction, ..self }
    }

    fn never(self, name: &'static str) -> Self {
        self.in_transaction(InTransaction::Never(name))
    }

    fn effects(self, effects: Vec<Effect>) -> Self {
        Self { effects, ..self }
    }
}

/// The command of a statement whose first words are none that PostgreSQL knows.
const UNKNOWN: &str = "statement";

/// Commands that need nothing but their name. Where one begins another, the longer one comes first.
const PLAIN: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "COMMENT",
    "GRANT",
    "REVOKE",
    "DO",
    "CALL",
    "TRUNCATE",
    "VALUES",
    "TABLE",
    "MERGE",
    "LOCK",
    "SHOW",
    "RESET",
    "ANALYZE",
    "ANALYSE",
    "REFRESH MATERIALIZED VIEW",
    "EXPLAIN",
    "EXECUTE",
    "DEALLOCATE",
    "DECLARE",
    "FETCH",
    "MOVE",
    "CLOSE",
    "LISTEN",
    "NOTIFY",
    "UNLISTEN",
    "LOAD",
    "CHECKPOINT",
    "IMPORT FOREIGN SCHEMA",
    "REASSIGN OWNED",
    "SECURITY LABEL",
];

pub(super) fn recognise(mut cursor: Cursor<'_>) -> Recognised {
    if cursor.is(TokenKind::PsqlCommand) {
        return Recognised::ordinary("psql command").kind(Kind::PsqlCommand);
    }
    // `(SELECT ...) UNION ...`
    while cursor.eat(TokenKind::OpenParen) {}
    let first = cursor.keyword();
    let at_first = cursor;
    cursor.advance();
    match first.as_str() {
        "CREATE" => create(&mut cursor),
        "ALTER" => alter(&mut cursor),
        "DROP" => drop(&mut cursor),
        "WITH" => with(&mut cursor),
        "COPY" => copy(&mut cursor),
        "SET" => set(&mut cursor),
        "BEGIN" => begin("BEGIN", &mut cursor),
        "START" if cursor.is_word("TRANSACTION") => begin("START TRANSACTION", &mut cursor),
        "COMMIT" | "END" | "ROLLBACK" | "ABORT" => end(&first, &mut cursor),
        "SAVEPOINT" => Recognised::ordinary("SAVEPOINT").transaction(TransactionControl::Savepoint),
        "RELEASE" => Recognised::ordinary("RELEASE").transaction(TransactionControl::Savepoint),
        "PREPARE" => prepare(&mut cursor),
        "VACUUM" => Recognised::ordinary("VACUUM").never("VACUUM"),
        "REINDEX" => reindex(&mut cursor),
        "CLUSTER" => cluster(&mut cursor),
        "DISCARD" => discard(&mut cursor),
        _ => plain(at_first),
    }
}

fn plain(mut cursor: Cursor<'_>) -> Recognised {
    for command in PLAIN {
        if cursor.eat_words(command) {
            return Recognised::ordinary(command);
        }
    }
    Recognised::ordinary(UNKNOWN)
}

fn create(cursor: &mut Cursor<'_>) -> Recognised {
    let effects = effect::created(cursor);
    let Some(first) = effects.first() else { return Recognised::ordinary("CREATE") };
    let command = first.object.create_command();
    let recognised = Recognised::ordinary(command);
    let recognised = match first.object {
        Object::Index if first.concurrently => recognised.never("CREATE INDEX CONCURRENTLY"),
        Object::Database | Object::Tablespace => recognised.never(command),
        Object::Subscription => recognised.in_transaction(subscription::create(cursor)),
        Object::Table if cursor.skip_past("AS") => Recognised::ordinary("CREATE TABLE AS"),
        _ => recognised,
    };
    recognised.effects(effects)
}

fn alter(cursor: &mut Cursor<'_>) -> Recognised {
    if cursor.eat_words("SYSTEM") {
        return Recognised::ordinary("ALTER SYSTEM").never("ALTER SYSTEM");
    }
    if cursor.eat_words("DEFAULT PRIVILEGES") {
        return Recognised::ordinary("ALTER DEFAULT PRIVILEGES");
    }
    if cursor.eat_words("LARGE OBJECT") {
        return Recognised::ordinary("ALTER LARGE OBJECT");
    }
    let Some(effect) = effect::altered(cursor) else { return Recognised::ordinary("ALTER") };
    let recognised = Recognised::ordinary(effect.object.alter_command());
    let recognised = match effect.object {
        Object::Database if moves_database(*cursor) => {
            recognised.never("ALTER DATABASE SET TABLESPACE")
        }
        Object::Table if detaches_concurrently(*cursor) => {
            recognised.never("ALTER TABLE ... DETACH CONCURRENTLY")
        }
        Object::Subscription => recognised.in_transaction(subscription::alter(cursor)),
        _ => recognised,
    };
    recognised.effects(vec![effect])
}

/// `SET TABLESPACE x` or `[WITH] TABLESPACE [=] x`, which the manual does not mention; but
/// `SET tablespace = x` is about a setting.
fn moves_database(mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_words("SET") {
        return cursor.eat_words("TABLESPACE")
            && !cursor.is_word("TO")
            && !cursor.is(TokenKind::Operator);
    }
    let _with = cursor.eat_words("WITH");
    cursor.is_word("TABLESPACE")
}

fn detaches_concurrently(mut cursor: Cursor<'_>) -> bool {
    if !cursor.eat_words("DETACH PARTITION") {
        return false;
    }
    let _partition = cursor.name();
    cursor.is_word("CONCURRENTLY")
}

fn drop(cursor: &mut Cursor<'_>) -> Recognised {
    if cursor.eat_words("OWNED") {
        return Recognised::ordinary("DROP OWNED");
    }
    let effects = effect::dropped(cursor);
    let Some(first) = effects.first() else { return Recognised::ordinary("DROP") };
    let command = first.object.drop_command();
    let recognised = Recognised::ordinary(command);
    let recognised = match first.object {
        Object::Index if first.concurrently => recognised.never("DROP INDEX CONCURRENTLY"),
        Object::Database | Object::Tablespace => recognised.never(command),
        // With a replication slot it may not.
        Object::Subscription => recognised.in_transaction(InTransaction::Sometimes(command)),
        _ => recognised,
    };
    recognised.effects(effects)
}

/// Passes the common table expressions; what follows them is the command. A word alone does not
/// tell: `update` and `values` are possible names.
fn with(cursor: &mut Cursor<'_>) -> Recognised {
    let _recursive = cursor.eat_words("RECURSIVE");
    loop {
        let _name = cursor.name();
        let _columns = cursor.eat_group();
        let _as = cursor.eat_words("AS");
        let _materialized =
            cursor.eat_words("NOT MATERIALIZED") || cursor.eat_words("MATERIALIZED");
        let _query = cursor.eat_group();
        if cursor.eat_words("SEARCH") && cursor.skip_past("SET") {
            let _column = cursor.name();
        }
        if cursor.eat_words("CYCLE") && cursor.skip_past("USING") {
            let _column = cursor.name();
        }
        if !cursor.eat(TokenKind::Comma) {
            break;
        }
    }
    while cursor.eat(TokenKind::OpenParen) {}
    let recognised = plain(*cursor);
    if recognised.command == UNKNOWN { Recognised::ordinary("WITH") } else { recognised }
}

fn copy(cursor: &mut Cursor<'_>) -> Recognised {
    let recognised = Recognised::ordinary("COPY");
    while cursor.token().is_some() {
        let from = cursor.is_word("FROM");
        let to = cursor.is_word("TO");
        cursor.skip();
        // The grammar takes STDIN and STDOUT for the same; the direction is in FROM and TO.
        if (from || to) && (cursor.is_word("STDIN") || cursor.is_word("STDOUT")) {
            return recognised.kind(if from { Kind::CopyFromStdin } else { Kind::CopyToStdout });
        }
        if from || to {
            break;
        }
    }
    recognised
}

fn set(cursor: &mut Cursor<'_>) -> Recognised {
    if cursor.eat_words("SESSION CHARACTERISTICS") {
        return Recognised::ordinary("SET SESSION CHARACTERISTICS")
            .transaction(TransactionControl::SetSessionCharacteristics);
    }
    let _scope = cursor.eat_words("LOCAL") || cursor.eat_words("SESSION");
    if cursor.eat_words("TRANSACTION") && !cursor.is_word("TO") && !cursor.is(TokenKind::Operator) {
        return Recognised::ordinary("SET TRANSACTION")
            .transaction(TransactionControl::SetTransaction);
    }
    if cursor.eat_words("CONSTRAINTS") && !cursor.is_word("TO") && !cursor.is(TokenKind::Operator) {
        return Recognised::ordinary("SET CONSTRAINTS");
    }
    Recognised::ordinary("SET")
}

fn begin(command: &'static str, cursor: &mut Cursor<'_>) -> Recognised {
    let _noise = cursor.eat_words("WORK") || cursor.eat_words("TRANSACTION");
    let modes = cursor.token().is_some();
    Recognised::ordinary(command).transaction(TransactionControl::Begin { modes })
}

/// COMMIT, END, ROLLBACK and ABORT.
fn end(first: &str, cursor: &mut Cursor<'_>) -> Recognised {
    if cursor.is_word("PREPARED") {
        if first == "COMMIT" {
            return Recognised::ordinary("COMMIT PREPARED").never("COMMIT PREPARED");
        }
        if first == "ROLLBACK" {
            return Recognised::ordinary("ROLLBACK PREPARED").never("ROLLBACK PREPARED");
        }
    }
    let _noise = cursor.eat_words("WORK") || cursor.eat_words("TRANSACTION");
    if first == "ROLLBACK" && cursor.is_word("TO") {
        return Recognised::ordinary("ROLLBACK TO").transaction(TransactionControl::Savepoint);
    }
    let and_chain = cursor.eat_words("AND CHAIN");
    let commit = TransactionControl::Commit { and_chain };
    let rollback = TransactionControl::Rollback { and_chain };
    match first {
        "COMMIT" => Recognised::ordinary("COMMIT").transaction(commit),
        "END" => Recognised::ordinary("END").transaction(commit),
        "ROLLBACK" => Recognised::ordinary("ROLLBACK").transaction(rollback),
        _ => Recognised::ordinary("ABORT").transaction(rollback),
    }
}

/// `PREPARE TRANSACTION 'id'`; a prepared statement may be called `transaction`.
fn prepare(cursor: &mut Cursor<'_>) -> Recognised {
    if cursor.eat_words("TRANSACTION")
        && (cursor.is(TokenKind::String) || cursor.is(TokenKind::DollarString))
    {
        return Recognised::ordinary("PREPARE TRANSACTION")
            .transaction(TransactionControl::Prepare);
    }
    Recognised::ordinary("PREPARE")
}

fn reindex(cursor: &mut Cursor<'_>) -> Recognised {
    let recognised = Recognised::ordinary("REINDEX");
    let mut concurrently = false;
    if cursor.eat(TokenKind::OpenParen) {
        while cursor.token().is_some() && !cursor.eat(TokenKind::CloseParen) {
            if cursor.eat_words("CONCURRENTLY") {
                // Of several, the last one counts.
                let value = cursor.option_value();
                concurrently = !matches!(value.as_deref(), Some("false" | "off" | "0"));
            } else {
                cursor.advance();
            }
        }
    }
    let _verbose = cursor.eat_words("VERBOSE");
    let target = cursor.keyword();
    cursor.advance();
    if concurrently || cursor.is_word("CONCURRENTLY") {
        return recognised.never("REINDEX CONCURRENTLY");
    }
    match target.as_str() {
        "SCHEMA" => recognised.never("REINDEX SCHEMA"),
        "DATABASE" => recognised.never("REINDEX DATABASE"),
        "SYSTEM" => recognised.never("REINDEX SYSTEM"),
        // Not if the relation is partitioned.
        "TABLE" => recognised.in_transaction(InTransaction::Sometimes("REINDEX TABLE")),
        "INDEX" => recognised.in_transaction(InTransaction::Sometimes("REINDEX INDEX")),
        _ => recognised,
    }
}

fn cluster(cursor: &mut Cursor<'_>) -> Recognised {
    let _options = cursor.eat_group();
    let _verbose = cursor.eat_words("VERBOSE");
    let recognised = Recognised::ordinary("CLUSTER");
    if cursor.token().is_none() {
        recognised.never("CLUSTER")
    } else {
        // Not if the table is partitioned.
        recognised.in_transaction(InTransaction::Sometimes("CLUSTER"))
    }
}

fn discard(cursor: &mut Cursor<'_>) -> Recognised {
    match cursor.keyword().as_str() {
        "ALL" => Recognised::ordinary("DISCARD ALL").never("DISCARD ALL"),
        "PLANS" => Recognised::ordinary("DISCARD PLANS"),
        "SEQUENCES" => Recognised::ordinary("DISCARD SEQUENCES"),
        "TEMP" | "TEMPORARY" => Recognised::ordinary("DISCARD TEMP"),
        _ => Recognised::ordinary("DISCARD"),
    }
}
