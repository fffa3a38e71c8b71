//! `wait`: until the server answers, can be written to, or is migrated.

use std::time::{Duration, Instant};

use super::check::migrations;
use super::database::Database;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::{Goal, RunArgs, Wait};
use crate::connection::{Connection, Purpose};
use crate::exit::Exit;

/// Between two questions. A server that starts is asked a few times, and one that is busy not much.
const PAUSE: Duration = Duration::from_millis(300);

pub(crate) async fn wait(args: &Wait, database: &Database<'_>) -> Outcome {
    let begun = Instant::now();
    let purpose = if args.goal == Goal::Primary { Purpose::Primary } else { Purpose::Any };
    let connection = Connection::prepare(database.args, purpose)?;
    until(args.timeout, args.goal, database, &connection).await?;
    let waited = begun.elapsed().as_millis();
    let text = format!("{} after {} s\n", reached(args.goal), waited / 1000);
    let waited = u64::try_from(waited).unwrap_or(u64::MAX);
    Ok(Answer::new(text).field("waited_ms", waited))
}

/// Waits for a server that answers, where a command looks before it writes and is to wait for a server
/// to write to. Whether it can be written to matters only then.
pub(super) async fn for_a_look(
    args: &RunArgs,
    database: &Database<'_>,
    connection: &Connection,
) -> Result<(), Box<Failure>> {
    if args.wait_for_primary == 0 {
        return Ok(());
    }
    until(args.wait_for_primary, Goal::Server, database, connection).await
}

/// Waits so many seconds.
async fn until(
    seconds: u64,
    goal: Goal,
    database: &Database<'_>,
    connection: &Connection,
) -> Result<(), Box<Failure>> {
    let (begun, limit) = (Instant::now(), Duration::from_secs(seconds));
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        // Nothing is asked for longer than there is time.
        let asked = tokio::time::timeout(left.max(PAUSE), ask(goal, database, connection));
        let not_yet = match asked.await {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(not_yet))) => Some(not_yet),
            Ok(Err(failure)) if is_final(&failure) => return Err(failure),
            Ok(Err(failure)) => Some(failure),
            Err(_) => None,
        };
        if begun.elapsed() + PAUSE >= limit {
            let failure = not_yet.unwrap_or_else(|| {
                let headline = "the server did not answer";
                Box::new(
                    Failure::new(Exit::Database, headline)
                        .note(format!("tried {}", connection.described)),
                )
            });
            return Err(Box::new(failure.note(format!("waited for {seconds} s"))));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Nothing when it is reached, else why not.
async fn ask(
    goal: Goal,
    database: &Database<'_>,
    connection: &Connection,
) -> Result<Option<Box<Failure>>, Box<Failure>> {
    if goal != Goal::Migrated {
        return connection.try_once().await.map(|()| None);
    }
    let status = database.migrator().status(&connection.pool).await;
    let status = status.map_err(|error| connection.explain(error))?;
    if !status.drift().is_empty() {
        return Failure::new(Exit::Drift, "the database and the migrations disagree")
            .help("`verify` shows about what")
            .into();
    }
    let n = status.n_pending();
    Ok((n > 0).then(|| {
        let verb = if n == 1 { "is" } else { "are" };
        Box::new(Failure::new(Exit::Pending, format!("{} {verb} pending", migrations(n))))
    }))
}

/// What waiting does not mend: a wrong password, a database that is not there, drift.
fn is_final(failure: &Failure) -> bool {
    // 57P03: the server is starting up. 53300: too many connections.
    let passes = |code: &str| matches!(code, "57P03" | "57P01" | "57P02" | "53300");
    failure.exit == Exit::Drift
        || failure.exit == Exit::Usage
        || failure.exit == Exit::Folder
        || failure.sqlstate.as_deref().is_some_and(|code| !passes(code))
}

const fn reached(goal: Goal) -> &'static str {
    match goal {
        Goal::Server => "the server answers",
        Goal::Primary => "the server can be written to",
        Goal::Migrated => "everything is applied",
    }
}
