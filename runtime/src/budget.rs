//! How long a statement may wait for a lock, and how often it is tried again.
//!
//! A statement that waits for an `ACCESS EXCLUSIVE` lock makes everybody who comes after it wait as
//! well, readers included. So it waits briefly, lets the others through, and comes back.
//!
//! **Invariant:** there is no last, unlimited try.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use tokio_postgres::Error as PostgresError;
use tokio_postgres::error::SqlState;

/// The first pause between two tries; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What one migration may spend on locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockBudget {
    /// The longest wait of one statement for one lock; zero is without limit.
    pub(crate) lock_timeout: Duration,
    /// The same of a statement for which nobody waits: `CONCURRENTLY`, `VALIDATE CONSTRAINT`.
    pub(crate) patient_timeout: Duration,
    /// How long a migration is tried again after its first failure for want of a lock.
    pub(crate) retry_for: Duration,
}

impl Default for LockBudget {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            patient_timeout: Duration::ZERO,
            retry_for: Duration::from_secs(60),
        }
    }
}

/// The tries of one migration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tries {
    budget: LockBudget,
    first_failure: Option<Instant>,
    /// How many have failed.
    pub(crate) n_failed: u32,
}

impl LockBudget {
    pub(crate) const fn tries(self) -> Tries {
        Tries { budget: self, first_failure: None, n_failed: 0 }
    }
}

impl Tries {
    /// The pause before the next try, or nothing when the error is of another kind or the budget is
    /// spent.
    pub(crate) fn pause_after(&mut self, error: &PostgresError) -> Option<Duration> {
        self.pause_after_code(error.code())
    }

    pub(crate) fn pause_after_code(&mut self, code: Option<&SqlState>) -> Option<Duration> {
        if !code.is_some_and(is_transient) {
            return None;
        }
        let since = self.first_failure.get_or_insert_with(Instant::now).elapsed();
        self.n_failed += 1;
        let left = self.budget.retry_for.checked_sub(since).filter(|left| !left.is_zero())?;
        let pause = PAUSE_MIN.saturating_mul(1 << (self.n_failed - 1).min(8)).min(PAUSE_MAX);
        Some(jittered(pause).min(left))
    }
}

/// Errors that another try may not meet again, of a transaction that has been rolled back.
fn is_transient(code: &SqlState) -> bool {
    *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
        || *code == SqlState::T_R_SERIALIZATION_FAILURE
}

/// Between half of a pause and the whole: those that collided once do not collide again.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(pause) % 512;
    pause / 2 + pause * u32::try_from(random).unwrap_or_default() / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_between_half_and_whole() {
        for _ in 0..100 {
            let pause = jittered(PAUSE_MAX);
            assert!(pause >= PAUSE_MAX / 2 && pause <= PAUSE_MAX, "{pause:?}");
        }
    }
}
