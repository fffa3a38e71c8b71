//! What the database and this build disagree about, and the words for it.

use std::time::SystemTime;

use dunlin_core::Checksum;
use dunlin_core::directive::is_transactional;
use dunlin_core::lexer::same_code;

use crate::clock::utc;
use crate::error::{Error, ErrorKind};
use crate::line_diff::LineDiff;
use crate::registry::Registry;
use crate::stale;

/// A disagreement between the history table and this build that stops a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The file was edited after it was applied.
    Changed {
        /// The migration's name.
        name: String,
        /// Its file in this build.
        path: String,
        /// The first line of that file that differs, from 1; 1 when that cannot be told.
        line: usize,
        /// When it was applied.
        executed_at: Option<SystemTime>,
        /// The checksum in the history table.
        recorded: String,
        /// The checksum of the file in this build.
        current: Checksum,
        /// The text that was applied against the text of this build, as a unified diff; `None`
        /// when the table does not hold the text.
        diff: Option<String>,
        /// Whether only comments, blanks and line ends differ, and no directive among them.
        only_layout: bool,
    },
    /// It was applied and is not in this build, although newer ones are.
    Missing {
        /// The migration's name.
        name: String,
        /// When it was applied.
        executed_at: Option<SystemTime>,
    },
    /// It was applied under this name, and the build holds the same text, pending, under another.
    Renamed {
        /// The name it was applied under.
        name: String,
        /// The name in this build.
        to: String,
        /// Its file in this build.
        path: String,
        /// When it was applied.
        executed_at: Option<SystemTime>,
    },
    /// It is pending and older than something applied, and
    /// [`strict_order`](crate::Migrator::strict_order) is on.
    Late {
        /// The migration's name.
        name: String,
        /// Its file in this build.
        path: String,
        /// The newest applied migration.
        newest: String,
    },
    /// It was applied, is newer than everything in this build, and this build is not to run with it
    /// ([`AheadPolicy`](crate::AheadPolicy)).
    Ahead {
        /// The migration's name.
        name: String,
        /// When it was applied.
        executed_at: Option<SystemTime>,
        /// Whether it was marked `-- dunlin: breaking`.
        is_breaking: bool,
    },
}

impl Drift {
    /// The migration's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Changed { name, .. }
            | Self::Missing { name, .. }
            | Self::Renamed { name, .. }
            | Self::Late { name, .. }
            | Self::Ahead { name, .. } => name,
        }
    }

    /// Adds what the stored text tells about a changed migration.
    pub(crate) fn compare(&mut self, applied_text: &str, current_text: &str) {
        if let Self::Changed { line, diff, only_layout, path, executed_at, .. } = self {
            *only_layout = path.ends_with(".sql")
                && same_code(applied_text, current_text)
                && is_transactional(applied_text) == is_transactional(current_text);
            let lines = LineDiff::new(applied_text, current_text);
            *line = lines.first_difference();
            *diff = Some(lines.unified(2, &when(*executed_at), path));
        }
    }

    /// The block about it in a message.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Changed {
                name,
                path,
                line,
                executed_at,
                recorded,
                current,
                diff,
                only_layout,
            } => {
                let place = format!(
                    "`{name}` was edited after it was {}\n --> {path}:{line}:1\n",
                    when(*executed_at)
                );
                let sums = format!("  recorded: {recorded}\n  in build: {current}\n");
                match diff.as_deref() {
                    Some("") => format!(
                        "changed: the checksum in the row of `{name}` is not that of its text\n --> {path}:{line}:1\n{sums}\
                         the recorded text and the file are the same, so the row was edited\n"
                    ),
                    Some(diff) if *only_layout => format!(
                        "changed: {place}{diff}only comments or layout differ; what the statements do is the same\n"
                    ),
                    Some(diff) => format!("changed: {place}{diff}"),
                    None => format!(
                        "changed: {place}{sums}the row holds no text, so what was edited cannot be shown\n"
                    ),
                }
            }
            Self::Missing { name, executed_at } => {
                format!("missing: `{name}` was {} and is not in this build\n", when(*executed_at))
            }
            Self::Renamed { name, to, path, executed_at } => format!(
                "renamed: `{name}` was {} and is now called `{to}`\n --> {path}:1:1\n",
                when(*executed_at)
            ),
            Self::Late { name, path, newest } => format!(
                "late: `{name}` is pending, but the newer `{newest}` is applied\n --> {path}:1:1\n"
            ),
            Self::Ahead { name, executed_at, is_breaking } => format!(
                "ahead: `{name}` was {}{}\n",
                when(*executed_at),
                if *is_breaking { " and is marked `dunlin: breaking`" } else { "" }
            ),
        }
    }
}

