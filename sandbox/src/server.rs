//! A running private server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio_postgres::error::SqlState;

use crate::account::Account;
use crate::address::{self, Address};
use crate::binaries::Binaries;
use crate::builder::ServerBuilder;
use crate::choose::choose;
use crate::database::{self, Database};
use crate::error::{Error, ignore};
use crate::folder::Folder;
use crate::initdb::{self, Templates};
use crate::keeper::Keeper;
use crate::{config, sql};

/// A private PostgreSQL server that lives as long as this value, and never longer than the
/// process that started it.
///
/// It listens on a unix socket in a folder only the same user (and root) can enter, and on no
/// network. Its superuser is `postgres`, without a password. Text is UTF-8 and sorted by bytes,
/// the time zone is UTC.
///
/// Dropping the value stops the server and waits for it, usually one or two tenths of a second;
/// the data of a throw-away server is removed, that of a kept one written out. If the value is
/// never dropped, because the process exits, panics, or is killed in any way, a small keeper
/// process notices and does the same within moments.
///
/// ```no_run
/// let server = dunlin_sandbox::Server::start()?;
/// let database = server.create_database()?;
/// println!("psql '{}'", database.connection_string());
/// # Ok::<(), dunlin_sandbox::Error>(())
/// ```
pub struct Server {
    // Before `folder`: fields drop in this order, and the server needs its folder to the end.
    keeper: Keeper,
    folder: Folder,
    binaries: Binaries,
    address: Address,
    data: PathBuf,
}

impl Server {
    /// Starts a throw-away server in a temporary folder of its own.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// A server with options.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The one throw-away server of this process, started by whoever asks first.
    ///
    /// It is never dropped; its keeper stops and removes it when the process ends.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`]. A failed start is not tried again.
    pub fn shared() -> Result<&'static Self, &'static Error> {
        static SHARED: OnceLock<Result<Server, Error>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    pub(crate) fn start_as(wanted: &ServerBuilder) -> Result<Self, Error> {
        for setting in &wanted.settings {
            setting.check()?;
        }
        Self::attempt(wanted, Templates::Used)
    }

    fn attempt(wanted: &ServerBuilder, templates: Templates) -> Result<Self, Error> {
        let account = Account::for_server()?;
        let mut folder = match &wanted.keep_in[..] {
            [] => Folder::throw_away(&account)?,
            kept => Folder::first_kept(kept, &account, &wanted.messages)?,
        };
        if !folder.kept && wanted.listens() {
            let port = address::free_port();
            folder.listen_on(port.map_err(|cause| Error::new("no port is free").because(cause))?);
        }
        let binaries = choose(wanted, &folder)?;
        let data = initdb::Data::of(&folder, &binaries, templates);
        let log = folder.furnish(&config::text(&folder, &wanted.settings)?)?;
        let mut keeper = Keeper::start(&folder, &binaries, &data, log)?;
        if let Err(error) = keeper.wait_until_ready(&folder) {
            if data.copied_from().is_none() {
                return Err(error);
            }
            // The template may be damaged or just being replaced; `initdb` settles it.
            drop((keeper, folder));
            return Self::attempt(wanted, Templates::Renewed);
        }
        data.publish_template();
        let address = folder.address();
        if folder.kept {
            folder.mark_initialised()?;
            drop_scratch(&address)?;
            folder.lock.announce(&address)?;
        }
        let data = folder.data();
        Ok(Self { keeper, folder, binaries, address, data })
    }

    /// How to connect to one database, in libpq's keyword/value form:
    /// `host=/tmp/dunlin-0a1b2c3d/run port=5432 user=postgres dbname=app`.
    ///
    /// `tokio_postgres::Config` and `psql` accept it.
    #[must_use]
    pub fn connection_string(&self, database: &str) -> String {
        self.address.connection_string(database)
    }

    /// The folder of the unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.address.socket_dir
    }

    /// The number in the socket's name, and the TCP port of a server that listens on one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// PostgreSQL's data folder.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The server's version as PostgreSQL writes it, for instance `15.14`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.binaries.version
    }

    /// The server's major version, for instance `15`.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.binaries.major
    }

    /// Creates an empty database with a name of its own, which is dropped with the returned value.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses.
    pub fn create_database(&self) -> Result<Database, Error> {
        // Nobody can be connected to template0, so cloning it never has to wait.
        self.clone_of("template0")
    }

    /// Creates a copy of a database: a prepared schema for each test, without preparing it again.
    ///
    /// The template is a [`Database`] or a name. Nobody may be connected to it; the server waits
    /// up to five seconds for those that are about to leave.
    ///
    /// # Errors
    ///
    /// When the template does not exist or is in use, or the server is gone.
    pub fn create_database_from(
        &self,
        template: &(impl AsRef<str> + ?Sized),
    ) -> Result<Database, Error> {
        self.clone_of(template.as_ref())
    }

    /// `FILE_COPY` takes half the time of the default while `fsync` is off, and longer than it
    /// with `fsync`: it needs two checkpoints. It is also the only way before version 15.
    fn clone_of(&self, template: &str) -> Result<Database, Error> {
        let file_copy = !self.folder.kept && self.binaries.major >= 15;
        let strategy = if file_copy { " STRATEGY FILE_COPY" } else { "" };
        Database::create(&self.address, template, strategy)
    }

    /// Creates a database of this name unless it exists. It stays until somebody drops it.
    ///
    /// # Errors
    ///
    /// When the server is gone or refuses, or the name is empty or longer than 63 bytes, which
    /// PostgreSQL would cut.
    pub fn create_database_named(&self, name: &str) -> Result<(), Error> {
        if name.len() > sql::LONGEST_NAME {
            let headline = format!("`{name}` is too long for the name of a database");
            return Err(Error::new(headline).note("63 bytes is the most"));
        }
        let statement = format!("CREATE DATABASE {} TEMPLATE template0", sql::quoted(name));
        match sql::run(&self.address, &statement) {
            Ok(_) => Ok(()),
            Err(failure) if failure.is(&SqlState::DUPLICATE_DATABASE) => Ok(()),
            // Two at once: the index notices what the check did not.
            Err(failure) if failure.is(&SqlState::UNIQUE_VIOLATION) => Ok(()),
            Err(failure) => Err(failure.into_error(format!("database `{name}` was not created"))),
        }
    }

    /// Stops the server, as dropping it does, and says if that went wrong.
    ///
    /// # Errors
    ///
    /// When the keeper cannot be waited for. It stops the server nevertheless.
    pub fn stop(mut self) -> Result<(), Error> {
        self.folder.lock.withdraw();
        self.keeper
            .stop()
            .map_err(|cause| Error::new("the keeper of PostgreSQL is lost").because(cause))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.folder.lock.withdraw();
        ignore(self.keeper.stop(), "the keeper stops the server whether or not we can wait");
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("version", &self.version())
            .field("data_dir", &self.data)
            .field("connection_string", &self.connection_string("postgres"))
            .finish_non_exhaustive()
    }
}

/// Databases whose value a killed program never dropped; nobody can be using them yet.
fn drop_scratch(address: &Address) -> Result<(), Error> {
    let failed =
        |failure: sql::Failure| failure.into_error("PostgreSQL does not answer".to_owned());
    let prefix = database::PREFIX;
    let names = format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')");
    for name in sql::run(address, &names).map_err(failed)? {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql::quoted(&name));
        let _ = sql::run(address, &statement).map_err(failed)?;
    }
    Ok(())
}
