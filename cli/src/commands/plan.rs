//! `plan`: what `up` would do.

use dunlin::Step;
use dunlin_core::lexer::lex;
use dunlin_core::statement::split;
use serde_json::{Value, json};

use super::check::count;
use super::database::Database;
use crate::answer::{Answer, Outcome};
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
    let paint = database.screen.paint;
    let mut text: String = plan.steps().iter().map(|step| shown(paint, step)).collect();
    if plan.is_empty() {
        text.push_str("nothing to do\n");
    } else {
        text.push_str(&format!("{} to run\n", count(plan.steps().len(), "migration")));
    }
    if !plan.ahead().is_empty() {
        text.push_str(&format!("the database is ahead by {}\n", plan.ahead().join(", ")));
    }
    let steps: Vec<_> = plan.steps().iter().map(step).collect();
    let exit = if args.exit_code && !plan.is_empty() { Exit::Pending } else { Exit::Ok };
    Ok(Answer::new(text).exit(exit).field("steps", steps).field("ahead", plan.ahead()))
}

/// The statements of a migration, one line each; none of one in Rust.
fn statements(step: &Step) -> Vec<String> {
    let migration = step.migration();
    if migration.path().ends_with(".rs") {
        return Vec::new();
    }
    let text = migration.text();
    let lexed = lex(text);
    split(text, &lexed).iter().map(|it| it.headline(text)).collect()
}

fn shown(paint: Paint, step: &Step) -> String {
    let migration = step.migration();
    let late = if step.is_late() { "  (late: something newer is applied)" } else { "" };
    let name = paint.paint(Tone::Strong, migration.name()).into_owned();
    let mut text = format!("{name}  {}{late}\n", paint.paint(Tone::Quiet, migration.path()));
    if migration.path().ends_with(".rs") {
        text.push_str("    in Rust: what it does is known when it runs\n");
    }
    for statement in statements(step) {
        text.push_str(&format!("    {statement}\n"));
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
        "statements": statements(step),
    })
}
