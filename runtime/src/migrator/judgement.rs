//! What is to be done in this database, and what stands against it.
//!
//! Separate from `plan` because edited texts are compared with those that the database keeps.

use super::Migrator;
use crate::drift::{Drift, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{History, State};
use crate::plan::{self, Plan, Target, UnknownTarget};
use crate::session::Session;

impl Migrator<'_> {
    pub(super) async fn read(&self, session: &Session<'_>) -> Result<(History, State)> {
        let glance = self.table.glance(session).await?;
        let state = glance.history.state(session, None, glance.summary.as_ref()).await?;
        Ok((glance.history, state))
    }

    pub(crate) async fn planned(
        &self,
        session: &Session<'_>,
        history: &History,
        state: &State,
        target: &Target,
    ) -> Result<Plan> {
        let drift = self.drift(session, history, state).await?;
        let (against, tolerated) = plan::judged(drift, self.policies);
        if !against.is_empty() {
            return Err(refused(against, self.registry));
        }
        let plan = plan::plan(self.registry, &state.applied, target);
        plan.map(|plan| Plan { tolerated, ..plan }).map_err(|it| unknown_target(&it))
    }

    /// Everything that stands against a run, each edited migration with what was edited.
    pub(crate) async fn drift(
        &self,
        session: &Session<'_>,
        history: &History,
        state: &State,
    ) -> Result<Vec<Drift>> {
        let mut drift = plan::drift(self.registry, &state.applied, self.policies);
        let changed: Vec<String> = drift
            .iter()
            .filter(|it| matches!(it, Drift::Changed { .. }))
            .map(|it| it.name().to_owned())
            .collect();
        let names: Vec<&str> = changed.iter().map(String::as_str).collect();
        for texts in history.texts(session, &names).await? {
            let (Some(applied), Some(migration)) =
                (texts.up.as_deref(), self.registry.get(&texts.name))
            else {
                continue;
            };
            for it in drift.iter_mut().filter(|it| it.name() == texts.name) {
                it.compare(applied, migration.text());
            }
        }
        Ok(drift)
    }
}

pub(crate) fn unknown_target(target: &UnknownTarget) -> Error {
    let error = match target {
        UnknownTarget::Name(name) => Error::new(
            ErrorKind::Target,
            format!("no migration is called `{name}` or has that version"),
        )
        .help("`status` lists the names"),
        UnknownTarget::Back(n) => Error::new(
            ErrorKind::Target,
            "a number means so many migrations back, and `apply` goes forward",
        )
        .help(format!("write a version as text: `\"{n}\"`"))
        .help("to undo, use `roll_back`"),
    };
    error.note("nothing was changed")
}
