//! The one error type: a headline, what is worth knowing, what to do, and who is in the way.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::address::Address;

/// Why a server could not be started, used or stopped.
///
/// `{}` is one line. `{:#}` and `Debug` add notes, the cause and a help line, because the usual
/// consumer of a test helper is `unwrap()`.
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Default)]
struct Inner {
    headline: String,
    notes: Vec<String>,
    helps: Vec<String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    running: Option<Running>,
    closed: bool,
}

impl Error {
    pub(crate) fn new(headline: impl Into<String>) -> Self {
        let inner = Inner { headline: headline.into(), ..Inner::default() };
        Self { inner: Box::new(inner) }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.inner.notes.push(note.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.inner.helps.push(help.into());
        self
    }

    pub(crate) fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.cause = Some(cause.into());
        self
    }

    pub(crate) fn held_by(mut self, running: Option<Running>) -> Self {
        self.inner.running = running;
        self
    }

    /// Marks the error that another folder may get around.
    pub(crate) fn because_closed(mut self) -> Self {
        self.inner.closed = true;
        self
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.closed
    }

    /// The server that already uses the kept folder, when that is why this start was refused.
    ///
    /// A second program can connect to it instead of starting its own.
    #[must_use]
    pub fn running(&self) -> Option<&Running> {
        self.inner.running.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.headline)?;
        if !f.alternate() {
            return Ok(());
        }
        if let Some(cause) = &self.inner.cause {
            labelled(f, "cause", &cause.to_string())?;
        }
        for note in &self.inner.notes {
            labelled(f, "note", note)?;
        }
        for help in &self.inner.helps {
            labelled(f, "help", help)?;
        }
        Ok(())
    }
}

/// Writes `  = label: text`, with the following lines of the text below the first.
fn labelled(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    let indent = " ".repeat("  = ".len() + label.len() + ": ".len());
    for (number, line) in text.lines().enumerate() {
        if number == 0 {
            write!(f, "\n  = {label}: {line}")?;
        } else {
            write!(f, "\n{indent}{line}")?;
        }
    }
    Ok(())
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// A server that some process keeps running in a kept folder.
#[derive(Clone, Debug)]
pub struct Running {
    pub(crate) pid: u32,
    pub(crate) address: Address,
}

impl Running {
    /// The process that holds the folder: the program that started the server, or the server
    /// itself where that program is gone.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The folder of the server's unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.address.socket_dir
    }

    /// The number in the socket's name.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// A connection string for one database of that server, see
    /// [`Server::connection_string`](crate::Server::connection_string).
    #[must_use]
    pub fn connection_string(&self, database: &str) -> String {
        self.address.connection_string(database)
    }
}

/// An I/O error with the path it is about.
pub(crate) fn io(what: &str, path: &Path, cause: std::io::Error) -> Error {
    Error::new(format!("{what} `{}`", path.display())).because(cause)
}

/// Where an outcome changes nothing; the reason is for the reader.
pub(crate) fn ignore<T, E>(_outcome: Result<T, E>, _reason: &str) {}

/// Kept here so that both callers name the same thing.
pub(crate) fn in_use(folder: &Path, pid: Option<u32>, running: Option<Running>) -> Error {
    let holder = match pid {
        Some(pid) if pid == std::process::id() => "by this process".to_owned(),
        Some(pid) => format!("by process {pid}"),
        None => "by another process".to_owned(),
    };
    let mut error = Error::new(format!("`{}` is in use {holder}", folder.display()));
    if let Some(running) = &running {
        let string = running.connection_string("postgres");
        error = error.note(format!("its server accepts connections at `{string}`"));
    }
    error
        .note("two servers on one data folder would destroy it")
        .help("stop that process, connect to its server, or use another folder")
        .held_by(running)
}

/// A path made absolute without touching the file system.
///
/// # Errors
///
/// When the path is empty or the current folder is gone.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|cause| io("no absolute path for", path, cause))
}
