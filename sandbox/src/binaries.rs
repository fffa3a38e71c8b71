//! Finding PostgreSQL: where it may be installed, and which of several is taken.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::{Error, absolute};

/// `DROP DATABASE … WITH (FORCE)` came with 13.
pub(crate) const OLDEST_MAJOR: u32 = 13;

/// The usual folders, newest version first. At most one `*` each.
const USUAL: [&str; 12] = [
    "/usr/lib/postgresql/*/bin",          // Debian, Ubuntu, Gentoo's slots
    "/usr/pgsql-*/bin",                   // Fedora and RHEL, PGDG packages
    "/usr/lib/postgresql*/bin",           // openSUSE
    "/usr/libexec/postgresql*",           // Alpine
    "/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
    "/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin", // Homebrew on Linux
    "/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
    "/Library/PostgreSQL/*/bin",          // EDB on macOS
    "/opt/local/lib/postgresql*/bin",     // MacPorts
    "/usr/local/pgsql/bin",               // built from source
    "/usr/bin",                           // Arch, Fedora; PATH may be restricted
];

/// The folder with `initdb` and `postgres`. Embedded packages have nothing else, so nothing else
/// (`psql`, `createdb`) is used.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    pub(crate) version: String,
    pub(crate) major: u32,
}

impl Binaries {
    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// Looks into one folder; the error finishes the sentence «`folder` …».
    pub(crate) fn at(folder: &Path, account: &Account) -> Result<Self, String> {
        for name in ["initdb", "postgres"] {
            if !folder.join(name).is_file() {
                return Err(format!("has no `{name}`"));
            }
        }
        let mut probe = account.command(&folder.join("postgres"));
        let output = probe
            .arg("--version")
            .output()
            .map_err(|cause| format!("cannot be used by user {}: {cause}", account.uid()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some((version, major)) = version(&text) else {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("nothing").trim();
            return Err(format!("does not work here: `postgres --version` says {said}"));
        };
        if major < OLDEST_MAJOR {
            return Err(format!("is version {version}; {OLDEST_MAJOR} is the oldest supported"));
        }
        Ok(Self { folder: folder.to_owned(), version, major })
    }
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `… 18beta1`.
fn version(text: &str) -> Option<(String, u32)> {
    let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version[..digits].parse().ok()?))
}

/// A folder somebody named: used, or an error; never passed over.
pub(crate) fn named(folder: &Path, by: &str, account: &Account) -> Result<Binaries, Error> {
    let folder = absolute(folder)?;
    Binaries::at(&folder, account).map_err(|reason| {
        Error::new(format!("`{}` {reason}", folder.display()))
            .note(format!("{by} names this folder"))
            .help("name the folder that holds `initdb` and `postgres`")
    })
}

/// The first installed one of that major version, or of any; and why others were passed over.
pub(crate) fn installed(
    wanted: Option<u32>,
    account: &Account,
    passed_over: &mut Vec<String>,
) -> Option<Binaries> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let lazily = || pg_config().into_iter().chain(USUAL.iter().flat_map(|usual| expand(usual)));
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in on_path.chain(std::iter::once_with(lazily).flatten()) {
        if !folder.join("initdb").is_file() {
            continue;
        }
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        match Binaries::at(&folder, account) {
            Ok(found) if wanted.is_none_or(|major| major == found.major) => return Some(found),
            Ok(other) => {
                passed_over.push(format!("`{}` is version {}", folder.display(), other.version));
            }
            Err(reason) => passed_over.push(format!("`{}` {reason}", folder.display())),
        }
    }
    None
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim_end())).filter(|folder| folder.is_absolute())
}

/// Replaces the `*` by what exists, highest number first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![pattern.into()] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let digits = name.strip_prefix(prefix)?;
            // `9.6` and the link `latest` of Postgres.app fall out here, as they should.
            let major = digits.trim_start_matches('-').parse().ok()?;
            Some((major, PathBuf::from(format!("{parent}/{name}{after}"))))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_distributions_and_betas_are_read() {
        let read =
            |text: &str| version(text).map(|(version, major)| format!("{major} of {version}"));
        let debian = read("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n");
        assert_eq!(debian.as_deref(), Some("15 of 15.14"));
        assert_eq!(read("postgres (PostgreSQL) 18beta1\n").as_deref(), Some("18 of 18beta1"));
        assert_eq!(read("busybox"), None);
    }

    #[test]
    fn the_newest_of_a_usual_folder_comes_first() {
        let parent = std::env::temp_dir().join(format!("usual-{:08x}", crate::random::number()));
        for name in ["pgsql-9.6", "pgsql-9", "pgsql-15", "pgsql-latest", "pgsql-16", "other"] {
            std::fs::create_dir_all(parent.join(name)).expect("a folder");
        }
        let there = parent.display();
        let found = expand(&format!("{there}/pgsql-*/bin"));
        std::fs::remove_dir_all(&parent).expect("its removal");
        let expected = [16, 15, 9].map(|major| PathBuf::from(format!("{there}/pgsql-{major}/bin")));
        assert_eq!(found, expected);
        assert_eq!(expand("/usr/bin"), [PathBuf::from("/usr/bin")]);
    }
}
