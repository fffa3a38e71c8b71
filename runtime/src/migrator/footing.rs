//! What a verb that writes stands on: the lock, the state under it, and a history table; and giving
//! the lock back.

use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

use super::Migrator;
use crate::error::{Error, Result, is_lost};
use crate::event::Event;
use crate::execute_failure::tried;
use crate::history::{Glance, History, State};
use crate::lock;
use crate::session::Session;
use crate::shape::OTHER_NAME;
use crate::watch::Onlooker;

/// What a pooler has done.
const ELSEWHERE: &str = "another session answers than the one that was given the lock";

impl Migrator<'_> {
    /// Takes the lock and reads the state again under it.
    pub(crate) async fn locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        onlooker: &Onlooker,
    ) -> Result<State> {
        glance.writable()?;
        let key = lock::key(&glance.history.lock_name(&glance.database));
        lock::acquire(session, key, self.lock_wait, &*self.observer, onlooker).await?;
        let state = glance.history.state(session, Some(key), glance.summary.as_ref()).await?;
        if !state.holds_lock {
            return Err(lock::behind_pooler(
                "the migration lock was granted, but this session does not hold it",
            ));
        }
        self.prepare(session, &state).await?;
        Ok(state)
    }

    /// The same of an older tracking table; nothing if there is none.
    pub(crate) async fn locked_plain(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
    ) -> Result<Option<State>> {
        let key = lock::key(&glance.history.lock_name(&glance.database));
        let (wait, alone) = (self.lock_wait, Onlooker::default());
        lock::acquire(session, key, wait, &*self.observer, &alone).await?;
        let state = glance.history.plain(session).await?;
        if let Some(state) = &state {
            self.prepare(session, state).await?;
        }
        Ok(state)
    }

    /// Gives a session that has the lock the settings it needs to write.
    pub(crate) async fn prepare(&self, session: &mut Session<'_>, state: &State) -> Result<()> {
        // Otherwise the settings and belongings it is to get back are those of another.
        if !session.has_lock_in(state.backend) {
            return Err(lock::behind_pooler(ELSEWHERE));
        }
        let undeclared = self.registry.undeclared_settings();
        let (settings, belongings) = (state.settings.clone(), state.belongings.clone());
        let lock_timeout = self.budget.lock_timeout;
        let prepared = session.prepare(settings, belongings, &undeclared, lock_timeout).await;
        prepared.map_err(|error| refused("preparing the session", error))
    }

    /// Changes in one transaction, which is tried again as a migration is if it cannot get its locks.
    pub(crate) async fn change(
        &self,
        session: &mut Session<'_>,
        doing: &str,
        changes: &[String],
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let guard = session.guard().map(|it| format!("SELECT {it}; ")).unwrap_or_default();
        let batch = format!("BEGIN READ WRITE; {guard}{}; COMMIT", changes.join("; "));
        let mut tries = self.budget.tries();
        loop {
            session.begins_transaction();
            let Err(error) = session.run(&batch).await else { break };
            let Some(pause) = tries.pause_after(&error) else {
                return Err(tried(
                    refused(doing, error).note("nothing was changed"),
                    tries.n_failed,
                ));
            };
            let rolled_back = session.roll_back().await;
            rolled_back.map_err(|error| Error::from_postgres(doing, error))?;
            tokio::time::sleep(pause).await;
        }
        session.ended_transaction();
        Ok(())
    }

    /// Creates what is not there of the history table and its log, and says whether the history was.
    pub(crate) async fn create(
        &self,
        session: &Session<'_>,
        history: &mut History,
        state: &State,
    ) -> Result<bool> {
        if state.exists && !state.has_fingerprint {
            // Only for speed. Who may add rows need not own the table, and somebody may be reading it.
            let _slower = session.run(&history.with_fingerprint()).await;
        }
        let log = history.begin_log(state)?;
        let (what, created) = match (state.exists, &log) {
            (false, _) => (&history.qualified, history.create(session, log.as_deref()).await),
            (true, Some(log)) => (&history.qualified, session.run(log).await),
            (true, None) => return Ok(false),
        };
        created.map_err(|error| {
            let is_taken = error.code() == Some(&SqlState::DUPLICATE_OBJECT);
            let made = Error::from_postgres(&format!("creating the history table {what}"), error)
                .note("nothing was changed");
            if is_taken { made.help(OTHER_NAME) } else { made }
        })?;
        if !state.exists {
            self.observer.on_event(&Event::HistoryCreated { table: &history.qualified });
        }
        Ok(!state.exists)
    }
}

/// A statement that the server refused, or that another session was to run.
fn refused(doing: &str, error: PostgresError) -> Error {
    if lock::is_of_another(&error) {
        return lock::behind_pooler(ELSEWHERE);
    }
    Error::from_postgres(doing, error)
}

/// Gives the lock back whatever happened; the first error is the one that counts.
pub(crate) async fn released<T>(session: Session<'_>, result: Result<T>) -> Result<T> {
    let released = session.release().await;
    let value = result?;
    match released {
        // A session that is gone holds no lock and has no settings.
        Err(error) if !is_lost(&error) => {
            Err(Error::from_postgres("giving back the migration lock and the settings", error)
                .note("what the run was to do is done"))
        }
        Ok(()) | Err(_) => Ok(value),
    }
}
