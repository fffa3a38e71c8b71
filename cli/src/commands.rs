//! The commands: from arguments to an answer.

pub(crate) mod about;
mod check;
mod init;
mod new;
mod renumber;
mod sum;

use clap::CommandFactory;
use dunlin::Registry;

use crate::answer::Outcome;
use crate::args::{AboutCommand, Cargo, CargoCommand, DatabaseCommand, FolderArgs};
use crate::folder::Source;
use crate::screen::Screen;

/// Runs a command of `cargo dunlin`.
pub(crate) fn of_folder(screen: &Screen, command: &CargoCommand, folder: &FolderArgs) -> Outcome {
    let _ = screen;
    let source = || Source::find(folder, None);
    match command {
        CargoCommand::New(args) => new::new(args, &source()?),
        CargoCommand::Init(_) => init::init(&Source::to_begin(folder)?),
        CargoCommand::Check(args) => check::check(args, &source()?),
        CargoCommand::Sum(_) => sum::sum(&source()?),
        CargoCommand::Renumber(args) => renumber::renumber(args, &source()?),
        CargoCommand::Database(command) => match *command {},
        CargoCommand::About(command) => about::about(command, Cargo::command()),
    }
}

/// Runs a command on a database.
pub(crate) fn of_database(
    _screen: &Screen,
    command: &DatabaseCommand,
    _registry: &'static Registry,
) -> Outcome {
    match *command {}
}

/// The command's name.
pub(crate) const fn name(command: &CargoCommand) -> &'static str {
    match command {
        CargoCommand::New(_) => "new",
        CargoCommand::Init(_) => "init",
        CargoCommand::Check(_) => "check",
        CargoCommand::Sum(_) => "sum",
        CargoCommand::Renumber(_) => "renumber",
        CargoCommand::Database(command) => name_of_database(command),
        CargoCommand::About(command) => name_of_about(command),
    }
}

/// The command's name.
pub(crate) const fn name_of_database(command: &DatabaseCommand) -> &'static str {
    match *command {}
}

/// The command's name.
pub(crate) const fn name_of_about(command: &AboutCommand) -> &'static str {
    match command {
        AboutCommand::Completions(_) => "completions",
        AboutCommand::Man(_) => "man",
    }
}
