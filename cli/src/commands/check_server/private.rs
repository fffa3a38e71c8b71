//! A PostgreSQL that is started for this and stopped behind it.

use deadpool_postgres::{Manager, Pool};
use dunlin_sandbox::Server;
use tokio_postgres::{Config, NoTls};

use super::{Rehearsal, Trial};
use crate::answer::Failure;
use crate::args::Format;
use crate::exit::Exit;
use crate::screen::Screen;

pub(super) fn tried(screen: &Screen, rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    let (speaks, screen) = (screen.format == Format::Human, *screen);
    let server = Server::builder()
        .on_message(move |line| {
            if speaks {
                screen.complain(&format!("{line}\n"));
            }
        })
        .start()
        .map_err(|error| no_server(&error))?;
    let database = server.create_database().map_err(|error| no_server(&error))?;
    let config: Config = database
        .connection_string()
        .parse()
        .map_err(|error: tokio_postgres::Error| no_server(&error))?;
    let pool = Pool::builder(Manager::new(config, NoTls)).max_size(2).build();
    let pool = pool.map_err(|error| no_server(&error))?;
    rehearsal.on(&pool, server.version())
}

fn no_server(error: &dyn std::error::Error) -> Box<Failure> {
    Box::new(Failure::new(Exit::Database, format!("no private PostgreSQL: {error:#}")))
}
