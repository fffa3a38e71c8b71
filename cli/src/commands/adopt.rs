//! `adopt`: takes over the tracking table of an older tool.

use super::database::Database;
use super::status::{table, totals, with_status};
use crate::answer::{Answer, Outcome};
use crate::args::Adopt;

/// What a person is to agree to.
const WILL: &str = "\
The tracking table gets the columns of the history table, and its rows stay as they are.
They count as applied and as unverified: nobody knows what their files were then.";

pub(crate) async fn adopt(args: &Adopt, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    // Nobody is asked about what cannot be.
    connection.try_once().await?;
    database.consent(args.consent, WILL)?;
    let adopted = database.runner(&args.run).adopt(&connection.pool).await;
    let adopted = adopted.map_err(|error| connection.explain(error))?;
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let paint = database.screen.paint;
    let first = if adopted { "the table is adopted" } else { "there is nothing to adopt" };
    let text = format!("{}{}{first}\n", table(paint, &status), totals(paint, &status));
    Ok(with_status(Answer::new(text).field("adopted", adopted), &status))
}
