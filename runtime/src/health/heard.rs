//! What events make of a snapshot.
//!
//! **Invariant:** what is told outside of a run changes nothing. The verbs that correct the history wait
//! as runs do and have no last event, so a phase that they entered would never end.

use std::time::SystemTime;

use super::{Current, Migrating, Phase, Snapshot};
use crate::event::{Event, Holder};

/// What a handle has heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) now: Snapshot,
    /// How far the run had come when its connection broke and it had to wait again. It goes on from
    /// there, and does not begin a second time.
    before_wait: Option<Migrating>,
}

impl Heard {
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Looking { .. } => {
                *self = Self::default();
                self.enter(Phase::Looking);
            }
            Event::DatabaseAhead { names } => self.now.ahead = names.to_vec(),
            Event::WaitingForPrimary { reason, .. } => self.wait_for_primary(reason),
            Event::Waiting { holder, .. } => self.wait(holder.cloned()),
            Event::Started { direction, n_pending } => self.enter(Phase::Migrating(Migrating {
                direction: *direction,
                n_done: 0,
                n_all: *n_pending,
                current: None,
            })),
            Event::UpToDate { n_applied } => self.enter(Phase::UpToDate { n_applied: *n_applied }),
            Event::NothingToUndo => self.enter(Phase::NothingToUndo),
            Event::Finished { direction, report } => self.enter(Phase::Finished {
                direction: *direction,
                n_done: report.done().len(),
                n_total: report.n_total(),
            }),
            Event::Failed { error } => self.enter(Phase::Failed {
                kind: error.kind(),
                headline: error.to_string(),
                migration: error.migration().map(str::to_owned),
            }),
            Event::Interrupted => self.enter(Phase::Interrupted),
            _ => self.hear_of_migration(event),
        }
    }

    fn enter(&mut self, phase: Phase) {
        (self.now.phase, self.now.since) = (phase, SystemTime::now());
    }

    /// A wait is one phase as long as its reason is the same, however often it is announced.
    fn wait_for_primary(&mut self, reason: &str) {
        match &self.now.phase {
            Phase::WaitingForPrimary { reason: told } if told == reason => {}
            _ => self.begin_wait(Phase::WaitingForPrimary { reason: reason.to_owned() }),
        }
    }

    /// A wait is one phase, whoever holds the lock.
    fn wait(&mut self, holder: Option<Holder>) {
        match &mut self.now.phase {
            Phase::Waiting { holder: before } => *before = holder,
            _ => self.begin_wait(Phase::Waiting { holder }),
        }
    }

    fn begin_wait(&mut self, phase: Phase) {
        match &mut self.now.phase {
            Phase::Looking | Phase::WaitingForPrimary { .. } | Phase::Waiting { .. } => {}
            Phase::Migrating(migrating) => {
                self.before_wait = Some(Migrating { current: None, ..migrating.clone() });
            }
            _ => return,
        }
        self.enter(phase);
    }

    /// The run is at its migrations, if it has begun any.
    fn migrating(&mut self) -> Option<&mut Migrating> {
        if let Some(before) = self.before_wait.take() {
            self.enter(Phase::Migrating(before));
        }
        match &mut self.now.phase {
            Phase::Migrating(migrating) => Some(migrating),
            _ => None,
        }
    }

    fn current(&mut self) -> Option<&mut Current> {
        self.migrating()?.current.as_mut()
    }

    fn hear_of_migration(&mut self, event: &Event<'_>) {
        match event {
            Event::MigrationStarted { name, .. } => {
                if let Some(migrating) = self.migrating() {
                    migrating.current = Some(Current {
                        name: (*name).to_owned(),
                        since: SystemTime::now(),
                        n_failed: 0,
                        statement: None,
                        server: None,
                    });
                }
            }
            Event::Retrying { n_failed, .. } => {
                if let Some(current) = self.current() {
                    (current.n_failed, current.server) = (*n_failed, None);
                }
            }
            Event::StatementStarted { statement, .. } => {
                if let Some(current) = self.current() {
                    (current.statement, current.server) = (Some((*statement).clone()), None);
                }
            }
            Event::StatementFinished { .. } => {
                if let Some(current) = self.current() {
                    (current.statement, current.server) = (None, None);
                }
            }
            Event::StatementProgress { server, .. } => {
                if let Some(current) = self.current() {
                    current.server = server.cloned().map(Box::new);
                }
            }
            Event::MigrationFinished { .. } => {
                if let Some(migrating) = self.migrating() {
                    migrating.n_done += 1;
                    migrating.current = None;
                }
            }
            _ => {}
        }
    }
}
