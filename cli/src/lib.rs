//! The command line of Dunlin.
//!
//! Two doors lead to the same commands. `cargo dunlin` works on a folder; [`run`] gives an
//! application a binary of its own, in which migrations in Rust run too and cargo is not needed:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../migrations");
//!
//! fn main() -> ExitCode {
//!     dunlin_cli::run(&MIGRATIONS)
//! }
//! ```
//!
//! The pages in `docs/cli/` of the repository describe each command; they are made of the same source
//! as `--help`. How a command ends is an [`Exit`].
//!
//! # What is absent
//!
//! There is no SQL here and no rule about migrations: `dunlin-core` computes, and `dunlin` alone talks
//! to a server. What a command has to say is computed first and written once, in one of four formats.

mod answer;
mod args;
mod commands;
mod connection;
mod drift;
mod exit;
mod folder;
mod git;
mod interrupt;
mod moment;
mod output;
mod pages;
mod registry;
mod screen;
mod wording;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use dunlin::Registry;

pub use exit::Exit;

use crate::args::{Application, Cargo};
use crate::screen::Screen;

/// The commands of `cargo dunlin`, with the arguments of this process.
#[must_use]
pub fn cargo() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // cargo runs `cargo-dunlin dunlin ...`.
    if arguments.get(1).is_some_and(|first| first == "dunlin") {
        let _dunlin = arguments.remove(1);
    }
    let parsed = match parse::<Cargo>(&Cargo::command(), arguments) {
        Ok(parsed) => parsed,
        Err(exit) => return exit.into(),
    };
    let screen = Screen::new(&parsed.output);
    let name = commands::name(&parsed.command);
    let outcome = output::allows(screen.format, name)
        .and_then(|()| commands::of_folder(&screen, &parsed.command, &parsed.folder));
    output::write(&screen, name, &outcome).into()
}

/// The commands on a database, for an application's own binary, with the arguments of this process.
///
/// Migrations in Rust run here too. It blocks until the command ends, on a thread and a runtime of its
/// own, so that an async `main` may call it as well.
#[must_use]
pub fn run(registry: &'static Registry) -> ExitCode {
    let thread = std::thread::spawn(move || run_here(registry));
    // A panic has been told by the thread; 101 is the code of a program that panics.
    thread.join().unwrap_or(ExitCode::from(101))
}

fn run_here(registry: &'static Registry) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = match parse::<Application>(&args::application(), arguments) {
        Ok(parsed) => parsed,
        Err(exit) => return exit.into(),
    };
    let screen = Screen::new(&parsed.output);
    let name = commands::name_in_application(&parsed.command);
    let outcome = output::allows(screen.format, name)
        .and_then(|()| commands::of_application(&screen, &parsed.command, registry));
    output::write(&screen, name, &outcome).into()
}

/// The pages of `docs/cli/`: file names and texts, made of the help.
#[doc(hidden)]
#[must_use]
pub fn pages() -> Vec<(String, String)> {
    pages::of(Cargo::command())
}

/// Reads the arguments; what is wrong with them, and help, is written here.
fn parse<T: FromArgMatches>(command: &clap::Command, arguments: Vec<OsString>) -> Result<T, Exit> {
    let matches = command.clone().try_get_matches_from(arguments);
    matches.and_then(|it| T::from_arg_matches(&it)).map_err(|error| {
        let written = error.print();
        // A reader that has gone away has seen enough.
        drop(written);
        if error.use_stderr() { Exit::Usage } else { Exit::Ok }
    })
}
