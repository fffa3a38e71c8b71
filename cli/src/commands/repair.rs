//! `repair`: settles in favour of the files what was edited and what was renamed.

use dunlin::Drift;

use super::database::Database;
use crate::answer::{Answer, Outcome};
use crate::args::Repair;
use crate::drift::{fields, findings};

pub(crate) async fn repair(args: &Repair, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let (settled, left): (Vec<_>, Vec<_>) = status.drift().iter().cloned().partition(is_settled);
    if settled.is_empty() {
        let text = format!("there is nothing to repair\n{}", stays(&left));
        return Ok(with_drift(Answer::new(text), &[], &left));
    }
    database.consent(args.consent, &will(&settled, &left))?;
    let repaired = database.runner(&args.run).repair(&connection.pool).await;
    let repaired = repaired.map_err(|error| connection.explain(error))?;
    let (settled, left) = (repaired.repaired(), repaired.left());
    let names: String = settled.iter().map(|it| format!("repaired: {}\n", said(it))).collect();
    let text = format!("{names}{}", stays(left));
    Ok(with_drift(Answer::new(text), settled, left))
}

/// What the row of a migration can settle.
const fn is_settled(drift: &Drift) -> bool {
    matches!(drift, Drift::Changed { .. } | Drift::Renamed { .. })
}

/// What a person is to agree to.
fn will(settled: &[Drift], left: &[Drift]) -> String {
    let shown: String =
        findings(settled).iter().map(|it| format!("{}\n", it.text.trim_end())).collect();
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
