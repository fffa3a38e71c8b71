//! The server's settings.

use std::fmt::Write;
use std::path::Path;

use crate::error::Error;
use crate::folder::Folder;

/// What the rest of this crate relies on.
const OURS: [&str; 6] = [
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "port",
    "unix_socket_directories",
];

/// One `name = value` of the caller, last wins.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Self { name, value } = self;
        if OURS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Error::new(format!("setting `{name}` belongs to the sandbox"))
                .note("the connection string depends on it"));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || "_.$".contains(c);
        if name.is_empty() || !name.chars().all(word) {
            return Err(Error::new(format!("`{name}` is not the name of a setting")));
        }
        if value.contains('\0') {
            return Err(Error::new(format!("the value of `{name}` contains a zero byte")));
        }
        Ok(())
    }
}

/// The text of `postgresql.conf`. It includes the one `initdb` wrote, which holds what `initdb`
/// found out about the machine.
pub(crate) fn text(folder: &Folder, settings: &[Setting]) -> Result<String, Error> {
    let mut text = String::from("# Written by dunlin-sandbox at every start; edits are lost.\n");
    let initdb = folder.data().join("postgresql.conf");
    line(&mut text, "include", path(&initdb)?);
    // A list whose elements may be quoted (SplitDirectoriesString): `"` keeps blanks.
    let socket_dir = path(folder.run())?.replace('"', "\"\"");
    let mut all = vec![
        ("listen_addresses", String::new()),
        ("port", folder.address().port.to_string()),
        ("unix_socket_directories", format!("\"{socket_dir}\"")),
        ("unix_socket_permissions", "0700".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
    ];
    if !folder.kept {
        // Nothing of it is read after a crash. `synchronous_commit` stays: programs test with it.
        all.extend(["fsync", "full_page_writes"].map(|name| (name, "off".to_owned())));
        // In the data folder instead of /dev/shm, where a killed server would leave them.
        all.push(("dynamic_shared_memory_type", "mmap".to_owned()));
    }
    for (name, value) in &all {
        line(&mut text, name, value);
    }
    for Setting { name, value } in settings {
        line(&mut text, name, value);
    }
    Ok(text)
}

fn path(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::new(format!("`{}` is not UTF-8", path.display())))
}

/// 20.1.2: quotes are doubled; backslash escapes work as in `E''` strings.
fn line(text: &mut String, name: &str, value: &str) {
    let quoted = value.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n");
    let equals = if name == "include" { "" } else { "= " };
    crate::error::ignore(writeln!(text, "{name} {equals}'{quoted}'"), "a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_quotes() {
        let mut text = String::new();
        line(&mut text, "a.b", "it's\\\nport = 1");
        assert_eq!(text, "a.b = 'it''s\\\\\\nport = 1'\n");
    }

    #[test]
    fn settings_the_connection_string_depends_on_are_refused() {
        let check = |name: &str| {
            let setting = Setting { name: name.to_owned(), value: String::new() };
            setting.check().map_err(|error| error.to_string())
        };
        assert_eq!(check("work_mem"), Ok(()));
        assert_eq!(check("my.own"), Ok(()));
        assert_eq!(check("PORT"), Err("setting `PORT` belongs to the sandbox".to_owned()));
        assert_eq!(check("a b"), Err("`a b` is not the name of a setting".to_owned()));
        assert_eq!(check(""), Err("`` is not the name of a setting".to_owned()));
    }
}
