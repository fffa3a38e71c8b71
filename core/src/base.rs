//! A folder held against what another branch has: what is released there stays as it is, and what is
//! new comes behind it.
//!
//! Separate from `dunlin.sum` because nothing is recorded: the other branch itself is read, as a
//! folder like any other. How its files are got is the caller's affair; core knows no git.
//!
//! **Invariant:** what the other branch alone has changed or added is no finding. A branch that is
//! behind its base has nothing wrong with it, except where its own migrations would come too early.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};
use crate::draft::{Moment, Style};
use crate::folder::{Folder, Migration};
use crate::rule::Rule;
use crate::source::Span;

/// The branch that a folder is to be merged into.
#[derive(Clone, Debug)]
pub struct Base<'a> {
    /// Its name, as messages show it: `origin/main`.
    pub name: &'a str,
    /// What it has.
    pub released: &'a Folder,
    /// What it had when the folder's own branch began. Nothing if that cannot be told, as in a
    /// shallow clone: then the folder is expected to hold all of `released`.
    pub began: Option<&'a Folder>,
}

/// A migration that takes another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// The name it has.
    pub old: String,
    /// The name behind what is released.
    pub new: String,
    /// What is to be renamed: files, or the folder of a migration that is one.
    pub paths: Vec<(PathBuf, PathBuf)>,
}

impl Base<'_> {
    /// Everything that is wrong with the folder as seen from its base.
    #[must_use]
    pub fn check(&self, folder: &Folder) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut renamed = Vec::new();
        for released in self.released.migrations() {
            match get(folder, &released.name) {
                Some(now) => found.extend(self.edited(released, now)),
                None if !self.was_there(&released.name) => {}
                None => match self.renamed_to(folder, released) {
                    Some(now) => {
                        renamed.push(now.name.as_str());
                        found.push(self.renamed(released, now));
                    }
                    None => found.push(self.missing(released)),
                },
            }
        }
        let own = self.own(folder);
        let own = own.into_iter().filter(|it| !renamed.contains(&it.name.as_str()));
        found.extend(own.filter_map(|it| self.early(folder, it)));
        found.sort_by(|left, right| left.sort_key().cmp(&right.sort_key()));
        found
    }

    /// The folder's own migrations, which are not released: neither the base has them, nor had it
    /// them when the branch began.
    #[must_use]
    pub fn own<'f>(&self, folder: &'f Folder) -> Vec<&'f Migration> {
        let is_known = |name: &str| {
            get(self.released, name).is_some()
                || self.began.is_some_and(|began| get(began, name).is_some())
        };
        folder.migrations().iter().filter(|it| !is_known(&it.name)).collect()
    }

    /// New names for the folder's own migrations, from the first one on that does not come behind
    /// what is released; nothing if all do.
    ///
    /// # Errors
    ///
    /// Why there is no such name, as the text of a message.
    pub fn renumber(&self, folder: &Folder, now: Moment) -> Result<Vec<Renaming>, String> {
        let own = self.own(folder);
        let Some(first) = own.iter().position(|it| self.early(folder, it).is_some()) else {
            return Ok(Vec::new());
        };
        let layout = folder.layout();
        // What stays in front decides as well: own migrations keep their order.
        let kept = first.checked_sub(1).map(|at| own[at].name.clone());
        let last = self.released.migrations().last().map(|it| it.name.clone());
        let mut last = kept.into_iter().chain(last).max_by(|a, b| layout.compare_names(a, b));
        let mut renamings = Vec::new();
        for migration in &own[first..] {
            let style = Style::of(layout, last.as_deref());
            let rest = layout.split(&migration.name).map_or("", |(_, rest)| rest);
            let name = rest.trim_start_matches(['_', '-']);
            let new = style.next(if name.is_empty() { &migration.name } else { name }, now)?;
            renamings.push(Renaming {
                old: migration.name.clone(),
                paths: paths(migration, &new),
                new: new.clone(),
            });
            last = Some(new);
        }
        Ok(renamings)
    }

    fn was_there(&self, name: &str) -> bool {
        self.began.is_none_or(|began| get(began, name).is_some())
    }

    /// The migration that holds the text of a released one under another name.
    fn renamed_to<'f>(&self, folder: &'f Folder, released: &Migration) -> Option<&'f Migration> {
        self.own(folder).into_iter().find(|it| it.up.checksum == released.up.checksum)
    }

    fn edited(&self, released: &Migration, now: &Migration) -> Option<Diagnostic> {
        let as_it_began = self.began.and_then(|began| get(began, &released.name));
        let is_ours = as_it_began.is_none_or(|began| began.up.checksum != now.up.checksum);
        if released.up.checksum == now.up.checksum || !is_ours {
            return None;
        }
        let (base, name) = (self.name, &released.name);
        let headline = match as_it_began {
            None if self.began.is_some() => {
                format!("`{name}` is another migration on `{base}`")
            }
            _ => format!("`{name}` is released on `{base}` and was edited here"),
        };
        let place = first_difference(&released.up.file, &now.up.file);
        Some(
            Diagnostic::new(Rule::ReleasedEdited, headline)
                .at(place)
                .note("databases that have it keep what it was, and would refuse to start with this one")
                .help(format!(
                    "take it back with `git checkout {base} -- {}`, and write the change as a new migration",
                    now.up.file.path()
                )),
        )
    }

    fn missing(&self, released: &Migration) -> Diagnostic {
        let base = self.name;
        let problem = Diagnostic::new(
            Rule::ReleasedMissing,
            format!("`{}` is released on `{base}` and is not here", released.name),
        )
        .at(Place::file(released.up.file.path()))
        .note("databases that have it would refuse to start, and a new one would lack what it did");
        let problem = match self.began {
            Some(_) => problem,
            None => problem.note(format!(
                "where this branch left `{base}` cannot be seen here, so it may also be that it only lacks what `{base}` got since"
            )),
        };
        problem.help(format!("git checkout {base} -- {}", released.up.file.path()))
    }

    fn renamed(&self, released: &Migration, now: &Migration) -> Diagnostic {
        Diagnostic::new(
            Rule::ReleasedMissing,
            format!(
                "`{}` is released on `{}` and was renamed to `{}`",
                released.name, self.name, now.name
            ),
        )
        .at(Place::file(now.up.file.path()))
        .note(
            "the name is the identity: databases that have it would run it again under the new one",
        )
        .help(format!("give it the name `{}` again", released.name))
    }

    /// A migration of the folder's own that does not come behind what is released.
    fn early(&self, folder: &Folder, own: &Migration) -> Option<Diagnostic> {
        let (layout, base) = (folder.layout(), self.name);
        let last = self.released.migrations().last()?;
        let twin = self.released.migrations().iter().find(|it| {
            it.version == own.version && !own.version.is_bare_date() && !layout.shares_versions()
        });
        if twin.is_none() && layout.compare_names(&own.name, &last.name).is_gt() {
            return None;
        }
        let headline = match twin {
            Some(twin) => format!(
                "`{}` has the version of `{}`, which is released on `{base}`",
                own.name, twin.name
            ),
            None => {
                format!(
                    "`{}` comes before `{}`, which is released on `{base}`",
                    own.name, last.name
                )
            }
        };
        Some(
            Diagnostic::new(Rule::ReleasedOrder, headline)
                .at(Place::file(own.up.file.path()))
                .note("databases that have what is released would run it late, and new ones in its place")
                .help(format!("cargo dunlin renumber --base {base}")),
        )
    }
}

