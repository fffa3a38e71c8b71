//! One answer in any of four forms.

mod github;
mod human;
mod json;
mod sarif;

use crate::answer::{Answer, Failure, Outcome};
use crate::args::Format;
use crate::exit::Exit;
use crate::screen::Screen;

/// Writes what a command gave, and says how it ended.
pub(crate) fn write(screen: &Screen, command: &str, outcome: &Outcome) -> Exit {
    match screen.format {
        Format::Human => human::write(screen, outcome),
        Format::Json => screen.say(&json::document(command, outcome)),
        Format::Github => screen.say(&github::annotations(outcome)),
        Format::Sarif => screen.say(&sarif::document(outcome)),
    }
    exit(outcome)
}

fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Ok(Answer { exit, .. }) => *exit,
        Err(failure) => failure.exit,
    }
}

/// SARIF is a format for findings about files.
pub(crate) fn allows(format: Format, command: &str) -> Result<(), Box<Failure>> {
    if format == Format::Sarif && command != "check" {
        return Failure::usage(format!("`{command}` has nothing to say in SARIF"))
            .help("use `--format json`; SARIF is for `check`")
            .into();
    }
    Ok(())
}
