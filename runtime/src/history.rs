//! The history table: its shape, and every statement about it.
//!
//! **Invariant:** after the first question of a run, the table is written with its schema in every
//! statement, so that no migration can make us read or write another one.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::applied::{Applied, Kind, Progress};
use crate::belongings::{self, Belongings};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Direction;
use crate::lock::halves;
use crate::log::{self, Action, Log, LogTable};
use crate::other_history::{self, Found};
use crate::quote::{identifier, literal, optional_literal};
use crate::residue::{self, Traces};
use crate::session::{Answers, Session, text};
use crate::settings::{self, Settings};
use crate::shape::{Shape, shape};
use crate::summary::{self, Summary};

/// `NAMEDATALEN` less its terminating zero byte (manual, 4.1.1).
const MAX_NAME_BYTES: usize = 63;

/// The columns Dunlin adds to those of an older tracking table, with their types.
pub(crate) const OWN_COLUMNS: [(&str, &str); 11] = [
    ("checksum", "text"),
    ("kind", "text"),
    ("duration_ms", "bigint"),
    ("applied_by", "text"),
    ("application", "text"),
    ("up_text", "text"),
    ("down_text", "text"),
    ("breaking", "boolean"),
    ("statements", "integer"),
    ("statements_done", "integer"),
    ("statements_begun", "integer"),
];

/// Where the table is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) log: LogTable,
    /// What the log calls this build.
    pub(crate) build: Option<String>,
}

/// The table of one run, in the schema the run found it in or will create it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// Schema and name as they stand in SQL.
    pub(crate) qualified: String,
    schema: String,
    name: String,
    schema_is_configured: bool,
    /// The name of the log, if there is to be one.
    log_name: Option<String>,
    build: Option<String>,
    /// The log, once it is known to be there.
    log: Option<Log>,
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

/// Everything a run must know before it decides.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) exists: bool,
    pub(crate) applied: Vec<Applied>,
    pub(crate) settings: Settings,
    pub(crate) belongings: Belongings,
    /// What functions that the database has may leave behind in a session.
    pub(crate) code: Traces,
    pub(crate) backend: i32,
    pub(crate) holds_lock: bool,
    /// Whom the server takes us for.
    pub(crate) user: String,
    /// Whether that role may add rows, if there is a table.
    pub(crate) is_writable: bool,
    /// Whether the table keeps a hash of each row, as those of the first builds of Dunlin do not.
    pub(crate) has_fingerprint: bool,
    pub(crate) log: LogState,
    pub(crate) identity: Identity,
    /// Tables by whose names another tool might have migrated; asked for where nothing is applied yet.
    pub(crate) others: Vec<Found>,
}

/// What there is under the name of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogState {
    /// Nothing, and this role may not create it.
    #[default]
    Absent,
    /// Nothing, and this role may create it.
    ToBeCreated,
    Ours {
        is_writable: bool,
    },
    /// Something else.
    Foreign,
}

/// Which database this is, and in which one the last entry of the log was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `pg_control_system().system_identifier`, if this role may ask.
    pub(crate) system: Option<String>,
    pub(crate) last_database: Option<String>,
    pub(crate) last_system: Option<String>,
}

/// A row about to be written.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) checksum: String,
    pub(crate) kind: Kind,
    pub(crate) up_text: &'a str,
    pub(crate) down_text: Option<Cow<'a, str>>,
    pub(crate) is_breaking: bool,
    /// How long it took, where that is not the time since its transaction began.
    pub(crate) duration: Option<Duration>,
    /// For a migration without a transaction.
    pub(crate) progress: Option<Progress>,
}

impl State {
    /// The major version of the server.
    #[cfg(feature = "adopt")]
    pub(crate) const fn server_major(&self) -> u32 {
        self.settings.server_version / 10_000
    }

