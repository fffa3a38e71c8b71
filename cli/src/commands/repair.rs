//! `repair`: settles in favour of the files what was edited and what was renamed.

use dunlin::Drift;

use super::database::Database;
use super::wait;
use crate::answer::{Answer, Outcome, can_be_repaired};
use crate::args::Repair;
use crate::drift::{fields, findings};
use crate::output::human::painted;
use crate::screen::{Paint, Tone};

pub(crate) async fn repair(args: &Repair, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    wait::for_a_look(&args.run, database, &connection).await?;
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let (settled, left): (Vec<_>, Vec<_>) =
        status.drift().iter().cloned().partition(can_be_repaired);
    if settled.is_empty() {
        let text = format!("there is nothing to repair\n{}", stays(&left));
        return Ok(with_drift(Answer::new(text), &[], &left));
    }
    let will = will(database.screen.error_paint, &settled, &left);
    database.consent(args.consent, &will)?;
    let repaired = database.runner(&args.run).repair(&connection.pool).await;
    let repaired = repaired.map_err(|error| connection.explain(error))?;
    let (settled, left) = (repaired.repaired(), repaired.left());
    let names: String = settled.iter().map(|it| format!("repaired: {}\n", said(it))).collect();
    let text = format!("{names}{}", stays(left));
    Ok(with_drift(Answer::new(text), settled, left))
}

/// What a person is to agree to.
fn will(paint: Paint, settled: &[Drift], left: &[Drift]) -> String {
    let shown = findings(settled);
    let shown = shown.iter().map(|it| painted(paint, Tone::Bad, it.text.trim_end()));
    let shown: String = shown.map(|it| format!("{it}\n")).collect();
    format!(
        "{shown}{}The rows get the names, checksums and texts of the files. Nothing is run: what an edit \
         would have changed is not in the database.",
        stays(left)
    )
}

/// What a row cannot settle.
fn stays(left: &[Drift]) -> String {
    left.iter().map(|it| format!("stays: {}\n", said(it))).collect()
}

/// `the applied migration ... was edited`
fn said(drift: &Drift) -> String {
    let found = findings(std::slice::from_ref(drift));
    found.into_iter().map(|it| it.headline).collect()
}

fn with_drift(answer: Answer, repaired: &[Drift], left: &[Drift]) -> Answer {
    answer.field("repaired", fields(repaired)).field("left", fields(left))
}
