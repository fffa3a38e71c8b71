//! What is said when a history is not taken over: everything that stands against it, and the ways out.

use dunlin_core::adopt::Tool;

use super::adoption::{Adopting, Adoption, AdoptionState, Rehearsed};
use crate::clock::utc;
use crate::error::{Error, ErrorKind};
use crate::inventory::Difference;

/// How many things that a database has besides are told one by one.
const N_BESIDES: usize = 10;

/// The error about everything that stands against it.
pub(super) fn refused(adoption: &Adoption) -> Error {
    let against: Vec<&Adopting> = adoption.against().collect();
    let tool = adoption.tool;
    let n = against.len();
    let what = match (tool, adoption.table()) {
        (Tool::Table, Some(table)) => format!("table {table}"),
        _ => tool.history(),
    };
    let headline = match against.as_slice() {
        [one] => format!("`{}` stands against taking over the {what}", one.name),
        _ => format!("{n} migrations stand against taking over the {what}"),
    };
    let error = against
        .iter()
        .fold(Error::new(ErrorKind::Drift, headline), |error, it| error.body(described(tool, it)))
        .note("nothing was changed");
    advice(tool, &against).into_iter().fold(error, Error::help)
}

/// The block about one.
fn described(tool: Tool, it: &Adopting) -> String {
    let record = it.record();
    let when = record.and_then(|it| it.executed_at).map(|at| format!(" on {}", utc(at)));
    let when = when.unwrap_or_default();
    let known_as = record.map(|it| it.description.as_str()).filter(|it| !it.is_empty());
    let known_as = known_as.map(|it| format!(" ({it})")).unwrap_or_default();
    let (name, who) = (&it.name, tool.name());
    // Nobody knows what has written an older table.
    let (by, of) = match tool {
        Tool::Table => (String::new(), String::new()),
        _ => (format!(" by {who}"), format!(" of {who}")),
    };
    let place = it.migration.map(|it| format!(" --> {}:1:1\n", it.path())).unwrap_or_default();
    match it.state {
        AdoptionState::Changed => {
            let sum = tool.checksum().unwrap_or("checksum");
            let recorded = record.and_then(|it| it.sum.as_deref()).unwrap_or_default();
            let here = it.detail.as_deref().unwrap_or_default();
            format!(
                "changed: `{name}` is not the file that {who} applied{when}\n{place}  recorded {sum}: {recorded}\n  of the file here: {here}\n"
            )
        }
        AdoptionState::NotHere if tool.counts_up() => {
            format!(
                "not here: the database is at version {name} of {who}, and no migration here has it\n"
            )
        }
        AdoptionState::NotHere
            if record.is_some_and(|it| it.key.is_none() && known_as.is_empty()) =>
        {
            format!("not here: a row without a name, written{when}\n")
        }
        AdoptionState::NotHere => {
            format!(
                "not here: `{name}`{known_as} was applied{by}{when}, and is no migration here\n"
            )
        }
        AdoptionState::Ambiguous => {
            let names = it.detail.as_deref().unwrap_or_default();
            format!("ambiguous: `{name}`{known_as}{of} could be any of {names}\n")
        }
        AdoptionState::Failed if tool == Tool::GolangMigrate => {
            format!(
                "failed: `{name}` is dirty: it failed in {who}, and nobody knows what of it took effect\n{place}"
            )
        }
        AdoptionState::Failed => {
            format!("failed: `{name}`{known_as} failed in {who}{when}\n{place}")
        }
        _ => format!(
            "unfinished: `{name}`{known_as} was begun by {who}{when}, and its end is not recorded\n{place}"
        ),
    }
}

