//! The only code that reads migrations from the file system.
//!
//! **Invariant:** each file is read once, and what was read is what is checked, hashed and embedded.
//! Every problem is collected; none stops at the first.

pub(crate) mod entry;
mod recorded;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::recorded::record;

use self::entry::Entry;
use self::recorded::SumFile;
use crate::check;
use crate::checksum::Checksum;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::directive::Allowance;
use crate::filename::{FileName, Part};
use crate::fingerprint::Fingerprint;
use crate::known::Known;
use crate::layout::{self, Layout};
use crate::levels::Context;
use crate::options::Options;
use crate::rule::Rule;
use crate::source::{SourceFile, Span};
use crate::version::Version;

/// A migrations folder that keeps every rule: its migrations in the order they run in.
#[derive(Clone, Debug)]
pub struct Folder {
    path: String,
    layout: Layout,
    migrations: Vec<Migration>,
    settings: Vec<PathBuf>,
    sum: Option<SumFile>,
}

/// One migration of a folder.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The whole name, `20251104-create-kpi-views`.
    pub name: String,
    /// The version at the front of the name.
    pub version: Version,
    /// What it does.
    pub up: Script,
    /// How it is undone, if a file says so. A Rust migration's `down` is in `up`.
    pub down: Option<Script>,
}

/// One file of a migration, or one section of a file that holds the undo as well.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where the file is, for the compiler to watch.
    pub path: PathBuf,
    /// The text, normalised, with the path as messages show it. Of a section, each line stands where
    /// the file has it.
    pub file: Arc<SourceFile>,
    /// What is sent to the server, where that is not the whole text. It is as long as the text, with
    /// what is left out blanked, so that a position in it is a position in the file.
    pub run: Option<String>,
    /// SHA-256 of the text; of a section, of its lines without blank ones at the end.
    pub checksum: Checksum,
    /// What the text is.
    pub language: Language,
}

impl Script {
    /// The text that is sent to the server.
    #[must_use]
    pub fn text_to_run(&self) -> &str {
        self.run.as_deref().unwrap_or(self.file.text())
    }
}

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// SQL, in one transaction or statement by statement.
    Sql {
        /// Whether the file is one transaction; not so with `-- dunlin: no-transaction`.
        transactional: bool,
    },
    /// Rust.
    Rust {
        /// Whether there is a function `down`.
        has_down: bool,
    },
}

/// What reading a folder gave.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What could be understood; complete only when there are no errors.
    pub folder: Folder,
    /// Every problem, errors and warnings, sorted by file and position.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts in which nothing was found, for the next reading.
    pub known: Known,
}

impl Reading {
    /// The problems that fail the build.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|it| it.severity() == Severity::Error)
    }

    /// The problems that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|it| it.severity() == Severity::Warning)
    }

    /// Whether the folder can be embedded.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.errors().next().is_none()
    }
}

impl Folder {
    /// Reads and checks a folder.
    ///
    /// `shown` is the folder's path as messages show it. Problems of the file system are diagnostics like all others.
    #[must_use]
    pub fn read(directory: &Path, shown: &str, options: &Options) -> Reading {
        let mut diagnostics = Vec::new();
        let entries = entry::list(directory, shown, &options.ignore, &mut diagnostics)
            .unwrap_or_else(|error| {
                diagnostics.push(no_folder(shown, &error));
                Vec::new()
            });
        let layout = options.layout.or_else(|| layout::recognise(&entries, &mut diagnostics));
        for entry in &entries {
            entry.recall(&options.known);
        }
        // Of a folder that fits two layouts nothing more can be said.
        let arranged = layout
            .map(|layout| layout::arrange(layout, &entries, &mut diagnostics))
            .unwrap_or_default();
        let layout = layout.unwrap_or_default();
        let (files, settings) = (arranged.files, arranged.settings);
        check::names::check(layout, &files, &mut diagnostics);
        let is_complete = diagnostics.is_empty();
        check::portable::check(&files, &mut diagnostics);
        let mut known = Known::by(layout, options);
        for entry in &entries {
            entry.keep_checksums(&mut known);
        }
        let mut scripts: Vec<_> = files
            .into_iter()
            .map(|file| check::script::check(file, options, &mut known, &mut diagnostics))
            .collect();
        let allowances = scripts
            .iter_mut()
            .map(|it| (Arc::clone(&it.script.file), std::mem::take(&mut it.allowances)))
            .collect();
        let migrations = pair(layout, scripts, &mut diagnostics);
        let sum = SumFile::find(&entries, &mut diagnostics);
        if let (Some(sum), true) = (&sum, is_complete) {
            diagnostics.extend(sum.check(&migrations));
        }
        let released = sum.as_ref().map(|sum| sum.released(&migrations)).unwrap_or_default();
        let context = Context { shown, allowances, released };
        let mut diagnostics = options.levels.judge(diagnostics, &context);
        diagnostics.sort_by(|left, right| left.sort_key().cmp(&right.sort_key()));
        let folder = Self { path: shown.to_owned(), layout, migrations, settings, sum };
        Reading { folder, diagnostics, known }
    }

