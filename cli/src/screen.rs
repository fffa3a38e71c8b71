//! Where output goes, and what it may look like there.
//!
//! **Invariant:** the only place that looks at the terminal and at the variables that speak about
//! it: `NO_COLOR`, `CI`, `TERM`, and the locale.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::args::{Colour, Format, Output};
use crate::interrupt::interrupted;

/// Standard output and standard error, as far as a command needs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) format: Format,
    /// What standard output can show.
    pub(crate) paint: Paint,
    /// What standard error can show.
    pub(crate) error_paint: Paint,
    /// Whether a bar may move on standard error.
    pub(crate) has_bar: bool,
    /// Whether there is a person to ask.
    pub(crate) can_ask: bool,
}

/// What a stream can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) colour: bool,
    /// Pictures and lines beyond ASCII.
    pub(crate) signs: bool,
}

/// What a word means, by which it is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Waiting,
    Bad,
    /// The side of a diff that is not here any more.
    Gone,
    Quiet,
    Strong,
}

impl Paint {
    /// Neither colours nor signs.
    pub(crate) const PLAIN: Self = Self { colour: false, signs: false };

    /// The text in its colour.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> Cow<'_, str> {
        if !self.colour || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        let style = match tone {
            Tone::Good => colour(AnsiColor::Green),
            Tone::Waiting => colour(AnsiColor::Yellow),
            Tone::Bad => colour(AnsiColor::Red).bold(),
            Tone::Gone => colour(AnsiColor::Red),
            Tone::Quiet => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        Cow::Owned(format!("{style}{text}{style:#}"))
    }
}

impl Screen {
    /// Looks at the terminal and its variables.
    pub(crate) fn new(output: &Output) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        let is_dumb = variable("TERM").as_deref() == Some("dumb");
        let is_ci = variable("CI").is_some_and(|it| it != "false" && it != "0");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        let is_utf8 = locale.is_none_or(|it| {
            let it = it.to_ascii_lowercase();
            it.contains("utf-8") || it.contains("utf8")
        });
        let paint = |is_terminal: bool| Paint {
            colour: match output.color {
                Colour::Always => true,
                Colour::Never => false,
                Colour::Auto => is_terminal && !is_dumb && variable("NO_COLOR").is_none(),
            },
            signs: is_terminal && !is_dumb && is_utf8,
        };
        let is_human = output.format == Format::Human;
        let stderr = io::stderr().is_terminal();
        Self {
            format: output.format,
            paint: if is_human { paint(io::stdout().is_terminal()) } else { Paint::PLAIN },
            error_paint: if is_human { paint(stderr) } else { Paint::PLAIN },
            has_bar: is_human && stderr && !is_dumb && !is_ci,
            can_ask: is_human && io::stdin().is_terminal() && stderr && !is_ci,
        }
    }

    /// Writes to standard output, and says whether it arrived.
    ///
    /// A reader that has gone away (`| head`) has seen enough. A disk that is full is told: half of a
    /// script that was written to a file is worse than none.
    pub(crate) fn say(&self, text: &str) -> bool {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.complain(&format!("error: standard output cannot be written: {error}\n"));
                false
            }
            Ok(()) | Err(_) => true,
        }
    }

    /// Writes to standard error.
    pub(crate) fn complain(&self, text: &str) {
        ignore_closed(io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Asks a person a question; nothing where there is nobody to ask. Ctrl-C is no.
    pub(crate) fn ask(&self, question: &str) -> Option<bool> {
        if !self.can_ask {
            return None;
        }
        self.complain(&format!("{question} [y/N] "));
        // On a thread and a runtime of its own, because this one reads until a line is there and would
        // not hear Ctrl-C.
        let line = std::thread::spawn(line_or_interrupt).join().ok().flatten();
        let Some(line) = line else {
            self.complain("\n");
            return Some(false);
        };
        Some(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// A line of standard input; nothing at its end, and when Ctrl-C came first.
fn line_or_interrupt() -> Option<String> {
    let read = || {
        let mut line = String::new();
        let n_read = io::stdin().lock().read_line(&mut line).ok()?;
        (n_read > 0).then_some(line)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let line = runtime.block_on(async {
        tokio::select! {
            line = tokio::task::spawn_blocking(read) => line.ok().flatten(),
            () = interrupted() => None,
        }
    });
    // The read may never end.
    runtime.shutdown_background();
    line
}

fn ignore_closed(_written: io::Result<()>) {}
