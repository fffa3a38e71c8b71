//! `adopt`: takes over the history of another tool.

use std::cell::Cell;

use dunlin::{Adoption, Migrator, Origin, Place, Tool};

use super::adopt_scratch;
use super::adopt_shown::{besides, elsewhere, fields, in_place_besides, shown, will};
use super::database::{Database, Leaves, block_on_with};
use super::scratch::ScratchDatabase;
use super::status::{table, totals, with_status};
use super::wait;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::Adopt;
use crate::connection::Connection;
use crate::screen::Paint;
use crate::wording::argument;

/// What a person is to agree to when the older table itself becomes the history table.
const WILL_IN_PLACE: &str = "\
The tracking table gets the columns of the history table, and its rows stay as they are.
They count as applied and as unverified: nobody knows what their files were then.";

pub(crate) fn adopt(args: &Adopt, database: &Database<'_>) -> Outcome {
    let scratch = args.server.as_ref().map(|it| ScratchDatabase::of("adopt", it)).transpose()?;
    let leaves = Cell::new(Leaves::Nothing);
    let adopted = adopted(args, database, scratch.as_ref(), &leaves);
    let outcome = block_on_with(&leaves, adopted);
    match scratch {
        Some(scratch) => scratch.removed(outcome),
        None => outcome,
    }
}

/// `leaves` is told when something is about to be recorded.
async fn adopted(
    args: &Adopt,
    database: &Database<'_>,
    scratch: Option<&ScratchDatabase<'_>>,
    leaves: &Cell<Leaves>,
) -> Outcome {
    let connection = database.connect()?;
    wait::for_a_look(&args.run, database, &connection).await?;
    // Nobody is asked about what cannot be.
    connection.try_once().await?;
    let migrator = migrator(args, database);
    let origin = match args.from {
        Some(tool) => origin(tool, args.from_table.as_ref()),
        None => match recognised(&migrator, &connection).await? {
            Some(origin) if origin.is_in_place() => {
                return in_place(args, database, &connection, &origin, leaves).await;
            }
            Some(origin) => origin,
            None => return finish(database, &connection, None, "there is nothing to adopt").await,
        },
    };
    let adoption = migrator.adoption(&connection.pool, &origin).await;
    let adoption = adoption.map_err(|error| connection.explain(error))?;
    is_known(&args.accept, &adoption)?;
    if let Err(error) = adoption.allowed(true) {
        return Err(Box::new(with_fields(Failure::from_error(&error), &adoption)));
    }
    if adoption.is_nothing() {
        return finish(database, &connection, Some(&adoption), "there is nothing to adopt").await;
    }
    let adoption = if adoption.wants_rehearsal() && !args.unproved {
        adopt_scratch::rehearsed(database, scratch, &connection, &migrator, adoption).await?
    } else {
        adoption
    };
    if let Err(error) = adoption.allowed(args.unproved) {
        return Err(Box::new(with_fields(Failure::from_error(&error), &adoption)));
    }
    consented(args, database, &adoption, &will(database.screen.error_paint, &adoption))?;
    leaves.set(Leaves::Completed);
    let recorded = migrator.adopt_from(&connection.pool, &adoption).await;
    let n = recorded.map_err(|error| connection.explain(error))?;
    let said = format!("{n} recorded from {}", adoption.tool().name());
    finish(database, &connection, Some(&adoption), &said).await
}

fn migrator<'m>(args: &Adopt, database: &Database<'_>) -> Migrator<'m> {
    let migrator = database.runner(&args.run).unproved(args.unproved);
    args.accept.iter().fold(migrator, |migrator, name| migrator.accept(name))
}

/// Who vouches for a migration must have its name right.
fn is_known(accepted: &[String], adoption: &Adoption) -> Result<(), Box<Failure>> {
    let is_unknown = |name: &&String| !adoption.entries().iter().any(|it| it.name() == *name);
    let Some(unknown) = accepted.iter().find(is_unknown) else { return Ok(()) };
    let failure = Failure::usage(format!("there is no `{unknown}` to vouch for, here or there"))
        .note("nothing was changed");
    Err(Box::new(with_fields(failure, adoption)))
}

