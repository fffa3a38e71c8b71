//! An older tracking table that becomes the history table in its place.

use super::Migrator;
use crate::duplicates;
use crate::error::Result;
use crate::history::Glance;
use crate::log::{Action, Outcome};
use crate::session::Session;

impl Migrator<'_> {
    /// Gives the table the other columns, and says whether there was one that lacks them.
    pub(super) async fn take_over(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
    ) -> Result<bool> {
        let mut history = glance.history.clone();
        let Some(state) = self.locked_plain(session, glance).await? else { return Ok(false) };
        duplicates::refuse(session, &history, |name| name).await?;
        let creation = history.begin_log(&state)?;
        let entry =
            history.log().map(|log| log.entry(Action::Adopt, Outcome::Done, None, None, None));
        let changes: Vec<_> =
            std::iter::once(history.adopt()).chain(creation).chain(entry).collect();
        let doing = format!("adopting the tracking table {}", history.qualified);
        self.change(session, &doing, &changes).await?;
        Ok(true)
    }
}
