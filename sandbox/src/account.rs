//! Which user the server runs as: ourselves, or another, because PostgreSQL refuses to be root.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, io};

/// The users root drops to, best first. `_postgres` is what macOS calls it.
const CANDIDATES: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// The user and group of the server's processes; `None` inside means: ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    drop_to: Option<Ids>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ids {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves, unless we are root.
    pub(crate) fn for_server() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { drop_to: None });
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = CANDIDATES.iter().find_map(|name| in_passwd(&passwd, name));
        match found.or_else(|| CANDIDATES.iter().find_map(|name| from_id(name))) {
            Some(ids) => Ok(Self { drop_to: Some(ids) }),
            None => Err(Error::new("no user to run PostgreSQL as")
                .note("PostgreSQL refuses to run as root")
                .note("this machine has neither a user `postgres` nor a user `nobody`")
                .help("run as another user, or add one: useradd --system postgres")),
        }
    }

    /// The owner of an existing data folder: PostgreSQL starts for nobody else.
    pub(crate) fn owner_of(&self, data: &Path) -> Result<Self, Error> {
        use std::os::unix::fs::MetadataExt;
        let meta = std::fs::metadata(data).map_err(|cause| io("cannot look at", data, cause))?;
        let ours = rustix::process::geteuid();
        match self.drop_to {
            Some(_) if meta.uid() != 0 => {
                Ok(Self { drop_to: Some(Ids { uid: meta.uid(), gid: meta.gid() }) })
            }
            None if meta.uid() == ours.as_raw() => Ok(self.clone()),
            Some(_) | None => {
                let owner = meta.uid();
                let ours = format!("the owner of its data is user {owner}, this is user {ours}");
                Err(belongs_to_another(data.parent().unwrap_or(data)).note(ours))
            }
        }
    }

    /// Whether the server runs as somebody else.
    pub(crate) fn is_other(&self) -> bool {
        self.drop_to.is_some()
    }

    /// The user id of the server's processes.
    pub(crate) fn uid(&self) -> u32 {
        self.drop_to.map_or_else(|| rustix::process::geteuid().as_raw(), |ids| ids.uid)
    }

    /// A command that runs as the server's user, in a folder everybody can enter, with a clean
    /// environment: `PG*` and locale variables of the caller change what the server does.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let _ = command.env_clear().current_dir("/").stdin(Stdio::null());
        // The loader's variables stay: some systems (Nix, custom builds) find libraries by them.
        for name in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                let _ = command.env(name, value);
            }
        }
        // The keeper needs `cp`, `rm` and `sleep`, whatever the caller's PATH is; not every system
        // has them in /usr/bin.
        let mut path = OsString::from("/usr/bin:/bin");
        if let Some(callers) = std::env::var_os("PATH").filter(|path| !path.is_empty()) {
            path.push(":");
            path.push(callers);
        }
        let _ = command.env("PATH", path);
        // macOS: «postmaster became multithreaded during startup» without a valid LC_ALL.
        let _ = command.env("LC_ALL", "C").env("TZ", "UTC");
        if let Some(ids) = self.drop_to {
            // std also clears the supplementary groups when both are given by root.
            let _ = command.uid(ids.uid).gid(ids.gid);
        }
        command
    }

    /// Hands a file or folder to the server's user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        let Some(ids) = self.drop_to else { return Ok(()) };
        std::os::unix::fs::lchown(path, Some(ids.uid), Some(ids.gid))
            .map_err(|cause| io("cannot hand to the server's user:", path, cause))
    }

    /// Asks a shell of the server's user; mode bits alone miss access lists and mount options.
    fn test(&self, script: &str, path: &Path) -> bool {
        let mut shell = self.command(Path::new("/bin/sh"));
        let _ = shell.args(["-c", script, "sh"]).arg(path);
        let _ = shell.stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }

    /// Whether the server's user can work below this folder.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        !self.is_other() || self.test(r#"cd -- "$1""#, folder)
    }

    /// Whether the server's user can also remove what it owns in this folder.
    pub(crate) fn can_write(&self, folder: &Path) -> bool {
        !self.is_other() || self.test(r#"cd -- "$1" && [ -w . ]"#, folder)
    }

    /// The first folder on the way that keeps the server's user out, judged by its mode.
    pub(crate) fn barrier<'p>(&self, path: &'p Path) -> &'p Path {
        use std::os::unix::fs::MetadataExt;
        let Some(ids) = self.drop_to else { return path };
        let closed = |folder: &&Path| {
            std::fs::metadata(folder).is_ok_and(|meta| {
                let shift = match meta {
                    _ if meta.uid() == ids.uid => 6,
                    _ if meta.gid() == ids.gid => 3,
                    _ => 0,
                };
                (meta.mode() >> shift) & 1 == 0
            })
        };
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        folders.into_iter().find(closed).unwrap_or(path)
    }
}

pub(crate) fn belongs_to_another(folder: &Path) -> Error {
    Error::new(format!("`{}` belongs to another user", folder.display()))
        .note("PostgreSQL starts a data folder only for its owner")
        .help("run as that user, or keep the data in another folder")
}

/// passwd(5): `name:password:uid:gid:…`. macOS writes `-2` for `nobody`.
fn in_passwd(passwd: &str, name: &str) -> Option<Ids> {
    let entry = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = entry.split(':').skip(2);
    let ids = Ids { uid: id(fields.next()?)?, gid: id(fields.next()?)? };
    (ids.uid != 0).then_some(ids)
}

/// Users of a directory service are not in the file.
fn from_id(name: &str) -> Option<Ids> {
    let ask = |flag: &str| {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        id(std::str::from_utf8(&output.stdout).ok()?)
    };
    let ids = Ids { uid: ask("-u")?, gid: ask("-g")? };
    (ids.uid != 0).then_some(ids)
}

fn id(text: &str) -> Option<u32> {
    let number: i64 = text.trim().parse().ok()?;
    (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&number).then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_the_whole_name() {
        let passwd = "postgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/v:/bin/bash\n";
        assert_eq!(in_passwd(passwd, "postgres"), Some(Ids { uid: 101, gid: 104 }));
        assert_eq!(in_passwd(passwd, "nobody"), None);
    }

    #[test]
    fn negative_ids_wrap_and_root_is_no_candidate() {
        let passwd =
            "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\npostgres:x:0:0::/:\n";
        assert_eq!(
            in_passwd(passwd, "nobody"),
            Some(Ids { uid: 4_294_967_294, gid: 4_294_967_294 })
        );
        assert_eq!(in_passwd(passwd, "postgres"), None);
    }
}
