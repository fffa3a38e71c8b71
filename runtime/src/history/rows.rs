//! The rows of the history: the statements that write them, and the texts they keep.

use std::borrow::Cow;
use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::History;
use super::state::progress;
use crate::applied::{Kind, Progress};
use crate::error::{Error, Result};
use crate::event::Direction;
use crate::log::Action;
use crate::quote::{literal, optional_literal};
use crate::session::{Session, text};

/// A row about to be written.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) checksum: String,
    pub(crate) kind: Kind,
    pub(crate) up_text: &'a str,
    pub(crate) down_text: Option<Cow<'a, str>>,
    pub(crate) is_breaking: bool,
    /// How long it took, where that is not the time since its transaction began.
    pub(crate) duration: Option<Duration>,
    /// For a migration without a transaction.
    pub(crate) progress: Option<Progress>,
}

impl Row<'_> {
    /// The row of a migration in a transaction, of which nothing else is known.
    const BLANK: Self = Self {
        name: "",
        checksum: String::new(),
        kind: Kind::Sql,
        up_text: "",
        down_text: None,
        is_breaking: false,
        duration: None,
        progress: None,
    };
}

impl History {
    /// The statement that records a migration; in its own transaction, it also measures it.
    pub(crate) fn insert(&self, row: &Row<'_>) -> String {
        let insert = self.insert_unlogged(row);
        self.logged(Action::Apply, "duration_ms", insert)
    }

    /// The same for one that is only begun: an attempt is logged when it has ended.
    pub(crate) fn insert_unlogged(&self, row: &Row<'_>) -> String {
        self.insert_values(values(row))
    }

