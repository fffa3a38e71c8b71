//! An older tracking table that becomes the history table in its place.

use crate::duplicates;
use crate::error::{Error, Result};
use crate::history::History;
use crate::log::{Action, Outcome};
use crate::session::Session;

pub(super) async fn take_over(session: &Session<'_>, history: &mut History) -> Result<bool> {
    let Some(state) = history.plain(session).await? else { return Ok(false) };
    duplicates::refuse(session, history, |name| name).await?;
    let creation = history.begin_log(&state)?;
    let entry = history.log().map(|log| log.entry(Action::Adopt, Outcome::Done, None, None, None));
    // One message without transaction control is one transaction (manual, 55.2.2.1).
    let statements: Vec<_> =
        std::iter::once(history.adopt()).chain(creation).chain(entry).collect();
    let doing = format!("adopting the tracking table {}", history.qualified);
    let result = session.run(&statements.join("; ")).await;
    result.map_err(|error| Error::from_postgres(&doing, error).note("nothing was changed"))?;
    Ok(true)
}
