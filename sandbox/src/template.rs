//! Data fresh from `initdb`, kept in the cache and copied for each throw-away server.
//!
//! Copying takes a tenth of a second, `initdb` six; test runners that start a process per test pay
//! it for every test. The copies share PostgreSQL's system identifier, which only physical
//! replication looks at.
//!
//! Invariant: a template has never been started, and has its name only when it is complete.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::ignore;
use crate::{cache, random};

/// A copy that old was abandoned by a process that was killed.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// A template not used for so long belongs to a version that was replaced.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

pub(crate) struct Template {
    place: PathBuf,
    /// Where the keeper leaves a new one.
    staging: PathBuf,
}

impl Template {
    /// The template for this `initdb`; `None` when there is no cache for it.
    ///
    /// `options` are those of `initdb`. A new build of the same version counts as another.
    pub(crate) fn of<'o>(
        binaries: &Binaries,
        options: impl Iterator<Item = &'o OsStr>,
        account: &Account,
    ) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        for program in [binaries.initdb(), binaries.postgres()] {
            // Links to one installation share its template.
            let program = program.canonicalize().ok()?;
            let meta = fs::metadata(&program).ok()?;
            (program, meta.len(), meta.modified().ok()?).hash(&mut hasher);
        }
        options.for_each(|option| option.hash(&mut hasher));
        // The server's user writes here, so it is a folder of its own.
        let folder = cache::lasting(account)?.join(format!("initdb-{}", account.uid()));
        if !folder.exists() {
            DirBuilder::new().mode(0o700).create(&folder).ok()?;
            account.give(&folder).ok()?;
        }
        let place = folder.join(format!("{}-{:016x}", binaries.version, hasher.finish()));
        let staging = folder.join(format!("new-{:08x}", random::number()));
        Some(Self { place, staging })
    }

    /// The finished one, if there is one.
    pub(crate) fn ready(&self) -> Option<&Path> {
        if !self.place.join("PG_VERSION").exists() {
            return None;
        }
        let touched = File::open(&self.place).and_then(|it| it.set_modified(SystemTime::now()));
        ignore(touched, "it is forgotten and made again");
        Some(&self.place)
    }

    pub(crate) fn staging(&self) -> &Path {
        &self.staging
    }

    /// Gives a new one its name, unless another process was faster. One that proved broken is
    /// replaced.
    pub(crate) fn publish(&self, replace: bool) {
        if !self.staging.exists() {
            return;
        }
        if replace {
            ignore(fs::remove_dir_all(&self.place), "the rename then fails too");
        }
        // Fails where there is one, because a folder is only renamed over an empty one.
        ignore(fs::rename(&self.staging, &self.place), "then the copy goes with this value");
        self.sweep();
    }

    fn sweep(&self) {
        let Some(Ok(entries)) = self.place.parent().map(fs::read_dir) else { return };
        for entry in entries.flatten() {
            let Ok(modified) = entry.metadata().and_then(|meta| meta.modified()) else { continue };
            let new = entry.file_name().to_string_lossy().starts_with("new-");
            let limit = if new { ABANDONED_AFTER } else { FORGOTTEN_AFTER };
            if modified.elapsed().is_ok_and(|age| age > limit) {
                ignore(fs::remove_dir_all(entry.path()), "swept by a later start");
            }
        }
    }
}

/// Of a server that did not come up; whoever started a keeper lets it end first.
impl Drop for Template {
    fn drop(&mut self) {
        if self.staging.exists() {
            ignore(fs::remove_dir_all(&self.staging), "swept by a later start");
        }
    }
}
