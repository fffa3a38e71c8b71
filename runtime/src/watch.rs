//! Looking at a long statement from beside it.
//!
//! The connection of the run is busy with the statement, so the server's progress views are asked on
//! another one. Only a pool can lend one, and only if it has one to spare: a run must neither wait for
//! itself nor for the application.
//!
//! **Invariants:** an onlooker has no part in the outcome: whatever goes wrong here is not seen, and the
//! statement's own answer is looked for first. Between two looks it holds neither a connection nor a
//! snapshot, for which `CREATE INDEX CONCURRENTLY` would wait.

#[cfg(feature = "deadpool")]
mod pooled;

use std::convert::Infallible;
use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};

use crate::event::{Event, Holder, Statement};
use crate::execute::Execution;

/// How long a statement runs before it counts as long. Most never do.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// From look to look.
const EVERY: Duration = Duration::from_secs(2);

/// A way to the server beside the connection of the run, if there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Onlooker {
    #[cfg(feature = "deadpool")]
    pub(crate) pool: Option<deadpool_postgres::Pool>,
}

/// Who is looked at, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) onlooker: Onlooker,
    /// The backend that runs the migrations.
    pub(crate) backend: i32,
}

/// What the server says of a statement that runs (manual, 27.4, «Progress Reporting»).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServerProgress {
    /// What it works at, `CREATE INDEX CONCURRENTLY`; nothing where the server reports no progress.
    pub command: Option<String>,
    /// The table, unless this transaction has created it, so that nobody else can see it yet.
    pub relation: Option<String>,
    /// `building index: scanning table`, or `waiting for a lock`.
    pub phase: Option<String>,
    /// How much of this phase is done, from 0 to 100. Others may follow: it is not the whole statement.
    pub percent: Option<f32>,
    /// The session it waits for.
    pub waits_for: Option<Holder>,
}

impl Execution<'_, '_> {
    /// Awaits work of the server, and tells how it goes if it takes long.
    pub(crate) async fn watched<T>(
        &self,
        name: &str,
        statement: Option<&Statement>,
        work: impl Future<Output = T>,
    ) -> T {
        let direction = self.direction;
        let tell = |elapsed, server: Option<&ServerProgress>| {
            self.tell(&Event::StatementProgress { name, direction, statement, elapsed, server });
        };
        let (work, watching) = (pin!(work), pin!(self.watch.follow(tell)));
        match select(work, watching).await {
            Either::Left((output, _)) => output,
            Either::Right((never, _)) => match never {},
        }
    }
}

impl Watch {
    /// Looks again and again.
    async fn follow(&self, tell: impl Fn(Duration, Option<&ServerProgress>)) -> Infallible {
        let begun = Instant::now();
        let mut onlooker = self.onlooker.clone();
        tokio::time::sleep(FIRST_LOOK).await;
        loop {
            let seen = onlooker.look(self.backend).await;
            tell(begun.elapsed(), seen.as_ref());
            tokio::time::sleep(EVERY).await;
        }
    }
}

#[cfg(not(feature = "deadpool"))]
impl Onlooker {
    async fn look(&mut self, _backend: i32) -> Option<ServerProgress> {
        None
    }

    pub(crate) async fn backend(&self) -> Option<i32> {
        None
    }
}

impl ServerProgress {
    /// `building index: scanning table, 43 % of it`
    pub(crate) fn phase_in_words(&self) -> Option<String> {
        match (&self.phase, self.percent) {
            (Some(phase), Some(percent)) => Some(format!("{phase}, {percent:.0} % of it")),
            (None, Some(percent)) => Some(format!("{percent:.0} %")),
            (phase, None) => phase.clone(),
        }
    }
}

impl fmt::Display for ServerProgress {
    /// `CREATE INDEX CONCURRENTLY on orders, building index: scanning table, 43 % of it`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = match (&self.command, &self.relation) {
            (Some(command), Some(relation)) => Some(format!("{command} on {relation}")),
            (command, _) => command.clone(),
        };
        let parts: Vec<_> = [work, self.phase_in_words()].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
