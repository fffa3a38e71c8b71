//! What all commands on a database share.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use dunlin::{Migration, Migrator, Registry};

use crate::answer::Failure;
use crate::args::{ConnectionArgs, Consent, Format, RunArgs};
use crate::connection::{Connection, Purpose};
use crate::exit::Exit;
use crate::interrupt::interrupted;
use crate::screen::Screen;

/// Migrations, a database, and the way to both.
#[derive(Debug)]
pub(crate) struct Database<'a> {
    pub(crate) screen: &'a Screen,
    pub(crate) registry: &'static Registry,
    pub(crate) door: Door,
    pub(crate) args: &'a ConnectionArgs,
}

/// Where the migrations come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A folder: migrations in Rust are not compiled.
    Folder,
    /// An application, which has them all.
    Application,
}

impl Database<'_> {
    /// Connections, none of which is made yet.
    pub(crate) fn connect(&self) -> Result<Connection, Box<Failure>> {
        Connection::prepare(self.args, Purpose::Any)
    }

    pub(crate) fn migrator<'m>(&self) -> Migrator<'m> {
        let ConnectionArgs {
            history_table, history_schema, log_table, no_log, strict_order, ..
        } = self.args;
        let migrator = Migrator::new(self.registry)
            .strict_order(*strict_order)
            .on_ahead(self.args.on_ahead.into())
            .on_changed(self.args.on_changed.into())
            .on_missing(self.args.on_missing.into())
            .on_other_history(self.args.on_other_history.into());
        let migrator = match history_table {
            Some(table) => migrator.history_table(table),
            None => migrator,
        };
        let migrator = match history_schema {
            Some(schema) => migrator.history_schema(schema),
            None => migrator,
        };
        match (log_table, no_log) {
            (Some(table), _) => migrator.log_table(table),
            (None, true) => migrator.without_log(),
            (None, false) => migrator,
        }
    }

    /// A migrator that behaves as asked.
    pub(crate) fn runner<'m>(&self, run: &RunArgs) -> Migrator<'m> {
        let migrator = match &run.build {
            Some(build) => self.migrator().build(build),
            None => self.migrator(),
        };
        migrator
            .lock_wait(Duration::from_secs(run.lock_wait))
            .lock_timeout(Duration::from_millis(run.lock_timeout))
            .lock_timeout_concurrently(Duration::from_millis(run.lock_timeout_concurrently))
            .lock_retries(Duration::from_secs(run.lock_retries))
            .wait_for_primary(Duration::from_secs(run.wait_for_primary))
    }

    /// Refuses migrations that cannot run here, before any other does.
    pub(crate) fn can_run<'m>(
        &self,
        mut migrations: impl Iterator<Item = &'m Migration>,
    ) -> Result<(), Box<Failure>> {
        let of_rust = |it: &&Migration| it.path().ends_with(".rs");
        let found = migrations.find(of_rust).filter(|_| self.door == Door::Folder);
        let Some(migration) = found else { return Ok(()) };
        Failure::new(
            Exit::Folder,
            format!("`{}` is in Rust and is not compiled here", migration.name()),
        )
        .note("nothing was changed; a migration in Rust runs in the application that embeds it")
        .help("start the application, or give it a binary whose `main` is `dunlin_cli::run(&MIGRATIONS)`")
        .into()
    }

    /// Shows what a command will change and asks whether it may. Who has said yes beforehand is shown it
    /// all the same: the log of a pipeline is all that is left of it.
    pub(crate) fn consent(&self, consent: Consent, will: &str) -> Result<(), Box<Failure>> {
        let is_human = self.screen.format == Format::Human;
        if is_human {
            self.screen.complain(&format!("{will}\n"));
        }
        if consent.yes {
            return Ok(());
        }
        match self.screen.ask("Go on?") {
            Some(true) => Ok(()),
            Some(false) => {
                Failure::new(Exit::Interrupted, "not confirmed").note("nothing was changed").into()
            }
            None => {
                let failure = Failure::usage("there is nobody to ask");
                // A program reads one document, in which a person's part is a note.
                let failure = if is_human { failure } else { failure.note(will) };
                failure.note("nothing was changed").help("--yes does it without asking").into()
            }
        }
    }

    /// Whether the folder has migrations in Rust at all.
    pub(crate) fn has_rust(&self) -> bool {
        self.door == Door::Folder && self.registry.iter().any(|it| it.path().ends_with(".rs"))
    }
}

/// What a command that is interrupted leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// It only looks.
    Nothing,
    /// What it had completed.
    Completed,
}

impl Leaves {
    fn told(self) -> Box<Failure> {
        let failure = Failure::new(Exit::Interrupted, "interrupted");
        Box::new(match self {
            Self::Nothing => failure.note("nothing was changed"),
            Self::Completed => failure
                .note("what was completed stays; what was running is rolled back, and the lock is given back, as soon as the server notices, within some 2 seconds")
                .help("start the command again: it continues where this one got"),
        })
    }
}

/// Runs a command until it ends or is interrupted.
///
/// A run that is dropped leaves nothing half applied, and its connection is closed; the server gives
/// up what is running within some seconds.
pub(crate) fn block_on<T>(
    leaves: Leaves,
    command: impl Future<Output = Result<T, Box<Failure>>>,
) -> Result<T, Box<Failure>> {
    block_on_with(&Cell::new(leaves), command)
}

/// The same for a command that leaves more as it goes on.
pub(crate) fn block_on_with<T>(
    leaves: &Cell<Leaves>,
    command: impl Future<Output = Result<T, Box<Failure>>>,
) -> Result<T, Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Box::new(Failure::new(Exit::Database, format!("no runtime can be started: {error}")))
    })?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = command => outcome,
            () = interrupted() => Err(leaves.get().told()),
        }
    });
    // Not waited for: a task that still talks to a server that does not answer must not hold us.
    runtime.shutdown_background();
    outcome
}