/// What to do about each kind that is present.
fn advice(tool: Tool, against: &[&Adopting]) -> Vec<String> {
    let first = |state: AdoptionState| against.iter().find(|it| it.state == state);
    let mut advice = Vec::new();
    if let Some(it) = first(AdoptionState::Changed) {
        advice.push(
            "restore the file as it was applied; LF and CRLF were tried, with and without a byte order mark, but not a mixture"
                .to_owned(),
        );
        advice.push(format!(
            "if you know that the edit changes nothing, vouch for it: `Migrator::accept(\"{}\")` records it as unverified",
            it.name
        ));
    }
    if let Some(it) = first(AdoptionState::NotHere) {
        advice.push("put the file back, under the name it had".to_owned());
        let rest = if tool.counts_up() {
            "what is older and here counts as applied, and what it did stays in the database"
        } else {
            "what it did stays in the database"
        };
        advice.push(format!(
            "or leave it out of the new history: `Migrator::accept(\"{}\")`; {rest}",
            it.name
        ));
    }
    if first(AdoptionState::Ambiguous).is_some() {
        advice.push("give each migration a version of its own".to_owned());
    }
    if first(AdoptionState::Failed).or(first(AdoptionState::Unfinished)).is_some() {
        advice.push(settle(tool).to_owned());
    }
    advice
}

/// How a tool is told what became of a migration.
const fn settle(tool: Tool) -> &'static str {
    match tool {
        Tool::GolangMigrate => {
            "settle it in golang-migrate first: mend the schema, then `migrate ... force <version>` to the version it really has"
        }
        Tool::Flyway => {
            "settle it in Flyway first: mend the schema, then `flyway repair` removes the failed row"
        }
        Tool::Prisma => {
            "settle it in Prisma first: `prisma migrate resolve --applied <name>` if it is all there, `--rolled-back <name>` if nothing is"
        }
        Tool::Sqlx => {
            "settle it in sqlx first: mend the schema, then delete its row, or set `success` if it is all there"
        }
        _ => "settle it with that tool first, so that its history says what the database has",
    }
}

/// The error about a schema that is not what the migrations make.
pub(super) fn differs(adoption: &Adoption, rehearsed: &Rehearsed) -> Error {
    let Rehearsed { differences, server_major } = rehearsed;
    let (against, besides): (Vec<&Difference>, Vec<&Difference>) =
        differences.iter().partition(|it| it.stands_against());
    let n = against.len();
    let things = if n == 1 { "thing" } else { "things" };
    let headline =
        format!("the database is not what the recorded migrations make: {n} {things} differ");
    let headline = if n == 1 { headline.replace("differ", "differs") } else { headline };
    let error = against
        .iter()
        .chain(besides.iter().take(N_BESIDES))
        .fold(Error::new(ErrorKind::Drift, headline), |error, it| error.body(it.described()));
    let error = match besides.len().checked_sub(N_BESIDES) {
        Some(more @ 1..) => error.note(format!("and {more} more things that no migration makes")),
        _ => error,
    };
    let error = match (adoption.server_major, *server_major) {
        (one, other) if one != other => error.note(format!(
            "the database is on PostgreSQL {one} and the scratch server on {other}, which write some definitions differently"
        )),
        _ => error,
    };
    error
        .note("the recorded migrations were run on a scratch server and its schema was compared; nothing was changed in the database")
        .help("if the migrations are right, make the database so by hand, and start again")
        .help("if the database is right, somebody has edited a migration or changed the schema by hand: make the files what was applied, or add a migration for the difference after moving in")
        .help("if you know that the difference does no harm: `Migrator::unproved` records the migrations as unverified")
}

/// The error about a scratch database that somebody uses.
pub(super) fn not_empty(object: &str) -> Error {
    Error::new(ErrorKind::Target, format!("the scratch database is not empty: it has {object}"))
        .note("migrations are run on it, so it must be nobody's; nothing was changed")
        .help("name a new database, which may be dropped afterwards")
}

/// The error when nothing proves what would be recorded.
pub(super) fn unproved(adoption: &Adoption) -> Error {
    let n =
        adoption.entries.iter().filter(|it| it.state == AdoptionState::Found && it.proof.is_none());
    let applied = match adoption.tool {
        Tool::Table => "were applied".to_owned(),
        tool => format!("{} applied", tool.name()),
    };
    let headline =
        format!("nothing proves that {} migrations here are those that {applied}", n.count());
    Error::new(ErrorKind::Drift, headline)
        .note("nothing was changed; there is no checksum of them")
        .help("compare what they make with the database: `Migrator::rehearse`")
        .help("or record them as unverified: `Migrator::unproved`")
}
