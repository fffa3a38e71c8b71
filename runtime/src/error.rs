//! What went wrong in a run: what, where, in which state the database is now, what to do next.
//!
//! **Invariant:** the text is made when the error is made, from everything that is known then. An
//! error never repeats its cause: `Display` says it all, so [`source`](std::error::Error::source)
//! is empty, and the server's own error is behind [`Error::db_error`].

use std::fmt;

use dunlin_core::render::frame;
use dunlin_core::{Location, Place};
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

use crate::drift::Drift;
use crate::report::Report;

/// The result of every verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A run that could not do what was asked.
///
/// Three levels of detail: `{}` is one line; `{:#}` is the whole frame with the place in the file,
/// the state of the database and the next step; `{:?}` is the same frame, because a `main` that
/// returns an error and an `unwrap` print that one.
pub struct Error(Box<Inner>);

/// What kind of problem an [`Error`] is; each asks for another reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server could not be reached, refused the connection, or the connection broke.
    Connection,
    /// The folder has changed since this binary was built (debug builds only).
    Stale,
    /// The database and this build disagree about what has been applied. Nothing was run.
    Drift,
    /// The database is ahead of this build, by a migration that older builds cannot work with or that
    /// [`AheadPolicy`](crate::AheadPolicy) refuses. Nothing was run; a newer build works.
    Ahead,
    /// The history table cannot be used as it is. Nothing was run.
    History,
    /// Another migration tool has migrated this database and this one has not, and
    /// [`on_other_history`](crate::Migrator::on_other_history) was not told to go on. Nothing was run.
    OtherHistory,
    /// Another migrator held the lock for longer than [`lock_wait`](crate::Migrator::lock_wait).
    Locked,
    /// The connection cannot hold a session lock: a pooler hands its statements to several sessions.
    Pooler,
    /// The server is a standby or the session is read-only.
    ReadOnly,
    /// A migration or an undo failed.
    Migration,
    /// There is no undo for a migration that was to be rolled back. Nothing was run.
    NoUndo,
    /// The target names no migration.
    Target,
    /// The server refused a statement of Dunlin's own.
    Database,
    /// An error a migration in Rust made itself, with [`Error::custom`].
    Custom,
}

