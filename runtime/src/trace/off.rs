//! Without the feature.

use crate::event::{Direction, Event, Observer};
use crate::history::Glance;
use crate::registry::Registry;

/// The span of the migration a run is at.
#[derive(Debug)]
pub(crate) struct Trace;

pub(crate) fn first_observer() -> Box<dyn Observer> {
    Box::new(|_: &Event<'_>| {})
}

pub(crate) async fn in_run<T>(_direction: Direction, run: impl Future<Output = T>) -> T {
    run.await
}

pub(crate) const fn located(_glance: &Glance) {}

impl Trace {
    pub(crate) const fn new(_glance: &Glance, _registry: &Registry) -> Self {
        Self
    }

    pub(crate) const fn begin(&mut self, _name: &str, _direction: Direction) {}

    pub(crate) const fn end(&mut self) {}

    pub(crate) fn scope(&self, tell: impl FnOnce()) {
        tell();
    }

    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        work.await
    }
}
