//! Events as the lines a person reads on a console.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::event::{Direction, Event, Observer, Statement};
use crate::watch::ServerProgress;

/// From one line about a long statement to the next: a quarter of its time, between these.
const PACE_MIN_MS: u64 = 5_000;
const PACE_MAX_MS: u64 = 60_000;

/// An [`Observer`] that turns events into lines and hands each line to a closure.
///
/// It does not print: the application decides where its lines go.
///
/// ```
/// use std::sync::Mutex;
/// use dunlin::{Console, Event, Observer};
///
/// let lines = Mutex::new(Vec::new());
/// let console = Console::new(|line: &str| lines.lock().unwrap().push(line.to_owned()));
/// console.on_event(&Event::UpToDate { n_applied: 14 });
/// assert_eq!(lines.lock().unwrap()[0], "✅ All migrations are up-to-date (no new migrations to run)");
/// ```
#[derive(Clone, Debug)]
pub struct Console<F> {
    write_line: F,
    signs: &'static Signs,
    progress: Pace,
}

/// How often a person wants to read that something is still running: less and less.
#[derive(Debug, Default)]
struct Pace {
    /// How long the statement had run at its last line, in milliseconds; zero before the first.
    told_ms: AtomicU64,
}

/// The sign before each kind of line.
#[derive(Debug)]
struct Signs {
    done: &'static str,
    running: &'static str,
    started: &'static str,
    total: &'static str,
    notice: &'static str,
    undo: &'static str,
}

const PICTURES: Signs = Signs {
    done: "✅ ",
    running: "⏳ ",
    started: "🔄 ",
    total: "📊 ",
    notice: "⚠️  ",
    undo: "↩️  ",
};
const WORDS: Signs =
    Signs { done: "ok: ", running: "", started: "", total: "", notice: "note: ", undo: "" };

impl<F: Fn(&str)> Console<F> {
    /// Lines with signs: `✅ Completed: 20251104-create-holidays (12 ms)`.
    pub const fn new(write_line: F) -> Self {
        let progress = Pace { told_ms: AtomicU64::new(0) };
        Self { write_line, signs: &PICTURES, progress }
    }

    /// The same lines in plain ASCII words, for terminals and logs that cannot show signs.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { signs: &WORDS, ..self }
    }

    fn line(&self, line: impl AsRef<str>) {
        (self.write_line)(line.as_ref());
    }

    fn on_progress(
        &self,
        statement: Option<&Statement>,
        elapsed: Duration,
        server: Option<&ServerProgress>,
    ) {
        if !self.progress.is_due(elapsed) {
            return;
        }
        let running = self.signs.running;
        // What a statement of its own is, has been said by its text.
        let (what, progress) = match statement {
            Some(it) => {
                (format!("Statement {it}"), server.and_then(ServerProgress::phase_in_words))
            }
            None => ("Running".to_owned(), server.map(ToString::to_string)),
        };
        let progress = progress.filter(|it| !it.is_empty()).map(|it| format!(": {it}"));
        let progress = progress.unwrap_or_default();
        self.line(format!("   {running}{what} for {}{progress}", written(elapsed)));
        if let Some(session) = server.and_then(|server| server.waits_for.as_ref()) {
            self.line(format!("      waits for {session}"));
        }
    }

    /// The lines about one migration.
    fn on_migration(&self, event: &Event<'_>) {
        let Signs { done, running, notice, .. } = self.signs;
        match event {
            Event::MigrationStarted { name, direction, n_skipped_statements, .. } => {
                let verb = match direction {
                    Direction::Up => "Running",
                    Direction::Down => "Undoing",
                };
                self.progress.begin();
                self.line(format!("{running}{verb}: {name}"));
                if *n_skipped_statements > 0 {
                    let n = n_skipped_statements;
                    self.line(format!("   {notice}Continuing behind {n} completed statement(s)"));
                }
            }
            Event::Retrying { reason, pause, blockers, .. } => {
                self.line(format!("   {notice}{reason}; trying again in {}", written(*pause)));
                for blocker in *blockers {
                    self.line(format!("      {blocker}"));
                }
            }
            Event::Reconnecting { reason, .. } => {
                self.line(format!(
                    "   {notice}{reason}; asking on a new connection what became of it"
                ));
            }
            Event::CleanedUp { what, .. } => self.line(format!(
                "   {notice}It left something in the session, which was cleaned up: {}",
                what.join(", ")
            )),
            Event::Progress { message, .. } => self.line(format!("   {done}{message}")),
            Event::StatementProgress { statement, elapsed, server, .. } => {
                self.on_progress(*statement, *elapsed, *server);
            }
            Event::MigrationFinished { name, direction, duration, .. } => {
                let verb = match direction {
                    Direction::Up => "Completed",
                    Direction::Down => "Undone",
                };
                self.line(format!("{done}{verb}: {name} ({})", written(*duration)));
            }
            _ => {}
        }
    }

    /// The lines about what was found before anything runs.
    fn on_found(&self, event: &Event<'_>) {
        let notice = self.signs.notice;
        match event {
            Event::Moved { from, to, is_other_server } => self.line(format!(
                "{notice}The history was last written in database {from}{}; this is {to}",
                if *is_other_server { " of another server" } else { "" }
            )),
            Event::DatabaseAhead { names } => {
                self.line(format!(
                    "{notice}The database is ahead of this build by {} migration(s): {}",
                    names.len(),
                    names.join(", ")
                ));
                self.line(
                    "   A newer build has migrated it, or this build is stale and lacks new files",
                );
            }
            Event::Tolerated { drift } => {
                for it in *drift {
                    let described = it.described();
                    let fact = described.lines().next().unwrap_or_default();
                    self.line(format!("{notice}Tolerated: {fact}"));
                }
            }
            Event::OtherHistory { tool, table } => self.line(format!(
                "{notice}This database has a history of {tool} ({table}), which is not taken over"
            )),
            Event::Late { names } => self.line(format!(
                "{notice}{} pending migration(s) older than the newest applied one: {}",
                names.len(),
                names.join(", ")
            )),
            _ => {}
        }
    }
}

