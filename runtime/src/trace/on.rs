//! With the feature.

use tracing::field::{Empty, display};
use tracing::{Instrument, Span, debug, error, info, info_span, warn};

use crate::drift::Drift;
use crate::event::{Direction, Event, Observer};
use crate::health::json::{kind_word, word};
use crate::history::Glance;
use crate::registry::Registry;

/// The name of the span of a run.
const RUN: &str = "migrate";

/// The span of the migration a run is at.
#[derive(Debug)]
pub(crate) struct Trace {
    registry: Registry,
    database: String,
    table: String,
    migration: Span,
}

/// Tells events in the span that is entered.
struct Traced;

pub(crate) fn first_observer() -> Box<dyn Observer> {
    Box::new(Traced)
}

/// Awaits a run in its span.
pub(crate) async fn in_run<T>(direction: Direction, run: impl Future<Output = T>) -> T {
    let direction = word(direction);
    run.instrument(info_span!(target: "dunlin", RUN, direction, database = Empty, table = Empty))
        .await
}

/// The run knows where it is.
pub(crate) fn located(glance: &Glance) {
    let span = Span::current();
    // With the level of our span switched off, this is one of the application's.
    if span.metadata().is_some_and(|it| it.target() == "dunlin" && it.name() == RUN) {
        let _span = span
            .record("database", display(&glance.database))
            .record("table", display(&glance.history.qualified));
    }
}

impl Trace {
    pub(crate) fn new(glance: &Glance, registry: &Registry) -> Self {
        Self {
            registry: *registry,
            database: glance.database.clone(),
            table: glance.history.qualified.clone(),
            migration: Span::none(),
        }
    }

    /// A migration begins.
    pub(crate) fn begin(&mut self, name: &str, direction: Direction) {
        // A migration of another build has none that is known here.
        let version = self.registry.get(name).map(|migration| migration.version().as_str());
        let (direction, database, table) = (word(direction), &*self.database, &*self.table);
        self.migration =
            info_span!(target: "dunlin", "migration", name, version, direction, database, table);
    }

    /// It is over.
    pub(crate) fn end(&mut self) {
        self.migration = Span::none();
    }

    /// Tells something in the span of the migration, if there is one.
    pub(crate) fn scope(&self, tell: impl FnOnce()) {
        self.migration.in_scope(tell);
    }

    /// Awaits something in the span of the migration.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        work.instrument(self.migration.clone()).await
    }
}

impl Observer for Traced {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Looking { .. } => {
                debug!(target: "dunlin", "looking where the database stands");
            }
            Event::UpToDate { n_applied } => {
                info!(target: "dunlin", n_applied, "nothing is pending");
            }
            Event::NothingToUndo => info!(target: "dunlin", "nothing is to be undone"),
            Event::HistoryCreated { table } => {
                info!(target: "dunlin", table, "created the history table");
            }
            Event::WaitingForPrimary { reason, waited } => {
                let waited_ms = ms(*waited);
                warn!(target: "dunlin", reason, waited_ms, "there is no server to write to yet");
            }
            Event::Waiting { holder, waited } => {
                let (holder, waited_ms) = (holder.map(display), ms(*waited));
                info!(target: "dunlin", holder, waited_ms, "another migrator holds the lock");
            }
            Event::DatabaseAhead { names } => {
                let names = names.join(", ");
                warn!(target: "dunlin", names, "the database is ahead of this build");
            }
            Event::Tolerated { drift } => {
                let names: Vec<_> = drift.iter().map(Drift::name).collect();
                let names = names.join(", ");
                warn!(target: "dunlin", names, "the database and this build disagree, which is tolerated");
            }
            Event::OtherHistory { tool, table } => {
                warn!(target: "dunlin", tool, table, "another tool has migrated this database");
            }
            Event::Late { names } => {
                let names = names.join(", ");
                warn!(target: "dunlin", names, "pending migrations are older than the newest applied one");
            }
            Event::Started { n_pending, .. } => info!(target: "dunlin", n_pending, "migrating"),
            Event::Finished { report, .. } => {
                let (n_done, n_total) = (report.done().len(), report.n_total());
                let duration_ms = ms(report.duration());
                info!(target: "dunlin", n_done, n_total, duration_ms, "everything is done");
            }
            Event::Failed { error } => {
                let (kind, migration) = (kind_word(error.kind()), error.migration());
                let code = error.code().map(|code| code.code());
                error!(target: "dunlin", kind, migration, code, %error, "the run has failed");
            }
            Event::Interrupted => warn!(target: "dunlin", "the run was interrupted"),
            Event::Moved { from, to, is_other_server } => {
                warn!(target: "dunlin", from, to, is_other_server, "the database was copied or restored");
            }
            Event::MigrationStarted { .. }
            | Event::Retrying { .. }
            | Event::Reconnecting { .. }
            | Event::Progress { .. }
            | Event::CleanedUp { .. }
            | Event::StatementStarted { .. }
            | Event::StatementFinished { .. }
            | Event::StatementProgress { .. }
            | Event::MigrationFinished { .. } => tell_of_migration(event),
        }
    }
}

fn tell_of_migration(event: &Event<'_>) {
    match event {
        Event::MigrationStarted { n_statements, n_skipped_statements, .. } => {
            debug!(target: "dunlin", n_statements, n_skipped_statements, "the migration begins");
        }
        Event::Retrying { reason, n_failed, pause, blockers, .. } => {
            let blockers: Vec<_> = blockers.iter().map(ToString::to_string).collect();
            let (blockers, pause_ms) = (blockers.join("; "), ms(*pause));
            warn!(target: "dunlin", reason, n_failed, pause_ms, blockers, "rolled back, and tried again after a pause");
        }
        Event::Reconnecting { name, reason } => {
            warn!(target: "dunlin", name, reason, "the connection broke; asking on a new one");
        }
        Event::Progress { message, .. } => info!(target: "dunlin", "{message}"),
        Event::CleanedUp { what, .. } => {
            let what = what.join(", ");
            warn!(target: "dunlin", what, "cleaned up what it had left in the session");
        }
        Event::StatementStarted { statement, .. } => {
            debug!(target: "dunlin", %statement, "the statement begins");
        }
        Event::StatementFinished { statement, duration, .. } => {
            debug!(target: "dunlin", %statement, duration_ms = ms(*duration), "the statement is done");
        }
        Event::StatementProgress { statement, elapsed, server, .. } => {
            let waits_for = server.and_then(|server| server.waits_for.as_ref()).map(display);
            let percent = server.and_then(|server| server.percent);
            let (statement, server) = (statement.map(display), server.map(display));
            let elapsed_ms = ms(*elapsed);
            info!(target: "dunlin", statement, elapsed_ms, server, percent, waits_for, "still running");
        }
        Event::MigrationFinished { n_statements, duration, .. } => {
            let duration_ms = ms(*duration);
            info!(target: "dunlin", n_statements, duration_ms, "the migration is done");
        }
        _ => {}
    }
}

fn ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
