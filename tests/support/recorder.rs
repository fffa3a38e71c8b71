//! An observer that keeps what it is told.

use std::sync::{Arc, Mutex};

use dunlin::{Console, Event, Observer};

/// Keeps the console's lines, without durations, which differ from run to run.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    /// What was told so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The same as one text.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        // Whether something takes long enough to be told so differs from run to run.
        if matches!(event, Event::StatementProgress { .. }) {
            return;
        }
        Console::new(|line: &str| {
            let line = match line.rsplit_once(" (") {
                Some((front, duration))
                    if duration.ends_with("s)") && line.contains("Completed")
                        || line.contains("Undone") =>
                {
                    front
                }
                _ => line,
            };
            self.0.lock().unwrap().push(line.to_owned());
        })
        .on_event(event);
    }
}
