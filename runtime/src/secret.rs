//! What other sessions run, without the passwords in it.
//!
//! Who is in the way is named together with what it runs, to whoever waits and in the log; and that may
//! be `ALTER ROLE ana PASSWORD '...'`, or a connection string.
//!
//! **Invariant:** a text that is cut off in the middle of a password shows none of it.

const WORD: &str = "password";

/// The text with an ellipsis in the place of what follows the word as a value.
pub(crate) fn without_passwords(query: &str) -> String {
    let lower = query.to_ascii_lowercase();
    let (mut shown, mut at) = (String::new(), 0);
    while let Some(found) = lower[at..].find(WORD) {
        let behind = at + found + WORD.len();
        shown.push_str(&query[at..behind]);
        let rest = &query[behind..];
        let value = rest.trim_start_matches(|it: char| it.is_whitespace() || it == '=');
        let between = &rest[..rest.len() - value.len()];
        let n_bytes = length(value, between.contains('='));
        if n_bytes > 0 {
            shown.push_str(between);
            shown.push_str("...");
            at = behind + between.len() + n_bytes;
        } else {
            at = behind;
        }
    }
    shown.push_str(&query[at..]);
    shown
}

/// How many bytes of a text are the value at its beginning; none if it is no value.
fn length(text: &str, is_assigned: bool) -> usize {
    let quoted = |opening: &str, closing: &str| {
        let inside = &text[opening.len()..];
        inside.find(closing).map_or(text.len(), |at| opening.len() + at + closing.len())
    };
    if is_assigned && text.starts_with("''") {
        // In a connection string that is itself a string.
        return quoted("''", "''");
    }
    if let Some(opening) = ["'", "E'", "e'", "U&'", "u&'"].iter().find(|it| text.starts_with(**it))
    {
        return opening.len() + string(&text[opening.len()..], opening.len() == 2);
    }
    if let Some(inside) = text.strip_prefix('$') {
        let tag = inside.find('$').map_or(text, |at| &text[..at + 2]);
        return quoted(tag, tag);
    }
    if is_assigned {
        let ends = |it: char| it.is_whitespace() || "',;)&\"".contains(it);
        return text.find(ends).unwrap_or(text.len());
    }
    0
}

/// How many bytes there are up to and with the end of a string.
fn string(inside: &str, has_escapes: bool) -> usize {
    let mut characters = inside.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let is_doubled = || inside[at + 1..].starts_with('\'');
        match character {
            '\\' if has_escapes => drop(characters.next()),
            '\'' if is_doubled() => drop(characters.next()),
            '\'' => return at + 1,
            _ => {}
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &str) {
        assert_eq!(without_passwords(query), expected, "{query}");
    }

    #[test]
    fn a_password_is_not_shown() {
        check("ALTER ROLE ana PASSWORD 'x y''z' LOGIN", "ALTER ROLE ana PASSWORD ... LOGIN");
        check(
            "alter role ana encrypted password'x'; SELECT 'y'",
            "alter role ana encrypted password...; SELECT 'y'",
        );
        check(r"ALTER ROLE ana PASSWORD E'x\'y' LOGIN", "ALTER ROLE ana PASSWORD ... LOGIN");
        check("ALTER ROLE ana PASSWORD $p$x'y$p$ LOGIN", "ALTER ROLE ana PASSWORD ... LOGIN");
        check("OPTIONS (user 'ana', Password  'größe')", "OPTIONS (user 'ana', Password  ...)");
        check("UPDATE users SET password = 'x', b = 2", "UPDATE users SET password = ..., b = 2");
        check(
            "CONNECTION 'host=a password=xyz dbname=b'",
            "CONNECTION 'host=a password=... dbname=b'",
        );
        check("CONNECTION 'password=''x y'' dbname=b'", "CONNECTION 'password=... dbname=b'");
        check(
            "'postgres://a/b?password=xyz&sslmode=require'",
            "'postgres://a/b?password=...&sslmode=require'",
        );
        check("PASSWORD 'a' PASSWORD 'b'", "PASSWORD ... PASSWORD ...");
    }

    #[test]
    fn nor_one_that_is_cut_off() {
        for query in [
            "PASSWORD 'xyz",
            "PASSWORD E'x\\",
            "PASSWORD $p$xyz$",
            "PASSWORD $xyz",
            "PASSWORD 'x''",
        ] {
            check(query, "PASSWORD ...");
        }
        check("password=xyz", "password=...");
        check("password=''xyz'", "password=...");
    }

    #[test]
    fn what_is_none_stays() {
        for query in [
            "ALTER ROLE ana PASSWORD NULL",
            "CREATE TABLE t (password text, passwords int)",
            "SELECT password",
            "SELECT 'ä'",
            "",
        ] {
            check(query, query);
        }
    }
}