    /// The folder's path as messages show it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whose layout the folder has.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Files that are no migrations and say how migrations run: for the compiler to watch.
    #[must_use]
    pub fn settings(&self) -> &[PathBuf] {
        &self.settings
    }

    /// The folder's `dunlin.sum`, for the compiler to watch, if there is one.
    #[must_use]
    pub fn sum(&self) -> Option<&Path> {
        self.sum.as_ref().map(|sum| sum.path.as_path())
    }

    /// The migrations in the order they run in.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// What the server finds in the history when all of them are applied.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let row = |it: &Migration| Fingerprint::of_row(&it.name, Some(&it.up.checksum.to_string()));
        self.migrations.iter().map(row).collect()
    }
}

/// The names and checksums of the migrations a folder holds now, without checking anything else.
///
/// For the question whether a build is stale: it must answer for a folder that someone is editing.
///
/// # Errors
///
/// The file system's, when the folder or a file in it cannot be read.
pub fn glance(
    directory: &Path,
    layout: Layout,
    ignore: &[&str],
) -> std::io::Result<Vec<(String, Checksum)>> {
    let mut problems = Vec::new();
    let ignore: Vec<_> = ignore.iter().map(|name| (*name).to_owned()).collect();
    let entries = entry::list(directory, "", &ignore, &mut problems)?;
    let files = layout::arrange(layout, &entries, &mut problems).files;
    if let Some(problem) = problems.iter().find(|it| it.rule() == Rule::Unreadable) {
        return Err(std::io::Error::other(problem.headline()));
    }
    let mut found: Vec<_> = files
        .into_iter()
        .filter(|file| file.name.part != Part::Down)
        .map(|file| (file.name.stem, file.checksum))
        .collect();
    found.sort_by(|(left, _), (right, _)| layout.compare_names(left, right));
    Ok(found)
}

/// A file of a migration, or a section of one, and its text.
#[derive(Debug)]
pub(crate) struct LoadedFile {
    pub(crate) path: PathBuf,
    pub(crate) name: FileName,
    pub(crate) file: Arc<SourceFile>,
    pub(crate) checksum: Checksum,
    pub(crate) transaction: Transaction,
}

/// What a layout says about how a file runs. The directive of Dunlin counts in every layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// In one transaction.
    One,
    /// Statement by statement.
    None,
    /// In one transaction, unless it holds only statements that cannot run in one.
    AsNeeded,
}

/// A checked file of a migration.
#[derive(Debug)]
pub(crate) struct CheckedFile {
    pub(crate) name: FileName,
    pub(crate) script: Script,
    pub(crate) allowances: Vec<Allowance>,
}

/// Puts each undo beside its migration, and the migrations in order.
fn pair(
    layout: Layout,
    files: Vec<CheckedFile>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Migration> {
    let (downs, ups): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.name.part == Part::Down);
    let mut migrations: Vec<_> = ups
        .into_iter()
        .map(|up| {
            let down = downs
                .iter()
                .find(|down| down.name.stem == up.name.stem)
                .map(|down| down.script.clone());
            if let (Language::Rust { has_down: true }, Some(down)) = (up.script.language, &down) {
                diagnostics.push(two_undos(&up.script, down));
            }
            Migration { name: up.name.stem, version: up.name.version, up: up.script, down }
        })
        .collect();
    migrations.sort_by(|left, right| layout.compare_names(&left.name, &right.name));
    migrations
}

