//! Migrates without serving, and shows and undoes.

use std::process::ExitCode;

use dunlin::{Entry, Migrator, Status};
use jiff::Timestamp;
use workflow::MIGRATIONS;
use workflow::console::{Console, complain, say};
use workflow::database::{Database, Purpose, StartError};
use workflow::error::with_causes;

const USAGE: &str = "\
Usage: migrate [COMMAND]

Commands:
  (none)     apply what is pending
  status     show what is applied and what is pending
  verify     check that what was applied is what this build contains
  down [N]   undo the last N migrations, 1 unless said

Environment:
  DATABASE_URL   the database, as postgres://user:password@host:port/name; without it the private
                 server of the workflow service, which is started if the service does not run";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Apply,
    Status,
    Verify,
    Down(usize),
    Help,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let command = match parse(&arguments) {
        Ok(Command::Help) => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(command) => command,
        Err(problem) => {
            complain(&format!("error: {problem}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(command, Console::from_env()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {}", with_causes(&*error)));
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[&str]) -> Result<Command, String> {
    match arguments {
        [] => Ok(Command::Apply),
        ["-h" | "--help" | "help"] => Ok(Command::Help),
        ["status"] => Ok(Command::Status),
        ["verify"] => Ok(Command::Verify),
        ["down"] => Ok(Command::Down(1)),
        ["down", number] => match number.parse() {
            Ok(number) if number > 0 => Ok(Command::Down(number)),
            _ => Err(format!("`{number}` is not a number of migrations")),
        },
        ["status" | "verify" | "down", .., last] => {
            Err(format!("`{last}` is one argument too many"))
        }
        [first, ..] => Err(format!("there is no command `{first}`")),
    }
}

async fn run(command: Command, console: Console) -> Result<(), StartError> {
    let database = Database::open(Purpose::Migrate).await?;
    console.connected();
    let migrator = Migrator::new(&MIGRATIONS).observer(console.observer());
    match command {
        // What they did, the observer has said.
        Command::Apply => _ = migrator.apply(database.pool()).await?,
        Command::Down(number) => _ = migrator.roll_back(database.pool(), number).await?,
        Command::Verify => {
            _ = migrator.verify(database.pool()).await?;
            console.done("What was applied is what this build contains");
        }
        Command::Status => show(console, &migrator.status(database.pool()).await?),
        Command::Help => {}
    }
    database.close()
}

fn show(console: Console, status: &Status) {
    for entry in status.entries() {
        say(&line(entry));
    }
    if !status.drift().is_empty() {
        say("`migrate verify` shows what was applied against what is in this build");
    }
    console.totals(status.entries().len(), status.n_applied(), status.n_pending());
}

fn line(entry: &Entry) -> String {
    let executed_at = entry.applied().and_then(|row| row.executed_at());
    let time = executed_at.and_then(|time| Timestamp::try_from(time).ok());
    let time = time.map_or_else(String::new, |time| time.strftime("%F %T UTC").to_string());
    format!("{:<10}  {time:<23}  {}", entry.state().as_str(), entry.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_understood_or_explained() {
        assert_eq!(parse(&[]), Ok(Command::Apply));
        assert_eq!(parse(&["status"]), Ok(Command::Status));
        assert_eq!(parse(&["verify"]), Ok(Command::Verify));
        assert_eq!(parse(&["down"]), Ok(Command::Down(1)));
        assert_eq!(parse(&["down", "3"]), Ok(Command::Down(3)));
        assert_eq!(parse(&["--help"]), Ok(Command::Help));
        let problem = |arguments: &[&str]| parse(arguments).expect_err("it cannot be understood");
        assert_eq!(problem(&["down", "0"]), "`0` is not a number of migrations");
        assert_eq!(problem(&["down", "all"]), "`all` is not a number of migrations");
        assert_eq!(problem(&["status", "now"]), "`now` is one argument too many");
        assert_eq!(problem(&["up"]), "there is no command `up`");
    }
}