    /// How many migrations are applied, those that were interrupted not counted.
    pub(crate) fn n_finished(&self) -> usize {
        self.applied.iter().filter(|row| row.unfinished().is_none()).count()
    }
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

/// Whether there is no such table, or another one than ours. Which, is asked under the lock: the
/// classes 42 (syntax error or access rule violation), 22 (data exception) and 3F (schema name).
fn is_about_the_table(code: &SqlState) -> bool {
    ["42", "22", "3F"].iter().any(|class| code.code().starts_with(class))
}

fn in_transaction(headline: &str) -> Error {
    Error::new(ErrorKind::Database, headline)
        .note(
            "each migration is a transaction of its own, so none may be open; nothing was changed",
        )
        .help("commit or roll back before migrating, or pass the pool")
}

impl History {
    /// The text whose hash is the key of the lock.
    pub(crate) fn lock_name(&self, database: &str) -> String {
        format!("dunlin\n{database}\n{}\n{}", self.schema, self.name)
    }

    /// Whether the table lies in this schema.
    pub(crate) fn is_in(&self, schema: &str) -> bool {
        self.schema == schema
    }

    /// Whether the table has this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    /// Schema and name of the table.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.schema, &self.name)
    }

    /// The history and its log, by schema and name.
    #[cfg(feature = "adopt")]
    pub(crate) fn own_tables(&self) -> Vec<(String, String)> {
        let names = std::iter::once(&self.name).chain(&self.log_name);
        names.map(|name| (self.schema.clone(), name.clone())).collect()
    }

    fn is_elsewhere(&self, schema: &str) -> Error {
        Error::new(
            ErrorKind::History,
            format!(
                "the history table is in schema `{schema}`, but the search path begins with `{}`",
                self.schema
            ),
        )
        .note("a second history table would make every migration run again; nothing was changed")
        .help(format!(
            "name the schema: `Migrator::history_schema({schema:?})`, or `({:?})` to begin anew there",
            self.schema
        ))
    }

    /// A row that a policy hides would be taken for a migration that is pending.
    fn hides_rows(&self) -> Error {
        Error::new(
            ErrorKind::History,
            format!("row-level security may hide rows of {} from this role", self.qualified),
        )
        .note("a migration whose row is hidden would run again; nothing was changed")
        .help(format!(
            "ALTER TABLE {} DISABLE ROW LEVEL SECURITY, or migrate as a role with BYPASSRLS",
            self.qualified
        ))
    }

