//! `redo`: undoes the last migrations and applies them again.

use dunlin::Target;
use serde_json::json;

use super::database::Database;
use super::run::{Watcher, done, with_report};
use super::wait;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::Redo;

pub(crate) async fn redo(args: &Redo, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    wait::for_a_look(&args.run, database, &connection).await?;
    let number = usize::try_from(args.number).unwrap_or(usize::MAX);
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let applied: Vec<_> =
        status.entries().iter().rev().filter(|it| it.applied().is_some()).take(number).collect();
    // What is undone must be there to be applied again.
    if let Some(entry) = applied.iter().find(|it| it.migration().is_none()) {
        let headline = format!("`{}` is applied and is not here", entry.name());
        return Failure::new(crate::exit::Exit::Drift, headline)
            .note("nothing was changed; it could be undone and not applied again")
            .into();
    }
    database.can_run(applied.iter().filter_map(|it| it.migration()))?;
    let watcher = || Watcher::new(database.screen);
    let run = database.runner(&args.run).observer(watcher());
    let undone = run.roll_back(&connection.pool, Target::Back(number)).await;
    let undone = undone.map_err(|error| connection.explain(error))?;
    let Some(newest) = undone.done().first() else {
        return Ok(Answer::new("").field("undone", json!([])).field("applied", json!([])));
    };
    let target = Target::To(newest.name().to_owned());
    let run = database.runner(&args.run).observer(watcher());
    let applied = run.apply_to(&connection.pool, target).await;
    let applied = applied.map_err(|error| {
        let names: Vec<_> = undone.done().iter().map(|it| format!("`{}`", it.name())).collect();
        Box::new(
            connection.explain(error).note(format!("undone by this command: {}", names.join(", "))),
        )
    })?;
    Ok(with_report(Answer::new("").field("undone", done(&undone)), "applied", &applied))
}