    fn insert_values(&self, values: [(&str, String); 13]) -> String {
        let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.qualified,
            columns.join(", "),
            values.join(", ")
        )
    }

    /// [`insert`](Self::insert) for any migration in a transaction, to be prepared.
    pub(crate) fn insert_of_parameters(&self) -> String {
        let columns = values(&Row::BLANK).map(|(column, value)| {
            match PARAMETERS.iter().position(|it| *it == column) {
                Some(index) => (column, format!("${}", index + 1)),
                None => (column, value),
            }
        });
        let insert = self.insert_values(columns);
        self.logged(Action::Apply, "duration_ms", insert)
    }

    /// A change of the table, with its entry in the log as part of the statement.
    pub(crate) fn logged(&self, action: Action, duration_ms: &str, change: String) -> String {
        match &self.log {
            Some(log) => log.with_change(action, duration_ms, &change),
            None => change,
        }
    }

    /// As [`insert`](Self::insert), in the place of a row that there is.
    pub(crate) fn replace(&self, row: &Row<'_>) -> String {
        self.logged(Action::Apply, "duration_ms", self.replace_unlogged(row))
    }

    pub(crate) fn replace_unlogged(&self, row: &Row<'_>) -> String {
        let values: Vec<_> =
            values(row).into_iter().map(|(column, value)| format!("{column} = {value}")).collect();
        let name = literal(row.name);
        format!("UPDATE {} SET {} WHERE name = {name}", self.qualified, values.join(", "))
    }

    /// The statement that gives the row of one name another name and other texts, and leaves the rest.
    pub(crate) fn take_over_unlogged(&self, name: &str, row: &Row<'_>) -> String {
        let of_text = ["name", "checksum", "up_text", "down_text", "breaking"];
        let values: Vec<_> = values(row)
            .into_iter()
            .filter(|(column, _)| of_text.contains(column))
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE name = {}",
            self.qualified,
            values.join(", "),
            literal(name)
        )
    }

    /// The statement with which a person tells how far a migration has come.
    pub(crate) fn progress_by_hand(&self, name: &str, n_done: usize, n_begun: usize) -> String {
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun} WHERE name = {}",
            self.qualified,
            literal(name)
        )
    }

    /// The statement that notes how far a migration without a transaction has come.
    pub(crate) fn advance(&self, name: &str, progress: Progress, duration: Duration) -> String {
        let Progress { n_done, n_begun, n_statements } = progress;
        let update = format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun}, \
             executed_at = pg_catalog.clock_timestamp(), duration_ms = {} WHERE name = {}",
            self.qualified,
            duration.as_millis(),
            literal(name)
        );
        if n_done == n_statements {
            self.logged(Action::Apply, "duration_ms", update)
        } else {
            update
        }
    }

    /// The statement that notes that an undo without a transaction is begun, with its text. While it
    /// lasts, the row counts its statements.
    pub(crate) fn begin_undo(&self, name: &str, text: &str, progress: Progress) -> String {
        let Progress { n_done, n_begun, n_statements } = progress;
        format!(
            "UPDATE {} SET kind = {}, statements = {n_statements}, statements_done = {n_done}, \
             statements_begun = {n_begun}, down_text = {} WHERE name = {}",
            self.qualified,
            literal(Kind::Undo.as_str()),
            literal(text),
            literal(name)
        )
    }

    /// The statement that notes how far such an undo has come.
    pub(crate) fn advance_undo(&self, name: &str, progress: Progress) -> String {
        let Progress { n_done, n_begun, .. } = progress;
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun} WHERE name = {}",
            self.qualified,
            literal(name)
        )
    }

    /// The statement that makes a row what it was before an undo of which nothing was done.
    pub(crate) fn withdraw_undo(&self, texts: &StoredTexts) -> String {
        let number = |number: Option<usize>| {
            number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
        };
        let progress = texts.progress;
        format!(
            "UPDATE {} SET kind = {}, statements = {}, statements_done = {}, statements_begun = {}, \
             down_text = {} WHERE name = {}",
            self.qualified,
            optional_literal(texts.kind.as_deref()),
            number(progress.map(|it| it.n_statements)),
            number(progress.map(|it| it.n_done)),
            number(progress.map(|it| it.n_begun)),
            optional_literal(texts.down.as_deref()),
            literal(&texts.name)
        )
    }

    /// The statement that takes up an unfinished migration again, with the texts of this build.
    pub(crate) fn update(&self, row: &Row<'_>) -> String {
        let Progress { n_done, n_begun, n_statements } = row.progress.unwrap_or_default();
        format!(
            "UPDATE {} SET statements_done = {n_done}, statements_begun = {n_begun}, statements = {n_statements}, \
             checksum = {}, up_text = {}, down_text = {}, breaking = {} WHERE name = {}",
            self.qualified,
            literal(&row.checksum),
            literal(row.up_text),
            optional_literal(row.down_text.as_deref()),
            row.is_breaking,
            literal(row.name)
        )
    }

    /// An expression that fails unless a migration is recorded, or after an undo, is recorded no more.
    pub(crate) fn proof(&self, name: &str, direction: Direction) -> String {
        self.proof_of(&literal(name), direction)
    }

    /// The same for a name that is an expression.
    pub(crate) fn proof_of(&self, name: &str, direction: Direction) -> String {
        let rows =
            format!("(SELECT pg_catalog.count(*) FROM {} WHERE name = {name})", self.qualified);
        match direction {
            Direction::Up => format!("1 / {rows}"),
            Direction::Down => format!("1 / (1 - {rows})"),
        }
    }

    /// A statement that changes nothing but must be written, so that its commit waits for the disk.
    pub(crate) fn touch(&self, name: &str) -> String {
        format!("UPDATE {} SET name = name WHERE name = {}", self.qualified, literal(name))
    }

    /// A statement that writes or removes a row, made to return how long its transaction has taken.
    pub(crate) fn measured(&self, statement: &str, direction: Direction) -> String {
        match direction {
            // An entry of the log has it as well.
            _ if self.log.is_some() => format!("{statement} RETURNING duration_ms"),
            Direction::Up => format!("{statement} RETURNING duration_ms"),
            Direction::Down => format!("{statement} RETURNING {DURATION_MS} AS duration_ms"),
        }
    }

    /// The statement that makes a migration pending again, as a person would write it.
    pub(crate) fn delete(&self, name: &str) -> String {
        format!("DELETE FROM {} WHERE name = {}", self.qualified, literal(name))
    }

    /// The statement that records an undo; `duration` is how long it took, if that is not the time
    /// since its transaction began.
    pub(crate) fn undone(&self, name: &str, duration: Option<Duration>) -> String {
        let duration =
            duration.map_or_else(|| DURATION_MS.to_owned(), |it| it.as_millis().to_string());
        self.logged(Action::Undo, &duration, self.delete(name))
    }

    /// The texts stored with some migrations: what was applied, and how to undo it.
    pub(crate) async fn texts(
        &self,
        session: &Session<'_>,
        names: &[&str],
    ) -> Result<Vec<StoredTexts>> {
        self.texts_where(session, names, "true").await
    }

    /// The same of those among them whose undo was begun without a transaction and is not finished.
    pub(crate) async fn unfinished_undos(
        &self,
        session: &Session<'_>,
        names: &[&str],
    ) -> Result<Vec<StoredTexts>> {
        let condition = format!("kind = {}", literal(Kind::Undo.as_str()));
        self.texts_where(session, names, &condition).await
    }

    async fn texts_where(
        &self,
        session: &Session<'_>,
        names: &[&str],
        condition: &str,
    ) -> Result<Vec<StoredTexts>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let list = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", ");
        let question = format!(
            "SELECT name, up_text, down_text, kind, statements, statements_done, statements_begun \
             FROM {} WHERE name IN ({list}) AND {condition}",
            self.qualified
        );
        let rows = session
            .rows(&question)
            .await
            .map_err(|error| Error::from_looking("reading stored texts", error))?;
        Ok(rows
            .iter()
            .map(|row| StoredTexts {
                name: text(row, "name").unwrap_or_default().to_owned(),
                up: text(row, "up_text").map(str::to_owned),
                down: text(row, "down_text").map(str::to_owned),
                kind: text(row, "kind").map(str::to_owned),
                progress: progress(row),
            })
            .collect())
    }
}

