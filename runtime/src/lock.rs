//! The advisory lock that makes one of many starters the one that migrates.
//!
//! It is polled and never waited for: a session that waits in `pg_advisory_lock` holds a snapshot,
//! and `CREATE INDEX CONCURRENTLY` of the holder would wait for that snapshot for ever.
//!
//! **Invariant:** between two attempts the session is idle, outside any transaction.

use std::time::{Duration, Instant};

use dunlin_core::Checksum;
use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

use crate::budget::jittered;
use crate::console::written;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Holder, Observer};
use crate::prepared;
use crate::session::{Session, text};
use crate::watch::Onlooker;

/// The pause before the second attempt; it doubles up to [`POLL_MAX`].
const POLL_MIN: Duration = Duration::from_millis(25);
const POLL_MAX: Duration = Duration::from_secs(1);
/// How often a wait is announced.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(5);

/// The key for a text: the first 8 bytes of its SHA-256.
pub(crate) fn key(name: &str) -> i64 {
    let checksum = Checksum::of(name);
    let [a, b, c, d, e, f, g, h, ..] = *checksum.as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Takes the lock, or gives up after `wait`.
pub(crate) async fn acquire(
    session: &mut Session<'_>,
    key: i64,
    wait: Duration,
    observer: &dyn Observer,
    onlooker: &Onlooker,
) -> Result<()> {
    let begun = Instant::now();
    let mut pause = POLL_MIN;
    let mut announced: Option<Instant> = None;
    loop {
        if attempt(session, key, onlooker).await? {
            return Ok(());
        }
        let waited = begun.elapsed();
        if waited >= wait {
            return Err(gave_up(session, key, waited).await);
        }
        if announced.is_none_or(|at| at.elapsed() >= ANNOUNCE_EVERY) {
            announced = Some(Instant::now());
            let holder = holder(session, key).await?;
            observer.on_event(&Event::Waiting { holder: holder.as_ref(), waited });
        }
        tokio::time::sleep(jittered(pause).min(wait.saturating_sub(waited))).await;
        pause = (pause * 2).min(POLL_MAX);
    }
}

/// A pooler in transaction mode is seen before anything is changed if another connection of the same
/// pool is answered by the session that answers this one. To take one for that costs, so it is asked
/// only where the greeting of our own driver, which always names its encoding, did not reach the
/// server.
async fn attempt(session: &mut Session<'_>, key: i64, onlooker: &Onlooker) -> Result<bool> {
    session.may_hold_lock(key);
    // A session gets its own lock a second time. Behind a pooler in transaction mode it may be the
    // session of another starter, whose lock it is.
    let question = format!(
        "SELECT CASE WHEN {} THEN 'foreign' WHEN pg_catalog.pg_try_advisory_lock({key}) THEN 'ours' END AS locked, \
         pg_catalog.pg_backend_pid() AS backend, EXISTS (SELECT FROM pg_catalog.pg_settings \
         WHERE name = 'client_encoding' AND source = 'client') AS is_direct",
        is_held(key, "pg_catalog.pg_backend_pid()")
    );
    let rows = session.rows(&question).await;
    let rows = rows.map_err(|error| Error::from_looking("taking the migration lock", error))?;
    let row = rows.first();
    let answer = row.and_then(|row| text(row, "locked"));
    if answer == Some("ours") {
        let backend = row.and_then(|row| text(row, "backend")).unwrap_or_default();
        let backend = backend.parse().unwrap_or_default();
        session.holds_lock_in(backend);
        let is_direct = row.and_then(|row| text(row, "is_direct")) == Some("t");
        if !is_direct && onlooker.backend().await == Some(backend) {
            return Err(behind_pooler(
                "two connections of the pool are answered by one session of the server",
            ));
        }
        return Ok(true);
    }
    session.has_no_lock();
    if answer == Some("foreign") {
        return Err(behind_pooler(
            "this session holds the migration lock already, and it was not this run that took it",
        ));
    }
    Ok(false)
}

/// An expression: whether a backend holds the lock.
pub(crate) fn is_held(key: i64, backend: &str) -> String {
    let (high, low) = halves(key);
    format!(
        "EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.granted \
         AND l.pid = {backend} AND l.objsubid = 1 AND l.classid = {high} AND l.objid = {low})"
    )
}

/// What the server says when a transaction of a run begins and the lock is somebody else's.
const LOST: &str = "the migration lock is held by another session than the one of this run";

/// An expression that fails in a transaction while another session holds the lock, and keeps others
/// from taking it until the transaction ends.
pub(crate) fn guard(key: i64) -> String {
    format!(
        "CASE WHEN pg_catalog.pg_try_advisory_xact_lock({key}) THEN 0 \
         ELSE ('{LOST}, not by ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END"
    )
}

/// What is told of a lock that a migration had given away.
const LOCK: &str = "the migration lock";

/// A question that gives the session its lock again if a migration has given it away, with
/// `pg_advisory_unlock_all` or `DISCARD`, and then answers so. In the transaction of that migration
/// nobody else can have taken it in between, because the transaction has it as well.
pub(crate) fn regain(key: i64, backend: i32) -> String {
    let take = format!("pg_catalog.pg_try_advisory_lock({key})");
    // It counts how often it was taken, so what is there is given back first.
    format!(
        "SELECT CASE WHEN pg_catalog.pg_backend_pid() <> {backend} THEN NULL WHEN {} > 0 THEN NULL \
         WHEN pg_catalog.pg_advisory_unlock({key}) THEN nullif({take}, true)::pg_catalog.text \
         WHEN {take} THEN '{LOCK}' END AS given_back",
        guard(key)
    )
}

/// An expression that fails unless this backend, which was given the lock, is the one that answers.
pub(crate) fn of_backend(backend: i32) -> String {
    format!(
        "CASE WHEN pg_catalog.pg_backend_pid() = {backend} THEN 0 \
         ELSE ('{LOST}, not by ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 END"
    )
}

/// Whether an error is the answer to [`guard`] or [`of_backend`], or of a session that was to execute what
/// this one has prepared.
pub(crate) fn is_of_another(error: &PostgresError) -> bool {
    error.as_db_error().is_some_and(|db| {
        let is_unknown = *db.code() == SqlState::INVALID_SQL_STATEMENT_NAME;
        db.message().contains(LOST) || is_unknown && db.message().contains(prepared::PREFIX)
    })
}

/// A pooler hands the statements of this connection to several sessions.
pub(crate) fn behind_pooler(headline: &str) -> Error {
    Error::new(ErrorKind::Pooler, headline)
        .note("a pooler in transaction mode hands each transaction to another session, so a lock of the session excludes nobody; nothing was changed by this run")
        .help("for migrations connect to the server itself, or to a pool in session mode")
}

async fn gave_up(session: &Session<'_>, key: i64, waited: Duration) -> Error {
    let holder = match holder(session, key).await {
        Ok(holder) => holder,
        Err(error) => return error,
    };
    let whose = holder
        .as_ref()
        .map_or_else(|| "held by another session".to_owned(), |it| format!("held by {it}"));
    let error = Error::new(
        ErrorKind::Locked,
        format!("another migrator holds the lock; gave up after {}", written(waited)),
    )
    .note(whose)
    .note("nothing was changed by this run");
    match holder {
        Some(Holder { pid, .. }) => error.help(format!(
            "if it works, wait and start again, or wait longer: `Migrator::lock_wait`; \
             if it hangs, end it: SELECT pg_terminate_backend({pid})"
        )),
        None => error.help("start again"),
    }
}

/// The session that holds the lock, or nothing if it has been released since.
pub(crate) async fn holder(session: &Session<'_>, key: i64) -> Result<Option<Holder>> {
    let (high, low) = halves(key);
    let question = format!(
        "SELECT a.pid, a.usename, a.application_name, a.client_addr, a.state, \
         (extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start))::pg_catalog.int8 AS seconds, \
         pg_catalog.left(pg_catalog.btrim(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g')), 80) AS query \
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = {high} AND l.objid = {low} \
         AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
    );
    let rows = session.rows(&question).await;
    let rows =
        rows.map_err(|error| Error::from_looking("asking who holds the migration lock", error))?;
    Ok(rows.first().map(Holder::from_row))
}

/// The two halves of a key as `pg_locks` shows them (manual, 54.12).
pub(crate) const fn halves(key: i64) -> (i64, i64) {
    ((key >> 32) & 0xffff_ffff, key & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_unsigned() {
        assert_eq!(halves(-1), (0xffff_ffff, 0xffff_ffff));
        assert_eq!(halves(1 << 32 | 7), (1, 7));
    }
}
