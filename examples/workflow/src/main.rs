//! The service: it listens, migrates its database, then serves. Until then every answer is 503 and
//! says how far the migrations have come.
//!
//! `PORT` is the port, 5000 unless it is set; `HOST` the address, this machine only unless it is
//! set, because nobody has to log in here. `DATABASE_URL` is the database; without it the service
//! starts a PostgreSQL of its own.

use std::process::ExitCode;

use dunlin::{Health, Migrator};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use workflow::console::{Console, complain};
use workflow::database::{Database, Purpose, StartError};
use workflow::error::with_causes;
use workflow::{MIGRATIONS, routes, shutdown};

const USUAL_PORT: u16 = 5000;

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Console::from_env()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {}", with_causes(&*error)));
            ExitCode::FAILURE
        }
    }
}

async fn serve(console: Console) -> Result<(), StartError> {
    let port = port()?;
    let database = Database::open(Purpose::Serve).await?;
    console.connected();

    // Bound before it migrates: a probe can see how far it is, and a port that is taken is no reason to
    // have migrated.
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty());
    let host = host.as_deref().unwrap_or("127.0.0.1");
    let listener = TcpListener::bind((host, port)).await.map_err(|cause| {
        format!("port {port} of {host} cannot be used: {cause}; PORT chooses another")
    })?;
    let port = listener.local_addr()?.port();
    let health = Health::new();
    let router = routes::once_migrated(routes::router(database.pool().clone()), health.clone());
    let (migrated, stop) = oneshot::channel();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async {
        if let Ok(stop) = stop.await {
            stop.await;
        }
    });
    let serving = tokio::spawn(serving.into_future());

    let migrator = Migrator::new(&MIGRATIONS).observer(console.observer()).observer(health);
    let report = migrator.apply(database.pool()).await?;
    debug_assert!(report.n_total() >= MIGRATIONS.len(), "everything in this build is applied");

    // Before anybody hears that the service runs: from then on a signal is to end it cleanly. Before, it
    // ends the program, and the server rolls back what was under way.
    let (stop, overdue) = (shutdown::requested()?, shutdown::overdue()?);
    drop(migrated.send(stop));
    console.serving(port);

    tokio::select! {
        served = serving => served??,
        () = overdue => complain("stopped before every answer was given"),
    }
    database.close()
}

fn port() -> Result<u16, StartError> {
    match std::env::var("PORT") {
        Ok(port) if !port.is_empty() => port
            .parse()
            .map_err(|_| format!("PORT is `{port}`, not a number from 0 to 65535").into()),
        _ => Ok(USUAL_PORT),
    }
}
