//! Which PostgreSQL is used: a named one, an installed one, one fetched before, or a new download.

use std::path::Path;

use crate::binaries::{self, Binaries};
use crate::builder::ServerBuilder;
use crate::error::Error;
use crate::fetch::{self, Policy};
use crate::folder::Folder;

/// Chooses, or says what was looked at and what to install.
pub(crate) fn choose(wanted: &ServerBuilder, folder: &Folder) -> Result<Binaries, Error> {
    let made_by = folder.data_major();
    if let (Some(wanted), Some(made_by)) = (wanted.major, made_by)
        && wanted != made_by
    {
        return Err(other_version(folder, made_by, wanted, "asked for"));
    }
    let by_environment = std::env::var_os("DUNLIN_POSTGRES_BIN").filter(|dir| !dir.is_empty());
    let named = match (&wanted.binaries, by_environment) {
        (Some(dir), _) => Some(binaries::named(dir, "`binaries`", &folder.account)?),
        (None, Some(dir)) => {
            Some(binaries::named(Path::new(&dir), "DUNLIN_POSTGRES_BIN", &folder.account)?)
        }
        (None, None) => None,
    };
    let Some(named) = named else { return search(wanted, folder, made_by) };
    if let Some(made_by) = made_by
        && named.major != made_by
    {
        return Err(other_version(folder, made_by, named.major, "named"));
    }
    if let Some(major) = wanted.major
        && named.major != major
    {
        let headline = format!("PostgreSQL {major} is asked for, {} is named", named.version);
        return Err(Error::new(headline).note(format!("it is `{}`", named.postgres().display())));
    }
    Ok(named)
}

fn search(
    wanted: &ServerBuilder,
    folder: &Folder,
    made_by: Option<u32>,
) -> Result<Binaries, Error> {
    let policy = Policy::from_environment()?;
    let account = &folder.account;
    let major = wanted.major.or(made_by);
    let mut notes = Vec::new();
    if policy == Policy::Always {
        notes.push("DUNLIN_POSTGRES_FETCH=always leaves out what is installed".to_owned());
    }
    if policy != Policy::Always
        && let Some(found) = binaries::installed(major, account, &mut notes)
    {
        return Ok(found);
    }
    if let Some(found) = fetch::cached(major, account) {
        return Ok(found);
    }
    // Data of 15 beside an installed 17: the choice is the user's, a download would hide it.
    let others = if policy == Policy::Missing && wanted.major.is_none() { made_by } else { None };
    if let Some(made_by) = others
        && let Some(other) = binaries::installed(None, account, &mut Vec::new())
    {
        return Err(other_version(folder, made_by, other.major, "installed"));
    }
    if policy == Policy::Never {
        notes.push("DUNLIN_POSTGRES_FETCH=never forbids to fetch one".to_owned());
    } else {
        match fetch::fetch(major, account, &wanted.messages) {
            Ok(found) => return Ok(found),
            Err(reasons) => notes.extend(reasons),
        }
    }
    let error = match major {
        Some(major) => Error::new(format!("there is no PostgreSQL {major} on this machine")),
        None => Error::new("there is no PostgreSQL on this machine"),
    };
    let error = notes.into_iter().fold(error, Error::note);
    Err(error
        .help(fetch::INSTALL)
        .help("or set DUNLIN_POSTGRES_BIN to the folder of `initdb` and `postgres`"))
}

fn other_version(folder: &Folder, made_by: u32, other: u32, how: &str) -> Error {
    let place = folder.base().display();
    Error::new(format!("`{place}` was made by PostgreSQL {made_by}, {other} is {how}"))
        .note("a data folder can only be used by the major version that made it")
        .help(format!("ask for it with `.postgres_version({made_by})`, which also fetches it"))
        .help(format!("or start from nothing: rm -r '{place}'"))
}
