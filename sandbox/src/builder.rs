//! How a server is wanted.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Setting;
use crate::error::Error;
use crate::server::Server;

/// Where progress is said.
pub(crate) type Messages = Arc<dyn Fn(&str) + Send + Sync>;

/// How a server is wanted; made by [`Server::builder`].
#[derive(Clone)]
#[must_use = "nothing is started before `start`"]
pub struct ServerBuilder {
    /// In the order they are tried; none for a throw-away server.
    pub(crate) keep_in: Vec<PathBuf>,
    pub(crate) binaries: Option<PathBuf>,
    pub(crate) major: Option<u32>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) messages: Messages,
}

impl ServerBuilder {
    pub(crate) fn new() -> Self {
        Self {
            keep_in: Vec::new(),
            binaries: None,
            major: None,
            settings: Vec::new(),
            messages: Arc::new(to_stderr),
        }
    }

    /// Keeps the data in this folder: the next start with the same folder finds it.
    ///
    /// The folder is made if it does not exist. It must be empty or made by this crate; a folder
    /// of anybody else is refused and never touched. While a server runs, another start with the
    /// folder is refused, and [`Error::running`] tells where the running server listens.
    ///
    /// A kept server is durable: `fsync` is on, and it is shut down with a checkpoint.
    /// To start from nothing, delete the folder while no server uses it.
    pub fn keep_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.keep_in = vec![folder.into()];
        self
    }

    /// Another folder for when that of [`keep_in`](Self::keep_in) is closed to the user the
    /// server runs as. That only happens to root, whose home others may not enter.
    ///
    /// ```no_run
    /// let server = dunlin_sandbox::Server::builder()
    ///     .keep_in("target/postgres")
    ///     .or_keep_in("/var/lib/my-service/postgres")
    ///     .start()?;
    /// # Ok::<(), dunlin_sandbox::Error>(())
    /// ```
    ///
    /// Any other problem of the first folder is an error. Which one is used is said through
    /// [`on_message`](Self::on_message), and [`Server::data_dir`] is below it.
    pub fn or_keep_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.keep_in.push(folder.into());
        self
    }

    /// Adds a parameter of `postgresql.conf`, as in `.setting("log_statement", "all")`.
    ///
    /// The value is quoted here. The last one of a name wins, also over what this crate chooses,
    /// except `port`, `unix_socket_directories` and the files of the server, which are refused
    /// by [`start`](Self::start).
    ///
    /// With `listen_addresses` the server also listens on TCP, a throw-away one on a port that was
    /// free ([`Server::port`]).
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push(Setting { name: name.into(), value: value.into() });
        self
    }

    /// Whether the server is to listen on TCP.
    pub(crate) fn listens(&self) -> bool {
        let last =
            self.settings.iter().rfind(|it| it.name.eq_ignore_ascii_case("listen_addresses"));
        last.is_some_and(|it| !it.value.trim().is_empty())
    }

    /// Uses the `initdb` and `postgres` of this folder and looks nowhere else.
    pub fn binaries(mut self, folder: impl Into<PathBuf>) -> Self {
        self.binaries = Some(folder.into());
        self
    }

    /// Wants this major version, for instance `17`.
    pub fn postgres_version(mut self, major: u32) -> Self {
        self.major = Some(major);
        self
    }

    /// Where one line at a time is said about what takes long, such as fetching PostgreSQL.
    ///
    /// Without this it goes to standard error.
    pub fn on_message(mut self, say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.messages = Arc::new(say);
        self
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// When no usable PostgreSQL is found, the folder cannot be used or is in use, or the server
    /// does not come up; then the error shows the end of its log. Nothing is left running, and of
    /// a throw-away server nothing on disk.
    pub fn start(self) -> Result<Server, Error> {
        Server::start_as(&self)
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("keep_in", &self.keep_in)
            .field("binaries", &self.binaries)
            .field("postgres_version", &self.major)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::print_stderr, reason = "the documented default; `on_message` replaces it")]
fn to_stderr(line: &str) {
    eprintln!("{line}");
}
