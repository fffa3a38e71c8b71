//! What a statement creates, alters, renames or drops.
//!
//! Read from the words of CREATE, ALTER and DROP, outside of function bodies, DO blocks and strings:
//! what those do is not known before they run.

use super::cursor::Cursor;
use super::object::Object;
use crate::lexer::TokenKind;

/// One thing that one statement does to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What is done.
    pub verb: Verb,
    /// The kind of the object.
    pub object: Object,
    /// The name, as PostgreSQL stores it, with its schema if that was written: `app.users`.
    ///
    /// A part that would read otherwise without quotes keeps them: `app."Users"`. So two names are
    /// equal exactly if they are the same name. Nothing where the server chooses the name
    /// (`CREATE INDEX ON t (a)`) or where the object has none (`CAST`, `OPERATOR`).
    pub name: Option<String>,
    /// The table of an index, trigger, policy or rule, and the parent of a partition.
    pub on: Option<String>,
    /// `IF NOT EXISTS` or `IF EXISTS` was written.
    pub conditional: bool,
    /// `OR REPLACE` was written.
    pub or_replace: bool,
    /// `CONCURRENTLY` was written.
    pub concurrently: bool,
    /// `TEMPORARY` was written: the object ends with the session.
    pub temporary: bool,
}

/// What an [`Effect`] does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `CREATE`
    Created,
    /// `ALTER`, as far as it is none of the following.
    Altered,
    /// `RENAME TO` or `SET SCHEMA`.
    Renamed {
        /// The new name, written as [`Effect::name`] is.
        to: String,
    },
    /// `ALTER TYPE ... ADD VALUE`: until the transaction is committed, the value cannot be used.
    ValueAdded {
        /// The value, without its quotes. Empty if it was written with `\` escapes.
        value: String,
    },
    /// `DROP`
    Dropped,
}

impl Effect {
    fn new(verb: Verb, object: Object) -> Self {
        Self {
            verb,
            object,
            name: None,
            on: None,
            conditional: false,
            or_replace: false,
            concurrently: false,
            temporary: false,
        }
    }
}

/// Reads what follows CREATE. The first effect is that of the statement; `CREATE SCHEMA` has more
/// when it holds CREATE statements of its own.
pub(super) fn created(cursor: &mut Cursor<'_>) -> Vec<Effect> {
    let Some(first) = create(cursor, None) else { return Vec::new() };
    let mut effects = vec![first];
    if effects[0].object == Object::Schema {
        let schema = effects[0].name.clone();
        while cursor.skip_past("CREATE") {
            effects.extend(create(cursor, schema.as_deref()));
        }
    }
    effects
}

/// `schema` is where the elements of a CREATE SCHEMA come to be.
fn create(cursor: &mut Cursor<'_>, schema: Option<&str>) -> Option<Effect> {
    let or_replace = cursor.eat_words("OR REPLACE");
    let mut temporary = false;
    while let "GLOBAL" | "LOCAL" | "TEMP" | "TEMPORARY" | "UNLOGGED" | "UNIQUE" | "TRUSTED"
    | "CONSTRAINT" | "RECURSIVE" | "DEFAULT" = cursor.keyword().as_str()
    {
        temporary |= cursor.is_word("TEMP") || cursor.is_word("TEMPORARY");
        cursor.advance();
    }
    let object = Object::eat(cursor)?;
    let mut effect = Effect::new(Verb::Created, object);
    effect.or_replace = or_replace;
    effect.temporary = temporary;
    effect.concurrently = object == Object::Index && cursor.eat_words("CONCURRENTLY");
    effect.conditional = cursor.eat_words("IF NOT EXISTS");
    effect.name = match object {
        _ if object.is_nameless() => None,
        Object::Schema if cursor.eat_words("AUTHORIZATION") => name(cursor),
        Object::Index | Object::Statistics if cursor.is_word("ON") => None,
        _ if object.is_on_table() => name(cursor),
        _ => name_in(cursor, schema),
    };
    effect.on = match object {
        Object::Index if cursor.eat_words("ON") => {
            let _only = cursor.eat_words("ONLY");
            name_in(cursor, schema)
        }
        Object::Table | Object::ForeignTable if cursor.eat_words("PARTITION OF") => {
            name_in(cursor, schema)
        }
        Object::Trigger | Object::Policy if cursor.skip_past("ON") => name_in(cursor, schema),
        Object::Rule if cursor.skip_past("TO") => name_in(cursor, schema),
        _ => None,
    };
    Some(effect)
}

