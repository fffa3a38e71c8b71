//! `unlock`: ends the session that holds the migration lock.

use dunlin::Holder;
use serde_json::{Value, json};

use super::database::Database;
use crate::answer::{Answer, Outcome};
use crate::args::Unlock;

pub(crate) async fn unlock(args: &Unlock, database: &Database<'_>) -> Outcome {
    let connection = database.connect()?;
    let migrator = database.migrator();
    let holder = migrator.lock_holder(&connection.pool).await;
    let holder = holder.map_err(|error| connection.explain(error))?;
    let Some(holder) = holder else {
        let answer = Answer::new("nobody holds the migration lock\n");
        return Ok(answer.field("unlocked", false).field("holder", Value::Null));
    };
    database.consent(args.consent, &will(&holder))?;
    // Only the session that was shown: another one may hold the lock by now.
    let unlocked = migrator.unlock(&connection.pool, holder.pid).await;
    let unlocked = unlocked.map_err(|error| connection.explain(error))?;
    let what = if unlocked { "ended" } else { "it no longer holds the lock; nothing was ended" };
    let text = format!("{holder}\n{what}\n");
    Ok(Answer::new(text).field("unlocked", unlocked).field("holder", field(&holder)))
}

/// What a person is to agree to.
fn will(holder: &Holder) -> String {
    format!(
        "The migration lock is held by\n    {holder}\n\
         Its session will be ended. A transaction it is in the middle of is rolled back."
    )
}

fn field(holder: &Holder) -> Value {
    json!({
        "pid": holder.pid,
        "user": holder.user,
        "application": holder.application,
        "host": holder.host,
        "session_seconds": holder.session_seconds,
        "state": holder.state,
        "query": holder.query,
    })
}
