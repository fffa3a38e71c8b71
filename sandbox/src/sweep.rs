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
        release(&server);
    }
    ignore(fs::remove_dir_all(base), "the next start tries again");
}

/// A server killed with KILL leaves its System V segment behind. Its number may be another
/// program's by now, so the key must match too and nobody may be attached.
fn release(server: &Postmaster) {
    let Some((key, number)) = server.segment() else { return };
    let Ok(table) = fs::read_to_string("/proc/sysvipc/shm") else { return };
    let ours = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|row| {
        // key shmid perms size cpid lpid nattch …
        row.first() == Some(&key) && row.get(1) == Some(&number) && row.get(6) == Some(&"0")
    });
    if ours {
        let removed = std::process::Command::new("ipcrm").args(["-m", number]).output();
        ignore(removed, "56 bytes");
    }
}
