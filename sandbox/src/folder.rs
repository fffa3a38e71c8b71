//! The folder of one server: its lock, data, socket, log and settings.
//!
//! Throw-away and kept folders look the same inside:
//!
//! | name | what |
//! | --- | --- |
//! | `dunlin-sandbox.lock` | locked while an owner or a keeper lives; marks the folder as ours |
//! | `data/` | PostgreSQL's data folder, the server user's |
//! | `run/` | socket and the keeper's notes; anew at every start |
//! | `initialised` | exists once a server has been seen running on the data |
//! | `postgresql.conf` | our settings; includes the one in `data/` |
//! | `keeper.sh` | the script of the process that stops the server |
//! | `postgresql.log` | what the server said since its last start |
//!
//! Invariant: whoever holds the lock is the only one who touches the rest.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::address::{Address, LONGEST_SOCKET_PATH, PORT, can_hold_socket};
use crate::builder::Messages;
use crate::error::{Error, ignore, io};
use crate::{lock, random, sweep};

/// Throw-away folders begin with this; short, because the socket's path is.
pub(crate) const PREFIX: &str = "dunlin-";

pub(crate) struct Folder {
    base: PathBuf,
    run: PathBuf,
    port: u16,
    pub(crate) kept: bool,
    pub(crate) account: Account,
    pub(crate) lock: lock::Lock,
    /// Where the socket of a kept server is, when its own path is too long for one.
    elsewhere: Option<Box<Self>>,
}