impl<F: Fn(&str) + Send + Sync> Observer for Console<F> {
    fn on_event(&self, event: &Event<'_>) {
        let Signs { done, running, started, total, undo, .. } = self.signs;
        match event {
            Event::UpToDate { .. } => {
                self.line(format!(
                    "{done}All migrations are up-to-date (no new migrations to run)"
                ));
            }
            Event::NothingToUndo => self.line(format!("{done}Nothing to undo")),
            Event::HistoryCreated { .. } => {
                self.line(format!("{done}Created migrations tracking table"))
            }
            Event::WaitingForPrimary { reason, waited } => self.line(format!(
                "{running}Waiting for a server to write to ({} s): {reason}",
                waited.as_secs()
            )),
            Event::Waiting { holder, waited } => {
                let holder =
                    holder.map_or_else(|| "another session".to_owned(), ToString::to_string);
                self.line(format!(
                    "{running}Waiting for the migration lock ({} s), held by {holder}",
                    waited.as_secs()
                ));
            }
            Event::Moved { .. }
            | Event::DatabaseAhead { .. }
            | Event::Tolerated { .. }
            | Event::OtherHistory { .. }
            | Event::Late { .. } => self.on_found(event),
            Event::Started { direction: Direction::Up, n_pending } => {
                self.line(format!("{started}Running {n_pending} pending migration(s)..."));
            }
            Event::Started { direction: Direction::Down, n_pending } => {
                self.line(format!("{undo}Undoing {n_pending} migration(s)..."));
            }
            Event::MigrationStarted { .. }
            | Event::Retrying { .. }
            | Event::Reconnecting { .. }
            | Event::Progress { .. }
            | Event::StatementProgress { .. }
            | Event::CleanedUp { .. }
            | Event::MigrationFinished { .. } => self.on_migration(event),
            Event::StatementStarted { .. } => self.progress.begin(),
            // A failure is told by whoever gets the error.
            Event::Looking { .. }
            | Event::StatementFinished { .. }
            | Event::Failed { .. }
            | Event::Interrupted => {}
            Event::Finished { direction, report } => {
                let n_done = report.done().len();
                match direction {
                    Direction::Up => {
                        self.line(format!("{done}Successfully applied {n_done} migration(s)"))
                    }
                    Direction::Down => {
                        self.line(format!("{done}Successfully undid {n_done} migration(s)"))
                    }
                }
                self.line(format!("{total}Total migrations: {}", report.n_total()));
            }
        }
    }
}

impl Pace {
    /// Another statement begins.
    fn begin(&self) {
        self.told_ms.store(0, Ordering::Relaxed);
    }

    fn is_due(&self, elapsed: Duration) -> bool {
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let told_ms = self.told_ms.load(Ordering::Relaxed);
        let pause_ms = (told_ms / 4).clamp(PACE_MIN_MS, PACE_MAX_MS);
        // What has run for a shorter time is another one.
        let is_due = told_ms == 0 || elapsed_ms < told_ms || elapsed_ms - told_ms >= pause_ms;
        if is_due {
            self.told_ms.store(elapsed_ms, Ordering::Relaxed);
        }
        is_due
    }
}

impl Clone for Pace {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A duration as people read it: `7 ms`, `2.4 s`, `3 min 20 s`.
pub(crate) fn written(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_for_people() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (2450, "2.4 s"),
            (200_000, "3 min 20 s"),
        ] {
            assert_eq!(written(Duration::from_millis(ms)), expected);
        }
    }

    #[test]
    fn what_runs_long_is_told_less_and_less() {
        let pace = Pace::default();
        let due =
            |seconds| (2..seconds).filter(|it| pace.is_due(Duration::from_secs(*it))).collect();
        let told: Vec<u64> = due(60);
        assert_eq!(told, [2, 7, 12, 17, 22, 28, 35, 44, 55]);
        // The next one.
        pace.begin();
        let told: Vec<u64> = due(5);
        assert_eq!(told, [2]);
        assert_eq!((2..3600).filter(|it| pace.is_due(Duration::from_secs(*it))).count(), 70);
    }

    #[test]
    fn plain_lines_are_ascii() {
        let ascii = |line: &str| assert!(line.is_ascii(), "{line}");
        let console = Console::new(ascii).plain();
        let names = ["1_a".to_owned()];
        for event in [
            Event::UpToDate { n_applied: 1 },
            Event::HistoryCreated { table: "t" },
            Event::Late { names: &names },
            Event::Started { direction: Direction::Down, n_pending: 1 },
            Event::MigrationStarted {
                name: "1_a",
                direction: Direction::Up,
                n_statements: Some(3),
                n_skipped_statements: 2,
            },
            Event::Progress { name: "1_a", message: "Created a table" },
            Event::StatementProgress {
                name: "1_a",
                direction: Direction::Up,
                statement: None,
                elapsed: Duration::from_secs(2),
                server: None,
            },
        ] {
            console.on_event(&event);
        }
    }
}
