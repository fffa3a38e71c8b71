//! What a run shows while it runs, for `up`, `down` and `redo`.

use std::sync::Mutex;

use dunlin::{Console, Event, Observer, Report};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::args::Format;
use crate::screen::Screen;

/// Shows the events of a run: lines on standard output, and a bar on a terminal.
#[derive(Debug)]
pub(crate) struct Watcher<'a> {
    screen: &'a Screen,
    bar: Mutex<Option<ProgressBar>>,
}

impl<'a> Watcher<'a> {
    pub(crate) const fn new(screen: &'a Screen) -> Self {
        Self { screen, bar: Mutex::new(None) }
    }

    /// A line, above the bar if there is one.
    fn line(&self, line: &str) {
        let bar = self.bar.lock().ok().and_then(|it| it.clone());
        let say = || self.screen.say(&format!("{line}\n"));
        // A run goes on whether somebody reads of it or not.
        let _written = match bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        };
    }

    fn begin(&self, n: usize) {
        if !self.screen.has_bar {
            return;
        }
        let draw = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(u64::try_from(n).ok(), draw);
        let signs = if self.screen.error_paint.signs { "█▉▊▋▌▍▎▏ " } else { "=> " };
        let template = if self.screen.error_paint.colour {
            "{bar:24.green} {pos}/{len} {elapsed} {msg}"
        } else {
            "{bar:24} {pos}/{len} {elapsed} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
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
            Event::StatementProgress { name, server: Some(server), .. } => {
                bar.set_message(format!("{name}: {server}"));
            }
            Event::MigrationFinished { .. } => bar.inc(1),
            Event::Finished { .. } => {
                bar.finish_and_clear();
                *place = None;
            }
            _ => {}
        }
    }
}

impl Observer for Watcher<'_> {
    fn on_event(&self, event: &Event<'_>) {
        if self.screen.format != Format::Human {
            return;
        }
        if let Event::Started { n_pending, .. } = event {
            self.begin(*n_pending);
        }
        let console = Console::new(|line: &str| self.line(line));
        let console = if self.screen.paint.signs { console } else { console.plain() };
        if let Event::Finished { .. } = event {
            self.move_bar(event);
        }
        // What a bar shows from moment to moment needs no lines.
        let is_on_bar = matches!(event, Event::StatementProgress { .. })
            && self.bar.lock().is_ok_and(|it| it.is_some());
        if !is_on_bar {
            console.on_event(event);
        }
        self.move_bar(event);
    }
}

impl Drop for Watcher<'_> {
    /// Of a run that failed or was interrupted, no bar stays behind.
    fn drop(&mut self) {
        if let Some(bar) = self.bar.lock().ok().and_then(|mut it| it.take()) {
            bar.finish_and_clear();
        }
    }
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
