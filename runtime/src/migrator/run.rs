//! One call of `apply`: finding out whether something is to be done, and doing it, over as many
//! connections as it takes.
//!
//! **Invariant:** with nothing pending it takes no lock and writes nothing. What is to be done is decided
//! anew under the lock, and again on each new connection.

use super::{Migrator, released};
use crate::applied::Applied;
use crate::database::{Link, Running};
use crate::error::Result;
use crate::event::{Direction, Event};
use crate::execute::Execution;
use crate::history::{Glance, State};
use crate::plan::Target;
use crate::registry::Migration;
use crate::report::{Done, Report};
use crate::session::Session;
use crate::stale;
use crate::summary::{Settled, Summary};
use crate::told::told;
use crate::trace::Trace;
use crate::watch::Watch;

/// By the names of the migrations.
type Run = super::reconnecting::Run<Vec<&'static str>>;

impl Run {
    /// Whether an earlier connection of this run broke.
    const fn is_resumed(&self) -> bool {
        !self.planned.is_empty()
    }
}

impl Migrator<'_> {
    pub(super) fn applied<'r>(&'r self, database: Link<'r>, target: Target) -> Running<'r, Report> {
        let run = self.apply_over(database, target);
        Box::pin(told(&*self.observer, Direction::Up, run))
    }

    /// Applies over as many connections as it takes.
    async fn apply_over(&self, mut database: Link<'_>, target: Target) -> Result<Report> {
        stale::check(self.registry)?;
        let mut run = Run::new(database.onlooker(), self.primary_wait);
        loop {
            let again = database.again();
            match self.apply_once(database, &target, &mut run).await {
                Ok(report) => return Ok(report),
                Err(error) => database = run.after(error, again, &*self.observer).await?,
            }
        }
    }

    async fn apply_once(
        &self,
        database: Link<'_>,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let again = database.again();
        let (mut session, mut glance) = self.reach(database, &mut run.waiting).await?;
        loop {
            if !run.is_resumed() {
                let settled = match target {
                    Target::Latest => self.settled(&session, &glance).await?,
                    _ => None,
                };
                if let Some(Settled { n_applied, ahead }) = settled {
                    if !ahead.is_empty() {
                        self.tell(&Event::DatabaseAhead { names: &ahead });
                    }
                    return Ok(self.up_to_date(n_applied, run.begun));
                }
                if let Some(n_applied) = self.satisfied(&session, &glance, target).await? {
                    return Ok(self.up_to_date(n_applied, run.begun));
                }
            }
            let Err(refused) = glance.writable() else { break };
            let again = again.as_ref().and_then(Link::again);
            (session, glance) = self.ask_again(session, refused, again, &mut run.waiting).await?;
        }
        run.waiting.is_over();
        let result = self.apply_locked(&mut session, &glance, target, run).await;
        released(session, result).await
    }

    /// Whether nothing is left to do, as far as the table's own summary shows; which it is asked for once
    /// more where it has more rows than this build has migrations.
    async fn settled(&self, session: &Session<'_>, glance: &Glance) -> Result<Option<Settled>> {
        let Some(summary) = &glance.summary else { return Ok(None) };
        let settled = |it: &Summary| it.settled(self.registry, self.policies.ahead);
        if !summary.may_be_ahead(self.registry) {
            return Ok(settled(summary));
        }
        let last_name = self.registry.iter().map(Migration::name).max().unwrap_or_default();
        let summary = glance.history.summary_with_newer(session, last_name).await?;
        Ok(summary.as_ref().and_then(settled))
    }

    /// How many migrations are applied, when a history that differs from the build leaves nothing to
    /// do all the same, as one in whose middle a row has no checksum.
    async fn satisfied(
        &self,
        session: &Session<'_>,
        glance: &Glance,
        target: &Target,
    ) -> Result<Option<usize>> {
        // Without a table everything is pending, except of a build that has nothing.
        if glance.summary.is_none() && !self.registry.is_empty() {
            return Ok(None);
        }
        let state = glance.history.state(session, None, glance.summary.as_ref()).await?;
        let plan = self.planned(session, &glance.history, &state, target).await?;
        if !plan.is_empty() {
            return Ok(None);
        }
        self.announce_found(&plan);
        Ok(Some(state.n_finished()))
    }

    async fn apply_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, &run.onlooker).await?);
        self.settle(run, &state);
        let plan = self.planned(session, &history, &state, target).await?;
        let n_before = state.n_finished();
        if !plan.is_empty() && !state.is_writable {
            return Err(history.not_writable(&state.user, plan.steps.len()));
        }
        if !plan.is_empty() && !run.is_resumed() {
            self.heed_other_histories(session, &history, &state, plan.steps.len()).await?;
        }
        self.announce_moved(glance, &state);
        if !state.exists || !plan.is_empty() {
            run.report.history_created |= self.create(session, &mut history, &state).await?;
        }
        let history = &history;
        if !run.is_resumed() {
            self.announce_found(&plan);
            if plan.is_empty() {
                let history_created = run.report.history_created;
                return Ok(Report { history_created, ..self.up_to_date(n_before, run.begun) });
            }
            self.announce(&plan);
        }
        run.planned = plan.steps.iter().map(|step| step.migration.name).collect();
        let n_left = plan.steps.len();
        let mut execution = Execution {
            session,
            history,
            observer: &*self.observer,
            report: run.report.clone(),
            n_left,
            direction: Direction::Up,
            budget: self.budget,
            watch: Watch { onlooker: run.onlooker.clone(), backend: state.backend },
            trace: Trace::new(glance, self.registry),
            wary: state.code,
        };
        if self.policies.single_transaction {
            execution.apply_as_one(&plan.steps).await?;
        } else {
            execution.apply(&plan.steps).await?;
        }
        Ok(self.finished(execution.report, Direction::Up, n_before + n_left, run.begun))
    }

    /// Counts as done what a broken connection had left open and the server has committed.
    fn settle(&self, run: &mut Run, state: &State) {
        for name in &run.planned {
            let is_it = |row: &&Applied| row.name == *name && row.unfinished().is_none();
            let Some(row) = state.applied.iter().find(is_it) else { continue };
            if run.report.done.iter().any(|done| done.name == *name) {
                continue;
            }
            let duration = row.duration.unwrap_or_else(|| run.begun.elapsed());
            let n_statements = self.registry.get(name).and_then(Migration::n_statements);
            run.report.done.push(Done { name: (*name).to_owned(), n_statements, duration });
            self.observer.on_event(&Event::MigrationFinished {
                name,
                direction: Direction::Up,
                n_statements,
                duration,
            });
        }
    }
}
