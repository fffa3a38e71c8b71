//! Events as the lines a person reads on a console.

use std::time::Duration;

use crate::event::{Direction, Event, Observer};

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
#[derive(Clone, Copy, Debug)]
pub struct Console<F> {
    write_line: F,
    signs: &'static Signs,
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
        Self { write_line, signs: &PICTURES }
    }

    /// The same lines in plain ASCII words, for terminals and logs that cannot show signs.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { signs: &WORDS, ..self }
    }

    fn line(&self, line: impl AsRef<str>) {
        (self.write_line)(line.as_ref());
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
}

impl<F: Fn(&str) + Send + Sync> Observer for Console<F> {
    fn on_event(&self, event: &Event<'_>) {
        let Signs { done, running, started, total, notice, undo } = self.signs;
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
            Event::Waiting { holder, waited } => {
                let holder =
                    holder.map_or_else(|| "another session".to_owned(), ToString::to_string);
                self.line(format!(
                    "{running}Waiting for the migration lock ({} s), held by {holder}",
                    waited.as_secs()
                ));
            }
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
            Event::Late { names } => self.line(format!(
                "{notice}{} pending migration(s) older than the newest applied one: {}",
                names.len(),
                names.join(", ")
            )),
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
            | Event::CleanedUp { .. }
            | Event::MigrationFinished { .. } => self.on_migration(event),
            // A failure is told by whoever gets the error.
            Event::Looking { .. }
            | Event::StatementStarted { .. }
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
        ] {
            console.on_event(&event);
        }
    }
}
