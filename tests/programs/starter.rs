//! A program that migrates when it starts, for tests that need several processes.
//!
//! `starter <connection string> <folder>` reads the folder, waits until its standard input ends, so
//! that many can begin at the same moment, applies everything, and prints what happens: one event a
//! line, then `applied <name>` for each migration, then `total <n>`.

use std::io::{Read, Write};
use std::process::ExitCode;

use dunlin::{Console, Migrator, Result};
use dunlin_tests::{pool, registry_of};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [connection_string, folder] = arguments.as_slice() else {
        say("starter <connection string> <folder>");
        return ExitCode::from(2);
    };
    match start(connection_string, folder).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn start(connection_string: &str, folder: &str) -> Result<()> {
    let registry = registry_of(folder.as_ref(), &[]);
    let pool = pool(connection_string);
    say("ready");
    let n_read = std::io::stdin().read_to_end(&mut Vec::new());
    let _ = n_read.map_err(|error| dunlin::Error::custom(error.to_string()))?;
    let migrator = Migrator::new(&registry).observer(Console::new(say).plain());
    let report = migrator.apply(&pool).await?;
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
