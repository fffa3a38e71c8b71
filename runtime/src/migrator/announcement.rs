//! What the observers are told of a run as a whole. What is told of each migration, `execute` tells.

use std::time::Instant;

use super::Migrator;
use crate::event::{Direction, Event};
use crate::history::{Glance, Identity, State};
use crate::plan::Plan;
use crate::report::Report;

impl Migrator<'_> {
    /// Tells the observers.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.observer.on_event(event);
    }

    /// Tells when the log was written in another database: this one was copied or restored.
    pub(super) fn announce_moved(&self, glance: &Glance, state: &State) {
        let Identity { system, last_database, last_system } = &state.identity;
        let Some(last) = last_database.as_deref() else { return };
        let is_other = |a: &Option<String>, b: &Option<String>| {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a != b)
        };
        if last != glance.database || is_other(system, last_system) {
            self.observer.on_event(&Event::Moved {
                from: last,
                to: &glance.database,
                is_other_server: is_other(system, last_system),
            });
        }
    }

    /// Tells what stands against a plan and does not stop it.
    pub(super) fn announce_found(&self, plan: &Plan) {
        if !plan.ahead.is_empty() {
            self.observer.on_event(&Event::DatabaseAhead { names: &plan.ahead });
        }
        if !plan.tolerated.is_empty() {
            self.observer.on_event(&Event::Tolerated { drift: &plan.tolerated });
        }
    }

    pub(super) fn announce(&self, plan: &Plan) {
        let late: Vec<_> = plan
            .steps
            .iter()
            .filter(|step| step.is_late)
            .map(|step| step.migration.name.to_owned())
            .collect();
        if !late.is_empty() {
            self.observer.on_event(&Event::Late { names: &late });
        }
        self.observer
            .on_event(&Event::Started { direction: Direction::Up, n_pending: plan.steps.len() });
    }

    pub(super) fn up_to_date(&self, n_total: usize, begun: Instant) -> Report {
        self.observer.on_event(&Event::UpToDate { n_applied: n_total });
        Report { n_total, duration: begun.elapsed(), ..Report::default() }
    }

    pub(super) fn finished(
        &self,
        report: Report,
        direction: Direction,
        n_total: usize,
        begun: Instant,
    ) -> Report {
        let report = Report { n_total, duration: begun.elapsed(), ..report };
        self.observer.on_event(&Event::Finished { direction, report: &report });
        report
    }
}
