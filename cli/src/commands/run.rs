//! What a run shows while it runs, for `up`, `down` and `redo`.

use std::fmt;
use std::sync::{Arc, Mutex};

use dunlin::{Console, Event, Observer, Report, ServerProgress, Statement};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::args::Format;
use crate::screen::Screen;

/// Shows the events of a run: lines on standard output, and a bar on a terminal.
pub(crate) struct Watcher<'a> {
    screen: &'a Screen,
    bar: Arc<Bar>,
    /// One for the whole run: it knows what was told, and when.
    lines: Console<WriteLine<'a>>,
}

/// Where a line goes.
type WriteLine<'a> = Box<dyn Fn(&str) + Send + Sync + 'a>;

/// The bar, while there is one.
type Bar = Mutex<Option<ProgressBar>>;

impl<'a> Watcher<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        let bar = Arc::new(Bar::default());
        let above = Arc::clone(&bar);
        let line = move |line: &str| say_above(screen, &above, line);
        let lines: Console<WriteLine<'_>> = Console::new(Box::new(line));
        let lines = if screen.paint.signs { lines } else { lines.plain() };
        Self { screen, bar, lines }
    }

    fn begin(&self, n: usize) {
        if !self.screen.has_bar {
            return;
        }
        let draw = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(u64::try_from(n).ok(), draw);
        let (left, signs, right) = if self.screen.error_paint.signs {
            ("▕", "█▉▊▋▌▍▎▏ ", "▏")
        } else {
            ("[", "=> ", "]")
        };
        let colour = if self.screen.error_paint.colour { ".green" } else { "" };
        // `wide_msg` is cut at the terminal's edge: a bar of two lines would leave traces.
        let template =
            format!("{left}{{bar:24{colour}}}{right} {{pos}}/{{len}} {{elapsed}} {{wide_msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars(signs));
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        if let Ok(mut place) = self.bar.lock() {
            *place = Some(bar);
        }
    }

    fn move_bar(&self, event: &Event<'_>) {
        let Ok(mut place) = self.bar.lock() else { return };
        let Some(bar) = place.as_ref() else { return };
        match event {
            Event::MigrationStarted { name, .. } => bar.set_message((*name).to_owned()),
            Event::StatementStarted { name, statement, .. } => {
                bar.set_message(format!("{name}: {statement}"));
            }
            Event::StatementProgress { name, statement, server, .. } => {
                bar.set_message(beside_bar(name, *statement, *server));
            }
            Event::MigrationFinished { .. } => bar.inc(1),
            // Of a run that failed or was interrupted, no bar stays behind.
            Event::Finished { .. } | Event::Failed { .. } | Event::Interrupted => {
                bar.finish_and_clear();
                *place = None;
            }
            _ => {}
        }
    }
}

impl Observer for Watcher<'_> {
    fn on_event(&self, event: &Event<'_>) {
        // Who reads one document reads nothing else.
        if !matches!(self.screen.format, Format::Human | Format::Github) {
            return;
        }
        if let Event::Started { n_pending, .. } = event {
            self.begin(*n_pending);
        }
        // Before the last lines, so that they stand where it was.
        if matches!(event, Event::Finished { .. }) {
            self.move_bar(event);
        }
        let is_on_bar = self.bar.lock().is_ok_and(|it| it.is_some()) && is_seen_on_bar(event);
        if !is_on_bar {
            self.lines.on_event(event);
        }
        self.move_bar(event);
    }
}

impl fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("bar", &self.bar).finish_non_exhaustive()
    }
}

/// A line, above the bar if there is one.
fn say_above(screen: &Screen, bar: &Bar, line: &str) {
    let bar = bar.lock().ok().and_then(|it| it.clone());
    let say = || screen.say(&format!("{line}\n"));
    // A run goes on whether somebody reads of it or not.
    let _written = match bar {
        Some(bar) => bar.suspend(say),
        None => say(),
    };
}

/// What a bar shows from moment to moment needs no lines; whom a statement waits for is more than there
/// is room for.
fn is_seen_on_bar(event: &Event<'_>) -> bool {
    let waits = |it: &ServerProgress| it.waits_for.is_some();
    matches!(event, Event::StatementProgress { server, .. } if !server.is_some_and(waits))
}

/// What stands beside the bar while a statement takes long.
fn beside_bar(
    name: &str,
    statement: Option<&Statement>,
    server: Option<&ServerProgress>,
) -> String {
    let parts = [statement.map(ToString::to_string), server.map(ToString::to_string)];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|it| !it.is_empty()).collect();
    if parts.is_empty() { name.to_owned() } else { format!("{name}: {}", parts.join(", ")) }
}

/// What a run did, as fields.
pub(crate) fn with_report(answer: Answer, verb: &str, report: &Report) -> Answer {
    answer
        .field(verb, done(report))
        .field("total", report.n_total())
        .field("history_created", report.history_created())
        .field("duration_ms", u64::try_from(report.duration().as_millis()).unwrap_or(u64::MAX))
}

/// The migrations a run did.
pub(crate) fn done(report: &Report) -> Vec<Value> {
    let done = report.done().iter().map(|it| {
        json!({ "name": it.name(), "duration_ms": u64::try_from(it.duration().as_millis()).ok() })
    });
    done.collect()
}
