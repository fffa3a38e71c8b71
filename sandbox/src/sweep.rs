//! Throw-away folders whose owner and keeper both died: loss of power, or `kill -9` of everything.
//!
//! A folder is swept only when it is certainly nobody's: it belongs to us, its name and lock file
//! are ours, and its lock is free, which no living owner or keeper leaves it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::account::Account;
use crate::error::ignore;
use crate::folder::PREFIX;
use crate::lock::{Lock, NAME, Postmaster};
use crate::process;

/// An empty folder this old was abandoned between its creation and its lock.
const EMPTY_FOR: Duration = Duration::from_hours(1);

/// Removes what is left over in one parent. Never fails: this is housekeeping.
pub(crate) fn leftovers(parent: &Path, account: &Account) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let ours = [rustix::process::geteuid().as_raw(), account.uid()];
    for entry in entries.flatten() {
        let named = entry.file_name().to_str().is_some_and(is_ours_by_name);
        // `DirEntry::metadata` does not follow links.
        let Ok(meta) = entry.metadata() else { continue };
        if named && meta.is_dir() && ours.contains(&meta.uid()) {
            leftover(&entry.path(), &meta);
        }
    }
}

fn is_ours_by_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == 8 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn leftover(base: &Path, meta: &fs::Metadata) {
    if !base.join(NAME).exists() {
        let old = meta.modified().is_ok_and(|then| then.elapsed().is_ok_and(|age| age > EMPTY_FOR));
        if old {
            // Only ever removes an empty folder.
            ignore(fs::remove_dir(base), "somebody else's housekeeping");
        }
        return;
    }
    let Ok(Some(_lock)) = Lock::try_existing(base) else { return };
    let data = base.join("data");
    if let Some(server) = Postmaster::read(&data) {
        if process::serves(server.pid, &data) {
            process::quit(server.pid);
            if !process::wait_until_gone(server.pid) {
                return;
            }
        }
        if !release(&server) {
            return;
        }
    }
    ignore(fs::remove_dir_all(base), "the next start tries again");
}

/// A server killed with KILL leaves its System V segment behind, and for some moments children
/// that are attached to it. Returns false when they stay: the next start tries again.
///
/// The segment's number may be another program's by now, so the key must match too.
fn release(server: &Postmaster) -> bool {
    let Some((key, number)) = server.segment() else { return true };
    for _ in 0..100 {
        match attached(key, number).as_deref() {
            None => return true,
            Some("0") => {
                let removed = std::process::Command::new("ipcrm").args(["-m", number]).output();
                ignore(removed, "56 bytes");
                return true;
            }
            Some(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    false
}

/// How many processes are attached to the segment, if there is one.
fn attached(key: &str, number: &str) -> Option<String> {
    // A `key_t` is signed; PostgreSQL writes it as an unsigned long, the kernel as it is.
    let key = (key.parse::<u64>().ok()? as i32).to_string();
    let table = fs::read_to_string("/proc/sysvipc/shm").ok()?;
    table.lines().find_map(|line| {
        // key shmid perms size cpid lpid nattch …
        let mut row = line.split_whitespace();
        let same = row.next() == Some(&key) && row.next() == Some(number);
        same.then(|| row.nth(4).map(str::to_owned))?
    })
}
