//! `status`: the build and the database side by side.

use dunlin::{Entry, Origin, State, Status};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::database::Database;
use crate::answer::{Answer, Outcome};
use crate::args::Status as Args;
use crate::connection::Connection;
use crate::drift;
use crate::exit::Exit;
use crate::moment::{length, readable, rfc3339};
use crate::screen::{Paint, Tone};

pub(crate) async fn status(args: &Args, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let found = database.migrator().status(&connection.pool).await;
    let status = found.map_err(|error| connection.explain(error))?;
    let exit = match (args.exit_code, status.drift().is_empty(), status.n_pending()) {
        (true, false, _) => Exit::Drift,
        (true, true, 1..) => Exit::Pending,
        _ => Exit::Ok,
    };
    let paint = database.screen.paint;
    let mut text = table(paint, &status);
    text.push_str(&totals(paint, &status));
    if !status.drift().is_empty() {
        text.push_str("`verify` shows what was applied against what is here\n");
    }
    if status.n_applied() == 0 {
        text.push_str(&other_histories(database, &connection).await);
    }
    // What a person reads is the table; the findings are for programs.
    let answer = with_status(Answer::new(text).exit(exit), &status);
    let is_human = database.screen.format == crate::args::Format::Human;
    let findings = if is_human { Vec::new() } else { drift::findings(status.drift()) };
    Ok(answer.findings(findings))
}

/// The histories of other tools: who sees everything pending may have forgotten to move in.
pub(super) async fn other_histories(database: &Database<'_>, connection: &Connection) -> String {
    let found = database.migrator().origins(&connection.pool).await;
    // It is only a hint.
    let origins = found.unwrap_or_default();
    let line = |it: &Origin| {
        let (tool, table) = (it.tool().name(), it.shown());
        format!("this database has a history of {tool} ({table}): `adopt` takes it over\n")
    };
    origins.iter().map(line).collect()
}

/// The fields that say what is where.
pub(super) fn with_status(answer: Answer, status: &Status) -> Answer {
    let migrations: Vec<_> = status.entries().iter().map(entry).collect();
    answer
        .field("history_exists", status.history_exists())
        .field("migrations", migrations)
        .field("applied", status.n_applied())
        .field("pending", status.n_pending())
        .field("drift", drift::fields(status.drift()))
}

fn entry(entry: &Entry) -> Value {
    let row = entry.applied();
    json!({
        "name": entry.name(),
        "state": entry.state().as_str(),
        "path": entry.migration().map(|it| it.path()),
        "checksum": entry.migration().map(|it| it.checksum().to_string()),
        "recorded_checksum": row.and_then(|it| it.checksum()),
        "executed_at": row.and_then(|it| it.executed_at()).and_then(rfc3339),
        "duration_ms": row.and_then(|it| it.duration()).and_then(|it| u64::try_from(it.as_millis()).ok()),
        "applied_by": row.and_then(|it| it.applied_by()),
        "application": row.and_then(|it| it.application()),
        "kind": row.and_then(|it| it.kind()),
    })
}

pub(super) fn table(paint: Paint, status: &Status) -> String {
    let mut rows =
        vec![["state", "migration", "applied at (UTC)", "by", "took"].map(str::to_owned)];
    rows.extend(status.entries().iter().map(|entry| {
        let row = entry.applied();
        let at = row.and_then(|it| it.executed_at()).map_or_else(String::new, readable);
        let by = row.and_then(|it| it.applied_by()).unwrap_or_default().to_owned();
        let took = row.and_then(|it| it.duration()).map_or_else(String::new, length);
        [entry.state().as_str().to_owned(), entry.name().to_owned(), at, by, took]
    }));
    let tone = |index: usize| status.entries().get(index).map(|it| tone(it.state()));
    columns(paint, &rows, tone)
}

/// Rows under a head, in columns. `tone` is that of the first cell of a row, the head not counted.
pub(super) fn columns<const N: usize>(
    paint: Paint,
    rows: &[[String; N]],
    tone: impl Fn(usize) -> Option<Tone>,
) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<_> = (0..N).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let tone = match (index.checked_sub(1), column) {
                (None, _) => Some(Tone::Quiet),
                (Some(index), 0) => tone(index),
                _ => None,
            };
            let shown = tone.map_or(cell.as_str().into(), |tone| paint.paint(tone, cell));
            line.push_str(&shown);
            line.push_str(&" ".repeat(widths[column] - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

const fn tone(state: State) -> Tone {
    match state {
        State::Applied | State::Unverified => Tone::Good,
        State::Pending | State::Late | State::Unfinished | State::Ahead => Tone::Waiting,
        _ => Tone::Bad,
    }
}

/// `14 migrations: 13 applied, 1 pending`
pub(super) fn totals(paint: Paint, status: &Status) -> String {
    let sign = if paint.signs { "📊 " } else { "" };
    let n = status.entries().len();
    let mut parts =
        vec![format!("{} applied", status.n_applied()), format!("{} pending", status.n_pending())];
    for state in [State::Changed, State::Missing, State::Ahead, State::Unverified] {
        if status.count(state) > 0 {
            parts.push(format!("{} {}", status.count(state), state.as_str()));
        }
    }
    let table = if status.history_exists() { "" } else { " (there is no history table yet)" };
    format!("{sign}Total migrations: {n} ({}){table}\n", parts.join(", "))
}
