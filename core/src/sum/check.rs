//! Holding the migrations of a folder against what is recorded.
//!
//! Each line is judged on its own, by the line before it as it stands in the file, so that every
//! edit is found and not only the first.

use std::collections::BTreeMap;

use super::{Entry, FILE_NAME, Line, Link, START, Sum, chain, lines, link};
use crate::diagnostic::{Diagnostic, Place};
use crate::rule::Rule;

/// How many lines a help shows; more are no help.
const SHOWN_LINES_MAX: usize = 20;

/// How far back the predecessor of a merged line is looked for.
const LOOKBACK: usize = 32;

impl Sum {
    /// What is found when the migrations of a folder, in their order, are held against the sum.
    #[must_use]
    pub fn check(&self, migrations: &[Entry<'_>]) -> Vec<Diagnostic> {
        let places: BTreeMap<&str, usize> =
            migrations.iter().enumerate().map(|(index, it)| (it.name, index)).collect();
        let renamed = self.renamed(migrations, &places);
        let mut found = self.missing(&places, migrations, &renamed);
        found.extend(self.edited(migrations, &places));
        found.extend(self.reordered(&places));
        found.extend(self.inserted(migrations, &places, &renamed));
        let is_in_order = found.is_empty();
        let is_as_recorded = !found
            .iter()
            .any(|it| matches!(it.rule(), Rule::RecordedMissing | Rule::RecordedEdited));
        let order = found.iter().position(|it| it.rule() == Rule::RecordedOrder);
        if let (true, Some(first)) = (is_as_recorded, order) {
            let problem = found.remove(first);
            found.insert(first, self.with_mended_lines(problem, migrations));
        }
        found.extend(self.unrecorded(migrations, &places, &renamed, is_in_order));
        found
    }

    /// The lines whose migration is not there under its name, and is there under another one.
    fn renamed(
        &self,
        migrations: &[Entry<'_>],
        places: &BTreeMap<&str, usize>,
    ) -> BTreeMap<&str, usize> {
        let mut renamed = BTreeMap::new();
        let mut before = START;
        for line in &self.lines {
            if !places.contains_key(line.name.as_str()) {
                let found = migrations.iter().position(|it| {
                    let under_its_name = Entry { name: &line.name, ..*it };
                    !self.records(it.name) && link(before, &under_its_name) == line.link
                });
                renamed.extend(found.map(|index| (line.name.as_str(), index)));
            }
            before = line.link;
        }
        renamed
    }

    fn missing(
        &self,
        places: &BTreeMap<&str, usize>,
        migrations: &[Entry<'_>],
        renamed: &BTreeMap<&str, usize>,
    ) -> Vec<Diagnostic> {
        let gone = self.lines.iter().filter(|line| !places.contains_key(line.name.as_str()));
        gone.map(|line| match renamed.get(line.name.as_str()) {
            Some(&now) => Diagnostic::new(
                Rule::RecordedMissing,
                format!("the recorded migration `{}` was renamed to `{}`", line.name, migrations[now].name),
            )
            .at(Place::file(migrations[now].path))
            .also(Place::span(&self.file, line.span, "recorded here"))
            .note("the name is the identity: databases that have it would run it again under the new one")
            .help(format!("give it the name `{}` again", line.name)),
            None => Diagnostic::new(
                Rule::RecordedMissing,
                format!("the recorded migration `{}` is not in the folder", line.name),
            )
            .at(Place::span(&self.file, line.span, "recorded here"))
            .note("what is recorded is released: databases have it, and a new one would not")
            .help("restore its file"),
        })
        .collect()
    }

    /// Lines that neither the line before nor the folder's own chain leads to.
    fn edited(&self, migrations: &[Entry<'_>], places: &BTreeMap<&str, usize>) -> Vec<Diagnostic> {
        let chain = chain(migrations);
        let mut found = Vec::new();
        let mut previous = START;
        for (index, line) in self.lines.iter().enumerate() {
            let before = std::mem::replace(&mut previous, line.link);
            let Some(&at) = places.get(line.name.as_str()) else { continue };
            let migration = &migrations[at];
            let follows = |previous: Link| link(previous, migration) == line.link;
            let folder_before = at.checked_sub(1).map_or(START, |before| chain[before]);
            if follows(before) || follows(folder_before) {
                continue;
            }
            let earlier = self.lines[index.saturating_sub(LOOKBACK)..index].iter();
            let merged = follows(START) || earlier.map(|it| it.link).any(follows);
            let next = self.lines.get(index + 1).and_then(|next| {
                places.get(next.name.as_str()).map(|at| (next.link, &migrations[*at]))
            });
            let is_line_changed = next
                .is_some_and(|(next_link, next)| link(link(before, migration), next) == next_link);
            found.push(if merged {
                self.merged(line)
            } else if is_line_changed {
                self.changed_line(line)
            } else {
                self.edited_migration(line, migration)
            });
        }
        found
    }

    fn edited_migration(&self, line: &Line, migration: &Entry<'_>) -> Diagnostic {
        Diagnostic::new(
            Rule::RecordedEdited,
            format!("`{}` is not what `{FILE_NAME}` records", migration.name),
        )
        .at(Place::file(migration.path))
        .also(Place::span(&self.file, line.span, "recorded here"))
        .note("what is recorded is released: databases that have it keep what it was")
        .help("restore the file, and write the change as a new migration")
        .help(format!(
            "if it has run nowhere yet, remove this line and those behind it from `{}`, and record again",
            self.file.path()
        ))
    }

    /// A line whose text is right and which stands behind another line than when it was written.
    fn merged(&self, line: &Line) -> Diagnostic {
        Diagnostic::new(
            Rule::RecordedOrder,
            format!("the line of `{}` does not follow from the line before it", line.name),
        )
        .at(Place::span(&self.file, line.span, ""))
        .note(
            "the migration is what was recorded, but behind another one: two branches were merged",
        )
        .help("see that the two may run in this order")
    }

    fn changed_line(&self, line: &Line) -> Diagnostic {
        Diagnostic::new(Rule::MalformedSum, format!("the line of `{}` was changed", line.name))
            .at(Place::span(&self.file, line.span, ""))
            .note(
                "the migration is what was recorded, for the line behind this one follows from it",
            )
            .help("take the line from version control again")
    }

    fn reordered(&self, places: &BTreeMap<&str, usize>) -> Vec<Diagnostic> {
        let known = self
            .lines
            .iter()
            .filter_map(|line| places.get(line.name.as_str()).map(|place| (line, *place)));
        let mut found = Vec::new();
        let mut last: Option<(&Line, usize)> = None;
        for (line, place) in known {
            match last {
                Some((before, highest)) if place < highest => found.push(
                    Diagnostic::new(
                        Rule::RecordedOrder,
                        format!(
                            "`{}` is recorded behind `{}` and runs before it",
                            line.name, before.name
                        ),
                    )
                    .at(Place::span(&self.file, line.span, ""))
                    .note("databases have run what is recorded in the recorded order")
                    .help("take the lines from version control again"),
                ),
                _ => last = Some((line, place)),
            }
        }
        found
    }

    /// Migrations that are not recorded and run before one that is.
    fn inserted(
        &self,
        migrations: &[Entry<'_>],
        places: &BTreeMap<&str, usize>,
        renamed: &BTreeMap<&str, usize>,
    ) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let last = self.lines.iter().filter_map(|line| places.get(line.name.as_str())).max();
        for (index, migration) in migrations.iter().enumerate().take(last.map_or(0, |it| *it)) {
            if !self.is_new(index, migration, renamed) {
                continue;
            }
            let is_behind =
                |line: &&Line| places.get(line.name.as_str()).is_some_and(|place| *place > index);
            let Some(behind) = self.lines.iter().find(is_behind) else { continue };
            found.push(
                Diagnostic::new(
                    Rule::RecordedOrder,
                    format!("`{}` is not recorded and runs before `{}`, which is", migration.name, behind.name),
                )
                .at(Place::file(migration.path))
                .also(Place::span(&self.file, behind.span, "recorded here"))
                .note("databases that have the recorded one run this one late, and new ones in its place")
                .help("give it a version behind the last recorded one"),
            );
        }
        found
    }

    fn unrecorded(
        &self,
        migrations: &[Entry<'_>],
        places: &BTreeMap<&str, usize>,
        renamed: &BTreeMap<&str, usize>,
        shows_lines: bool,
    ) -> Option<Diagnostic> {
        let n_old = self
            .lines
            .iter()
            .filter_map(|line| places.get(line.name.as_str()))
            .max()
            .map_or(0, |last| last + 1);
        let new: Vec<_> = migrations
            .iter()
            .enumerate()
            .skip(n_old)
            .filter(|(index, it)| self.is_new(*index, it, renamed))
            .map(|(_, it)| *it)
            .collect();
        let first = new.first()?;
        let headline = match new.len() - 1 {
            0 => format!("`{}` is not recorded in `{FILE_NAME}`", first.name),
            n => format!("`{}` and {n} more are not recorded in `{FILE_NAME}`", first.name),
        };
        let problem = Diagnostic::new(Rule::Unrecorded, headline)
            .at(Place::file(first.path))
            .note("until it is, nothing tells when it is edited, except a database that has it");
        Some(if shows_lines && new.len() <= SHOWN_LINES_MAX {
            let lines = lines(self.last(), &new);
            problem.help(format!(
                "when it is released, append to `{}`:\n{}",
                self.file.path(),
                lines.trim_end()
            ))
        } else {
            problem.help("record it when it is released")
        })
    }

    /// The lines that would be right, from the first on that is not.
    fn with_mended_lines(&self, problem: Diagnostic, migrations: &[Entry<'_>]) -> Diagnostic {
        let chain = chain(migrations);
        let n_same = self
            .lines
            .iter()
            .zip(migrations.iter().zip(&chain))
            .take_while(|(line, (migration, link))| {
                line.name == migration.name && line.link == **link
            })
            .count();
        let n_recorded =
            migrations.iter().rposition(|it| self.records(it.name)).map_or(0, |last| last + 1);
        if n_recorded.saturating_sub(n_same) > SHOWN_LINES_MAX {
            return problem;
        }
        let before = n_same.checked_sub(1).map_or(START, |last| chain[last]);
        let lines = lines(before, &migrations[n_same..n_recorded]);
        let from =
            self.lines.get(n_same).map_or(1, |line| self.file.location(line.span.start).line());
        problem.help(format!(
            "if this order is right, the lines of `{}` from line {from} on become:\n{}",
            self.file.path(),
            lines.trim_end()
        ))
    }

    /// Whether a migration of this name is recorded.
    pub(crate) fn records(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn is_new(&self, index: usize, migration: &Entry<'_>, renamed: &BTreeMap<&str, usize>) -> bool {
        !self.records(migration.name) && !renamed.values().any(|it| *it == index)
    }

    pub(super) fn last(&self) -> Link {
        self.lines.last().map_or(START, |line| line.link)
    }
}
