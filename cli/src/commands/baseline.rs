//! `baseline`: records migrations as applied without running them.

use dunlin::Target;

use super::check::migrations;
use super::database::Database;
use super::status::other_histories;
use super::wait;
use crate::answer::{Answer, Outcome};
use crate::args::Baseline;

pub(crate) async fn baseline(args: &Baseline, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    wait::for_a_look(&args.run, database, &connection).await?;
    let target = args.to.clone().map_or(Target::Latest, Target::To);
    let plan = database.migrator().plan_to(&connection.pool, target.clone()).await;
    let plan = plan.map_err(|error| connection.explain(error))?;
    if plan.is_empty() {
        let answer = Answer::new("there is nothing to record\n");
        return Ok(with_names(answer, &[], false));
    }
    let names: Vec<_> = plan.steps().iter().map(|step| step.migration().name()).collect();
    // Another tool knows better what is applied.
    let first = database.registry.iter().next().map(|it| it.name());
    let is_first = plan.steps().first().map(|step| step.migration().name()) == first;
    let others =
        if is_first { other_histories(database, &connection).await } else { String::new() };
    database.consent(args.consent, &format!("{others}{}", will(&names)))?;
    let report = database.runner(&args.run).baseline(&connection.pool, target).await;
    let report = report.map_err(|error| connection.explain(error))?;
    let names: Vec<_> = report.done().iter().map(|it| it.name()).collect();
    let n = migrations(names.len());
    let text = format!("{}{n} recorded as applied; nothing was run\n", lines(&names));
    Ok(with_names(Answer::new(text), &names, report.history_created()))
}

/// What a person is to agree to.
fn will(names: &[&str]) -> String {
    format!(
        "{}{} will be recorded as applied without being run: the database must have what {}.",
        lines(names),
        migrations(names.len()),
        if names.len() == 1 { "it does" } else { "they do" }
    )
}

fn lines(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

fn with_names(answer: Answer, names: &[&str], history_created: bool) -> Answer {
    answer.field("baseline", names).field("history_created", history_created)
}
