//! The lock of a server's folder, and what the file says about its holder.
//!
//! A `flock` belongs to the open file, not to the process: the keeper inherits it, so the lock
//! outlives an owner that is killed for exactly as long as its server needs to stop. std opens
//! files close-on-exec, so nobody else inherits it.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind::PermissionDenied;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::address::Address;
use crate::error::{Error, Running, ignore, in_use, io};
use crate::process;

/// The file's name; its presence marks a folder as ours.
pub(crate) const NAME: &str = "dunlin-sandbox.lock";

/// How long a folder may stay locked by a server that is starting or stopping.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

pub(crate) struct Lock {
    file: File,
    base: PathBuf,
}

/// What the file says: the owner's process, and once the server is up, where it listens.
struct Holder {
    pid: u32,
    running: Option<Running>,
}

impl Lock {
    /// The lock, or nothing when another has it or the file was removed before it was ours.
    pub(crate) fn try_new(base: &Path) -> Result<Option<Self>, std::io::Error> {
        let path = base.join(NAME);
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        Self::try_lock(file, base)
    }

    /// As [`try_new`](Self::try_new), but never creates the file.
    pub(crate) fn try_existing(base: &Path) -> Result<Option<Self>, std::io::Error> {
        let file = File::options().read(true).write(true).open(base.join(NAME))?;
        Self::try_lock(file, base)
    }

    fn try_lock(file: File, base: &Path) -> Result<Option<Self>, std::io::Error> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
        // A keeper or a sweep may have removed the file between its opening and the lock.
        let ours = file.metadata()?;
        let same = fs::metadata(base.join(NAME))
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if !same {
            return Ok(None);
        }
        let mut lock = Self { file, base: base.to_owned() };
        lock.write(&format!("{}\n", std::process::id()))?;
        Ok(Some(lock))
    }

    /// The lock of a kept folder. A server that is starting is waited for, so that its address
    /// can be given; one that is stopping is waited for, so that the next start succeeds.
    pub(crate) fn wait(base: &Path) -> Result<Self, Error> {
        let path = base.join(NAME);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Self::try_new(base) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) => {}
                Err(cause) if cause.kind() == PermissionDenied => {
                    return Err(crate::account::belongs_to_another(base).because(cause));
                }
                Err(cause) => return Err(io("cannot lock", &path, cause)),
            }
            let holder = read_holder(&path);
            let late = Instant::now() > deadline;
            match holder {
                Some(Holder { pid, running: Some(running) }) if process::is_alive(pid) => {
                    return Err(in_use(base, Some(pid), Some(running)));
                }
                Some(Holder { pid, .. }) if late => return Err(in_use(base, Some(pid), None)),
                None if late => return Err(in_use(base, None, None)),
                _ => std::thread::sleep(POLL),
            }
        }
    }

    /// Says where the server listens, for whoever finds the folder in use.
    pub(crate) fn announce(&mut self, address: &Address) -> Result<(), Error> {
        let text =
            format!("{}\n{}\n{}\n", std::process::id(), address.port, address.socket_dir.display());
        self.write(&text).map_err(|cause| io("cannot write", &self.base.join(NAME), cause))
    }

    /// From now on others wait for the lock instead of being refused.
    pub(crate) fn withdraw(&mut self) {
        ignore(self.write(""), "others are refused a little longer");
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        let _ = self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }

    /// The same lock for the keeper.
    pub(crate) fn share(&self) -> Result<File, Error> {
        self.file.try_clone().map_err(|cause| io("cannot share", &self.base.join(NAME), cause))
    }

    /// The lock was free, yet a server runs on the data: its keeper was killed, or somebody
    /// started it by hand.
    pub(crate) fn refuse_orphan(&self, data: &Path) -> Result<(), Error> {
        match Postmaster::read(data) {
            Some(server) if process::serves(server.pid, data) => {
                let help = format!("to stop it: kill -INT {}", server.pid);
                Err(in_use(&self.base, Some(server.pid), server.running()).help(help))
            }
            _ => Ok(()),
        }
    }
}

/// A folder without our lock file must be empty: nothing of anybody else's is ever touched.
pub(crate) fn refuse_foreign(base: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(base).map_err(|cause| io("cannot read", base, cause))?;
    let names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    if names.is_empty() || names.iter().any(|name| name == NAME) {
        return Ok(());
    }
    let error = Error::new(format!("`{}` is not empty and not ours", base.display()));
    let error = if names.iter().any(|name| name == "PG_VERSION") {
        error.note("it is a PostgreSQL data folder that another program made")
    } else {
        error.note(format!("it has no `{NAME}`, which every folder made here has"))
    };
    Err(error.help("keep the data in an empty folder or in one that does not exist yet"))
}

fn read_holder(path: &Path) -> Option<Holder> {
    let mut text = String::new();
    let _ = File::open(path).ok()?.read_to_string(&mut text).ok()?;
    // The folder comes last and to the end, because its name may hold anything.
    let mut parts = text.splitn(3, '\n');
    let pid = parts.next()?.parse().ok()?;
    let address = parts.next().zip(parts.next()).and_then(|(port, folder)| {
        let folder = folder.strip_suffix('\n')?;
        Some(Address { port: port.parse().ok()?, socket_dir: folder.into() })
    });
    Some(Holder { pid, running: address.map(|address| Running { pid, address }) })
}

/// What `postmaster.pid` says (`src/include/utils/pidfile.h` of PostgreSQL).
pub(crate) struct Postmaster {
    pub(crate) pid: u32,
    lines: Vec<String>,
}

impl Postmaster {
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // A standalone backend writes its number negated.
        let pid = lines.first()?.trim_start_matches('-').parse().ok()?;
        Some(Self { pid, lines })
    }

    /// Line 8: the server accepts connections.
    pub(crate) fn is_ready(&self) -> bool {
        self.lines.get(7).is_some_and(|status| status.trim() == "ready")
    }

    /// Line 7: key and number of the System V segment that guards the data folder.
    pub(crate) fn segment(&self) -> Option<(&str, &str)> {
        let mut words = self.lines.get(6)?.split_whitespace();
        Some((words.next()?, words.next()?))
    }

    /// Lines 4 and 5: port and socket folder.
    fn running(&self) -> Option<Running> {
        let port = self.lines.get(3)?.parse().ok()?;
        let socket_dir = self.lines.get(4).filter(|folder| !folder.is_empty())?.into();
        Some(Running { pid: self.pid, address: Address { port, socket_dir } })
    }
}