fn no_folder(shown: &str, error: &std::io::Error) -> Diagnostic {
    let headline = match error.kind() {
        std::io::ErrorKind::NotFound => format!("no migrations folder at `{shown}`"),
        std::io::ErrorKind::NotADirectory => format!("`{shown}` is not a folder"),
        _ => format!("the migrations folder `{shown}` cannot be read: {error}"),
    };
    Diagnostic::new(Rule::MissingFolder, headline)
}

pub(crate) fn unreadable(shown: &str, error: &std::io::Error) -> Diagnostic {
    let help = match error.kind() {
        std::io::ErrorKind::IsADirectory => "remove the folder: a file has this name",
        std::io::ErrorKind::NotFound => "mend the link, or remove it",
        _ => "make it readable for the user who builds, or remove it",
    };
    Diagnostic::new(Rule::Unreadable, format!("`{shown}` cannot be read: {error}"))
        .at(Place::file(shown))
        .help(help)
}

pub(crate) fn misnamed(layout: Layout, entry: &Entry, fact: &str, suggestion: &str) -> Diagnostic {
    let name = entry.inner.escape_debug();
    let diagnostic =
        Diagnostic::new(Rule::MisnamedFile, format!("`{name}` is not the name of a migration"))
            .at(Place::file(&entry.shown))
            .note(format!("{fact}; {}", layout.names()))
            .help(format!("rename it to `{suggestion}`"));
    if layout.passes_over_other_names() {
        diagnostic.help(format!(
            "or pass over it, as {} does: embed_migrations!(\"...\", ignore = [\"{name}\"])",
            layout.tool()
        ))
    } else {
        diagnostic
    }
}

pub(crate) fn unexpected(layout: Layout, entry: &Entry) -> Diagnostic {
    let is_file = !entry.is_folder();
    let what =
        if is_file { "a file that is not a migration" } else { "a folder among the migrations" };
    let name = entry.inner.escape_debug();
    let diagnostic = Diagnostic::new(Rule::UnexpectedEntry, format!("{what}: `{name}`"))
        .at(Place::file(&entry.shown));
    let ignore = format!(
        "move it away, or say that it belongs here: embed_migrations!(\"...\", ignore = [\"{name}\"])"
    );
    match layout {
        Layout::Dunlin if name.to_string() == "Cargo.toml" => diagnostic
            .note("this is the folder of a package, and the migrations have one of their own")
            .help("pass its path: embed_migrations!(\"migrations\")"),
        Layout::Dunlin => {
            let diagnostic = diagnostic.note("whatever lies in a migrations folder is a migration, a README or a dot file, so that none is overlooked");
            if is_file {
                diagnostic.help(ignore)
            } else {
                diagnostic.help("move its migrations up into the folder itself, one file for each")
            }
        }
        _ => diagnostic.note(layout.names()).help(ignore),
    }
}

fn not_utf8(shown: &str, lossy: &str, start: usize, byte: u8) -> Diagnostic {
    // Up to `start` the lossy text and the file agree, except for what normalising removes.
    let file = Arc::new(SourceFile::new(shown, lossy));
    let removed = lossy[..start].len() - crate::source::normalise(&lossy[..start]).len();
    let at = start - removed;
    Diagnostic::new(Rule::NotUtf8, format!("the byte 0x{byte:02x} is not UTF-8"))
        .at(Place::span(&file, Span::new(at, at + '\u{fffd}'.len_utf8()), ""))
        .help("save the file as UTF-8")
}

fn utf16(shown: &str) -> Diagnostic {
    Diagnostic::new(Rule::NotUtf8, "the file is UTF-16")
        .at(Place::file(shown))
        .note("Windows writes it where a program asks for `Unicode`, PowerShell's `>` among them")
        .help("save the file as UTF-8")
}

fn two_undos(up: &Script, down: &Script) -> Diagnostic {
    Diagnostic::new(Rule::TwoUndos, "two ways to undo one migration")
        .at(Place::file(down.file.path()))
        .also(Place::file(up.file.path()))
        .note("the Rust file has a function `down`, and there is a `.down.sql` file")
        .help("remove one of them")
}
