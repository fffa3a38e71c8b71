//! What taking over a history would do, for people and for programs.

use dunlin::{Adopting, Adoption, AdoptionState, Difference, Proof, Tool};
use serde_json::{Value, json};

use super::check::migrations;
use super::status::columns;
use crate::moment::{readable, rfc3339};
use crate::screen::{Paint, Tone};

/// How many things that a database has besides are told one by one.
const N_WARNED: usize = 10;

/// The table: whose history it is, and each migration.
pub(super) fn shown(paint: Paint, adoption: &Adoption) -> String {
    let from = adoption.table().map_or_else(String::new, |table| match adoption.tool() {
        Tool::Table => format!("from the table {table}:\n"),
        tool => format!("from {}, table {table}:\n", tool.name()),
    });
    let head = ["state", "migration", "applied there (UTC)", "by", "proof"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(adoption.entries().iter().map(|it| row(adoption, it)));
    let tone = |index: usize| adoption.entries().get(index).map(|it| tone(it.state()));
    format!("{from}{}", columns(paint, &rows, tone))
}

fn row(adoption: &Adoption, it: &Adopting) -> [String; 5] {
    let record = it.record();
    let at = record.and_then(|it| it.executed_at).map_or_else(String::new, readable);
    let by = record.and_then(|it| it.applied_by.clone()).unwrap_or_default();
    let proof = match (it.state(), it.proof()) {
        (_, Some(Proof::Checksum)) => adoption.tool().checksum().unwrap_or("checksum").to_owned(),
        (_, Some(_)) => "the schema".to_owned(),
        (AdoptionState::Found | AdoptionState::Accepted, None) => "none".to_owned(),
        (_, None) => String::new(),
    };
    [it.state().as_str().to_owned(), called(it), at, by, proof]
}

const fn tone(state: AdoptionState) -> Tone {
    match state {
        AdoptionState::Found | AdoptionState::Known => Tone::Good,
        it if it.stands_against() => Tone::Bad,
        _ => Tone::Waiting,
    }
}

/// What a person is to agree to.
pub(super) fn will(paint: Paint, adoption: &Adoption) -> String {
    let n = adoption.n_new();
    let is_unproved = |it: &&Adopting| {
        matches!(it.state(), AdoptionState::Found | AdoptionState::Accepted) && it.proof().is_none()
    };
    let n_unproved = adoption.entries().iter().filter(is_unproved).count();
    let mut text = shown(paint, adoption);
    text.push_str(&besides(adoption));
    text.push_str(&format!("{} will be recorded as applied without being run", migrations(n)));
    match n_unproved {
        0 => text.push('.'),
        _ => text.push_str(&format!(", {n_unproved} of them as unverified.")),
    }
    if n_unproved > 0 && adoption.is_rehearsed() {
        text.push_str(
            "\nUnverified are those whose work does not show in the schema, or no more: data, privileges, what was changed again.",
        );
    }
    if adoption.is_in_place() {
        text.push_str("\nThe table itself becomes the history table: it gets more columns.");
        text.push_str(&in_place_besides(adoption));
    } else {
        text.push_str(
            "\nThe other tool's table is not touched. From then on migrate with this one alone.",
        );
    }
    text
}

/// What becomes of the rows of a table that is taken over in place and that are no migrations here.
pub(super) fn in_place_besides(adoption: &Adoption) -> String {
    let is_left_out = |it: &&Adopting| it.state() == AdoptionState::LeftOut;
    match adoption.entries().iter().filter(is_left_out).count() {
        0 => String::new(),
        1 => "\nBut the row that is left out is deleted; the log keeps its name.".to_owned(),
        n => {
            format!("\nBut the {n} rows that are left out are deleted; the log keeps their names.")
        }
    }
}

/// What is recorded there alone and was left out before: it is told whenever somebody asks.
pub(super) fn elsewhere(adoption: &Adoption) -> String {
    if !adoption.is_nothing() {
        return String::new();
    }
    let is_there = |it: &&Adopting| it.state() == AdoptionState::NotHere;
    let line = |it: &Adopting| format!("not here: {} is recorded there alone\n", called(it));
    adoption.entries().iter().filter(is_there).map(line).collect()
}

/// The name here; of what is recorded there alone also what the row calls it.
fn called(it: &Adopting) -> String {
    let description = it.record().map(|it| it.description.as_str()).unwrap_or_default();
    let is_more = it.migration().is_none() && !description.is_empty() && description != it.name();
    if is_more { format!("{} ({description})", it.name()) } else { it.name().to_owned() }
}

/// What the database has and no migration makes.
pub(super) fn besides(adoption: &Adoption) -> String {
    let differences = adoption.differences();
    let line = |it: &&Difference| format!("besides: {} {}\n", it.object(), it.besides());
    // What will be in the way of a pending migration is told before the rest.
    let (urgent, others): (Vec<&Difference>, Vec<&Difference>) =
        differences.iter().partition(|it| it.pending().is_some());
    let mut text: String = urgent.iter().chain(others.iter().take(N_WARNED)).map(line).collect();
    if let Some(more @ 1..) = others.len().checked_sub(N_WARNED) {
        text.push_str(&format!("besides: {more} more\n"));
    }
    text
}

/// The same as fields.
pub(super) fn fields(adoption: &Adoption) -> [(&'static str, Value); 3] {
    let entries: Vec<_> = adoption.entries().iter().map(entry).collect();
    let differences: Vec<_> = adoption.differences().iter().map(difference).collect();
    let from = json!({ "tool": adoption.tool().id(), "table": adoption.table() });
    [("from", from), ("entries", entries.into()), ("differences", differences.into())]
}

fn entry(it: &Adopting) -> Value {
    let record = it.record();
    json!({
        "name": it.name(),
        "state": it.state().as_str(),
        "path": it.migration().map(|it| it.path()),
        "proof": it.proof().map(Proof::as_str),
        "key": record.and_then(|it| it.key.clone()),
        "description": record.map(|it| it.description.clone()),
        "recorded_checksum": record.and_then(|it| it.sum.clone()),
        "executed_at": record.and_then(|it| it.executed_at).and_then(rfc3339),
        "applied_by": record.and_then(|it| it.applied_by.clone()),
    })
}

fn difference(it: &Difference) -> Value {
    json!({
        "object": it.object(),
        "expected": it.expected(),
        "found": it.found(),
        "dropped_by": it.dropped_by(),
        "pending": it.pending(),
        "stands_against": it.stands_against(),
    })
}
