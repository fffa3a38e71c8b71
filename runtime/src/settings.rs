//! The settings of a session: taking note of them, and giving them back.
//!
//! `RESET ALL` would be the short way, but it also empties parameters that no library has declared
//! (`app.tenant`, manual, 20.16), which applications set when they connect, and which the server
//! lists nowhere. So only what a migration has changed is set back.
//!
//! **Invariant:** nothing here fails in a transaction, and no setting but user and role is set that has
//! the right value.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::quote::{identifier, literal};

/// How often the server looks whether we are still there while it runs a statement.
const CLIENT_CHECK_INTERVAL_MS: &str = "2000";

/// A machine that has gone closes no connection. After 10 seconds of silence it is asked every 5, and
/// given up when it has not answered 3 times; the system's own patience is two hours.
const KEEPALIVES: [(&str, &str); 3] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// They belong to a transaction, end with it, and cannot be set at any time.
const OF_TRANSACTION: &str =
    "'transaction_isolation', 'transaction_read_only', 'transaction_deferrable'";

/// The settings of a session as a run found them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) session_user: String,
    /// `none`, or what the application has `SET ROLE` to.
    pub(crate) role: String,
    /// What the application has `SET`, with its value.
    pub(crate) changed: Vec<(String, String)>,
    /// The parameters that migrations name and no library has declared, with their values; empty is
    /// the same as never set.
    pub(crate) undeclared: Vec<(String, String)>,
    /// `server_version_num`, 150018.
    pub(crate) server_version: u32,
    /// Whether the server's system lets it notice that a client has gone.
    pub(crate) can_check_client: bool,
    /// Whether there is a network between us.
    pub(crate) is_remote: bool,
}

/// An expression for [`Settings::can_check_client`]. Where the server cannot ask, any value but 0 is an
/// error (manual, 20.3.2); before version 15 only Linux lets it.
pub(crate) const CAN_CHECK_CLIENT: &str = "pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 140000 \
    AND pg_catalog.version() ~ CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 150000 \
    THEN 'linux|darwin|bsd' ELSE 'linux' END";

/// The question for [`Settings::changed`].
pub(crate) fn question() -> String {
    format!(
        "SELECT 'setting' AS part, name, setting FROM pg_catalog.pg_settings \
         WHERE source = 'session' AND name NOT IN ({OF_TRANSACTION})"
    )
}

/// The question for [`Settings::undeclared`]; empty without names.
pub(crate) fn question_about(names: &BTreeSet<String>) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("({})", literal(name))).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "SELECT it.name, coalesce(pg_catalog.current_setting(it.name, true), '') AS value \
         FROM (VALUES {}) AS it (name); ",
        names.join(", ")
    )
}

impl Settings {
    /// Statements for the settings migrations run with: what the application has, but for those that
    /// a migration needs otherwise. The answer names what had another value, as `given_back`.
    pub(crate) fn working(&self, lock_timeout: Duration) -> String {
        let mut wanted = self.changed.clone();
        for (name, value) in self.of_migrations(lock_timeout) {
            wanted.retain(|(changed, _)| changed != name);
            wanted.push((name.to_owned(), value));
        }
        let mut statements = self.restored(&wanted);
        statements.push(set("role", &self.role));
        statements.join("; ")
    }

    /// Statements that give the session its settings back. The last one but the role answers with
    /// the names that have their value back, but are not [reset](Self::resetting).
    pub(crate) fn restoring(&self) -> String {
        let mut statements = self.restored(&self.changed);
        let others = self.of_migrations(Duration::ZERO).into_iter().map(|(name, _)| name);
        statements.extend(
            others
                .filter(|name| !self.changed.iter().any(|(changed, _)| changed == name))
                .map(|name| format!("RESET {name}")),
        );
        let changed: Vec<_> = self.changed.iter().map(|(name, _)| literal(name)).collect();
        let but = if changed.is_empty() {
            String::new()
        } else {
            format!(" AND name NOT IN ({})", changed.join(", "))
        };
        statements.push(format!(
            "SELECT name AS touched FROM pg_catalog.pg_settings \
             WHERE source = 'session' AND name NOT IN ({OF_TRANSACTION}){but}"
        ));
        statements.push(set("role", &self.role));
        statements.join("; ")
    }

    /// Statements that make the server forget that parameters were ever set.
    pub(crate) fn resetting(&self, names: &[&str]) -> String {
        let resets: Vec<_> =
            names.iter().map(|name| format!("RESET {}", identifier(name))).collect();
        format!("{}; {}; {}", set("role", "none"), resets.join("; "), set("role", &self.role))
    }

