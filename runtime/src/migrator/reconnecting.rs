//! One call over as many connections as it takes: another one in the place of one that broke.
//!
//! What was on its way to be committed then, only the server knows: the run goes on by asking it.
//!
//! **Invariant:** there is an end to it, and only a pool can give another connection.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use crate::budget::jittered;
use crate::database::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Observer};
use crate::primary::Waiting;
use crate::report::Report;
use crate::watch::Onlooker;

/// The pause before a broken connection is replaced; it doubles up to [`PAUSE_MAX`], and then the run
/// gives up. A server that restarts is back by then.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// One call of a verb. `P` is what the last connection was to do, and nothing before the first one has come
/// so far.
#[derive(Debug)]
pub(super) struct Run<P> {
    pub(super) begun: Instant,
    pub(super) planned: P,
    pub(super) report: Report,
    pub(super) onlooker: Onlooker,
    pub(super) waiting: Waiting,
    pause: Duration,
}

impl<P: Default> Run<P> {
    pub(super) fn new(onlooker: Onlooker, primary_wait: Duration) -> Self {
        Self {
            begun: Instant::now(),
            planned: P::default(),
            report: Report::default(),
            onlooker,
            waiting: Waiting::new(primary_wait),
            pause: PAUSE,
        }
    }
}

impl<P> Run<P> {
    /// The way to the next connection, after a pause, or the error if another one would not help.
    pub(super) async fn after<'d>(
        &mut self,
        error: Error,
        again: Option<Link<'d>>,
        observer: &dyn Observer,
    ) -> Result<Link<'d>> {
        if let Some(report) = error.report() {
            self.report = report.clone();
        }
        // While the server restarts, it refuses connections.
        let is_refused = (self.pause > PAUSE || self.waiting.is_connected)
            && error.kind() == ErrorKind::Connection
            && error.migration().is_none()
            && error.code() != Some(&SqlState::ADMIN_SHUTDOWN);
        let is_worth_it = (error.is_lost_run() || is_refused) && self.pause <= PAUSE_MAX;
        let (true, Some(next)) = (is_worth_it, again) else { return Err(error) };
        if let Some(name) = error.migration() {
            observer.on_event(&Event::Reconnecting { name, reason: &error.to_string() });
        }
        tokio::time::sleep(jittered(self.pause)).await;
        self.pause *= 2;
        Ok(next)
    }
}
