//! `mark`: says of one migration what only a person can know.

use clap::ValueEnum;
use dunlin::{Entry, Progress, State, Status};

use super::database::Database;
use super::status::{table, totals, with_status};
use super::wait;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::{Mark, MarkAs};
use crate::moment::readable;

pub(crate) async fn mark(args: &Mark, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    wait::for_a_look(&args.run, database, &connection).await?;
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let name = &args.name;
    let Some(entry) = status.entries().iter().find(|it| it.name() == name) else {
        return Failure::usage(format!("there is no migration `{name}`"))
            .note("neither here nor in the history table; nothing was changed")
            .help("`status` shows the names")
            .into();
    };
    let was = entry.state();
    let Some(will) = will(entry, args.mark)? else {
        let text = format!("there is nothing to mark\n{}\n", present(entry));
        return Ok(answer(&text, false, was, &status));
    };
    database.consent(args.consent, &format!("{}\n{will}", present(entry)))?;
    let marked = database.runner(&args.run).mark(&connection.pool, name, args.mark.into()).await;
    marked.map_err(|error| connection.explain(error))?;
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let paint = database.screen.paint;
    let mark =
        args.mark.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned());
    let (table, totals) = (table(paint, &status), totals(paint, &status));
    let text = format!("{table}{totals}`{name}` is marked as {mark}\n");
    Ok(answer(&text, true, was, &status))
}

fn answer(text: &str, marked: bool, was: State, status: &Status) -> Answer {
    with_status(Answer::new(text).field("marked", marked).field("was", was.as_str()), status)
}

/// What the history table says of it now.
fn present(entry: &Entry) -> String {
    let mut text = format!("`{}` is {}", entry.name(), entry.state().as_str());
    let Some(row) = entry.applied() else { return format!("{text}: it has no row") };
    let facts = [
        row.kind().map(|it| format!("its row is of kind `{it}`")),
        row.executed_at().map(|it| format!("written {} UTC", readable(it))),
        row.applied_by().map(|it| format!("by {it}")),
        row.unfinished().map(|Progress { n_done, n_begun, n_statements }| {
            format!("{n_done} of {n_statements} statements done, {n_begun} begun")
        }),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    if !facts.is_empty() {
        text.push_str(&format!(": {}", facts.join(", ")));
    }
    text
}

/// What a person is to agree to; nothing when it is so already.
fn will(entry: &Entry, mark: MarkAs) -> Result<Option<String>, Box<Failure>> {
    let cannot = |fact: &str| {
        Failure::usage(format!("`{}` {fact}", entry.name())).note("nothing was changed").into()
    };
    let applies = "It will count as applied, with the text that is here. Nothing is run.";
    let pends = "It will count as pending. Nothing is undone, and the next `up` runs it.";
    match mark {
        MarkAs::Applied if entry.migration().is_none() => {
            cannot("is not here, so its text is not known")
        }
        MarkAs::Applied => Ok((entry.state() != State::Applied).then(|| applies.to_owned())),
        MarkAs::Pending => Ok(entry.applied().map(|_| pends.to_owned())),
        MarkAs::StatementDone | MarkAs::StatementNotDone => {
            let Some(progress) = entry.applied().and_then(|it| it.unfinished()) else {
                return cannot("was not interrupted");
            };
            let Progress { n_begun, n_done, n_statements } = progress;
            let (is, next) = match mark {
                MarkAs::StatementDone => ("done", "continues behind it"),
                _ => ("not done", "repeats it"),
            };
            Ok((n_begun > n_done).then(|| {
                format!(
                    "Statement {n_begun} of {n_statements} will count as {is}: the next run {next}."
                )
            }))
        }
    }
}