/// Reads what follows ALTER.
pub(super) fn altered(cursor: &mut Cursor<'_>) -> Option<Effect> {
    let object = Object::eat(cursor)?;
    let mut effect = Effect::new(Verb::Altered, object);
    if object.is_nameless() || cursor.is_word("ALL") {
        return Some(effect);
    }
    effect.conditional = cursor.eat_words("IF EXISTS");
    let _only = cursor.eat_words("ONLY");
    let parts = cursor.name();
    if object.is_on_table() && cursor.eat_words("ON") {
        effect.on = name(cursor);
    }
    if cursor.is(TokenKind::Operator) {
        // `ALTER TABLE t * ...`, an old spelling.
        cursor.advance();
    }
    let _arguments = cursor.eat_group();
    if matches!(object, Object::OperatorClass | Object::OperatorFamily) && cursor.eat_words("USING")
    {
        let _method = cursor.name();
    }
    effect.verb = alteration(cursor, object, &parts, &mut effect.conditional);
    effect.name = joined(&parts);
    Some(effect)
}

fn alteration(
    cursor: &mut Cursor<'_>,
    object: Object,
    parts: &[String],
    conditional: &mut bool,
) -> Verb {
    let Some((last, schema)) = parts.split_last() else { return Verb::Altered };
    if cursor.eat_words("RENAME TO") {
        let mut renamed = schema.to_vec();
        renamed.extend(cursor.name());
        return joined(&renamed).map_or(Verb::Altered, |to| Verb::Renamed { to });
    }
    if object.is_in_schema() && cursor.eat_words("SET SCHEMA") {
        let mut renamed = cursor.name();
        renamed.push(last.clone());
        return joined(&renamed).map_or(Verb::Altered, |to| Verb::Renamed { to });
    }
    if object == Object::Type && cursor.eat_words("ADD VALUE") {
        *conditional |= cursor.eat_words("IF NOT EXISTS");
        return Verb::ValueAdded { value: cursor.string().unwrap_or_default() };
    }
    Verb::Altered
}

/// Reads what follows DROP: as many effects as objects, and at least one.
pub(super) fn dropped(cursor: &mut Cursor<'_>) -> Vec<Effect> {
    let Some(object) = Object::eat(cursor) else { return Vec::new() };
    let mut first = Effect::new(Verb::Dropped, object);
    first.concurrently = object == Object::Index && cursor.eat_words("CONCURRENTLY");
    first.conditional = cursor.eat_words("IF EXISTS");
    if object.is_nameless() {
        return vec![first];
    }
    let mut effects = Vec::new();
    loop {
        let mut effect = first.clone();
        effect.name = name(cursor);
        if object.is_on_table() && cursor.eat_words("ON") {
            effect.on = name(cursor);
        }
        effects.push(effect);
        let _arguments = cursor.eat_group();
        if !cursor.eat(TokenKind::Comma) {
            return effects;
        }
    }
}

fn name(cursor: &mut Cursor<'_>) -> Option<String> {
    joined(&cursor.name())
}

/// A name that is in this schema unless it says otherwise.
fn name_in(cursor: &mut Cursor<'_>, schema: Option<&str>) -> Option<String> {
    let mut parts = cursor.name();
    if let Some(schema) = schema
        && parts.len() == 1
    {
        parts.insert(0, schema.to_owned());
    }
    joined(&parts)
}

fn joined(parts: &[String]) -> Option<String> {
    if parts.is_empty() { None } else { Some(parts.join(".")) }
}
