//! Statements that change the history table.

use crate::check::script::Sql;
use crate::diagnostic::{Diagnostic, Place};
use crate::lexer::TokenKind;
use crate::rule::Rule;
use crate::source::Span;
use crate::statement::cursor::Cursor;
use crate::statement::{Effect, Object, Statement, Verb};

/// The statements of a file that change the table of this name, in no schema or in `public`.
pub(super) fn check(sql: &Sql<'_>, table: &str) -> Vec<Diagnostic> {
    let table = written(table);
    let is_table = |name: &str| {
        name == table || name.strip_prefix("public.").is_some_and(|name| name == table)
    };
    let touching = sql.statements.iter().filter(|statement| {
        statement.effects.iter().any(|effect| changes(effect, &is_table))
            || targets(sql, statement).iter().any(|name| is_table(name))
    });
    touching.map(|statement| problem(sql, statement.span, statement.command, &table)).collect()
}

fn problem(sql: &Sql<'_>, span: Span, command: &str, table: &str) -> Diagnostic {
    Diagnostic::new(
        Rule::HistoryTable,
        format!("`{command}` on the history table `{table}`"),
    )
    .at(Place::span(sql.file, span, ""))
    .note("Dunlin writes this table in the same transaction as the migration, and decides by it what is applied")
    .help("remove the statement; a table of the application's own needs another name, or the history does: embed_migrations!(\"...\", history_table = \"...\")")
}

/// A table's name as [`Effect::name`] would hold it.
fn written(table: &str) -> String {
    let is_plain = table.bytes().enumerate().all(|(index, byte)| match byte {
        b'a'..=b'z' | b'_' | 0x80.. => true,
        b'0'..=b'9' | b'$' => index > 0,
        _ => false,
    });
    if is_plain { table.to_owned() } else { format!("\"{}\"", table.replace('"', "\"\"")) }
}

fn changes(effect: &Effect, is_table: &impl Fn(&str) -> bool) -> bool {
    let is_relation = matches!(
        effect.object,
        Object::Table | Object::View | Object::MaterializedView | Object::ForeignTable
    );
    let names_it = |name: &Option<String>| name.as_deref().is_some_and(is_table);
    let becomes_it = matches!(&effect.verb, Verb::Renamed { to } if is_table(to));
    let is_on_it =
        matches!(effect.object, Object::Index | Object::Trigger | Object::Policy | Object::Rule)
            && names_it(&effect.on);
    !effect.temporary && ((is_relation && (names_it(&effect.name) || becomes_it)) || is_on_it)
}

/// The tables a statement writes to, wherever in it: `WITH x AS (INSERT INTO ...) SELECT ...`.
fn targets(sql: &Sql<'_>, statement: &Statement) -> Vec<String> {
    let mut cursor = Cursor::new(sql.file.text(), &sql.lexed.tokens[statement.tokens.clone()]);
    let mut names = Vec::new();
    let name = |cursor: &mut Cursor<'_>| {
        let _only = cursor.eat_words("ONLY");
        cursor.name().join(".")
    };
    match statement.command {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "SELECT" | "EXPLAIN" | "PREPARE" => {
            while cursor.token().is_some() {
                if ["INSERT INTO", "DELETE FROM", "MERGE INTO", "UPDATE"]
                    .iter()
                    .any(|words| cursor.eat_words(words))
                {
                    names.push(name(&mut cursor));
                } else {
                    cursor.advance();
                }
            }
        }
        "TRUNCATE" | "LOCK" => {
            cursor.advance();
            let _table = cursor.eat_words("TABLE");
            loop {
                names.push(name(&mut cursor));
                let _star = cursor.eat(TokenKind::Operator);
                if !cursor.eat(TokenKind::Comma) {
                    break;
                }
            }
        }
        "COPY" => {
            cursor.advance();
            names.push(name(&mut cursor));
            let _columns = cursor.eat_group();
            if !cursor.is_word("FROM") {
                names.clear();
            }
        }
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_sql_would_have_to() {
        for (table, expected) in [
            ("migrations", "migrations"),
            ("é_1$", "é_1$"),
            ("a0", "a0"),
            ("1a", "\"1a\""),
            ("$a", "\"$a\""),
            ("Migrations", "\"Migrations\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(written(table), expected);
        }
    }
}