    /// The session user first, because he may set what a role may not; the role is left to the end.
    fn restored(&self, wanted: &[(String, String)]) -> Vec<String> {
        let (user, role) = (literal(&self.session_user), literal(&self.role));
        let mut statements = vec![
            format!(
                "SELECT 'role' AS given_back WHERE pg_catalog.current_setting('role') <> {role} OR session_user <> {user}"
            ),
            set("role", "none"),
            set("session_authorization", &self.session_user),
            format!(
                "SELECT s.name AS given_back, pg_catalog.set_config(s.name, coalesce(it.value, s.reset_val), false) \
                 FROM pg_catalog.pg_settings s LEFT JOIN {} ON it.name = s.name \
                 WHERE (s.source = 'session' OR it.name IS NOT NULL) \
                 AND s.setting IS DISTINCT FROM coalesce(it.value, s.reset_val) \
                 AND s.name NOT IN ({OF_TRANSACTION})",
                values(wanted)
            ),
        ];
        if !self.undeclared.is_empty() {
            statements.push(format!(
                "SELECT it.name AS given_back, pg_catalog.set_config(it.name, it.value, false) FROM {} \
                 WHERE coalesce(pg_catalog.current_setting(it.name, true), '') <> it.value",
                values(&self.undeclared)
            ));
        }
        statements
    }

    /// What every migration finds, as the server writes it, in the setting's own unit.
    ///
    /// Brief waits for locks, and none of the limits a role may have for its queries, which would
    /// kill an index build at the same point in every start. When this process dies or the run is
    /// dropped, the server shall notice in the middle of a statement: until then it keeps the lock
    /// that other starters wait for. And strings mean what they meant when the build cut the file
    /// into statements, in the encoding it has read.
    fn of_migrations(&self, lock_timeout: Duration) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("lock_timeout", lock_timeout.as_millis().to_string()),
            ("statement_timeout", "0".to_owned()),
            ("idle_in_transaction_session_timeout", "0".to_owned()),
            ("standard_conforming_strings", "on".to_owned()),
            ("client_encoding", "UTF8".to_owned()),
        ];
        if self.server_version >= 140_000 {
            settings.push(("idle_session_timeout", "0".to_owned()));
        }
        if self.server_version >= 170_000 {
            settings.push(("transaction_timeout", "0".to_owned()));
        }
        if self.can_check_client {
            let name = "client_connection_check_interval";
            settings.push((name, CLIENT_CHECK_INTERVAL_MS.to_owned()));
        }
        if self.is_remote {
            settings.extend(KEEPALIVES.map(|(name, value)| (name, value.to_owned())));
        }
        settings
    }
}

fn set(name: &str, value: &str) -> String {
    format!("SELECT pg_catalog.set_config({}, {}, false)", literal(name), literal(value))
}

/// Names and values as a table `it`.
fn values(pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return "(SELECT NULL::pg_catalog.text, NULL::pg_catalog.text) AS it (name, value)"
            .to_owned();
    }
    let rows: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("({}, {})", literal(name), literal(value)))
        .collect();
    format!("(VALUES {}) AS it (name, value)", rows.join(", "))
}

/// The parameters with a dot in their name that a text sets, in SQL or in the strings of Rust:
/// `SET app.tenant = ...` and `set_config('app.tenant', ...)`.
///
/// A name too many does no harm: it is looked at, and set only if its value has changed.
pub(crate) fn undeclared_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices("set") {
        let begins_word = !lower[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &lower[at + "set".len()..];
        let name = if let Some(arguments) = rest.strip_prefix("_config") {
            in_set_config(arguments)
        } else if begins_word {
            in_set(rest)
        } else {
            None
        };
        names.extend(name.map(str::to_owned));
    }
    names
}

/// The name behind `set_config`: `('app.tenant', ...`.
fn in_set_config(rest: &str) -> Option<&str> {
    let rest = rest.trim_start().strip_prefix('(')?.trim_start();
    let rest = rest.strip_prefix('e').unwrap_or(rest).strip_prefix('\'')?;
    dotted(rest.split('\'').next()?)
}

/// The name behind `SET`: ` [SESSION] app.tenant = ...`.
fn in_set(rest: &str) -> Option<&str> {
    let mut words = rest.split_whitespace();
    let mut word = rest.starts_with(char::is_whitespace).then(|| words.next())??;
    if matches!(word, "session" | "local") {
        word = words.next()?;
    }
    dotted(word.split('=').next()?)
}

fn dotted(name: &str) -> Option<&str> {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    };
    (name.contains('.') && name.split('.').all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = undeclared_in(text).into_iter().collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn parameters_with_a_dot_are_found() {
        check("SET app.tenant = 'x'; set session App.User TO 1;", &["app.tenant", "app.user"]);
        check("set\n local a.b='1';SET a.b.c = 2", &["a.b", "a.b.c"]);
        check("SELECT set_config('app.tenant', 'x', false)", &["app.tenant"]);
        check("cx.execute(\"SELECT pg_catalog.set_config( E'app.x', $1, true)\")", &["app.x"]);
    }

    #[test]
    fn others_are_not() {
        check("SET search_path = a, b; SET TIME ZONE 'UTC'; RESET a.b; offset a.b", &[]);
        check("ALTER TABLE a.b ALTER c SET NOT NULL; set", &[]);
        check("SELECT set_config('search_path', '', false), set_config(name, 'a.b', false)", &[]);
        check("set 'a.b' = 1; SET 1.2 = 3; SET .a = 1; SET a. = 1", &[]);
    }
}
