//! The first question of a run: where we are, and whether the history is what this build expects.

use tokio_postgres::SimpleQueryRow;
use tokio_postgres::error::SqlState;

use super::{History, is_about_the_table};
use crate::error::{Error, ErrorKind, Result};
use crate::log::LogTable;
use crate::quote::{identifier, literal};
use crate::session::{Session, text};
use crate::summary::{self, Summary};

/// `NAMEDATALEN` less its terminating zero byte (manual, 4.1.1).
const MAX_NAME_BYTES: usize = 63;

/// Where the table is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) log: LogTable,
    /// What the log calls this build.
    pub(crate) build: Option<String>,
}

/// The answer to the first question of a run.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(crate) history: History,
    pub(crate) database: String,
    /// Present when the table could be read; what else may be wrong is found out under the lock.
    pub(crate) summary: Option<Summary>,
    is_read_only: bool,
    is_standby: bool,
}

impl Glance {
    /// Refuses a server or a session that cannot be written to.
    pub(crate) fn writable(&self) -> Result<()> {
        if self.is_standby {
            return Err(Error::standby());
        }
        if self.is_read_only {
            return Err(Error::read_only_session());
        }
        Ok(())
    }
}

impl Table {
    fn written(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", identifier(schema), identifier(&self.name)),
            None => identifier(&self.name),
        }
    }

    /// Refuses a name that the server would shorten or cannot have: it would be looked for in vain.
    fn check_names(&self) -> Result<()> {
        let names = [("table", Some(&self.name)), ("schema", self.schema.as_ref())];
        for (what, name) in names.into_iter().filter_map(|(what, name)| Some((what, name?))) {
            let fact = if name.is_empty() {
                "it is empty".to_owned()
            } else if name.contains('\0') {
                "it has a NUL character in it".to_owned()
            } else if name.len() > MAX_NAME_BYTES {
                format!("it has {} bytes, and PostgreSQL keeps {MAX_NAME_BYTES}", name.len())
            } else {
                continue;
            };
            let headline = format!("{name:?} cannot be the {what} of the history: {fact}");
            return Err(Error::new(ErrorKind::History, headline)
                .note("nothing was changed")
                .help(format!("choose another name: `Migrator::history_{what}`")));
        }
        Ok(())
    }

    /// One round trip whose question and answer have a constant size: where we are, and whether the
    /// history is what this build expects.
    pub(crate) async fn glance(&self, session: &Session<'_>) -> Result<Glance> {
        self.check_names()?;
        let table = self.written();
        // The last statement fails if there is no such table, and those before it have answered.
        let question = format!(
            "SELECT current_catalog AS database, current_schema AS schema, current_user AS role, \
             current_timestamp AS begun, pg_catalog.statement_timestamp() AS now; \
             SHOW transaction_read_only; SHOW in_hot_standby; \
             SELECT {}{} FROM {table}",
            summary::QUESTION,
            self.question_where_found(),
        );
        let (asking, doing) = ("asking the server where we are", "reading the history table");
        let answers =
            session.send(&question).await.map_err(|error| Error::from_looking(asking, error))?;
        let (rows, error) = answers.rows_until_error().await;
        let Some(context) = rows.first() else {
            return Err(match error {
                Some(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
                    in_transaction("the connection is inside a transaction that has failed")
                }
                Some(error) => Error::from_looking(asking, error),
                None => Error::new(
                    ErrorKind::Database,
                    "the server gave no answer to a question of one row",
                ),
            });
        };
        // A transaction that was not begun by this question began before it.
        if text(context, "begun") != text(context, "now") {
            let refused = in_transaction("the connection is inside a transaction");
            return Err(match error {
                Some(_) => refused
                    .note("it is aborted now, because there is no such history table to look into"),
                None => refused,
            });
        }
        let history = self.located(context)?;
        let is_on = |setting| rows.iter().any(|row| text(row, setting) == Some("on"));
        let glance = Glance {
            history,
            database: text(context, "database").unwrap_or_default().to_owned(),
            summary: None,
            is_read_only: is_on("transaction_read_only"),
            is_standby: is_on("in_hot_standby"),
        };
        if let Some(error) = error {
            if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                let role = text(context, "role").unwrap_or_default();
                return Err(Error::refused(doing, error)
                    .note("nothing was changed")
                    .help(glance.history.grant("SELECT", role)));
            }
            if !error.code().is_some_and(is_about_the_table) {
                return Err(Error::from_looking(doing, error));
            }
            return Ok(glance);
        }
        let Some(row) = rows.last() else { return Ok(glance) };
        if !self.is_where_expected(row) {
            return Err(glance.history.is_elsewhere(&self.found_in(session).await?));
        }
        Ok(Glance { summary: Some(Summary::of(row)), ..glance })
    }

    /// A column with the name of the table in the first schema of the search path, or nothing: `FROM`
    /// may have found one in a later schema. The name has its schema if another table hides it.
    fn question_where_found(&self) -> String {
        if self.schema.is_some() {
            return String::new();
        }
        format!(
            ", pg_catalog.to_regclass(pg_catalog.format({}, current_schema)) AS expected",
            literal(&format!("%I.{}", identifier(&self.name).replace('%', "%%")))
        )
    }

    fn is_where_expected(&self, row: &SimpleQueryRow) -> bool {
        // The server puts quotes only where they are needed.
        let is_ours = |it: &str| it == self.name || it == identifier(&self.name);
        self.schema.is_some() || text(row, "expected").is_some_and(is_ours)
    }

    /// The schema of the table that the search path leads to.
    async fn found_in(&self, session: &Session<'_>) -> Result<String> {
        let question = format!(
            "SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = pg_catalog.to_regclass({})",
            literal(&identifier(&self.name))
        );
        let rows = session.rows(&question).await;
        let rows =
            rows.map_err(|error| Error::from_looking("looking for the history table", error))?;
        Ok(rows.first().and_then(|row| text(row, "nspname")).unwrap_or_default().to_owned())
    }

    fn located(&self, context: &SimpleQueryRow) -> Result<History> {
        let Some(schema) = self.schema.as_deref().or_else(|| text(context, "schema")) else {
            return Err(Error::new(ErrorKind::History, "no schema of the search path exists")
                .note("the history table lives in the first schema of the search path; nothing was changed")
                .help("create a schema of the search path, or name one: `Migrator::history_schema(\"...\")`"));
        };
        Ok(History {
            qualified: format!("{}.{}", identifier(schema), identifier(&self.name)),
            schema: schema.to_owned(),
            name: self.name.clone(),
            schema_is_configured: self.schema.is_some(),
            log_name: self.log.name(&self.name),
            build: self.build.clone(),
            log: None,
        })
    }
}

fn in_transaction(headline: &str) -> Error {
    Error::new(ErrorKind::Database, headline)
        .note(
            "each migration is a transaction of its own, so none may be open; nothing was changed",
        )
        .help("commit or roll back before migrating, or pass the pool")
}
