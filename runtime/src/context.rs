//! What a migration in Rust receives.

use std::fmt;
use std::pin::pin;

use dunlin_core::statement::Kind;
use futures_util::StreamExt;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, SimpleQueryMessage};

use crate::error::{Error, Result};
use crate::event::{Event, Observer};
use crate::invalid_index;
use crate::script::SqlText;

/// The database, inside the transaction of a migration in Rust.
///
/// The transaction is Dunlin's: what `up` does and the row that records it are committed together,
/// and an error undoes all of it. So `BEGIN`, `COMMIT` and `ROLLBACK` are refused here; `SAVEPOINT`
/// is not.
///
/// Names in questions like [`table_exists`](Self::table_exists) are written as in SQL: `users`,
/// `app.users`, `"Users"`. Without a schema they are looked up along the search path.
///
/// ```
/// use dunlin::{Context, Result};
///
/// pub async fn up(cx: &mut Context<'_>) -> Result<()> {
///     if cx.table_exists("users").await? && !cx.column_exists("users", "email").await? {
///         cx.batch_execute("ALTER TABLE users ADD COLUMN email text").await?;
///         cx.progress("Added users.email");
///     }
///     Ok(())
/// }
/// ```
///
/// # Cancellation
///
/// When the run is dropped, the transaction is rolled back.
pub struct Context<'a> {
    client: &'a Client,
    observer: &'a dyn Observer,
    name: &'a str,
}

impl<'a> Context<'a> {
    pub(crate) const fn new(client: &'a Client, observer: &'a dyn Observer, name: &'a str) -> Self {
        Self { client, observer, name }
    }

    /// The migration's name.
    #[must_use]
    pub const fn migration(&self) -> &str {
        self.name
    }