impl Folder {
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }
    pub(crate) fn data(&self) -> PathBuf {
        self.base.join("data")
    }
    pub(crate) fn run(&self) -> &Path {
        &self.run
    }
    pub(crate) fn initialised(&self) -> PathBuf {
        self.base.join("initialised")
    }
    pub(crate) fn config(&self) -> PathBuf {
        self.base.join("postgresql.conf")
    }
    pub(crate) fn script(&self) -> PathBuf {
        self.base.join("keeper.sh")
    }
    pub(crate) fn log(&self) -> PathBuf {
        self.base.join("postgresql.log")
    }
    pub(crate) fn address(&self) -> Address {
        Address { socket_dir: self.run.clone(), port: self.port }
    }

    /// Gives the server another number than usual.
    pub(crate) const fn listen_on(&mut self, port: u16) {
        self.port = port;
    }

    /// What the keeper removes at the end.
    pub(crate) fn to_remove(&self) -> Option<&Path> {
        match &self.elsewhere {
            Some(elsewhere) => Some(&elsewhere.base),
            None => (!self.kept).then_some(&self.base),
        }
    }

    /// A new folder below the temporary folder, or below another one where that cannot serve.
    pub(crate) fn throw_away(account: &Account) -> Result<Self, Error> {
        let mut candidates = vec![std::env::temp_dir()];
        candidates.extend(["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from));
        let mut refusals = Vec::new();
        for parent in candidates {
            match Self::below(&parent, account) {
                Ok(folder) => return Ok(folder),
                Err(reason) => refusals.push(format!("`{}` {reason}", parent.display())),
            }
        }
        refusals.dedup();
        let error = Error::new("no temporary folder can hold a private PostgreSQL");
        let error = refusals.into_iter().fold(error, Error::note);
        Err(error.help("set TMPDIR to a short path that every user may enter, such as /tmp"))
    }

    /// Tries one parent; the error finishes the sentence «`parent` …».
    fn below(parent: &Path, account: &Account) -> Result<Self, String> {
        let parent =
            std::path::absolute(parent).map_err(|cause| format!("is unusable: {cause}"))?;
        if !can_hold_socket(&parent.join(format!("{PREFIX}00000000/run"))) {
            let limit = LONGEST_SOCKET_PATH;
            return Err(format!("is too long: a socket path holds {limit} bytes and no comma"));
        }
        if !account.can_write(&parent) {
            let barrier = account.barrier(&parent).display();
            return Err(format!("is closed to user {} by `{barrier}`", account.uid()));
        }
        sweep::leftovers(&parent, account);
        for _ in 0..8 {
            let base = parent.join(format!("{PREFIX}{:08x}", random::number()));
            match DirBuilder::new().mode(0o700).create(&base) {
                Ok(()) => {}
                Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(cause) => return Err(format!("takes no new folder: {cause}")),
            }
            // Another process may sweep a folder between its creation and its lock.
            let Ok(Some(lock)) = lock::Lock::try_new(&base) else { continue };
            let run = base.join("run");
            let account = account.clone();
            return Ok(Self { base, run, port: PORT, kept: false, account, lock, elsewhere: None });
        }
        Err("loses folders as soon as they are made".to_owned())
    }

    /// The first of these folders that is not closed to the server's user.
    pub(crate) fn first_kept(
        paths: &[PathBuf],
        account: &Account,
        messages: &Messages,
    ) -> Result<Self, Error> {
        let mut others = paths.iter().skip(1);
        let mut outcome = Self::kept(&paths[0], account);
        while let Err(error) = &outcome
            && error.is_closed()
            && let Some(other) = others.next()
        {
            messages(&format!("{error}: keeping the data in `{}`", other.display()));
            outcome = Self::kept(other, account);
        }
        outcome
    }

    /// The folder a caller wants kept: new, empty or ours.
    fn kept(path: &Path, account: &Account) -> Result<Self, Error> {
        let base = crate::error::absolute(path)?;
        let new = !base.exists();
        if new {
            fs::create_dir_all(&base).map_err(|cause| io("cannot create", &base, cause))?;
            if account.is_other() {
                // Whatever the umask is: the server's user has to pass.
                ignore(
                    fs::set_permissions(&base, PermissionsExt::from_mode(0o755)),
                    "checked next",
                );
            }
        }
        if !base.is_dir() {
            return Err(Error::new(format!("`{}` is not a folder", base.display())));
        }
        if !account.can_enter(&base) {
            if new {
                ignore(fs::remove_dir(&base), "only ever an empty folder");
            }
            return Err(closed(&base, account));
        }
        lock::refuse_foreign(&base)?;
        let lock = lock::Lock::wait(&base)?;
        let data = base.join("data");
        let account = if data.exists() { account.owner_of(&data)? } else { account.clone() };
        let run = base.join("run");
        let mut folder = Self { base, run, port: PORT, kept: true, account, lock, elsewhere: None };
        folder.lock.refuse_orphan(&folder.data())?;
        folder.redo_unfinished()?;
        if !can_hold_socket(&folder.run) {
            // The data may be where it wants; only the socket needs a short path.
            let elsewhere = Self::throw_away(&folder.account)?;
            folder.run.clone_from(&elsewhere.run);
            folder.elsewhere = Some(Box::new(elsewhere));
        }
        Ok(folder)
    }

    /// An `initdb` that was cut short leaves data no server has ever run on.
    fn redo_unfinished(&self) -> Result<(), Error> {
        let data = self.data();
        if !data.exists() || self.initialised().exists() {
            return Ok(());
        }
        fs::remove_dir_all(&data).map_err(|cause| io("cannot remove", &data, cause))
    }

    /// The major version that made the data, if there is any.
    pub(crate) fn data_major(&self) -> Option<u32> {
        let version = fs::read_to_string(self.data().join("PG_VERSION")).ok()?;
        version.trim().parse().ok()
    }

    /// Makes what the keeper needs. The server's user gets `data` and `run`, and a throw-away
    /// folder last, to remove it: root never writes where that user could have put a link.
    pub(crate) fn furnish(&self, config: &str) -> Result<File, Error> {
        if self.run.exists() {
            fs::remove_dir_all(&self.run).map_err(|cause| io("cannot remove", &self.run, cause))?;
        }
        for folder in [&self.run, &self.data()] {
            if !folder.exists() {
                let made = DirBuilder::new().mode(0o700).create(folder);
                made.map_err(|cause| io("cannot create", folder, cause))?;
                self.account.give(folder)?;
            }
        }
        readable(&self.config(), config)?;
        readable(&self.script(), include_str!("keeper.sh"))?;
        let path = self.log();
        let log = File::create(&path).map_err(|cause| io("cannot write", &path, cause))?;
        if let Some(folder) = self.to_remove() {
            self.account.give(folder)?;
        }
        Ok(log)
    }

    /// Records, durably, that a server has run on the data: from now on it is never redone.
    pub(crate) fn mark_initialised(&self) -> Result<(), Error> {
        let path = self.initialised();
        if path.exists() {
            return Ok(());
        }
        let written = File::create(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| File::open(&self.base)?.sync_all());
        written.map_err(|cause| io("cannot write", &path, cause))
    }
}

/// Whoever started a keeper lets it end first; then it has removed the folder already.
impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            ignore(fs::remove_dir_all(&self.base), "the next start sweeps what is left");
        }
    }
}

/// Writes a file that the server's user can read, whatever the umask is.
fn readable(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, PermissionsExt::from_mode(0o644)))
        .map_err(|cause| io("cannot write", path, cause))
}

fn closed(base: &Path, account: &Account) -> Error {
    let uid = account.uid();
    let barrier = account.barrier(base).display();
    Error::new(format!("`{}` is closed to the user PostgreSQL runs as", base.display()))
        .note(format!("PostgreSQL refuses to run as root, so it runs as user {uid}"))
        .note(format!("user {uid} may not enter `{barrier}`"))
        .help(format!("keep the data outside `{barrier}`, for instance below /var/lib"))
        .help(format!("or let others pass: chmod o+x '{barrier}'"))
        .because_closed()
}
