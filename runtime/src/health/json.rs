//! A snapshot as JSON, written by hand: these few fields are no reason for a library.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::clock::utc;
use crate::error::ErrorKind;
use crate::event::{Direction, Holder, Statement};
use crate::health::{Current, Migrating, Phase, Snapshot};
use crate::watch::ServerProgress;

/// An object that is being written.
struct Object(String);

impl Snapshot {
    /// The snapshot as a JSON object, for the answer of a health endpoint.
    ///
    /// `phase`, `ready` and `since` are always there; the rest depends on the phase. Names of
    /// migrations and messages of the server tell something of the schema, so an endpoint that
    /// strangers can reach should answer with the status alone.
    ///
    /// ```
    /// let json = dunlin::Health::new().snapshot().to_json();
    /// assert!(json.starts_with(r#"{"phase":"not_started","ready":false,"since":""#), "{json}");
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.text("phase", self.phase.as_str());
        object.raw("ready", self.is_ready());
        object.time("since", self.since);
        if !self.ahead.is_empty() {
            let names: Vec<_> = self.ahead.iter().map(|name| quoted(name)).collect();
            object.raw("ahead", format_args!("[{}]", names.join(",")));
        }
        match &self.phase {
            Phase::NotStarted | Phase::Looking | Phase::NothingToUndo | Phase::Interrupted => {}
            Phase::WaitingForPrimary { reason } => object.text("reason", reason),
            Phase::Waiting { holder } => {
                if let Some(holder) = holder {
                    object.raw("holder", of_session(holder));
                }
            }
            Phase::Migrating(migrating) => object.migrating(migrating),
            Phase::UpToDate { n_applied } => object.raw("applied", n_applied),
            Phase::Finished { direction, n_done, n_total } => {
                object.text("direction", word(*direction));
                object.raw("done", n_done);
                object.raw("applied", n_total);
            }
            Phase::Failed { kind, headline, migration } => {
                object.text("kind", kind_word(*kind));
                object.text("error", headline);
                if let Some(migration) = migration {
                    object.text("migration", migration);
                }
            }
        }
        object.end()
    }
}

impl Phase {
    /// One word, `up_to_date`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Looking => "looking",
            Self::WaitingForPrimary { .. } => "waiting_for_primary",
            Self::Waiting { .. } => "waiting",
            Self::Migrating(_) => "migrating",
            Self::UpToDate { .. } => "up_to_date",
            Self::NothingToUndo => "nothing_to_undo",
            Self::Finished { .. } => "finished",
            Self::Failed { .. } => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, quoted(value));
    }

    /// `2026-05-02T10:14:07Z`
    fn time(&mut self, key: &str, value: SystemTime) {
        self.text(key, &utc(value).replace(" UTC", "Z").replace(' ', "T"));
    }

    /// A value that is JSON already.
    fn raw(&mut self, key: &str, value: impl std::fmt::Display) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&format!("{}:{value}", quoted(key)));
    }

    fn migrating(&mut self, migrating: &Migrating) {
        self.text("direction", word(migrating.direction));
        self.raw("done", migrating.n_done);
        self.raw("of", migrating.n_all);
        if let Some(current) = &migrating.current {
            self.current(current);
        }
    }

    fn current(&mut self, current: &Current) {
        self.text("migration", &current.name);
        self.time("migration_since", current.since);
        if current.n_failed > 0 {
            self.raw("retries", current.n_failed);
        }
        if let Some(statement) = &current.statement {
            self.raw("statement", of_statement(statement));
        }
        if let Some(progress) =
            current.server.as_deref().filter(|it| **it != ServerProgress::default())
        {
            self.raw("progress", of_progress(progress));
        }
    }
}

fn of_session(session: &Holder) -> String {
    let mut object = Object::new();
    object.raw("pid", session.pid);
    object.text("application", &session.application);
    object.end()
}

fn of_progress(progress: &ServerProgress) -> String {
    let mut object = Object::new();
    let texts = [
        ("command", &progress.command),
        ("relation", &progress.relation),
        ("phase", &progress.phase),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            object.text(key, text);
        }
    }
    if let Some(percent) = progress.percent {
        object.raw("percent", percent);
    }
    if let Some(session) = &progress.waits_for {
        object.raw("waits_for", of_session(session));
    }
    object.end()
}

fn of_statement(statement: &Statement) -> String {
    let mut object = Object::new();
    object.raw("number", statement.number);
    object.raw("of", statement.n_statements);
    object.text("command", statement.command);
    if let Some(name) = &statement.object {
        object.text("object", name);
    }
    object.end()
}

pub(crate) const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

pub(crate) const fn kind_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Connection => "connection",
        ErrorKind::Stale => "stale",
        ErrorKind::Drift => "drift",
        ErrorKind::Ahead => "ahead",
        ErrorKind::OtherHistory => "other_history",
        ErrorKind::History => "history",
        ErrorKind::Locked => "locked",
        ErrorKind::Pooler => "pooler",
        ErrorKind::ReadOnly => "read_only",
        ErrorKind::Migration => "migration",
        ErrorKind::NoUndo => "no_undo",
        ErrorKind::Target => "target",
        ErrorKind::Database => "database",
        ErrorKind::Custom => "custom",
    }
}

/// A JSON string (RFC 8259, 7).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\u{0}'..='\u{1f}' => {
                match write!(quoted, "\\u{:04x}", u32::from(character)) {
                    // Writing to a string does not fail.
                    Ok(()) | Err(_) => {}
                }
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_does_not_say_is_left_out() {
        let phase = Phase::Migrating(Migrating {
            direction: Direction::Up,
            n_done: 0,
            n_all: 1,
            current: Some(Current {
                name: "1_a".to_owned(),
                since: SystemTime::UNIX_EPOCH,
                n_failed: 0,
                statement: None,
                server: Some(Box::default()),
            }),
        });
        let snapshot = Snapshot { phase, ..Snapshot::default() };
        let end = r#","migration":"1_a","migration_since":"1970-01-01T00:00:00Z"}"#;
        assert!(snapshot.to_json().ends_with(end), "{}", snapshot.to_json());
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(quoted("a \"b\" \\ c\nd\u{1} é"), r#""a \"b\" \\ c\u000ad\u0001 é""#);
    }
}