    /// The statement that lets a role do something with the table.
    fn grant(&self, what: &str, role: &str) -> String {
        let (schema, role) = (identifier(&self.schema), identifier(role));
        format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT {what} ON {} TO {role};",
            self.qualified
        )
    }

    /// What to say to a role that reads the table and may not write to it.
    pub(crate) fn not_writable(&self, role: &str, n_pending: usize) -> Error {
        Error::new(
            ErrorKind::History,
            format!("{n_pending} migration(s) pending, and role `{role}` may not write to {}", self.qualified),
        )
        .note("nothing was changed")
        .help("migrate as a role that may, before this application starts; once everything is applied, it needs only SELECT")
    }

    /// Everything a run must know, in one round trip when the table is known to exist, else in two.
    ///
    /// `summary` is what the first question has shown of it, and `lock` is the key whose possession the answer reports.
    pub(crate) async fn state(
        &self,
        session: &Session<'_>,
        lock: Option<i64>,
        summary: Option<&Summary>,
    ) -> Result<State> {
        let known_to_exist = summary.is_some();
        let doing = "reading the state of the database";
        let mut question = self.question(lock);
        if lock.is_some() && summary.is_none_or(Summary::is_empty) {
            question +=
                &format!("; {}", other_history::question(&other_history::usual_names(), None));
        }
        if known_to_exist {
            question += &format!("; {}", self.select_rows());
        }
        let answers =
            session.send(&question).await.map_err(|error| Error::from_looking(doing, error))?;
        let identity = match lock {
            Some(_) => Some(self.ask_identity(session, known_to_exist).await?),
            None => None,
        };
        // The table may have gone since; then the first answers say so.
        let (mut rows, error) = answers.rows_until_error().await;
        if let Some(error) = error.filter(|error| !error.code().is_some_and(is_about_the_table)) {
            return Err(Error::from_looking(doing, error));
        }
        for answers in identity.into_iter().flatten() {
            // What a role may not ask, or a table that is not there yet, is simply not known.
            let (more, _refused) = answers.rows_until_error().await;
            rows.extend(more);
        }
        let shape = shape(&rows);
        shape.usable(&self.qualified)?;
        if rows.iter().any(|row| text(row, "hides_rows") == Some("t")) {
            return Err(self.hides_rows());
        }
        let elsewhere = rows.iter().find(|row| text(row, "part") == Some("elsewhere"));
        if let (Shape::Absent, Some(row), false) = (&shape, elsewhere, self.schema_is_configured) {
            return Err(self.is_elsewhere(text(row, "nspname").unwrap_or_default()));
        }
        let exists = shape == Shape::Ours;
        if exists && !known_to_exist {
            rows.extend(
                session
                    .rows(&self.select_rows())
                    .await
                    .map_err(|error| Error::from_looking(doing, error))?,
            );
        }
        Ok(state(&rows, exists))
    }

    /// Which database this is, and which one the log has been written in.
    async fn ask_identity(
        &self,
        session: &Session<'_>,
        known_to_exist: bool,
    ) -> Result<Vec<Answers>> {
        let here = "SELECT 'here' AS part, system_identifier AS system FROM pg_catalog.pg_control_system()";
        let last = self.log_here(None).filter(|_| known_to_exist);
        let last = last.map(|log| log.question_about_last());
        let mut answers = Vec::new();
        for question in std::iter::once(here.to_owned()).chain(last) {
            let sent = session.send(&question).await;
            answers.push(sent.map_err(|error| {
                Error::from_looking("asking for the identity of the database", error)
            })?);
        }
        Ok(answers)
    }

    /// The log, whether it is there or not.
    fn log_here(&self, system: Option<&str>) -> Option<Log> {
        self.log_name.as_deref().map(|name| Log {
            qualified: log::qualified(&self.schema, name),
            build: self.build.clone(),
            system: system.map(str::to_owned),
        })
    }

    /// The log of this run, if there is one.
    pub(crate) const fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// From now on changes are logged, if the log is there or can be created.
    ///
    /// Gives the statement that creates it, if it is still to be created.
    pub(crate) fn begin_log(&mut self, state: &State) -> Result<Option<String>> {
        let Some(log) = self.log_here(state.identity.system.as_deref()) else { return Ok(None) };
        let creation = match state.log {
            LogState::Foreign => return Err(log_is_foreign(&log.qualified)),
            LogState::Ours { is_writable: false } | LogState::Absent if state.exists => {
                return Ok(None);
            }
            LogState::Ours { .. } => None,
            LogState::Absent | LogState::ToBeCreated => Some(log.creation()),
        };
        self.log = Some(log);
        Ok(creation)
    }

    fn question(&self, lock: Option<i64>) -> String {
        let (high, low) = halves(lock.unwrap_or_default());
        format!(
            "SELECT 'session' AS part, pg_catalog.current_setting('role') AS role, session_user AS session_user, \
             current_user AS effective_user, \
             pg_catalog.pg_backend_pid() AS backend, pg_catalog.inet_client_addr() IS NOT NULL AS is_remote, \
             pg_catalog.current_setting('server_version_num') AS version, {can_check_client} AS can_check_client, \
             EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE {setting_code}) AS setting_code, \
             EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE {keeping_code}) AS keeping_code, EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE \
             l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.objsubid = 1 \
             AND l.classid = {high} AND l.objid = {low}) AS holds_lock; \
             {settings}; {belongings}; \
             SELECT 'column' AS part, c.relkind, a.attname, pg_catalog.replace(pg_catalog.format_type(a.atttypid, a.atttypmod), '\"', '') AS type, \
             pg_catalog.has_table_privilege(c.oid, 'INSERT') AS is_writable, \
             c.relkind IN ('r', 'p') AND pg_catalog.row_security_active(c.oid) AS hides_rows FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE n.nspname = {schema} AND c.relname = {name}; \
             SELECT 'log' AS part, c.oid IS NOT NULL AS is_there, \
             pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS may_create, \
             pg_catalog.has_table_privilege(c.oid, 'INSERT') AS is_writable, \
             (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid \
             AND a.attname IN ({log_columns}) AND NOT a.attisdropped) AS n_known \
             FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c \
             ON c.relnamespace = n.oid AND c.relname = {log} WHERE n.nspname = {schema}; \
             SELECT 'elsewhere' AS part, n.nspname FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relname = {name} AND n.nspname <> {schema} AND pg_catalog.pg_table_is_visible(c.oid) \
             AND 2 = (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = c.oid AND a.attname IN ('name', 'executed_at') AND NOT a.attisdropped)",
            can_check_client = settings::CAN_CHECK_CLIENT,
            setting_code = residue::code_with(true),
            keeping_code = residue::code_with(false),
            settings = settings::question(),
            belongings = belongings::QUESTION,
            schema = literal(&self.schema),
            name = literal(&self.name),
            log = literal(self.log_name.as_deref().unwrap_or_default()),
            log_columns = log::KNOWN_COLUMNS.map(literal).join(", "),
        )
    }

    fn select_rows(&self) -> String {
        format!(
            "SELECT 'row' AS part, id, name, CASE WHEN pg_catalog.isfinite(executed_at) \
             THEN (extract(epoch FROM executed_at) * 1000000)::pg_catalog.int8 END AS executed_at_us, \
             checksum, kind, duration_ms, applied_by, application, statements, statements_done, statements_begun, \
             down_text IS NOT NULL AS has_down_text, breaking FROM {} ORDER BY id",
            self.qualified
        )
    }

    /// The state of an older tracking table that can be adopted, if the table is one.
    pub(crate) async fn plain(&self, session: &Session<'_>) -> Result<Option<State>> {
        let rows = session.rows(&self.question(None)).await;
        let rows =
            rows.map_err(|error| Error::from_looking("reading the tracking table", error))?;
        match shape(&rows) {
            Shape::Plain => Ok(Some(state(&rows, true))),
            Shape::Ours | Shape::Absent => Ok(None),
            foreign @ Shape::Foreign { .. } => foreign.usable(&self.qualified).map(|()| None),
        }
    }

    /// Creates the table, and its schema if one was configured and is not there.
    ///
    /// The lock of this table does not hold off a run with another table in the same new schema, and
    /// `IF NOT EXISTS` races (23505, 42P06). It also asks for the right to create schemas where the
    /// schema exists, so it is not said then.
    ///
    /// `log` is the statement that creates the log, which comes with it or not at all.
    pub(crate) async fn create(
        &self,
        session: &Session<'_>,
        log: Option<&str>,
    ) -> Result<(), PostgresError> {
        if let Some(create) = self.missing_schema(session).await?
            && let Err(error) = session.run(&create).await
            && !matches!(
                error.code(),
                Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_SCHEMA)
            )
        {
            return Err(error);
        }
        session.run(&self.creation(log)).await
    }

    /// The statement that creates the schema, if one was configured and is not there.
    pub(crate) async fn missing_schema(
        &self,
        session: &Session<'_>,
    ) -> Result<Option<String>, PostgresError> {
        let schema = literal(&self.schema);
        let find = format!("SELECT FROM pg_catalog.pg_namespace WHERE nspname = {schema}");
        let is_missing = self.schema_is_configured && session.rows(&find).await?.is_empty();
        let create = || format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&self.schema));
        Ok(is_missing.then(create))
    }

    /// The statements that create the table in a schema that exists, and the log with it.
    pub(crate) fn creation(&self, log: Option<&str>) -> String {
        let columns = OWN_COLUMNS.map(|(name, kind)| format!(", {name} {kind}")).concat();
        let table = format!(
            "CREATE TABLE {} (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
             executed_at timestamptz NOT NULL DEFAULT current_timestamp, {} {}{columns})",
            self.qualified,
            summary::COLUMN,
            summary::DEFINITION
        );
        let log = log.map(|log| format!("; {log}")).unwrap_or_default();
        format!("{table}{log}")
    }

    /// Statements that turn an older tracking table into ours.
    pub(crate) fn adopt(&self) -> String {
        let columns =
            OWN_COLUMNS.map(|(name, kind)| format!("ADD COLUMN {name} {kind}")).join(", ");
        format!(
            "ALTER TABLE {} {columns}; {}; UPDATE {} SET kind = {}",
            self.qualified,
            self.with_fingerprint(),
            self.qualified,
            literal(Kind::Adopted.as_str())
        )
    }

    /// The statement that has the server keep a hash of each row, in a table with all other columns.
    pub(crate) fn with_fingerprint(&self) -> String {
        let (column, definition) = (summary::COLUMN, summary::DEFINITION);
        format!("ALTER TABLE {} ADD COLUMN {column} {definition}", self.qualified)
    }

    /// What the table counts and hashes, with the rows behind this name, the last one of a build.
    pub(crate) async fn summary_with_newer(
        &self,
        session: &Session<'_>,
        last_name: &str,
    ) -> Result<Option<Summary>> {
        let columns = summary::question_with_newer(last_name);
        let rows = session.rows(&format!("SELECT {columns} FROM {}", self.qualified)).await;
        let rows = rows.map_err(|error| Error::from_looking("reading the history table", error))?;
        Ok(rows.first().map(Summary::of))
    }

    /// The statement that records a migration; in its own transaction, it also measures it.
    pub(crate) fn insert(&self, row: &Row<'_>) -> String {
        let insert = self.insert_unlogged(row);
        self.logged(Action::Apply, "duration_ms", insert)
    }

    /// The same for one that is only begun: an attempt is logged when it has ended.
    pub(crate) fn insert_unlogged(&self, row: &Row<'_>) -> String {
        let (columns, values): (Vec<_>, Vec<_>) = values(row).into_iter().unzip();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.qualified,
            columns.join(", "),
            values.join(", ")
        )
    }

    /// A change of the table, with its entry in the log as part of the statement.
    pub(crate) fn logged(&self, action: Action, duration_ms: &str, change: String) -> String {
        match &self.log {
            Some(log) => log.with_change(action, duration_ms, &change),
            None => change,
        }
    }

    /// As [`insert`](Self::insert), in the place of a row that there is.
    pub(crate) fn replace(&self, row: &Row<'_>) -> String {
        self.logged(Action::Apply, "duration_ms", self.replace_unlogged(row))
    }

    pub(crate) fn replace_unlogged(&self, row: &Row<'_>) -> String {
        let values: Vec<_> =
            values(row).into_iter().map(|(column, value)| format!("{column} = {value}")).collect();
        let name = literal(row.name);
        format!("UPDATE {} SET {} WHERE name = {name}", self.qualified, values.join(", "))
    }

    /// The statement that gives the row of one name another name and other texts, and leaves the rest.
    pub(crate) fn take_over_unlogged(&self, name: &str, row: &Row<'_>) -> String {
        let of_text = ["name", "checksum", "up_text", "down_text", "breaking"];
        let values: Vec<_> = values(row)
            .into_iter()
            .filter(|(column, _)| of_text.contains(column))
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE name = {}",
            self.qualified,
            values.join(", "),
            literal(name)
        )
    }

    /// The statement with which a person tells how far a migration has come.
    pub(crate) fn progress_by_hand(&self, name: &str, n_done: usize, n_begun: usize) -> String {
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun} WHERE name = {}",
            self.qualified,
            literal(name)
        )
    }

    /// The statement that notes how far a migration without a transaction has come.
    pub(crate) fn advance(&self, name: &str, progress: Progress, duration: Duration) -> String {
        let Progress { n_done, n_begun, n_statements } = progress;
        let update = format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun}, \
             executed_at = pg_catalog.clock_timestamp(), duration_ms = {} WHERE name = {}",
            self.qualified,
            duration.as_millis(),
            literal(name)
        );
        if n_done == n_statements {
            self.logged(Action::Apply, "duration_ms", update)
        } else {
            update
        }
    }

    /// The statement that notes that an undo without a transaction is begun, with its text. While it
    /// lasts, the row counts its statements.
    pub(crate) fn begin_undo(&self, name: &str, text: &str, progress: Progress) -> String {
        let Progress { n_done, n_begun, n_statements } = progress;
        format!(
            "UPDATE {} SET kind = {}, statements = {n_statements}, statements_done = {n_done}, \
             statements_begun = {n_begun}, down_text = {} WHERE name = {}",
            self.qualified,
            literal(Kind::Undo.as_str()),
            literal(text),
            literal(name)
        )
    }

    /// The statement that notes how far such an undo has come.
    pub(crate) fn advance_undo(&self, name: &str, progress: Progress) -> String {
        let Progress { n_done, n_begun, .. } = progress;
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun} WHERE name = {}",
            self.qualified,
            literal(name)
        )
    }

    /// The statement that makes a row what it was before an undo of which nothing was done.
    pub(crate) fn withdraw_undo(&self, texts: &StoredTexts) -> String {
        let number = |number: Option<usize>| {
            number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
        };
        let progress = texts.progress;
        format!(
            "UPDATE {} SET kind = {}, statements = {}, statements_done = {}, statements_begun = {}, \
             down_text = {} WHERE name = {}",
            self.qualified,
            optional_literal(texts.kind.as_deref()),
            number(progress.map(|it| it.n_statements)),
            number(progress.map(|it| it.n_done)),
            number(progress.map(|it| it.n_begun)),
            optional_literal(texts.down.as_deref()),
            literal(&texts.name)
        )
    }

    /// The statement that takes up an unfinished migration again, with the texts of this build.
    pub(crate) fn update(&self, row: &Row<'_>) -> String {
        let Progress { n_done, n_begun, n_statements } = row.progress.unwrap_or_default();
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun}, statements = {n_statements}, \
             checksum = {}, up_text = {}, down_text = {}, breaking = {} WHERE name = {}",
            self.qualified,
            literal(&row.checksum),
            literal(row.up_text),
            optional_literal(row.down_text.as_deref()),
            row.is_breaking,
            literal(row.name)
        )
    }

    /// An expression that fails unless a migration is recorded, or after an undo, is recorded no more.
    pub(crate) fn proof(&self, name: &str, direction: Direction) -> String {
        let rows = format!(
            "(SELECT pg_catalog.count(*) FROM {} WHERE name = {})",
            self.qualified,
            literal(name)
        );
        match direction {
            Direction::Up => format!("1 / {rows}"),
            Direction::Down => format!("1 / (1 - {rows})"),
        }
    }

    /// A statement that changes nothing but must be written, so that its commit waits for the disk.
    pub(crate) fn touch(&self, name: &str) -> String {
        format!("UPDATE {} SET name = name WHERE name = {}", self.qualified, literal(name))
    }

    /// A statement that writes or removes a row, made to return how long its transaction has taken.
    pub(crate) fn measured(&self, statement: &str, direction: Direction) -> String {
        match direction {
            // An entry of the log has it as well.
            _ if self.log.is_some() => format!("{statement} RETURNING duration_ms"),
            Direction::Up => format!("{statement} RETURNING duration_ms"),
            Direction::Down => format!("{statement} RETURNING {DURATION_MS} AS duration_ms"),
        }
    }

    /// The statement that makes a migration pending again, as a person would write it.
    pub(crate) fn delete(&self, name: &str) -> String {
        format!("DELETE FROM {} WHERE name = {}", self.qualified, literal(name))
    }

    /// The statement that records an undo; `duration` is how long it took, if that is not the time
    /// since its transaction began.
    pub(crate) fn undone(&self, name: &str, duration: Option<Duration>) -> String {
        let duration =
            duration.map_or_else(|| DURATION_MS.to_owned(), |it| it.as_millis().to_string());
        self.logged(Action::Undo, &duration, self.delete(name))
    }

    /// The texts stored with some migrations: what was applied, and how to undo it.
    pub(crate) async fn texts(
        &self,
        session: &Session<'_>,
        names: &[&str],
    ) -> Result<Vec<StoredTexts>> {
        self.texts_where(session, names, "true").await
    }

    /// The same of those among them whose undo was begun without a transaction and is not finished.
    pub(crate) async fn unfinished_undos(
        &self,
        session: &Session<'_>,
        names: &[&str],
    ) -> Result<Vec<StoredTexts>> {
        let condition = format!("kind = {}", literal(Kind::Undo.as_str()));
        self.texts_where(session, names, &condition).await
    }

    async fn texts_where(
        &self,
        session: &Session<'_>,
        names: &[&str],
        condition: &str,
    ) -> Result<Vec<StoredTexts>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let list = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
        let question = format!(
            "SELECT name, up_text, down_text, kind, statements, statements_done, statements_begun \
             FROM {} WHERE name IN ({list}) AND {condition}",
            self.qualified
        );
        let rows = session
            .rows(&question)
            .await
            .map_err(|error| Error::from_looking("reading stored texts", error))?;
        Ok(rows
            .iter()
            .map(|row| StoredTexts {
                name: text(row, "name").unwrap_or_default().to_owned(),
                up: text(row, "up_text").map(str::to_owned),
                down: text(row, "down_text").map(str::to_owned),
                kind: text(row, "kind").map(str::to_owned),
                progress: progress(row),
            })
            .collect())
    }
}