struct Inner {
    kind: ErrorKind,
    headline: String,
    place: Option<Place>,
    body: Vec<String>,
    notes: Vec<String>,
    helps: Vec<String>,
    migration: Option<String>,
    drift: Vec<Drift>,
    report: Option<Report>,
    postgres: Option<tokio_postgres::Error>,
    /// The text of a migration in Rust that the server refused, which no file shows.
    sql: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, headline: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            // A name or a message may hold line ends.
            headline: headline.into().replace('\n', " "),
            place: None,
            body: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            migration: None,
            drift: Vec::new(),
            report: None,
            postgres: None,
            sql: None,
        }))
    }

    /// An error of a migration in Rust: `message` says what is wrong in the data it found.
    ///
    /// ```
    /// let error = dunlin::Error::custom("3 requests have no owner");
    /// assert_eq!(error.to_string(), "3 requests have no owner");
    /// ```
    #[must_use]
    pub fn custom(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Custom, message)
    }

    /// What kind of problem it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The migration that failed, if one did.
    #[must_use]
    pub fn migration(&self) -> Option<&str> {
        self.0.migration.as_deref()
    }

    /// The place in the migration's file, if one is known.
    #[must_use]
    pub fn location(&self) -> Option<(&str, Location)> {
        self.0.place.as_ref().map(|place| (place.path(), place.location()))
    }

    /// Everything the database and this build disagree about, for [`ErrorKind::Drift`].
    #[must_use]
    pub fn drift(&self) -> &[Drift] {
        &self.0.drift
    }

    /// What had been done and stays done although the run failed.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_ref()
    }

    /// The server's own error, with its code, detail and hint.
    #[must_use]
    pub fn db_error(&self) -> Option<&DbError> {
        self.0.postgres.as_ref().and_then(tokio_postgres::Error::as_db_error)
    }

    /// The server's SQLSTATE.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        self.db_error().map(DbError::code)
    }

    /// Whether the connection broke during a migration, so that another connection can tell more.
    ///
    /// Not if an administrator ended the session: whoever does that wants the run to end.
    pub(crate) fn is_lost_run(&self) -> bool {
        self.0.kind == ErrorKind::Connection
            && self.0.migration.is_some()
            && self.code() != Some(&SqlState::ADMIN_SHUTDOWN)
    }

    pub(crate) fn place(mut self, place: Option<Place>) -> Self {
        self.0.place = place;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.helps.push(help.into());
        self
    }

    /// Forgets the advice so far.
    pub(crate) fn without_help(mut self) -> Self {
        self.0.helps.clear();
        self
    }

    pub(crate) fn body(mut self, text: impl Into<String>) -> Self {
        self.0.body.push(text.into());
        self
    }

    /// The error a migration in Rust returned, as the failure of that migration.
    pub(crate) fn of_rust_migration(mut self, subject: &str, place: Place) -> Self {
        self.0.headline = format!("{subject} failed: {}", self.0.headline);
        if self.0.kind != ErrorKind::Connection {
            self.0.kind = ErrorKind::Migration;
        }
        self.0.place = Some(place);
        self
    }

    /// The failure of a run on a scratch database, which says nothing of a state of the real one.
    #[cfg(feature = "adopt")]
    pub(crate) fn of_rehearsal(self) -> Self {
        let Inner { kind, headline, place, migration, postgres, .. } = *self.0;
        let cause = postgres.as_ref().map_or(headline, cause);
        let headline = match &migration {
            Some(name) => format!("the rehearsal failed at `{name}`: {cause}"),
            None => format!("the rehearsal failed: {cause}"),
        };
        let mut made = Self::new(kind, headline).place(place);
        made.0.migration = migration;
        let made = match postgres {
            Some(error) => made.because(error),
            None => made,
        };
        let is_there = made.code() == Some(&SqlState::DUPLICATE_OBJECT);
        let made = if is_there {
            made.help("roles and tablespaces belong to the whole server: rehearse on one that is there for nothing else, as a private one is")
        } else {
            made
        };
        made.note("the recorded migrations were run on a scratch database, to compare what they make; nothing was changed in yours")
            .help("if a migration needs what that server does not have, such as an extension, a role or data, rehearse on one that has it: `Migrator::rehearse`")
            .help("or record the migrations as unverified without a rehearsal: `Migrator::unproved`")
    }

    /// Keeps the text that the server refused.
    pub(crate) fn of_sql(mut self, sql: &str) -> Self {
        self.0.sql = Some(sql.to_owned());
        self
    }

    /// The text that the server refused, if a migration in Rust sent it through its context.
    pub(crate) fn sql(&self) -> Option<&str> {
        self.0.sql.as_deref()
    }

    pub(crate) fn in_migration(mut self, name: &str) -> Self {
        self.0.migration = Some(name.to_owned());
        self
    }

    pub(crate) fn with_drift(mut self, drift: Vec<Drift>) -> Self {
        self.0.drift = drift;
        self
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.0.report = Some(report);
        self
    }

    /// Keeps the driver's error and adds what the server said besides its message.
    pub(crate) fn because(mut self, error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            if let Some(detail) = db.detail() {
                self = self.note(format!("from the server: {detail}"));
            }
            // The server names such a query only here, not in the context.
            if let Some(ErrorPosition::Internal { query, .. }) = db.position() {
                self = self.note(format!("in the query: {query}"));
            }
            if let Some(context) = db.where_() {
                self = self.note(format!("in {}", context.replace('\n', "\nin ")));
            }
            if let Some(hint) = db.hint() {
                self = self.help(format!("from the server: {hint}"));
            }
        }
        self.0.postgres = Some(error);
        self
    }

    /// A statement of Dunlin's own that the server refused, or a connection that broke in it.
    pub(crate) fn from_postgres(doing: &str, error: tokio_postgres::Error) -> Self {
        let help = match (error.code(), kind_of(&error)) {
            (Some(&SqlState::READ_ONLY_SQL_TRANSACTION), _) => {
                return Self::read_only(doing).because(error);
            }
            (Some(&SqlState::INSUFFICIENT_PRIVILEGE), _) => {
                "grant the right to the role that migrates, or migrate as the owner of the schema"
            }
            (_, ErrorKind::Connection) => "connect again and start again",
            _ => return Self::refused(doing, error),
        };
        Self::refused(doing, error).help(help)
    }

    /// The same without advice.
    pub(crate) fn refused(doing: &str, error: tokio_postgres::Error) -> Self {
        Self::new(kind_of(&error), format!("{doing}: {}", cause(&error))).because(error)
    }

    /// As [`from_postgres`](Self::from_postgres), of a statement before anything is changed.
    pub(crate) fn from_looking(doing: &str, error: tokio_postgres::Error) -> Self {
        Self::from_postgres(doing, error).note("nothing was changed by this run")
    }

    pub(crate) fn read_only(doing: &str) -> Self {
        Self::new(
            ErrorKind::ReadOnly,
            format!("{doing}: the server is a standby, or the session is read-only"),
        )
        .help("connect to the primary (`target_session_attrs=read-write`)")
    }

    /// Something is to be done, and the server is a standby.
    pub(crate) fn standby() -> Self {
        Self::new(ErrorKind::ReadOnly, "the server is a standby, where nothing can be written")
            .note("nothing was changed")
            .help("connect to the primary (`target_session_attrs=read-write`)")
            .help("if this server is about to become the primary: `Migrator::wait_for_primary`")
    }

    /// The same of a session on a primary.
    pub(crate) fn read_only_session() -> Self {
        Self::new(ErrorKind::ReadOnly, "the session is read-only, so nothing can be written")
            .note("`default_transaction_read_only` is on for the role, the database, the server or this connection; nothing was changed")
            .help("migrate as a role that writes, or connect with `options='-c default_transaction_read_only=off'`")
    }

    #[cfg(feature = "deadpool")]
    pub(crate) fn from_pool(error: deadpool_postgres::PoolError) -> Self {
        use deadpool_postgres::PoolError;

        let headline = |text: &str| format!("no connection to the database: {text}");
        let (made, helps) = match error {
            PoolError::Backend(error) => {
                let made = Self::new(ErrorKind::Connection, headline(&cause(&error)));
                let help = when_refused(error.code());
                (made.because(error), help)
            }
            PoolError::Timeout(_) => {
                let text = headline("the pool had none to lend in time");
                (
                    Self::new(ErrorKind::Connection, text),
                    "give the pool more connections or more time; a run needs one",
                )
            }
            other => (
                Self::new(ErrorKind::Connection, headline(&chain(&other))),
                "check how the pool was made",
            ),
        };
        made.note("nothing was changed").help(helps)
    }
}

