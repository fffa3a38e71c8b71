//! `plan`: what `up` would do.

use std::collections::{BTreeMap, BTreeSet};

use dunlin::{Step, Target};
use dunlin_core::lexer::lex;
use dunlin_core::statement::{LockMode, Verb, locks, split};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::check::count;
use super::database::Database;
use super::status::other_histories;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::Plan;
use crate::exit::Exit;
use crate::screen::{Paint, Tone};

pub(crate) async fn plan(args: &Plan, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let migrator = database.migrator();
    let found = match &args.to {
        Some(to) => migrator.plan_to(&connection.pool, to.as_str()).await,
        None => migrator.plan(&connection.pool).await,
    };
    let plan = found.map_err(|error| connection.explain(error))?;
    let exit = if args.exit_code && !plan.is_empty() { Exit::Pending } else { Exit::Ok };
    // As many as there are: nothing is applied yet.
    let is_first = !plan.is_empty() && plan.steps().len() == database.registry.len();
    let others =
        if is_first { other_histories(database, &connection).await } else { String::new() };
    if args.sql {
        can_be_written(&plan)?;
        let target = args.to.clone().map_or(Target::Latest, Target::To);
        let script = migrator.script(&connection.pool, target).await;
        let script = script.map_err(|error| connection.explain(error))?;
        let others = others.lines().map(|line| format!("-- {line}\n"));
        let script = others.collect::<String>() + &script;
        return Ok(Answer::new(script.clone()).exit(exit).field("sql", script));
    }
    let paint = database.screen.paint;
    let mut text: String = plan.steps().iter().map(|step| shown(paint, step)).collect();
    let tables = tables(plan.steps());
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    } else {
        text.push_str(&format!("{} to run\n", count(plan.steps().len(), "migration")));
        text.extend(tables.iter().map(|(table, mode)| {
            let tone = tone(*mode);
            format!("    {}\n", paint.paint(tone, &format!("{table}: at most {}", mode.words())))
        }));
    }
    if !plan.ahead().is_empty() {
        text.push_str(&format!("the database is ahead by {}\n", plan.ahead().join(", ")));
    }
    text.push_str(&others);
    let steps: Vec<_> = plan.steps().iter().map(step).collect();
    let tables = tables.into_iter().map(|(relation, mode)| ShownLock { relation, mode });
    let tables: Vec<_> = tables.collect();
    let answer = Answer::new(text).exit(exit).field("steps", steps).field("tables", tables);
    Ok(answer.field("ahead", plan.ahead()))
}

/// A migration in Rust is no SQL.
fn can_be_written(plan: &dunlin::Plan) -> Result<(), Box<Failure>> {
    let mut names = plan.steps().iter().map(Step::migration);
    let Some(migration) = names.find(|it| it.path().ends_with(".rs")) else { return Ok(()) };
    let headline = format!("`{}` is in Rust and cannot be written as SQL", migration.name());
    Failure::new(Exit::Folder, headline)
        .help("write the script up to the one before it: `plan --sql --to <name>`")
        .into()
}

/// A statement as a plan shows it.
#[derive(Debug, Serialize)]
struct Shown {
    /// Its first line.
    sql: String,
    locks: Vec<ShownLock>,
}

#[derive(Debug, Serialize)]
struct ShownLock {
    relation: String,
    #[serde(serialize_with = "in_words")]
    mode: LockMode,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde passes")]
fn in_words<S: Serializer>(mode: &LockMode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.words())
}

/// Every table that is there before and is touched, with the strongest lock on it.
fn tables(steps: &[Step]) -> BTreeMap<String, LockMode> {
    let mut tables = BTreeMap::new();
    let mut made = BTreeSet::new();
    for step in steps {
        let found = statements(step, &mut made).into_iter().flat_map(|it| it.locks);
        for ShownLock { relation, mode } in found {
            let strongest = tables.entry(relation).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    tables
}

/// What keeps everybody out is bad news.
fn tone(mode: LockMode) -> Tone {
    if mode == LockMode::AccessExclusive { Tone::Bad } else { Tone::Quiet }
}

/// The statements of a migration; none of one in Rust.
/// What was `made` before, nobody else can be waiting for.
fn statements(step: &Step, made: &mut BTreeSet<String>) -> Vec<Shown> {
    let migration = step.migration();
    if migration.path().ends_with(".rs") {
        return Vec::new();
    }
    let text = migration.text();
    let lexed = lex(text);
    let mut shown = Vec::new();
    for statement in split(text, &lexed) {
        let found = locks(text, &lexed, &statement);
        let found = found.into_iter().filter(|it| !made.contains(&it.relation));
        let locks = found.map(|it| ShownLock { relation: it.relation, mode: it.mode });
        shown.push(Shown { sql: statement.headline(text), locks: locks.collect() });
        let created = statement.effects.into_iter().filter(|it| it.verb == Verb::Created);
        made.extend(created.filter_map(|it| it.name));
    }
    shown
}

fn shown(paint: Paint, step: &Step) -> String {
    let migration = step.migration();
    let late = if step.is_late() { "  (late: something newer is applied)" } else { "" };
    let name = paint.paint(Tone::Strong, migration.name()).into_owned();
    let mut text = format!("{name}  {}{late}\n", paint.paint(Tone::Quiet, migration.path()));
    if migration.path().ends_with(".rs") {
        text.push_str("    in Rust: what it does is known when it runs\n");
    }
    for Shown { sql, locks } in statements(step, &mut BTreeSet::new()) {
        text.push_str(&format!("    {sql}\n"));
        for ShownLock { relation, mode } in locks {
            let lock = format!("locks {relation}: {}", mode.words());
            text.push_str(&format!("        {}\n", paint.paint(tone(mode), &lock)));
        }
    }
    text
}

fn step(step: &Step) -> Value {
    let migration = step.migration();
    json!({
        "name": migration.name(),
        "path": migration.path(),
        "late": step.is_late(),
        "undo": migration.has_undo(),
        "statements": statements(step, &mut BTreeSet::new()),
    })
}