/// The answer to a [`History::measured`] statement. Nothing if a trigger has kept the row away, or the
/// server's clock was set back.
pub(crate) fn measure(rows: &[SimpleQueryRow]) -> Option<Duration> {
    let number = rows.iter().find_map(|row| text(row, "duration_ms"))?;
    number.parse().ok().map(Duration::from_millis)
}

/// How long the current transaction has taken.
const DURATION_MS: &str =
    "(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::pg_catalog.int8";

/// The columns of a row with their values as expressions.
pub(crate) fn values(row: &Row<'_>) -> [(&'static str, String); 13] {
    let number = |number: Option<usize>| {
        number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
    };
    [
        ("name", literal(row.name)),
        ("executed_at", "pg_catalog.clock_timestamp()".to_owned()),
        ("checksum", literal(&row.checksum)),
        ("kind", literal(row.kind.as_str())),
        (
            "duration_ms",
            match (row.kind, row.duration) {
                (Kind::Baseline | Kind::Marked | Kind::Adopted, _) => "NULL".to_owned(),
                (_, Some(duration)) => duration.as_millis().to_string(),
                (_, None) => DURATION_MS.to_owned(),
            },
        ),
        ("applied_by", "current_user".to_owned()),
        ("application", "pg_catalog.current_setting('application_name')".to_owned()),
        ("up_text", literal(row.up_text)),
        ("down_text", optional_literal(row.down_text.as_deref())),
        ("breaking", row.is_breaking.to_string()),
        ("statements_done", number(row.progress.map(|it| it.n_done))),
        ("statements_begun", number(row.progress.map(|it| it.n_begun))),
        ("statements", number(row.progress.map(|it| it.n_statements))),
    ]
}