fn origin(tool: Tool, place: Option<&Place>) -> Origin {
    let origin = Origin::new(tool);
    let Some(Place { schema, table }) = place else { return origin };
    let origin = origin.table(table);
    schema.iter().fold(origin, Origin::schema)
}

/// The one history that this database has, if nobody has said which is meant.
async fn recognised(
    migrator: &Migrator<'_>,
    connection: &Connection,
) -> Result<Option<Origin>, Box<Failure>> {
    let origins = migrator.origins(&connection.pool).await;
    let origins = origins.map_err(|error| connection.explain(error))?;
    match origins.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            let failure = Failure::usage("this database has the histories of several tools")
                .note("nothing was changed");
            several
                .iter()
                .fold(failure, |failure, it| {
                    let (tool, table) = (it.tool(), argument(&it.shown()));
                    failure.help(format!("`--from {tool} --from-table {table}`"))
                })
                .into()
        }
    }
}

/// The older table itself becomes the history table, unproved. A row of something that is not here stays
/// a row, so it is shown before anybody agrees, and `verify` tells of it afterwards.
async fn in_place(
    args: &Adopt,
    database: &Database<'_>,
    connection: &Connection,
    origin: &Origin,
    leaves: &Cell<Leaves>,
) -> Outcome {
    let migrator = migrator(args, database).unproved(true);
    let adoption = migrator.adoption(&connection.pool, origin).await;
    let adoption = adoption.map_err(|error| connection.explain(error))?;
    is_known(&args.accept, &adoption)?;
    if let Err(error) = adoption.allowed(true) {
        return Err(Box::new(with_fields(Failure::from_error(&error), &adoption)));
    }
    let table = shown(database.screen.error_paint, &adoption);
    let will = format!("{table}{WILL_IN_PLACE}{}", in_place_besides(&adoption));
    consented(args, database, &adoption, &will)?;
    leaves.set(Leaves::Completed);
    // A table without rows gets its columns all the same.
    let adopted = if adoption.is_nothing() {
        migrator.adopt(&connection.pool).await
    } else {
        migrator.adopt_from(&connection.pool, &adoption).await.map(|_n| true)
    };
    let adopted = adopted.map_err(|error| connection.explain(error))?;
    let said = if adopted { "the table is adopted" } else { "there is nothing to adopt" };
    let answer = finish(database, connection, Some(&adoption), said).await?;
    Ok(answer.field("adopted", adopted))
}

/// Asks; a program that has not said yes is told what it would have said yes to.
fn consented(
    args: &Adopt,
    database: &Database<'_>,
    adoption: &Adoption,
    will: &str,
) -> Result<(), Box<Failure>> {
    database.consent(args.consent, will).map_err(|mut failure| {
        for (name, value) in fields(adoption) {
            let _none = failure.data.insert(name.to_owned(), value);
        }
        failure
    })
}

/// What there is now, behind what was done.
async fn finish(
    database: &Database<'_>,
    connection: &Connection,
    adoption: Option<&Adoption>,
    said: &str,
) -> Outcome {
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    let paint = database.screen.paint;
    let besides =
        adoption.map(|it| format!("{}{}", besides(it), elsewhere(it))).unwrap_or_default();
    let text = format!("{}{}{besides}{said}\n", table(paint, &status), totals(paint, &status));
    let n = adoption.map_or(0, Adoption::n_new);
    let answer = Answer::new(text).field("adopted", n > 0).field("recorded", n);
    let answer = match adoption {
        Some(adoption) => fields(adoption)
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.field(name, value)),
        None => answer,
    };
    Ok(with_status(answer, &status))
}

/// A failure that also says for programs what was found.
pub(super) fn with_fields(mut failure: Failure, adoption: &Adoption) -> Failure {
    for (name, value) in fields(adoption) {
        let _none = failure.data.insert(name.to_owned(), value);
    }
    failure.finding.text.push_str(&format!("\n\n{}", shown(Paint::PLAIN, adoption)));
    failure
}
