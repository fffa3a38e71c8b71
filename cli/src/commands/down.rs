//! `down`: undoes migrations.

use dunlin::Target;

use super::database::Database;
use super::run::{Watcher, with_report};
use crate::answer::{Answer, Outcome};
use crate::args::Down;

pub(crate) async fn down(args: &Down, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let number = usize::try_from(args.number).unwrap_or(usize::MAX);
    let target = args.to.clone().map_or(Target::Back(number), Target::To);
    let watcher = Watcher::new(database.screen);
    let run = database.runner(&args.run).observer(watcher);
    let report = run.roll_back(&connection.pool, target).await;
    let report = report.map_err(|error| connection.explain(error))?;
    Ok(with_report(Answer::new(""), "undone", &report))
}