/// The error about all of it, before anything has been run.
pub(crate) fn refused(drift: Vec<Drift>, registry: &Registry) -> Error {
    let is_ahead = drift.iter().all(|it| matches!(it, Drift::Ahead { .. }));
    let kind = if is_ahead { ErrorKind::Ahead } else { ErrorKind::Drift };
    let error = drift
        .iter()
        .fold(Error::new(kind, headline(&drift)), |error, it| error.body(it.described()))
        .note("nothing was changed");
    advice(&drift, registry).into_iter().fold(error, Error::help).with_drift(drift)
}

fn headline(drift: &[Drift]) -> String {
    match drift {
        [changed @ Drift::Changed { name, .. }] if row_was_edited(changed) => {
            format!("the row of the applied migration `{name}` was edited")
        }
        [Drift::Changed { name, .. }] => format!("the applied migration `{name}` was edited"),
        [Drift::Missing { name, .. }] => {
            format!("the applied migration `{name}` is not in this build")
        }
        [Drift::Renamed { name, to, .. }] => {
            format!("the applied migration `{name}` was renamed to `{to}`")
        }
        [Drift::Late { name, newest, .. }] => {
            format!("migration `{name}` is pending, but the newer `{newest}` is applied")
        }
        [Drift::Ahead { name, is_breaking: true, .. }] => {
            format!("the database has `{name}`, which this older build cannot work with")
        }
        [Drift::Ahead { name, .. }] => {
            format!("the database has `{name}`, which is newer than everything in this build")
        }
        several => {
            let count = |is_so: fn(&Drift) -> bool, what: &str| {
                let n = several.iter().filter(|it| is_so(it)).count();
                (n > 0).then(|| format!("{n} {what}"))
            };
            let counts = [
                count(|it| matches!(it, Drift::Changed { .. }), "changed"),
                count(|it| matches!(it, Drift::Missing { .. }), "missing"),
                count(|it| matches!(it, Drift::Renamed { .. }), "renamed"),
                count(|it| matches!(it, Drift::Late { .. }), "late"),
                count(|it| matches!(it, Drift::Ahead { .. }), "ahead of this build"),
            ];
            let counts: Vec<_> = counts.into_iter().flatten().collect();
            let n = several.len();
            format!(
                "the database and this build disagree about {n} migrations: {}",
                counts.join(", ")
            )
        }
    }
}

/// What to do about each kind that is present.
fn advice(drift: &[Drift], registry: &Registry) -> Vec<String> {
    let mut advice = Vec::new();
    if drift.iter().any(|it| matches!(it, Drift::Changed { .. }) && !row_was_edited(it)) {
        advice.push(
            "restore the file as it was applied; a change to an applied migration belongs in a new one"
                .to_owned(),
        );
    }
    if drift.iter().any(row_was_edited) {
        advice.push("set the checksum in the row to the one in the build".to_owned());
    }
    if drift.iter().any(|it| matches!(it, Drift::Missing { .. })) {
        advice.push(
            "if another build migrated this database, it is ahead of this one: start that build, or add its file here"
                .to_owned(),
        );
        let again = stale::advice(registry);
        advice.push(format!("if the file is in the folder, this build is stale: {again}"));
    }
    if drift.iter().filter(|it| matches!(it, Drift::Missing { .. })).count() > 1 {
        advice.push(
            "if a new file does what several did that were applied here (a squash): `Migrator::mark` it as applied, and then each of them as pending"
                .to_owned(),
        );
    }
    if drift.iter().any(|it| matches!(it, Drift::Renamed { .. })) {
        advice.push(
            "give the file its old name: the name is what the history table knows".to_owned(),
        );
    }
    if drift.iter().any(|it| matches!(it, Drift::Late { .. })) {
        advice.push(
            "give the late migration a version behind the newest applied one, or allow it without `strict_order`"
                .to_owned(),
        );
    }
    if drift.iter().any(|it| matches!(it, Drift::Ahead { .. })) {
        advice.push("start a build that has it; nothing has to be undone for that".to_owned());
        advice.push(
            "to go back for good, undo it with the build that has it, or with `roll_back` of this one"
                .to_owned(),
        );
    }
    advice
}

/// Whether the text that was applied is the text of this build, so that only the checksum differs.
fn row_was_edited(drift: &Drift) -> bool {
    matches!(drift, Drift::Changed { diff: Some(diff), .. } if diff.is_empty())
}

fn when(executed_at: Option<SystemTime>) -> String {
    executed_at.map_or_else(|| "applied".to_owned(), |at| format!("applied on {}", utc(at)))
}
