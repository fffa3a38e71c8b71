//! The password file: «The Password File» of libpq's manual.

use std::fs;
use std::path::Path;

/// The password for a host, a port, a database and a role.
///
/// # Errors
///
/// Why the file is passed over, as a note for when the connection fails.
pub(super) fn look_up(file: &Path, wanted: [&str; 4]) -> Result<Option<String>, String> {
    let Ok(metadata) = fs::metadata(file) else { return Ok(None) };
    let shown = file.display();
    if !metadata.is_file() {
        return Err(format!("the password file `{shown}` is no file and is passed over"));
    }
    if is_open(&metadata) {
        return Err(format!(
            "the password file `{shown}` can be read by others and is passed over, as by psql: chmod 600 {shown}"
        ));
    }
    let text = fs::read_to_string(file)
        .map_err(|error| format!("the password file `{shown}` cannot be read: {error}"))?;
    Ok(find(&text, wanted))
}

/// Whether others than the owner may read it.
#[cfg(unix)]
pub(super) fn is_open(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    metadata.permissions().mode() & 0o077 != 0
}

/// Whether others than the owner may read it; libpq does not ask there.
#[cfg(not(unix))]
pub(super) fn is_open(_metadata: &fs::Metadata) -> bool {
    false
}

fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    let [host, port, database, user] = wanted;
    // A socket in its usual place is `localhost` in this file.
    let host = if host.starts_with('/') { "localhost" } else { host };
    let wanted = [host, port, database, user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [host, port, database, user, password] = fields.as_slice() else { return None };
        let fields = [host, port, database, user];
        let fits =
            fields.iter().zip(wanted).all(|(field, wanted)| *field == "*" || *field == wanted);
        fits.then(|| password.clone())
    })
}

/// The fields of a line between colons; `\` takes the sign behind it as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let taken = match character {
            '\\' => characters.next(),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                None
            }
            it => Some(it),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(taken);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text =
            "# db:5432:app:ana:no\nother:*:*:*:no\ndb:5432:app:ana:a\\:b\\\\c\n*:*:*:*:last\n";
        let found = |host, user| find(text, [host, "5432", "app", user]);
        assert_eq!(found("db", "ana").as_deref(), Some("a:b\\c"));
        assert_eq!(found("db", "eve").as_deref(), Some("last"));
        assert_eq!(find("localhost:*:*:*:x", ["/tmp", "1", "a", "b"]).as_deref(), Some("x"));
        assert_eq!(find("db:5432:app\n", ["db", "5432", "app", "ana"]), None);
    }
}