/// What the table keeps of one migration's texts.
#[derive(Clone, Debug)]
pub(crate) struct StoredTexts {
    pub(crate) name: String,
    pub(crate) up: Option<String>,
    pub(crate) down: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) progress: Option<Progress>,
}

impl StoredTexts {
    /// How far an undo without a transaction has come that was interrupted.
    pub(crate) fn undo_progress(&self) -> Option<Progress> {
        self.progress.filter(|_| self.kind.as_deref() == Some(Kind::Undo.as_str()))
    }
}

fn state(rows: &[SimpleQueryRow], exists: bool) -> State {
    let mut state = State {
        exists,
        applied: Vec::new(),
        settings: Settings::default(),
        belongings: Belongings::of(rows),
        code: Traces::default(),
        backend: 0,
        holds_lock: false,
        user: String::new(),
        is_writable: true,
        has_fingerprint: false,
        log: LogState::default(),
        identity: Identity::default(),
        others: other_history::found(rows),
    };
    let owned = |row, column| text(row, column).map(str::to_owned);
    for row in rows {
        match text(row, "part") {
            Some("session") => {
                state.settings.role = text(row, "role").unwrap_or("none").to_owned();
                state.settings.session_user =
                    text(row, "session_user").unwrap_or_default().to_owned();
                state.user = text(row, "effective_user").unwrap_or_default().to_owned();
                state.backend =
                    text(row, "backend").and_then(|pid| pid.parse().ok()).unwrap_or_default();
                state.settings.server_version = text(row, "version")
                    .and_then(|version| version.parse().ok())
                    .unwrap_or_default();
                let is = |column| text(row, column) == Some("t");
                state.settings.can_check_client = is("can_check_client");
                state.settings.is_remote = is("is_remote");
                state.code =
                    Traces { settings: is("setting_code"), belongings: is("keeping_code") };
                state.holds_lock = is("holds_lock");
            }
            Some("setting") => {
                if let (Some(name), Some(value)) = (text(row, "name"), text(row, "setting")) {
                    state.settings.changed.push((name.to_owned(), value.to_owned()));
                }
            }
            Some("column") => {
                state.is_writable = text(row, "is_writable") != Some("f");
                state.has_fingerprint |= text(row, "attname") == Some(summary::COLUMN);
            }
            Some("row") => state.applied.push(applied(row)),
            Some("log") => state.log = log_state(row),
            Some("here") => state.identity.system = owned(row, "system"),
            Some("last") => {
                state.identity.last_database = owned(row, "database");
                state.identity.last_system = owned(row, "system");
            }
            _ => {}
        }
    }
    state
}

