//! Another connection in the place of one that broke.
//!
//! What was on its way to be committed then, only the server knows: the run goes on by asking it.
//!
//! **Invariant:** there is an end to it, and only a pool can give another connection.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::budget::jittered;
use crate::database::Link;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Observer};

/// The pause before a broken connection is replaced; it doubles up to [`PAUSE_MAX`], and then the run
/// gives up. A server that restarts is back by then.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// The reconnections of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reconnecting {
    pause: Duration,
}

impl Reconnecting {
    pub(super) const fn new() -> Self {
        Self { pause: PAUSE }
    }

    /// The way to the next connection, after a pause, or the error if another one would not help.
    /// `is_connected` says whether there was one at all.
    pub(super) async fn after<'d>(
        &mut self,
        error: Error,
        again: Option<Link<'d>>,
        is_connected: bool,
        observer: &dyn Observer,
    ) -> Result<Link<'d>> {
        // While the server restarts, it refuses connections.
        let is_refused = (self.pause > PAUSE || is_connected)
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
