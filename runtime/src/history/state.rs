//! Everything a run must know before it decides, and the questions that find it out.

use std::time::{Duration, SystemTime};

use tokio_postgres::SimpleQueryRow;

use super::{History, is_about_the_table};
use crate::applied::{Applied, Progress};
use crate::belongings::{self, Belongings};
use crate::error::{Error, Result};
use crate::lock::halves;
use crate::log;
use crate::other_history::{self, Found};
use crate::quote::literal;
use crate::residue::{self, Traces};
use crate::session::{Answers, Session, text};
use crate::settings::{self, Settings};
use crate::shape::{Shape, shape};
use crate::summary::{self, Summary};

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

impl History {
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

fn number<T: std::str::FromStr>(row: &SimpleQueryRow, column: &str) -> Option<T> {
    text(row, column).and_then(|number| number.parse().ok())
}

pub(super) fn progress(row: &SimpleQueryRow) -> Option<Progress> {
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