fn log_state(row: &SimpleQueryRow) -> LogState {
    let is = |column| text(row, column) == Some("t");
    let n_known: Option<usize> = text(row, "n_known").and_then(|number| number.parse().ok());
    match (is("is_there"), n_known) {
        (true, Some(n)) if n == log::KNOWN_COLUMNS.len() => {
            LogState::Ours { is_writable: is("is_writable") }
        }
        (true, _) => LogState::Foreign,
        (false, _) if is("may_create") => LogState::ToBeCreated,
        (false, _) => LogState::Absent,
    }
}

fn log_is_foreign(table: &str) -> Error {
    Error::new(ErrorKind::History, format!("{table} is not the log of a history table"))
        .note("nothing was changed; it belongs to somebody else")
        .help("give the log another name: `Migrator::log_table(\"dunlin_log\")`, or keep none: `Migrator::without_log`")
}

fn number<T: std::str::FromStr>(row: &SimpleQueryRow, column: &str) -> Option<T> {
    text(row, column).and_then(|number| number.parse().ok())
}

fn progress(row: &SimpleQueryRow) -> Option<Progress> {
    let (n_done, n_statements) = (number(row, "statements_done")?, number(row, "statements")?);
    let n_begun = number(row, "statements_begun").unwrap_or(n_done);
    Some(Progress { n_done, n_begun, n_statements })
}

/// A row as it is, whatever people have done to it by hand: nothing here can fail.
fn applied(row: &SimpleQueryRow) -> Applied {
    let owned = |column| text(row, column).map(str::to_owned);
    Applied {
        id: number(row, "id").unwrap_or_default(),
        name: owned("name").unwrap_or_default(),
        executed_at: number::<u64>(row, "executed_at_us")
            .map(|us| SystemTime::UNIX_EPOCH + Duration::from_micros(us)),
        checksum: owned("checksum"),
        kind: owned("kind"),
        duration: number(row, "duration_ms").map(Duration::from_millis),
        applied_by: owned("applied_by"),
        application: owned("application"),
        progress: progress(row),
        has_down_text: text(row, "has_down_text") == Some("t"),
        is_breaking: text(row, "breaking") == Some("t"),
    }
}
