//! A program that migrates when it starts, for tests that need several processes.
//!
//! `starter <connection string> <folder>` reads the folder, waits until its standard input ends, so
//! that many can begin at the same moment, applies everything, and prints what happens: one event a
//! line, then `applied <name>` for each migration, then `total <n>`. With `undo` behind the folder it
//! undoes everything.

use std::io::{Read, Write};
use std::process::ExitCode;

use dunlin::{Console, Migrator, Result};
use dunlin_tests::{pool, registry_of};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (connection_string, folder, is_undo) = match arguments.as_slice() {
        [connection_string, folder] => (connection_string, folder, false),
        [connection_string, folder, undo] if undo == "undo" => (connection_string, folder, true),
        _ => {
            say("starter <connection string> <folder> [undo]");
            return ExitCode::from(2);
        }
    };
    match start(connection_string, folder, is_undo).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn start(connection_string: &str, folder: &str, is_undo: bool) -> Result<()> {
    let registry = registry_of(folder.as_ref(), &[]);
    let pool = pool(connection_string);
    say("ready");
    let n_read = std::io::stdin().read_to_end(&mut Vec::new());
    let _ = n_read.map_err(|error| dunlin::Error::custom(error.to_string()))?;
    let migrator = Migrator::new(&registry).observer(Console::new(say).plain());
    let report = match is_undo {
        true => migrator.roll_back(&pool, registry.len()).await?,
        false => migrator.apply(&pool).await?,
    };
    for done in report.done() {
        say(&format!("applied {}", done.name()));
    }
    say(&format!("total {}", report.n_total()));
    Ok(())
}

/// A line for the test, which may have gone.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}