/// The answer to a [`History::measured`] statement. Nothing if a trigger has kept the row away, or the
/// server's clock was set back.
pub(crate) fn measure(rows: &[SimpleQueryRow]) -> Option<Duration> {
    let number = rows.iter().find_map(|row| text(row, "duration_ms"))?;
    number.parse().ok().map(Duration::from_millis)
}

/// How long the current transaction has taken.
const DURATION_MS: &str =
    "(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::pg_catalog.int8";

/// The columns in which the rows of migrations in a transaction differ.
const PARAMETERS: [&str; 5] = ["name", "checksum", "up_text", "down_text", "breaking"];

/// The arguments of [`History::insert_of_parameters`] for a row.
pub(crate) fn arguments(row: &Row<'_>) -> String {
    let values = values(row);
    let of = |wanted: &str| values.iter().find(|(column, _)| *column == wanted);
    let arguments = PARAMETERS.iter().filter_map(|it| of(it)).map(|(_, value)| value.as_str());
    arguments.collect::<Vec<_>>().join(", ")
}

/// The columns of a row with their values as expressions.
pub(crate) fn values(row: &Row<'_>) -> [(&'static str, String); 13] {
    let number = |number: Option<usize>| {
        number.map_or_else(|| "NULL".to_owned(), |number| number.to_string())
    };
    [
        ("name", literal(row.name)),
        ("executed_at", "pg_catalog.clock_timestamp()".to_owned()),
        ("checksum", literal(&row.checksum)),
        ("kind", literal(row.kind.as_str())),
        (
            "duration_ms",
            match (row.kind, row.duration) {
                (Kind::Baseline | Kind::Marked | Kind::Adopted, _) => "NULL".to_owned(),
                (_, Some(duration)) => duration.as_millis().to_string(),
                (_, None) => DURATION_MS.to_owned(),
            },
        ),
        ("applied_by", "current_user".to_owned()),
        ("application", "pg_catalog.current_setting('application_name')".to_owned()),
        ("up_text", literal(row.up_text)),
        ("down_text", optional_literal(row.down_text.as_deref())),
        ("breaking", row.is_breaking.to_string()),
        ("statements_done", number(row.progress.map(|it| it.n_done))),
        ("statements_begun", number(row.progress.map(|it| it.n_begun))),
        ("statements", number(row.progress.map(|it| it.n_statements))),
    ]
}

/// What the table keeps of one migration's texts.
#[derive(Clone, Debug)]
pub(crate) struct StoredTexts {
    pub(crate) name: String,
    pub(crate) up: Option<String>,
    pub(crate) down: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) progress: Option<Progress>,
}

impl StoredTexts {
    /// How far an undo without a transaction has come that was interrupted.
    pub(crate) fn undo_progress(&self) -> Option<Progress> {
        self.progress.filter(|_| self.kind.as_deref() == Some(Kind::Undo.as_str()))
    }
}
