//! `up`: applies what is pending.

use dunlin::{Error, Target};

use super::database::Database;
use super::run::{Watcher, with_report};
use super::status::other_histories;
use super::wait;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::Up;
use crate::connection::Connection;

pub(crate) async fn up(args: &Up, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let target = args.to.clone().map_or(Target::Latest, Target::To);
    if database.has_rust() {
        wait::for_a_look(&args.run, database, &connection).await?;
        let plan = database.migrator().plan_to(&connection.pool, target.clone()).await;
        let plan = plan.map_err(|error| connection.explain(error))?;
        database.can_run(plan.steps().iter().map(|step| step.migration()))?;
    }
    let watcher = Watcher::new(database.screen);
    let run = database.runner(&args.run).single_transaction(args.single_transaction);
    let run = run.observer(watcher);
    let report = run.apply_to(&connection.pool, target).await;
    let report = match report {
        Ok(report) => report,
        Err(error) => return Err(explained(database, &connection, error).await),
    };
    Ok(with_report(Answer::new(""), "applied", &report))
}

/// What is to be created and there already may have been created by another tool.
async fn explained(database: &Database<'_>, connection: &Connection, error: Error) -> Box<Failure> {
    let is_there = error.code().is_some_and(|code| DUPLICATES.contains(&code.code()));
    let failure = connection.explain(error);
    let others = if is_there { other_histories(database, connection).await } else { String::new() };
    Box::new(others.lines().fold(*failure, |failure, line| failure.help(line)))
}

/// A table, schema, function, object, column or database of that name exists (manual, appendix A).
const DUPLICATES: [&str; 6] = ["42P07", "42P06", "42723", "42710", "42701", "42P04"];
