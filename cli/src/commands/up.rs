//! `up`: applies what is pending.

use dunlin::Target;

use super::database::Database;
use super::run::{Watcher, with_report};
use crate::answer::{Answer, Outcome};
use crate::args::Up;

pub(crate) async fn up(args: &Up, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let target = args.to.clone().map_or(Target::Latest, Target::To);
    if database.has_rust() {
        let plan = database.migrator().plan_to(&connection.pool, target.clone()).await;
        let plan = plan.map_err(|error| connection.explain(error))?;
        database.can_run(plan.steps().iter().map(|step| step.migration()))?;
    }
    let watcher = Watcher::new(database.screen);
    let run = database.runner(&args.run).single_transaction(args.single_transaction);
    let run = run.observer(watcher);
    let report = run.apply_to(&connection.pool, target).await;
    let report = report.map_err(|error| connection.explain(error))?;
    Ok(with_report(Answer::new(""), "applied", &report))
}
