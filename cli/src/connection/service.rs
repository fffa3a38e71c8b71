//! The service file: «The Connection Service File» of libpq's manual.

use std::fs;
use std::path::{Path, PathBuf};

use super::parameters::{home, keyword};
use crate::answer::Failure;

/// Parameters and what they are set to.
type Values = Vec<(&'static str, String)>;

/// The parameters of a service.
pub(super) fn read(name: &str, file: Option<&Path>) -> Result<Values, Box<Failure>> {
    let mut looked = Vec::new();
    for file in files(file) {
        if let Ok(text) = fs::read_to_string(&file)
            && let Some(found) = find(&text, name, &file)?
        {
            return Ok(found);
        }
        looked.push(format!("`{}`", file.display()));
    }
    Failure::usage(format!("there is no service `{name}`"))
        .note(format!("looked in {}", looked.join(" and ")))
        .into()
}

/// The person's file, and the one for all.
fn files(named: Option<&Path>) -> Vec<PathBuf> {
    let own = named.map(Path::to_path_buf);
    let own = own.or_else(|| home().map(|it| it.join(".pg_service.conf")));
    let shared = std::env::var_os("PGSYSCONFDIR").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| PathBuf::from("/etc/postgresql-common"));
    own.into_iter().chain([shared.join("pg_service.conf")]).collect()
}

fn find(text: &str, name: &str, file: &Path) -> Result<Option<Values>, Box<Failure>> {
    let mut found: Option<Vec<_>> = None;
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            found = (section == name).then(Vec::new);
            continue;
        }
        let Some(values) = &mut found else { continue };
        let (word, value) = line.split_once('=').ok_or_else(|| {
            let place = format!("{}:{number}", file.display());
            Box::new(Failure::usage(format!(
                "a line without a `=` in the service `{name}`: {place}"
            )))
        })?;
        values.push((keyword(word.trim())?, value.trim().to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_its_section() {
        let text = "# all\n[a]\nhost=one\n\n[b]\nhost=two\nport = 5433\n[c]\nhost=three\n";
        let found = |name| find(text, name, Path::new("f")).unwrap();
        let expected = vec![("host", "two".to_owned()), ("port", "5433".to_owned())];
        assert_eq!(found("b"), Some(expected));
        assert_eq!(found("d"), None);
        assert!(find("[a]\nhost\n", "a", Path::new("f")).is_err());
    }
}
