//! The commands: from arguments to an answer.

mod about;
mod adopt;
mod adopt_scratch;
mod adopt_shown;
mod baseline;
mod check;
mod check_server;
mod database;
mod down;
mod init;
mod mark;
mod new;
mod plan;
mod redo;
mod renumber;
mod repair;
mod run;
mod scratch;
mod status;
mod sum;
mod unlock;
mod up;
mod verify;
mod wait;

use clap::CommandFactory;
use dunlin::Registry;
use dunlin_core::options::DEFAULT_HISTORY_TABLE;

pub(crate) use self::run::done;

use self::database::{Database, Door, Leaves, block_on};
use crate::answer::{Answer, Outcome};
use crate::args::{
    self, AboutCommand, ApplicationCommand, Cargo, CargoCommand, DatabaseCommand, FolderArgs,
};
use crate::exit::Exit;
use crate::folder::Source;
use crate::registry;
use crate::screen::Screen;

/// Runs a command of `cargo dunlin`.
pub(crate) fn of_folder(screen: &Screen, command: &CargoCommand, folder: &FolderArgs) -> Outcome {
    let source = || Source::find(folder, None);
    match command {
        CargoCommand::New(args) => new::new(args, &source()?),
        CargoCommand::Init(_) => init::init(&Source::to_begin(folder)?),
        CargoCommand::Check(args) => check::check(screen, args, &source()?),
        CargoCommand::Sum(_) => sum::sum(&source()?),
        CargoCommand::Renumber(args) => renumber::renumber(args, &source()?),
        CargoCommand::Database(command) => of_folder_and_database(screen, command, folder),
        CargoCommand::About(command) => about::about(command, Cargo::command()),
    }
}

/// Runs a command on a database with the migrations of a folder.
fn of_folder_and_database(
    screen: &Screen,
    command: &DatabaseCommand,
    folder: &FolderArgs,
) -> Outcome {
    let history_table = connection(command).history_table.as_deref();
    let source = Source::find(folder, history_table)?;
    let reading = source.read();
    if !reading.is_accepted() {
        let findings = reading.errors().cloned().map(|it| check::finding(&source, it)).collect();
        let text = "the build would fail; no database was asked\n";
        return Ok(Answer::new(text).exit(Exit::Folder).findings(findings));
    }
    let registry = registry::of(&reading.folder, history_table.unwrap_or(DEFAULT_HISTORY_TABLE));
    let registry: &'static Registry = Box::leak(Box::new(registry));
    dispatch(screen, command, registry, Door::Folder)
}

/// Runs a command of an application.
pub(crate) fn of_application(
    screen: &Screen,
    command: &ApplicationCommand,
    registry: &'static Registry,
) -> Outcome {
    match command {
        ApplicationCommand::Check(args) => check::check_application(screen, args, registry),
        ApplicationCommand::Database(command) => {
            dispatch(screen, command, registry, Door::Application)
        }
        ApplicationCommand::About(command) => about::about(command, args::application()),
    }
}

fn dispatch(
    screen: &Screen,
    command: &DatabaseCommand,
    registry: &'static Registry,
    door: Door,
) -> Outcome {
    let args = connection(command);
    let database = Database { screen, registry, door, args };
    let looks = Leaves::Nothing;
    let changes = Leaves::Completed;
    match command {
        DatabaseCommand::Status(args) => block_on(looks, status::status(args, &database)),
        DatabaseCommand::Verify(args) => block_on(looks, verify::verify(args, &database)),
        DatabaseCommand::Plan(args) => block_on(looks, plan::plan(args, &database)),
        DatabaseCommand::Up(args) => block_on(changes, up::up(args, &database)),
        DatabaseCommand::Down(args) => block_on(changes, down::down(args, &database)),
        DatabaseCommand::Redo(args) => block_on(changes, redo::redo(args, &database)),
        DatabaseCommand::Wait(args) => block_on(looks, wait::wait(args, &database)),
        DatabaseCommand::Adopt(args) => adopt::adopt(args, &database),
        DatabaseCommand::Baseline(args) => block_on(changes, baseline::baseline(args, &database)),
        DatabaseCommand::Repair(args) => block_on(changes, repair::repair(args, &database)),
        DatabaseCommand::Mark(args) => block_on(changes, mark::mark(args, &database)),
        DatabaseCommand::Unlock(args) => block_on(changes, unlock::unlock(args, &database)),
    }
}

/// What a command says about the connection.
fn connection(command: &DatabaseCommand) -> &args::ConnectionArgs {
    match command {
        DatabaseCommand::Status(args) => &args.connection,
        DatabaseCommand::Verify(args) => &args.connection,
        DatabaseCommand::Plan(args) => &args.connection,
        DatabaseCommand::Up(args) => &args.connection,
        DatabaseCommand::Down(args) => &args.connection,
        DatabaseCommand::Redo(args) => &args.connection,
        DatabaseCommand::Wait(args) => &args.connection,
        DatabaseCommand::Adopt(args) => &args.connection,
        DatabaseCommand::Baseline(args) => &args.connection,
        DatabaseCommand::Repair(args) => &args.connection,
        DatabaseCommand::Mark(args) => &args.connection,
        DatabaseCommand::Unlock(args) => &args.connection,
    }
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
pub(crate) const fn name_in_application(command: &ApplicationCommand) -> &'static str {
    match command {
        ApplicationCommand::Check(_) => "check",
        ApplicationCommand::Database(command) => name_of_database(command),
        ApplicationCommand::About(command) => name_of_about(command),
    }
}

/// The command's name.
const fn name_of_database(command: &DatabaseCommand) -> &'static str {
    match command {
        DatabaseCommand::Status(_) => "status",
        DatabaseCommand::Verify(_) => "verify",
        DatabaseCommand::Plan(_) => "plan",
        DatabaseCommand::Up(_) => "up",
        DatabaseCommand::Down(_) => "down",
        DatabaseCommand::Redo(_) => "redo",
        DatabaseCommand::Wait(_) => "wait",
        DatabaseCommand::Adopt(_) => "adopt",
        DatabaseCommand::Baseline(_) => "baseline",
        DatabaseCommand::Repair(_) => "repair",
        DatabaseCommand::Mark(_) => "mark",
        DatabaseCommand::Unlock(_) => "unlock",
    }
}

/// The command's name.
const fn name_of_about(command: &AboutCommand) -> &'static str {
    match command {
        AboutCommand::Completions(_) => "completions",
        AboutCommand::Man(_) => "man",
    }
}
