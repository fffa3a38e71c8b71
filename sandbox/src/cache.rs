//! The folder for what takes long to get: fetched binaries and data fresh from `initdb`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::{Error, ignore};

/// The first folder that we can write and the server's user can read, a temporary one if need be.
///
/// # Errors
///
/// When there is none; the notes say why for each.
pub(crate) fn folder(account: &Account) -> Result<PathBuf, Error> {
    let name = format!("dunlin-cache-{}", rustix::process::geteuid());
    let temporary = [std::env::temp_dir(), PathBuf::from("/tmp")].map(|dir| dir.join(&name));
    let mut refusals = Vec::new();
    for candidate in lasting_candidates(account).chain(temporary) {
        match usable(&candidate, account) {
            Ok(()) => return Ok(candidate),
            Err(reason) => refusals.push(format!("`{}` {reason}", candidate.display())),
        }
    }
    let error = Error::new("no folder can hold a cache");
    let error = refusals.into_iter().fold(error, Error::note);
    Err(error.help("set XDG_CACHE_HOME to a folder of yours that every user may enter"))
}

/// As [`folder`], but never a temporary one, whose files the system removes one by one.
pub(crate) fn lasting(account: &Account) -> Option<PathBuf> {
    lasting_candidates(account).find(|candidate| usable(candidate, account).is_ok())
}

fn lasting_candidates(account: &Account) -> impl Iterator<Item = PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    let below_home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let own = absolute("XDG_CACHE_HOME").or(absolute("HOME").map(|home| home.join(below_home)));
    let of_the_system = account.is_other().then(|| PathBuf::from("/var/cache"));
    own.into_iter().chain(of_the_system).map(|parent| parent.join("dunlin"))
}

/// What is in the cache is executed, so the folder must be ours alone to write. The error
/// finishes the sentence «`folder` …».
fn usable(folder: &Path, account: &Account) -> Result<(), String> {
    let new = !folder.exists();
    if new {
        fs::create_dir_all(folder).map_err(|cause| format!("cannot be made: {cause}"))?;
        ignore(
            fs::set_permissions(folder, PermissionsExt::from_mode(0o755)),
            "whatever the umask is; looked at next",
        );
    }
    let meta = fs::symlink_metadata(folder).map_err(|cause| format!("is closed: {cause}"))?;
    let ours = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw();
    if !ours || meta.mode() & 0o022 != 0 {
        return Err("is not a folder that only we can write".to_owned());
    }
    if !account.can_enter(folder) {
        if new {
            ignore(fs::remove_dir(folder), "only ever an empty folder");
        }
        let barrier = account.barrier(folder).display();
        return Err(format!("is closed to user {} by `{barrier}`", account.uid()));
    }
    Ok(())
}
