//! Waiting until there is a server that can be written to.
//!
//! A standby, a session that is read-only, a server that starts, or none at all: in a failover each of
//! these passes. Separate from reconnecting, which is about a run that has begun.
//!
//! **Invariant:** the wait is bounded, and nothing is written before it is over.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use crate::budget::jittered;
use crate::console::written;
use crate::database::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::history::Glance;
use crate::migrator::Migrator;
use crate::session::Session;

/// The pause before the second question; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often a wait is announced.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(5);

/// How long one run waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    limit: Duration,
    /// Since when there is none.
    since: Option<Instant>,
    announced: Option<Instant>,
    pause: Duration,
    /// Whether a connection was had at all.
    pub(crate) is_connected: bool,
}

impl Waiting {
    pub(crate) const fn new(limit: Duration) -> Self {
        Self { limit, since: None, announced: None, pause: PAUSE_MIN, is_connected: false }
    }

    /// There is one. Should it be lost, the next wait is as long.
    pub(crate) const fn is_over(&mut self) {
        *self = Self { is_connected: true, ..Self::new(self.limit) };
    }

    /// How long it may still last.
    fn left(&mut self) -> Duration {
        self.limit.saturating_sub(self.since.get_or_insert_with(Instant::now).elapsed())
    }
}

impl Migrator<'_> {
    /// A connection to a server that can be written to: the way in for every verb that writes whatever it
    /// finds. `apply` writes only if something is pending, and asks by itself.
    pub(crate) async fn reach_writable<'d>(
        &self,
        database: Link<'d>,
    ) -> Result<(Session<'d>, Glance)> {
        self.reach_writable_within(database, &mut Waiting::new(self.primary_wait)).await
    }

    /// The same for a run that may need several.
    pub(crate) async fn reach_writable_within<'d>(
        &self,
        database: Link<'d>,
        waiting: &mut Waiting,
    ) -> Result<(Session<'d>, Glance)> {
        let again = database.again();
        let (mut session, mut glance) = self.reach(database, waiting).await?;
        while let Err(refused) = glance.writable() {
            let again = again.as_ref().and_then(Link::again);
            (session, glance) = self.ask_again(session, refused, again, waiting).await?;
        }
        waiting.is_over();
        Ok((session, glance))
    }

    /// A connection to a server that answers, and what it says of itself.
    pub(crate) async fn reach<'d>(
        &self,
        mut database: Link<'d>,
        waiting: &mut Waiting,
    ) -> Result<(Session<'d>, Glance)> {
        loop {
            let again = database.again();
            let error = match self.look(database, waiting).await {
                Ok((session, glance)) => {
                    crate::trace::located(&glance);
                    return Ok((session, glance));
                }
                Err(error) => error,
            };
            let (true, Some(next)) = (passes(&error), again) else { return Err(error) };
            self.pause(error, waiting).await?;
            database = next;
        }
    }

    /// Nothing is asked for longer than there is time.
    async fn look<'d>(
        &self,
        database: Link<'d>,
        waiting: &mut Waiting,
    ) -> Result<(Session<'d>, Glance)> {
        let limit = waiting.limit;
        let left = if limit.is_zero() { Duration::MAX } else { waiting.left().max(PAUSE_MAX) };
        let looking = async {
            let session = Session::new(database.connect().await?);
            // A pool may lend a connection that broke while nobody used it.
            waiting.is_connected = true;
            let glance = self.table.glance(&session).await?;
            Ok((session, glance))
        };
        if limit.is_zero() {
            return looking.await;
        }
        match tokio::time::timeout(left, looking).await {
            Ok(looked) => looked,
            Err(_) => Err(Error::new(ErrorKind::Connection, "the server did not answer")
                .note("nothing was changed")),
        }
    }

    /// Asks again whether there can be written: on a new connection if there can be one, because the
    /// primary may be another server by now.
    pub(crate) async fn ask_again<'d>(
        &self,
        mut session: Session<'d>,
        refused: Error,
        again: Option<Link<'d>>,
        waiting: &mut Waiting,
    ) -> Result<(Session<'d>, Glance)> {
        self.pause(refused, waiting).await?;
        match again {
            Some(database) => {
                session.discard();
                self.reach(database, waiting).await
            }
            None => {
                let glance = self.table.glance(&session).await?;
                Ok((session, glance))
            }
        }
    }

    /// Waits a moment, or fails with what is waited for when the time is over.
    async fn pause(&self, error: Error, waiting: &mut Waiting) -> Result<()> {
        if waiting.limit.is_zero() {
            return Err(error);
        }
        let left = waiting.left();
        if left.is_zero() {
            let waited = written(waiting.limit);
            return Err(error.note(format!("waited for {waited} for a server to write to")));
        }
        let waited = waiting.limit.saturating_sub(left);
        if waiting.announced.is_none_or(|at| at.elapsed() >= ANNOUNCE_EVERY) {
            waiting.announced = Some(Instant::now());
            let reason = error.to_string();
            self.tell(&Event::WaitingForPrimary { reason: &reason, waited });
        }
        tokio::time::sleep(jittered(waiting.pause).min(left)).await;
        waiting.pause = (waiting.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

/// Whether waiting may mend it: not a wrong password, nor a database that is not there.
fn passes(error: &Error) -> bool {
    let passing = [
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    error.kind() == ErrorKind::Connection
        && error.migration().is_none()
        && error.code().is_none_or(|code| passing.contains(code))
}
