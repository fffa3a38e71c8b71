//! The lines a person reads: with signs where they can be shown, in plain words elsewhere.

use std::io::{self, Write};

/// Writes lines to standard output.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    signs: bool,
}

impl Console {
    /// Decides by the environment whether signs can be shown.
    #[must_use]
    pub fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        // The order in which setlocale(3) asks.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        Self { signs: shows_signs(variable("TERM").as_deref(), locale.as_deref()) }
    }

    /// «Database connected».
    pub fn connected(self) {
        self.line("📦 ", "Database connected");
    }

    /// «Server running on port 5000».
    pub fn serving(self, port: u16) {
        self.line("🚀 ", &format!("Server running on port {port}"));
    }

    /// Something is as it should be.
    pub fn done(self, words: &str) {
        self.line("✅ ", words);
    }

    /// «Total migrations: 15 (applied: 14, pending: 1)».
    pub fn totals(self, n_total: usize, n_applied: usize, n_pending: usize) {
        let words =
            format!("Total migrations: {n_total} (applied: {n_applied}, pending: {n_pending})");
        self.line("📊 ", &words);
    }

    /// Writes the events of a migration run.
    #[must_use]
    pub fn observer(self) -> dunlin::Console<fn(&str)> {
        let console = dunlin::Console::new(say as fn(&str));
        if self.signs { console } else { console.plain() }
    }

    fn line(self, sign: &str, words: &str) {
        say(&format!("{}{words}", if self.signs { sign } else { "" }));
    }
}

/// Unset says nothing against signs: services often run without any locale, and their logs are read
/// elsewhere.
fn shows_signs(term: Option<&str>, locale: Option<&str>) -> bool {
    let utf8 = |locale: &str| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    term != Some("dumb") && locale.is_none_or(utf8)
}

/// Writes a line to standard output.
///
/// Not `println!`: that panics when the reader has gone away (`workflow | head -1`), and a service
/// must not end because nobody reads its greeting.
pub fn say(line: &str) {
    ignore_closed(writeln!(io::stdout(), "{line}"));
}

/// Writes a line to standard error.
pub fn complain(line: &str) {
    ignore_closed(writeln!(io::stderr(), "{line}"));
}

fn ignore_closed(_written: io::Result<()>) {}

#[cfg(test)]
mod tests {
    use super::shows_signs;

    #[test]
    fn signs_are_shown_unless_something_speaks_against_them() {
        let check = |term, locale, expected| {
            assert_eq!(shows_signs(term, locale), expected, "TERM={term:?} locale={locale:?}");
        };
        check(None, None, true);
        check(Some("xterm-256color"), Some("en_US.UTF-8"), true);
        check(Some("xterm"), Some("C.utf8"), true);
        check(None, Some("UTF-8"), true);
        check(Some("dumb"), None, false);
        check(Some("dumb"), Some("en_US.UTF-8"), false);
        check(Some("xterm"), Some("C"), false);
        check(Some("xterm"), Some("POSIX"), false);
        check(Some("xterm"), Some("de_DE.ISO-8859-1"), false);
    }
}