fn get<'f>(folder: &'f Folder, name: &str) -> Option<&'f Migration> {
    folder.migrations().iter().find(|it| it.name == name)
}

/// The first line of the new text that is not as it was.
fn first_difference(
    old: &crate::source::SourceFile,
    new: &std::sync::Arc<crate::source::SourceFile>,
) -> Place {
    let mut start = 0;
    let mut lines = new.text().split('\n').zip(old.text().split('\n'));
    let line = lines.find_map(|(new, old)| {
        let span = Span::new(start, start + new.len());
        start = span.end + 1;
        (new != old).then_some(span)
    });
    match line {
        Some(span) if span.end > span.start => Place::span(new, span, "differs from here on"),
        _ => Place::file(new.path()),
    }
}

/// What is renamed when a migration is: its files, or its folder where each has one.
fn paths(migration: &Migration, new: &str) -> Vec<(PathBuf, PathBuf)> {
    let old = migration.name.as_str();
    // An undo of Flyway has another first letter.
    let undo = |name: &str| name.strip_prefix('V').map(|rest| format!("U{rest}"));
    let renamed = |path: &Path| -> Option<(PathBuf, PathBuf)> {
        let (name, folder) = (path.file_name()?.to_str()?, path.parent()?);
        if let Some(tail) = name.strip_prefix(old) {
            return Some((path.to_owned(), folder.join(format!("{new}{tail}"))));
        }
        if let Some(tail) = undo(old).and_then(|old| name.strip_prefix(&old).map(str::to_owned)) {
            return Some((path.to_owned(), folder.join(format!("{}{tail}", undo(new)?))));
        }
        (folder.file_name()?.to_str()? == old)
            .then(|| (folder.to_owned(), folder.with_file_name(new)))
    };
    let scripts = std::iter::once(&migration.up).chain(&migration.down);
    let mut paths: Vec<_> = scripts.filter_map(|script| renamed(&script.path)).collect();
    paths.dedup();
    paths
}
