//! Subscriptions: whether they may run in a transaction is in their options.
//!
//! Making or removing a replication slot on another server cannot be undone, so PostgreSQL refuses
//! in a transaction block what does that; the options say whether it does, and it is the default.

use super::InTransaction;
use super::cursor::Cursor;
use crate::lexer::TokenKind;

/// `CREATE SUBSCRIPTION` behind its name.
pub(super) fn create(cursor: &mut Cursor<'_>) -> InTransaction {
    let options = Options::read(cursor);
    let slot = match options.get("create_slot") {
        Some(value) => value,
        None => options.get("connect").unwrap_or(true),
    };
    never_if(slot, "CREATE SUBSCRIPTION ... WITH (create_slot = true)")
}

/// `ALTER SUBSCRIPTION` behind its name.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> InTransaction {
    if cursor.eat_words("REFRESH") {
        return InTransaction::Never("ALTER SUBSCRIPTION ... REFRESH");
    }
    let publications = cursor.eat_words("SET PUBLICATION")
        || cursor.eat_words("ADD PUBLICATION")
        || cursor.eat_words("DROP PUBLICATION");
    if publications {
        let refresh = Options::read(cursor).get("refresh").unwrap_or(true);
        return never_if(refresh, "ALTER SUBSCRIPTION with refresh");
    }
    if cursor.eat_words("SET") {
        // Since PostgreSQL 17 and 18, when there is a slot.
        let options = Options::in_group(cursor);
        if options.get("failover").is_some() {
            return InTransaction::Sometimes("ALTER SUBSCRIPTION ... SET (failover)");
        }
        if options.get("two_phase").is_some() {
            return InTransaction::Sometimes("ALTER SUBSCRIPTION ... SET (two_phase)");
        }
    }
    InTransaction::Allowed
}

fn never_if(condition: bool, name: &'static str) -> InTransaction {
    if condition { InTransaction::Never(name) } else { InTransaction::Allowed }
}

/// The options of `WITH (name = value, ...)`, as far as they are switches.
struct Options(Vec<(String, bool)>);

impl Options {
    fn read(cursor: &mut Cursor<'_>) -> Self {
        let _found = cursor.skip_past("WITH");
        Self::in_group(cursor)
    }

    fn in_group(cursor: &mut Cursor<'_>) -> Self {
        let mut options = Vec::new();
        if cursor.eat(TokenKind::OpenParen) {
            while cursor.token().is_some() && !cursor.is(TokenKind::CloseParen) {
                if let Some(name) = cursor.name().pop() {
                    let _equals = cursor.eat(TokenKind::Operator);
                    let value = cursor.option_value();
                    let on = !matches!(value.as_deref(), Some("false" | "off" | "0"));
                    options.push((name, on));
                } else {
                    cursor.skip();
                }
            }
        }
        Self(options)
    }

    fn get(&self, wanted: &str) -> Option<bool> {
        self.0.iter().find(|(name, _)| name == wanted).map(|&(_, on)| on)
    }
}
