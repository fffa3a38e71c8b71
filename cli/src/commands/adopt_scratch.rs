//! Where the recorded migrations are rehearsed: a private PostgreSQL, or another server.

use dunlin::{Adoption, ErrorKind, Migrator, Scratch};

use super::adopt::with_fields;
use super::database::Database;
use super::scratch::ScratchDatabase;
use crate::answer::Failure;
use crate::connection::Connection;
use crate::exit::Exit;

/// Runs what is recorded and compares what it makes with the database.
pub(super) async fn rehearsed(
    database: &Database<'_>,
    scratch: Option<&ScratchDatabase<'_>>,
    connection: &Connection,
    migrator: &Migrator<'_>,
    adoption: Adoption,
) -> Result<Adoption, Box<Failure>> {
    database.can_run(adoption.applied()).map_err(|failure| {
        Box::new(failure.help("or record them as unverified, without a comparison: --unproved"))
    })?;
    let shown = adoption.clone();
    let rehearsed = match scratch {
        Some(scratch) => given(scratch, connection, migrator, adoption).await?,
        None => private::rehearsed(database.screen, connection, migrator, adoption).await?,
    };
    rehearsed.map_err(|error| {
        let mut failure = Failure::from_error(&error);
        // Not the database that is asked about, but what the files do on an empty one.
        if error.kind() == ErrorKind::Migration {
            failure.exit = Exit::Folder;
        }
        Box::new(with_fields(failure, &shown))
    })
}

/// On a scratch database of a server that somebody names. What fails here leaves it to be removed at the
/// end of the command.
async fn given(
    database: &ScratchDatabase<'_>,
    connection: &Connection,
    migrator: &Migrator<'_>,
    adoption: Adoption,
) -> Result<dunlin::Result<Adoption>, Box<Failure>> {
    let _version = database.create().await?;
    let mut client = database.connection()?.get().await?;
    let scratch = Scratch::new(&mut client);
    let rehearsed = migrator.rehearse(&connection.pool, adoption, scratch).await;
    drop(client);
    database.remove().await?;
    Ok(rehearsed)
}

#[cfg(unix)]
mod private {
    use dunlin::{Adoption, Migrator, Scratch};
    use dunlin_sandbox::{Error, Server};
    use tokio_postgres::NoTls;

    use crate::answer::Failure;
    use crate::args::Format;
    use crate::connection::Connection;
    use crate::exit::Exit;
    use crate::screen::Screen;

    /// The versions that a private server can be fetched in.
    const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;

    pub(super) async fn rehearsed(
        screen: &Screen,
        connection: &Connection,
        migrator: &Migrator<'_>,
        adoption: Adoption,
    ) -> Result<dunlin::Result<Adoption>, Box<Failure>> {
        let server = server(screen, adoption.server_major()).map_err(|error| no_server(&error))?;
        // Some migrations name the database they are in.
        let name = adoption.database().to_owned();
        server.create_database_named(&name).map_err(|error| no_server(&error))?;
        let connected = tokio_postgres::connect(&server.connection_string(&name), NoTls).await;
        let (mut client, driving) = connected.map_err(|error| no_server(&error))?;
        let driving = tokio::spawn(driving);
        let scratch = Scratch::new(&mut client).with_roles();
        let rehearsed = migrator.rehearse(&connection.pool, adoption, scratch).await;
        driving.abort();
        Ok(rehearsed)
    }

    /// A server of the database's own version if there can be one, because servers of different
    /// versions write some definitions differently.
    fn server(screen: &Screen, major: u32) -> Result<Server, Error> {
        let (speaks, screen) = (screen.format == Format::Human, *screen);
        let builder = || {
            Server::builder().on_message(move |line| {
                if speaks {
                    screen.complain(&format!("{line}\n"));
                }
            })
        };
        if MAJORS.contains(&major)
            && let Ok(server) = builder().postgres_version(major).start()
        {
            return Ok(server);
        }
        builder().start()
    }

    fn no_server(error: &dyn std::error::Error) -> Box<Failure> {
        Box::new(
            Failure::new(Exit::Database, format!("no private PostgreSQL: {error:#}"))
                .note("it is to show what the recorded migrations make, because no checksum proves them; nothing was changed")
                .help("name a server on which databases may be created: --server <URL>")
                .help("or record them as unverified, without a comparison: --unproved"),
        )
    }
}

/// The private server needs a unix.
#[cfg(not(unix))]
mod private {
    use dunlin::{Adoption, Migrator};

    use crate::answer::Failure;
    use crate::connection::Connection;
    use crate::screen::Screen;

    pub(super) async fn rehearsed(
        _screen: &Screen,
        _connection: &Connection,
        _migrator: &Migrator<'_>,
        _adoption: Adoption,
    ) -> Result<dunlin::Result<Adoption>, Box<Failure>> {
        Failure::usage("there is no private PostgreSQL on this system")
            .note("it is to show what the recorded migrations make, because no checksum proves them; nothing was changed")
            .help("name a server on which databases may be created: --server <URL>")
            .help("or record them as unverified, without a comparison: --unproved")
            .into()
    }
}
