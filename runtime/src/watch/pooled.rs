//! The look through a pool, and what the server's views mean.

use std::time::Duration;

use deadpool_postgres::{Object, PoolError, Timeouts};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::{Onlooker, ServerProgress};
use crate::event::Holder;
use crate::session::text;

/// What takes longer than this to be said is no news.
const PATIENCE: Duration = Duration::from_secs(5);

impl Onlooker {
    /// What the server says of a backend. One that cannot get a connection or may not see does not try
    /// again.
    pub(super) async fn look(&mut self, backend: i32) -> Option<ServerProgress> {
        let looking = async {
            let Some(client) = self.connection().await? else { return Some(None) };
            let answers = client.simple_query(&question(backend)).await.ok()?;
            let row = answers.iter().find_map(|answer| match answer {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            Some(row.map(ServerProgress::from_row))
        };
        let looked = tokio::time::timeout(PATIENCE, looking).await;
        if let Ok(Some(seen)) = looked {
            return seen;
        }
        self.pool = None;
        None
    }

    /// The session that answers another connection, if one can be had at once.
    pub(crate) async fn backend(&self) -> Option<i32> {
        let client = self.connection().await??;
        let answers =
            client.simple_query("SELECT pg_catalog.pg_backend_pid() AS backend").await.ok()?;
        answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => text(row, "backend")?.parse().ok(),
            _ => None,
        })
    }

    /// A connection, if the pool has one to spare this time, or nothing for good. It is not waited
    /// for: the next one to be free is somebody else's.
    async fn connection(&self) -> Option<Option<Object>> {
        let pool = self.pool.as_ref()?;
        let timeouts = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
        match pool.timeout_get(&timeouts).await {
            Ok(client) => Some(Some(client)),
            Err(PoolError::Timeout(_)) => Some(None),
            Err(_) => None,
        }
    }
}

impl ServerProgress {
    fn from_row(row: &SimpleQueryRow) -> Self {
        let owned = |column| text(row, column).map(str::to_owned);
        // What it cannot see, `regclass` writes as a number.
        let is_name = |name: &String| !name.bytes().all(|byte| byte.is_ascii_digit());
        let phase = || match text(row, "wait_event_type") {
            Some("Lock") => Some("waiting for a lock".to_owned()),
            _ => None,
        };
        Self {
            command: owned("command"),
            relation: owned("relation").filter(is_name),
            phase: owned("phase").or_else(phase),
            percent: text(row, "percent").and_then(|number| number.parse().ok()),
            waits_for: text(row, "pid").map(|_| Holder::from_row(row)),
        }
    }
}

/// What a backend is doing. The views differ in their columns; what they mean by them is here.
fn question(backend: i32) -> String {
    // Each counts blocks, tuples, lockers or bytes, one at a time, and sets them back in between. What
    // is being sorted, nobody counts.
    let views = [
        (
            "create_index",
            "p.command, p.relid, p.phase, p.current_locker_pid AS locker",
            "CASE WHEN p.phase LIKE 'waiting %' THEN p.lockers_done WHEN p.phase LIKE '%sorting%' THEN NULL WHEN p.phase LIKE '%tuples%' THEN p.tuples_done ELSE p.blocks_done END",
            "CASE WHEN p.phase LIKE 'waiting %' THEN p.lockers_total WHEN p.phase LIKE '%tuples%' THEN p.tuples_total ELSE p.blocks_total END",
        ),
        (
            "cluster",
            "p.command, p.relid, p.phase, NULL",
            "CASE p.phase WHEN 'seq scanning heap' THEN p.heap_blks_scanned END",
            "p.heap_blks_total",
        ),
        (
            "vacuum",
            "'VACUUM', p.relid, p.phase, NULL",
            "CASE p.phase WHEN 'scanning heap' THEN p.heap_blks_scanned WHEN 'vacuuming heap' THEN p.heap_blks_vacuumed END",
            "p.heap_blks_total",
        ),
        (
            "analyze",
            "'ANALYZE', p.relid, p.phase, NULL",
            "CASE p.phase WHEN 'acquiring sample rows' THEN p.sample_blks_scanned END",
            "p.sample_blks_total",
        ),
        ("copy", "p.command, p.relid, NULL, NULL", "p.bytes_processed", "p.bytes_total"),
    ];
    let views = views.map(|(view, columns, done, total)| {
        format!(
            "SELECT p.pid, {columns}, {done} AS done, {total} AS total FROM pg_catalog.pg_stat_progress_{view} p"
        )
    });
    format!(
        "SELECT a.wait_event_type, p.command, p.phase, \
         CASE WHEN p.relid <> 0 THEN p.relid::pg_catalog.regclass END AS relation, \
         CASE WHEN p.total > 0 AND p.done <= p.total THEN \
         pg_catalog.round(100.0 * p.done / p.total, 1) END AS percent, \
         b.pid, b.usename, b.application_name, b.client_addr, b.state, \
         (extract(epoch FROM pg_catalog.clock_timestamp() - b.backend_start))::pg_catalog.int8 AS seconds, \
         pg_catalog.left(pg_catalog.btrim(pg_catalog.regexp_replace(b.query, '\\s+', ' ', 'g')), 80) AS query \
         FROM pg_catalog.pg_stat_activity a LEFT JOIN ({}) p ON p.pid = a.pid \
         LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = CASE WHEN p.locker <> 0 THEN p.locker \
         WHEN a.wait_event_type = 'Lock' THEN (pg_catalog.pg_blocking_pids(a.pid))[1] END \
         WHERE a.pid = {backend} LIMIT 1",
        views.join(" UNION ALL ")
    )
}
