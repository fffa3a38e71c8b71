//! What an interrupted statement has left: whether it took effect, as the catalogs show it, and what
//! is in the way of running it again.
//!
//! **Invariant:** nothing here believes a name alone. A valid index counts as built only if the server
//! makes the same of the statement; an invalid one never counts.

use dunlin_core::lexer::TokenKind;
use dunlin_core::statement::{Effect, Object, Statement, Verb};
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::error::is_lost;
use crate::event::Event;
use crate::execute::Execution;
use crate::lock::is_of_another;
use crate::quote::{identifier, literal};
use crate::script::SqlText;
use crate::session::text;

/// What the catalogs say of a statement that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// It took effect.
    Done,
    /// It did not.
    Missing,
    /// Whether it did makes no difference: running it again does no harm.
    Harmless,
    /// That cannot be seen, or what is there is not what it makes, in these words.
    Unknown(Vec<String>),
}

/// Commands that may be run any number of times.
const REPEATABLE: [&str; 7] =
    ["REINDEX", "VACUUM", "ANALYZE", "CLUSTER", "CHECKPOINT", "ALTER SYSTEM", "DISCARD"];

impl Execution<'_, '_> {
    /// What became of a statement that was begun and not recorded as done.
    pub(crate) async fn evidence(
        &self,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<Evidence, PostgresError> {
        if REPEATABLE.contains(&statement.command) || sql.validates(statement) {
            return Ok(Evidence::Harmless);
        }
        let [effect] = statement.effects.as_slice() else {
            return Ok(Evidence::Unknown(Vec::new()));
        };
        match (&effect.verb, effect.object, &effect.name) {
            (Verb::Created, Object::Index, _) if effect.concurrently => {
                self.evidence_of_index(effect, statement, sql).await
            }
            (Verb::Dropped, Object::Index, Some(name)) if effect.concurrently => {
                let question = format!("pg_catalog.to_regclass({}) IS NULL", literal(name));
                self.is_done(&question).await
            }
            (Verb::ValueAdded { value }, Object::Type, Some(name)) if !value.is_empty() => {
                let question = format!(
                    "EXISTS (SELECT FROM pg_catalog.pg_enum e \
                     WHERE e.enumtypid = pg_catalog.to_regtype({}) AND e.enumlabel = {})",
                    literal(name),
                    literal(value)
                );
                self.is_done(&question).await
            }
            _ => Ok(Evidence::Unknown(Vec::new())),
        }
    }

    async fn is_done(&self, question: &str) -> Result<Evidence, PostgresError> {
        let question = self.session.guarded(&format!("SELECT {question} AS done"));
        let rows = self.session.rows(&question).await?;
        let is_done = rows.first().and_then(|row| text(row, "done")) == Some("t");
        Ok(if is_done { Evidence::Done } else { Evidence::Missing })
    }

    async fn evidence_of_index(
        &self,
        effect: &Effect,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<Evidence, PostgresError> {
        let Some(table) = effect.on.as_deref() else { return Ok(Evidence::Unknown(Vec::new())) };
        let rows = self.indexes(table, effect.name.as_deref(), true).await?;
        if rows.is_empty() {
            // One that is invalid is dropped before the statement runs.
            return Ok(Evidence::Missing);
        }
        let Some(wanted) = self.wanted(table, statement, sql).await? else {
            let what =
                if effect.name.is_some() { "there is such an index" } else { "there are indexes" };
            let fact = format!("{what}, and whether it is the one cannot be told from here");
            return Ok(Evidence::Unknown(vec![fact]));
        };
        let shape = |row: &SimpleQueryRow| text(row, "shape").map(str::to_owned);
        if rows.iter().any(|row| shape(row).as_ref() == Some(&wanted)) {
            return Ok(Evidence::Done);
        }
        if effect.name.is_none() {
            return Ok(Evidence::Missing);
        }
        let found = rows.first().and_then(shape).unwrap_or_default();
        Ok(Evidence::Unknown(vec![
            "a valid index of that name is there, with another definition".to_owned(),
            format!("it is {found}"),
            format!("the statement makes {wanted}"),
        ]))
    }

    /// The indexes of a table, of this name or all, that are valid or are not.
    async fn indexes(
        &self,
        table: &str,
        name: Option<&str>,
        valid: bool,
    ) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        let of_name = name.map_or_else(String::new, |name| {
            let parts = format!("pg_catalog.parse_ident({})", literal(name));
            format!("AND c.relname = ({parts})[pg_catalog.array_upper({parts}, 1)]")
        });
        let is = if valid { "i.indisvalid" } else { "NOT i.indisvalid" };
        let question = format!(
            "SELECT n.nspname, c.relname, {SHAPE} AS shape FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE i.indrelid = pg_catalog.to_regclass({}) AND {is} {of_name}",
            literal(table)
        );
        self.session.rows(&self.session.guarded(&question)).await
    }

    /// What the server makes of a `CREATE INDEX`: it is run on an empty copy of the table, and rolled
    /// back. Nothing if that cannot be done, as without the right to temporary tables.
    async fn wanted(
        &self,
        table: &str,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<Option<String>, PostgresError> {
        let Some((unique, rest)) = index_parts(statement, sql) else { return Ok(None) };
        let question = format!(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = pg_catalog.to_regclass({})",
            literal(table)
        );
        let found = self.session.rows(&self.session.guarded(&question)).await?;
        let name = |column| found.first().and_then(|row| text(row, column)).map(identifier);
        let (Some(schema), Some(relation)) = (name("nspname"), name("relname")) else {
            return Ok(None);
        };
        let guard = self.session.guard_of_session();
        // Of the same name, because expressions may name their table.
        let batch = format!(
            "BEGIN; SELECT WHERE {guard} <> 0; CREATE TEMPORARY TABLE pg_temp.{relation} (LIKE {schema}.{relation}); \
             CREATE {unique}INDEX ON pg_temp.{relation} {rest}; \
             SELECT {SHAPE} AS shape FROM pg_catalog.pg_index i \
             WHERE i.indrelid = pg_catalog.to_regclass({}); ROLLBACK",
            literal(&format!("pg_temp.{relation}"))
        );
        match self.session.rows(&batch).await {
            Ok(rows) => Ok(rows.first().and_then(|row| text(row, "shape")).map(str::to_owned)),
            Err(error) if is_lost(&error) => Err(error),
            Err(error) => {
                self.session.run("ROLLBACK").await?;
                if is_of_another(&error) { Err(error) } else { Ok(None) }
            }
        }
    }

    /// Removes what interrupted statements have left in the way of this one, so that `IF NOT EXISTS`
    /// cannot pass over an index that no query uses, and nobody keeps on writing to one.
    pub(crate) async fn clear_the_way(
        &self,
        migration: &str,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<(), PostgresError> {
        let leftovers = match statement.effects.as_slice() {
            [effect]
                if (effect.concurrently || effect.conditional)
                    && effect.object == Object::Index
                    && effect.verb == Verb::Created =>
            {
                self.invalid_indexes(effect, statement, sql).await?
            }
            [] if statement.command == "REINDEX" => self.left_by_reindex(statement, sql).await?,
            _ => Vec::new(),
        };
        for row in &leftovers {
            let part = |column| identifier(text(row, column).unwrap_or_default());
            let invalid = format!("{}.{}", part("nspname"), part("relname"));
            self.session.run(&self.session.guarded("SET lock_timeout TO 0")).await?;
            self.session.run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {invalid}")).await?;
            let message =
                format!("Dropped the invalid index {invalid} that an interrupted run had left");
            self.tell(&Event::Progress { name: migration, message: &message });
        }
        Ok(())
    }

    /// The same for all statements of a text.
    pub(crate) async fn clear_all(
        &self,
        migration: &str,
        sql: &SqlText<'_>,
    ) -> Result<(), PostgresError> {
        for statement in &sql.statements {
            self.clear_the_way(migration, statement, sql).await?;
        }
        self.session.set_working().await.map(drop)
    }

    /// What an interrupted `CREATE INDEX CONCURRENTLY` has left: by its name, or where the server has
    /// chosen that, by its definition.
    async fn invalid_indexes(
        &self,
        effect: &Effect,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        let Some(table) = effect.on.as_deref() else { return Ok(Vec::new()) };
        let mut rows = self.indexes(table, effect.name.as_deref(), false).await?;
        if !rows.is_empty() {
            // Somebody may be building it. Whoever builds has this lock on the table to the end. One message
            // is one transaction, and leaves none behind if it is refused (manual, 55.2.2.1).
            let wait = format!(
                "SET LOCAL lock_timeout TO 0; LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE"
            );
            self.session.run(&self.session.guarded(&wait)).await?;
            rows = self.indexes(table, effect.name.as_deref(), false).await?;
        }
        if effect.name.is_none() && !rows.is_empty() {
            let wanted = self.wanted(table, statement, sql).await?;
            rows.retain(|row| wanted.is_some() && text(row, "shape") == wanted.as_deref());
        }
        Ok(rows)
    }

    /// The copies an interrupted `REINDEX CONCURRENTLY` has left (manual, REINDEX, «Rebuilding Indexes
    /// Concurrently»): `_ccnew` was not finished, `_ccold` was replaced and not dropped.
    async fn left_by_reindex(
        &self,
        statement: &Statement,
        sql: &SqlText<'_>,
    ) -> Result<Vec<SimpleQueryRow>, PostgresError> {
        let Some((target, name)) = reindex_parts(statement, sql) else { return Ok(Vec::new()) };
        let name = literal(&name);
        let of_target = match target.as_str() {
            "INDEX" => format!(
                "i.indrelid = (SELECT o.indrelid FROM pg_catalog.pg_index o \
                 WHERE o.indexrelid = pg_catalog.to_regclass({name}))"
            ),
            "TABLE" => format!(
                "pg_catalog.to_regclass({name}) IN (i.indrelid, (SELECT t.oid FROM pg_catalog.pg_class t \
                 WHERE t.reltoastrelid = i.indrelid))"
            ),
            "SCHEMA" => format!("c.relnamespace = pg_catalog.to_regnamespace({name})"),
            _ => "true".to_owned(),
        };
        let question = format!(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND {of_target} ORDER BY 1, 2"
        );
        self.session.rows(&self.session.guarded(&question)).await
    }
}

/// An index without its name and its table: `UNIQUE btree (lower(name)) WHERE (id > 5)`.
const SHAPE: &str = "CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || \
    pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^.*? USING ', '')";

/// `UNIQUE ` or nothing, and what stands behind the table of a `CREATE INDEX`.
fn index_parts<'t>(statement: &Statement, sql: &SqlText<'t>) -> Option<(&'static str, &'t str)> {
    let tokens = sql.tokens_of(statement);
    let is_word = |at: usize, word| tokens.get(at).is_some_and(|it| it.is_word(sql.text, word));
    let unique = if is_word(1, "UNIQUE") { "UNIQUE " } else { "" };
    // A reserved word: no name reads so without quotes.
    let on = (0..tokens.len()).find(|&at| is_word(at, "ON"))?;
    let table = if is_word(on + 1, "ONLY") { on + 2 } else { on + 1 };
    let mut last = table;
    while tokens.get(last + 1)?.kind == TokenKind::Dot {
        last += 2;
    }
    let rest = sql.text.get(tokens.get(last)?.span.end..statement.span.end)?;
    Some((unique, rest))
}

/// What a `REINDEX` is of, `INDEX`, and its name as it was written.
fn reindex_parts(statement: &Statement, sql: &SqlText<'_>) -> Option<(String, String)> {
    let tokens = sql.tokens_of(statement);
    let is_target = |at: &usize| {
        ["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]
            .iter()
            .any(|word| tokens[*at].is_word(sql.text, word))
    };
    let target = (1..tokens.len()).find(is_target)?;
    let concurrently =
        tokens.get(target + 1).is_some_and(|it| it.is_word(sql.text, "CONCURRENTLY"));
    let name = if concurrently { target + 2 } else { target + 1 };
    let name = tokens
        .get(name)
        .and_then(|first| sql.text.get(first.span.start..statement.span.end))
        .unwrap_or_default();
    Some((tokens[target].text(sql.text).to_ascii_uppercase(), name.to_owned()))
}
