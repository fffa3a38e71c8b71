//! What a migration in Rust receives.

use std::fmt;

use dunlin_core::lexer::lex;
use dunlin_core::statement::{Kind, split};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::error::{Error, Result};
use crate::event::{Event, Observer};

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
    /// The server's, and a refusal of `BEGIN`, `COMMIT` and `ROLLBACK`.
    pub async fn batch_execute(&mut self, sql: &str) -> Result<()> {
        refuse_transaction_control(sql)?;
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Runs one statement with parameters `$1`, `$2`, ... and returns how many rows it touched.
    ///
    /// # Errors
    ///
    /// As [`batch_execute`](Self::batch_execute).
    pub async fn execute(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        refuse_transaction_control(sql)?;
        Ok(self.client.execute(sql, parameters).await?)
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
        refuse_transaction_control(sql)?;
        Ok(self.client.query(sql, parameters).await?)
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
        refuse_transaction_control(sql)?;
        Ok(self.client.query_one(sql, parameters).await?)
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
        refuse_transaction_control(sql)?;
        Ok(self.client.query_opt(sql, parameters).await?)
    }

    /// Whether there is a table of this name, ordinary, partitioned or foreign.
    ///
    /// # Errors
    ///
    /// The server's, also for a text that is not a name.
    pub async fn table_exists(&mut self, table: &str) -> Result<bool> {
        self.ask(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) \
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
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) \
             AND attname = (pg_catalog.parse_ident($2))[1] AND attnum > 0 AND NOT attisdropped)",
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
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass($1) AND indisvalid)",
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
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass($1) \
             AND conname = (pg_catalog.parse_ident($2))[1])",
            &[table, constraint],
        )
        .await
    }

    /// Reports one line about what was done, `Added users.email`.
    pub fn progress(&mut self, message: impl AsRef<str>) {
        self.observer.on_event(&Event::Progress { name: self.name, message: message.as_ref() });
    }

    /// A question with texts as parameters, through an unnamed statement: nothing is left behind.
    async fn ask(&self, question: &str, texts: &[&str]) -> Result<bool> {
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.client.query_typed(question, &parameters).await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("migration", &self.name).finish_non_exhaustive()
    }
}

fn refuse_transaction_control(sql: &str) -> Result<()> {
    let statements = split(sql, &lex(sql));
    match statements.iter().find(|it| matches!(it.kind, Kind::Transaction(control) if control.is_boundary())) {
        Some(statement) => Err(Error::custom(format!("`{}` inside the transaction of a migration", statement.command))
            .note("the migration and its row in the history table are one transaction, which Dunlin begins and ends")
            .help("return an error to undo everything; use SAVEPOINT for a part")),
        None => Ok(()),
    }
}
