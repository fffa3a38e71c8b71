//! The frame around a run: its first event, and the last one if it does not end well.
//!
//! Whoever follows a run from elsewhere, as a health endpoint does, hears of its end only through
//! events; the error goes to the caller.
//!
//! **Invariant:** whatever ends a run (success, an error, a dropped future, a panic), its observers are
//! told, after the session has been left clean.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Result;
use crate::event::{Direction, Event, Observer};
use crate::trace;

/// A run that has begun.
struct Begun<'o> {
    observer: &'o dyn Observer,
    is_over: bool,
}

/// Awaits a run and tells when it begins, fails or is cut off. The run itself tells what it did.
pub(crate) async fn told<T>(
    observer: &dyn Observer,
    direction: Direction,
    run: impl Future<Output = Result<T>>,
) -> Result<T> {
    let told = async {
        let mut begun = Begun { observer, is_over: false };
        observer.on_event(&Event::Looking { direction });
        let result = run.await;
        begun.is_over = true;
        if let Err(error) = &result {
            observer.on_event(&Event::Failed { error });
        }
        result
    };
    trace::in_run(direction, told).await
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let tell = || self.observer.on_event(&Event::Interrupted);
        if std::thread::panicking() {
            // The panic may be the observer's own, and a second one would end the process.
            drop(catch_unwind(AssertUnwindSafe(tell)));
        } else {
            tell();
        }
    }
}
