//! `check --server`: the migrations on a private PostgreSQL, which is gone afterwards.

use dunlin_core::Folder;
use serde::Serialize;

use crate::answer::{Failure, Finding};
use crate::screen::Screen;

/// What was done on the server.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    /// The server's version.
    version: String,
    /// How many migrations were applied, twice if they could be undone.
    applied: usize,
    /// How many of them were undone.
    undone: usize,
    /// The first migration in Rust, which is not compiled here.
    ends_before: Option<String>,
}

impl Tried {
    /// What a person reads.
    pub(super) fn told(&self) -> String {
        let Self { version, applied, undone, ends_before } = self;
        let end = ends_before.as_deref();
        let end =
            end.map_or_else(String::new, |it| format!("; `{it}` is in Rust and was not tried"));
        format!(
            "on PostgreSQL {version}: {applied} applied, {undone} undone and applied again{end}\n"
        )
    }
}

/// Applies, undoes and applies again. What goes wrong on the way is a finding about the folder; what
/// keeps it from beginning is a failure.
#[cfg(unix)]
pub(super) fn tried(
    screen: &Screen,
    folder: &Folder,
) -> Result<Result<Tried, Finding>, Box<Failure>> {
    private::tried(screen, folder)
}

/// The private server needs a unix.
#[cfg(not(unix))]
pub(super) fn tried(
    _screen: &Screen,
    _folder: &Folder,
) -> Result<Result<Tried, Finding>, Box<Failure>> {
    Failure::usage("there is no private PostgreSQL on this system").into()
}

#[cfg(unix)]
mod private {
    use deadpool_postgres::{Manager, Pool};
    use dunlin::{Migration, Migrator, Target};
    use dunlin_core::Folder;
    use dunlin_core::options::DEFAULT_HISTORY_TABLE;
    use dunlin_sandbox::Server;
    use tokio_postgres::{Config, NoTls};

    use super::Tried;
    use crate::answer::{Answer, Failure, Finding};
    use crate::args::Format;
    use crate::commands::database::{Leaves, block_on};
    use crate::exit::Exit;
    use crate::registry;
    use crate::screen::Screen;

    pub(super) fn tried(
        screen: &Screen,
        folder: &Folder,
    ) -> Result<Result<Tried, Finding>, Box<Failure>> {
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
        let registry = Box::leak(Box::new(registry::of(folder, DEFAULT_HISTORY_TABLE)));
        let migrations: Vec<&Migration> = registry.iter().collect();
        let is_rust = |it: &&Migration| it.path().ends_with(".rs");
        let n = migrations.iter().position(is_rust).unwrap_or(migrations.len());
        let able = &migrations[..n];
        let undone = able.iter().rev().take_while(|it| it.has_undo()).count();
        let mut tried = Tried {
            version: server.version().to_owned(),
            applied: n,
            undone,
            ends_before: migrations.get(n).map(|it| it.name().to_owned()),
        };
        let Some(last) = able.last() else {
            tried.undone = 0;
            return Ok(Ok(tried));
        };
        let target = || Target::To(last.name().to_owned());
        let run = block_on(Leaves::Nothing, async {
            let migrator = Migrator::new(registry);
            let _first = migrator.apply_to(&pool, target()).await?;
            if undone > 0 {
                let _undone = migrator.roll_back(&pool, Target::Back(undone)).await?;
                let _again = migrator.apply_to(&pool, target()).await?;
            }
            Ok(Answer::new(""))
        });
        match run {
            Ok(_done) => Ok(Ok(tried)),
            Err(failure) if failure.exit == Exit::Interrupted => Err(failure),
            // Nothing of anybody's was touched: what went wrong is wrong with the folder.
            Err(failure) => Ok(Err(failure.finding)),
        }
    }

    fn no_server(error: &dyn std::error::Error) -> Box<Failure> {
        Box::new(Failure::new(Exit::Database, format!("no private PostgreSQL: {error:#}")))
    }
}