    /// Runs statements without parameters, separated by semicolons.
    ///
    /// # Errors
    ///
    /// The server's, and a refusal of `BEGIN`, `COMMIT`, `ROLLBACK` and of `COPY` from or to the client.
    pub async fn batch_execute(&mut self, sql: &str) -> Result<()> {
        let sql = self.checked(sql).await?;
        let mut answers = pin!(self.client.simple_query_raw(sql.text).await?);
        let mut n_completed = 0;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(SimpleQueryMessage::CommandComplete(_)) => n_completed += 1,
                Ok(_) => {}
                Err(error) => return Err(in_statement(&sql, n_completed, error)),
            }
        }
        Ok(())
    }

    /// Runs one statement with parameters `$1`, `$2`, ... and returns how many rows it touched.
    ///
    /// # Errors
    ///
    /// As [`batch_execute`](Self::batch_execute).
    pub async fn execute(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let text = self.checked(sql).await?;
        let result = self.client.execute(sql, parameters).await;
        result.map_err(|error| in_statement(&text, 0, error))
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    ///
    /// As [`batch_execute`](Self::batch_execute).
    pub async fn query(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let text = self.checked(sql).await?;
        let result = self.client.query(sql, parameters).await;
        result.map_err(|error| in_statement(&text, 0, error))
    }

    /// Runs one statement that returns exactly one row.
    ///
    /// # Errors
    ///
    /// As [`batch_execute`](Self::batch_execute), and when there are none or several.
    pub async fn query_one(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row> {
        let text = self.checked(sql).await?;
        let result = self.client.query_one(sql, parameters).await;
        result.map_err(|error| in_statement(&text, 0, error))
    }

    /// Runs one statement that returns at most one row.
    ///
    /// # Errors
    ///
    /// As [`batch_execute`](Self::batch_execute), and when there are several.
    pub async fn query_opt(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>> {
        let text = self.checked(sql).await?;
        let result = self.client.query_opt(sql, parameters).await;
        result.map_err(|error| in_statement(&text, 0, error))
    }

    /// Whether there is a table of this name, ordinary, partitioned or foreign.
    ///
    /// # Errors
    ///
    /// The server's, also for a text that is not a name.
    pub async fn table_exists(&mut self, table: &str) -> Result<bool> {
        self.ask(
            "SELECT pg_catalog.parse_ident($1) IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) \
             AND relkind IN ('r', 'p', 'f'))",
            &[table],
        )
        .await
    }

    /// Whether a table or view has a column of this name.
    ///
    /// # Errors
    ///
    /// As [`table_exists`](Self::table_exists).
    pub async fn column_exists(&mut self, table: &str, column: &str) -> Result<bool> {
        self.ask(
            "SELECT pg_catalog.parse_ident($1) IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) \
             AND attname = (pg_catalog.parse_ident($2))[1] AND attnum > 0 AND NOT attisdropped), \
             pg_catalog.cardinality(pg_catalog.parse_ident($2)) = 1",
            &[table, column],
        )
        .await
    }

    /// Whether there is an index of this name that queries can use.
    ///
    /// An index that an interrupted `CREATE INDEX CONCURRENTLY` left invalid does not count.
    ///
    /// # Errors
    ///
    /// As [`table_exists`](Self::table_exists).
    pub async fn index_exists(&mut self, index: &str) -> Result<bool> {
        self.ask(
            "SELECT pg_catalog.parse_ident($1) IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass($1) AND indisvalid)",
            &[index],
        )
        .await
    }

    /// Whether a table has a constraint of this name.
    ///
    /// # Errors
    ///
    /// As [`table_exists`](Self::table_exists).
    pub async fn constraint_exists(&mut self, table: &str, constraint: &str) -> Result<bool> {
        self.ask(
            "SELECT pg_catalog.parse_ident($1) IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass($1) \
             AND conname = (pg_catalog.parse_ident($2))[1]), pg_catalog.cardinality(pg_catalog.parse_ident($2)) = 1",
            &[table, constraint],
        )
        .await
    }

    /// Reports one line about what was done, `Added users.email`.
    pub fn progress(&mut self, message: impl AsRef<str>) {
        self.observer.on_event(&Event::Progress { name: self.name, message: message.as_ref() });
    }

    /// A text that may be sent, and would pass over nothing that it should make.
    async fn checked<'t>(&self, sql: &'t str) -> Result<SqlText<'t>> {
        let sql = checked(sql)?;
        let Some(question) = invalid_index::question(&sql) else { return Ok(sql) };
        let found =
            self.client.simple_query(&question).await?.into_iter().find_map(|it| match it {
                SimpleQueryMessage::Row(row) => row.get("relname").map(str::to_owned),
                _ => None,
            });
        let Some(index) = found else { return Ok(sql) };
        Err(Error::custom(format!(
            "the index `{index}` is invalid, and IF NOT EXISTS would pass over it"
        ))
        .note("an interrupted CREATE INDEX CONCURRENTLY leaves such an index, which no query uses")
        .help("drop it before: `DROP INDEX IF EXISTS ...` where `Context::index_exists` says no"))
    }

    /// A question with texts as parameters, through an unnamed statement: nothing is left behind.
    ///
    /// Each question parses its first name itself, because `to_regclass` refuses a text that is no
    /// name only up to PostgreSQL 15.
    ///
    /// A second column of the answer says whether the last text is the name of a part of a table.
    async fn ask(&self, question: &str, texts: &[&str]) -> Result<bool> {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.client.query_typed(question, &parameters).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        if let (Some(name), 2, Ok(false)) = (texts.last(), row.len(), row.try_get(1)) {
            return Err(Error::custom(format!("`{name}` names more than a part of a table"))
                .help("write its name alone; a name with a dot in it needs double quotes"));
        }
        Ok(row.get(0))
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("migration", &self.name).finish_non_exhaustive()
    }
}

/// A text that may be sent: it neither ends the transaction nor waits for data that never comes.
fn checked(sql: &str) -> Result<SqlText<'_>> {
    let sql = SqlText::new("", sql);
    for statement in &sql.statements {
        match statement.kind {
            Kind::Transaction(control) if control.is_boundary() => {
                let command = statement.command;
                return Err(Error::custom(format!("`{command}` inside the transaction of a migration"))
                    .note("the migration and its row in the history table are one transaction, which Dunlin begins and ends")
                    .help("return an error to undo everything; use SAVEPOINT for a part"));
            }
            Kind::CopyFromStdin | Kind::CopyToStdout => {
                return Err(Error::custom("`COPY` from or to the client inside a migration")
                    .note("its rows travel beside the statements, and nothing here sends or receives them")
                    .help("use `INSERT INTO ... VALUES ...` or a query"));
            }
            Kind::Transaction(_) | Kind::PsqlCommand | Kind::Ordinary => {}
        }
    }
    Ok(sql)
}

/// The error with the statement it happened in, since no file shows it.
fn in_statement(sql: &SqlText<'_>, n_completed: usize, error: tokio_postgres::Error) -> Error {
    let statement = sql.failed_statement(n_completed, error.as_db_error());
    let made = Error::from(error).of_sql(sql.text);
    match statement {
        Some(statement) => made.note(format!("in the statement: {}", statement.headline(sql.text))),
        None => made,
    }
}
