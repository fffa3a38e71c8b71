//! The keeper: a small shell process that runs the server and stops it when the owner is gone.
//!
//! It waits for the end of a pipe that only this process holds open (std's pipes are
//! close-on-exec), so it works for a normal exit, a panic, Ctrl-C and `kill -9` alike.
//! `PR_SET_PDEATHSIG` was rejected: it fires when the *thread* that spawned the child ends.
//! A process group of its own keeps Ctrl-C in a terminal from stopping the server before the owner.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::binaries::Binaries;
use crate::error::{Error, ignore};
use crate::folder::Folder;
use crate::initdb::Data;
use crate::lock::Postmaster;
use crate::process;

/// A kept server may have to recover from a crash first.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(5);

/// In fiftieths of a second, see `keeper.sh`: time for a checkpoint of a kept server.
const PATIENCE_KEPT: u32 = 50 * 60;
const PATIENCE_THROW_AWAY: u32 = 50 * 10;

/// How much of the log an error shows.
const LOG_LINES: usize = 12;

pub(crate) struct Keeper {
    process: Child,
    run: PathBuf,
    data: PathBuf,
}

impl Keeper {
    /// Starts the keeper, which makes the data if there is none and starts the server.
    pub(crate) fn start(
        folder: &Folder,
        binaries: &Binaries,
        data: &Data,
        log: fs::File,
    ) -> Result<Self, Error> {
        let (signal, patience) =
            if folder.kept { ("INT", PATIENCE_KEPT) } else { ("QUIT", PATIENCE_THROW_AWAY) };
        let mut command = folder.account.command(Path::new("/bin/sh"));
        let _ = command
            .arg(folder.script())
            .arg(folder.run())
            .arg(folder.to_remove().unwrap_or(Path::new("")))
            .args([signal, &patience.to_string()])
            .arg(folder.data())
            .arg(folder.config())
            .arg(data.copied_from().unwrap_or(Path::new("")))
            .arg(data.copied_to().unwrap_or(Path::new("")))
            .arg(binaries.postgres())
            .args(data.initdb())
            .stdin(Stdio::piped())
            .stdout(folder.lock.share()?)
            .stderr(log)
            .process_group(0);
        if let Some(stale) = Postmaster::read(&folder.data()) {
            // We hold the lock and it is no server. PostgreSQL would believe any process of that
            // number, which a restarted container gives to another one, or a zombie. This is how
            // pg_ctl tells it about a relative; it still asks the shared memory for survivors.
            let _ = command.env("PG_GRANDPARENT_PID", stale.pid.to_string());
        }
        let process = command.spawn().map_err(|cause| {
            Error::new("no shell to keep PostgreSQL running in")
                .because(cause)
                .note(format!("`/bin/sh` is started as user {} for it", folder.account.uid()))
        })?;
        Ok(Self { process, run: folder.run().to_owned(), data: folder.data() })
    }

    /// Waits until the server accepts connections.
    pub(crate) fn wait_until_ready(&mut self, folder: &Folder) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        let data = folder.data();
        loop {
            // A `postmaster.pid` of before a crash names another process.
            let ready =
                |server: &Postmaster| self.server() == Some(server.pid) && server.is_ready();
            if Postmaster::read(&data).as_ref().is_some_and(ready) {
                return Ok(());
            }
            if let Some(status) = self.exited() {
                return Err(not_up(&status, folder));
            }
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                return Err(not_up("its keeper ended", folder));
            }
            if Instant::now() > deadline {
                let seconds = START_TIMEOUT.as_secs();
                return Err(not_up(&format!("it was not ready after {seconds} seconds"), folder));
            }
            std::thread::sleep(POLL);
        }
    }

    /// The process of the server, as soon as there is one.
    pub(crate) fn server(&self) -> Option<u32> {
        fs::read_to_string(self.run.join("pid")).ok()?.trim_end().parse().ok()
    }

    /// «`initdb` ended with status 1», once that is so.
    fn exited(&self) -> Option<String> {
        let text = fs::read_to_string(self.run.join("exited")).ok()?;
        let (program, status) = text.strip_suffix('\n')?.split_once(' ')?;
        Some(format!("`{program}` ended with status {status}"))
    }

    /// Lets the keeper stop the server, and waits for both.
    pub(crate) fn stop(&mut self) -> std::io::Result<()> {
        drop(self.process.stdin.take());
        let _ = self.process.wait()?;
        // Only when somebody killed the keeper is there a server left.
        if let Some(pid) = self.server().filter(|pid| process::serves(*pid, &self.data)) {
            process::quit(pid);
            if !process::wait_until_gone(pid) {
                return Err(std::io::Error::other(format!("process {pid} does not end")));
            }
        }
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        ignore(self.stop(), "the keeper stops the server whether or not we can wait for it");
    }
}

fn not_up(reason: &str, folder: &Folder) -> Error {
    let log = fs::read_to_string(folder.log()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    let error = Error::new("PostgreSQL does not start").note(reason);
    let error = if last.is_empty() {
        error.note("its log is empty")
    } else {
        error.note(format!("its log ends:\n{}", last.join("\n")))
    };
    if folder.kept { error.note(format!("the log is `{}`", folder.log().display())) } else { error }
}
