//! What other sessions run, without the passwords in it.
//!
//! Who is in the way is named together with what it runs, to whoever waits and in the log; and that may
//! be `ALTER ROLE ana PASSWORD '...'`, or a connection string. What stands behind the word can be a string of
//! any kind, an expression or a part of another string; nothing of it is worth the guess.
//!
//! **Invariant:** behind the first mention of a password or the beginning of an address nothing is shown.

/// Behind what a password may stand.
const BEFORE: [&str; 3] = ["password", "passwd", "://"];

/// The text up to where a password may stand in it.
pub(crate) fn without_passwords(query: &str) -> String {
    let lower = query.to_ascii_lowercase();
    let ends = BEFORE.iter().filter_map(|word| lower.find(word).map(|at| at + word.len()));
    match ends.min().filter(|end| *end < query.len()) {
        Some(end) => format!("{}...", &query[..end]),
        None => query.to_owned(),
    }
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
        check("ALTER ROLE ana PASSWORD 'x y''z' LOGIN", "ALTER ROLE ana PASSWORD...");
        check(
            "alter role ana encrypted password'x'; SELECT 'y'",
            "alter role ana encrypted password...",
        );
        check("OPTIONS (user 'ana', Password  'größe')", "OPTIONS (user 'ana', Password...");
        check(
            "UPDATE ü SET \"password\" = crypt('x', gen_salt('bf'))",
            "UPDATE ü SET \"password...",
        );
        check("SELECT f(password => 'x')", "SELECT f(password...");
        check("CONNECTION 'host=a password=''x y'' dbname=b'", "CONNECTION 'host=a password...");
        check("SELECT dblink('postgres://ana:x@a/b')", "SELECT dblink('postgres://...");
        check("'postgres://a/b?password=xyz'", "'postgres://...");
        check("PASSWORD 'a' PASSWORD 'b'", "PASSWORD...");
    }

    #[test]
    fn what_speaks_of_none_stays() {
        for query in ["ALTER TABLE t ADD pass text", "SELECT 'ä'", "SELECT password", ""] {
            check(query, query);
        }
    }
}