/// What to do when no connection could be made.
#[cfg(feature = "deadpool")]
fn when_refused(code: Option<&SqlState>) -> &'static str {
    match code {
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            "create the database, or correct its name in the connection string"
        }
        Some(&SqlState::INVALID_PASSWORD) => "correct user or password in the connection string",
        Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            "create the role, correct it in the connection string, or let it in in `pg_hba.conf`"
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            "end other sessions, make pools smaller, or raise `max_connections`"
        }
        Some(&SqlState::CANNOT_CONNECT_NOW) => "wait until the server is up and start again",
        _ => {
            "check that the server runs and that host, port, user, password and database are right"
        }
    }
}

fn kind_of(error: &tokio_postgres::Error) -> ErrorKind {
    if is_lost(error) { ErrorKind::Connection } else { ErrorKind::Database }
}

/// Whether the connection is gone with this error: the driver says so, or it was the server's last
/// word (severity `FATAL`), as when an administrator ends the session.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    if let Some(db) = error.as_db_error() {
        return matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    }
    let source = std::error::Error::source(error);
    error.is_closed() || source.is_some_and(|cause| cause.is::<std::io::Error>())
}

/// The server's message with its SQLSTATE, or the driver's with its causes, each once.
pub(crate) fn cause(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => chain(error),
    }
}

/// An error and its causes on one line. Some libraries print the cause in their own text as well, in
/// some versions; what has been said is not said again.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        next = cause.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if !f.alternate() {
            return f.write_str(&inner.headline);
        }
        if inner.body.is_empty() {
            return f.write_str(&frame(
                &inner.headline,
                inner.place.as_ref(),
                &[],
                &inner.notes,
                &inner.helps,
            ));
        }
        f.write_str(&inner.headline)?;
        for block in &inner.body {
            write!(f, "\n\n{}", block.trim_end())?;
        }
        if inner.notes.len() + inner.helps.len() > 0 {
            f.write_str("\n")?;
        }
        for note in &inner.notes {
            write!(f, "\nnote: {note}")?;
        }
        for help in &inner.helps {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl std::error::Error for Error {}

/// For `?` in a migration in Rust. The run adds the name of the migration and its file.
impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::new(kind_of(&error), cause(&error)).because(error)
    }
}
