//! `verify`: an exit code for pipelines, and the diff of each edited file.

use dunlin::ErrorKind;

use super::database::Database;
use super::status::{other_histories, totals, with_status};
use crate::answer::{Answer, Failure, Outcome};
use crate::args::{Format, Verify};
use crate::drift;
use crate::exit::Exit;

pub(crate) async fn verify(args: &Verify, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let error = match database.migrator().verify(&connection.pool).await {
        Ok(status) => {
            let paint = database.screen.paint;
            let pending = args.no_pending && status.n_pending() > 0;
            let words = match pending {
                true => "migrations are pending",
                false => "what was applied is what is here",
            };
            let names = status.entries().iter().filter(|it| pending && it.applied().is_none());
            let names: String = names.map(|it| format!("    {}\n", it.name())).collect();
            let others = match status.n_applied() {
                0 => other_histories(database, &connection).await,
                _ => String::new(),
            };
            let text = format!("{words}\n{names}{}{others}", totals(paint, &status));
            let exit = if pending { Exit::Pending } else { Exit::Ok };
            return Ok(with_status(Answer::new(text).exit(exit), &status));
        }
        Err(error) => error,
    };
    if error.kind() != ErrorKind::Drift || database.screen.format == Format::Human {
        return Err(connection.explain(error));
    }
    // Programs get each disagreement, and all the rest of the status.
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let text = Failure::from_error(&error).finding.headline;
    let answer = with_status(Answer::new(format!("{text}\n")).exit(Exit::Drift), &status);
    Ok(answer.findings(drift::findings(status.drift())))
}
