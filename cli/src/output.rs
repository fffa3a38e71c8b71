//! One answer in any of four forms.

mod github;
pub(crate) mod human;
mod json;
mod sarif;

use std::path::{Path, PathBuf};

use crate::answer::{Answer, Failure, Outcome};
use crate::args::Format;
use crate::exit::Exit;
use crate::folder::here;
use crate::screen::Screen;

/// Writes what a command gave, and says how it ended.
pub(crate) fn write(screen: &Screen, command: &str, outcome: &Outcome) -> Exit {
    let is_written = match screen.format {
        Format::Human => human::write(screen, outcome),
        Format::Json => screen.say(&json::document(command, outcome)),
        Format::Github => screen.say(&github::annotations(outcome)),
        Format::Sarif if command == SARIF => screen.say(&sarif::document(outcome)),
        // That the format was refused is for whoever typed it.
        Format::Sarif => human::write(screen, outcome),
    };
    match exit(outcome) {
        Exit::Ok if !is_written => Exit::Folder,
        exit => exit,
    }
}

fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Ok(Answer { exit, .. }) => *exit,
        Err(failure) => failure.exit,
    }
}

/// A path as GitHub knows it: from the root of the checkout, of which a step may run in a part.
fn from_root(path: &str) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let inside = root.and_then(|root| Some(here().strip_prefix(root).ok()?.to_path_buf()));
    inside.map_or_else(|| path.to_owned(), |inside| joined(&inside, path))
}

/// The path behind the folder, without `..`.
fn joined(folder: &Path, path: &str) -> String {
    let mut names: Vec<_> = folder.iter().map(|it| it.to_string_lossy()).collect();
    for name in path.split('/') {
        match name {
            "." | "" => {}
            ".." => _ = names.pop(),
            name => names.push(name.into()),
        }
    }
    names.join("/")
}

/// The command whose findings are about files, as those of SARIF are.
const SARIF: &str = "check";

/// Whether a command can be told in this format.
pub(crate) fn allows(format: Format, command: &str) -> Result<(), Box<Failure>> {
    if format == Format::Sarif && command != SARIF {
        return Failure::usage(format!("`{command}` has nothing to say in SARIF"))
            .help("use `--format json`; SARIF is for `check`")
            .into();
    }
    Ok(())
}
