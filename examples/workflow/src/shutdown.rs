//! Ctrl-C and SIGTERM.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// How long answers that are under way may take once the service was told to stop.
///
/// Below the ten seconds after which `docker stop` kills.
const GRACE: Duration = Duration::from_secs(8);

/// A future that is ready when somebody wants the program to stop.
///
/// From this call on, and not only once the future is polled, the signals no longer end the program
/// by themselves. Before it they do, which is right while nothing is served: the server rolls back
/// what was under way.
///
/// # Errors
///
/// When the system takes no signal handlers.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A future that is ready when stopping has taken too long, or when somebody asks a second time.
///
/// # Errors
///
/// As [`requested`].
pub fn overdue() -> io::Result<impl Future<Output = ()>> {
    let first = requested()?;
    Ok(async move {
        first.await;
        let Ok(second) = requested() else { return tokio::time::sleep(GRACE).await };
        tokio::select! {
            () = second => {}
            () = tokio::time::sleep(GRACE) => {}
        }
    })
}
