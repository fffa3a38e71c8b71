//! The only code that reads migrations from the file system.
//!
//! **Invariant:** each file is read once, and what was read is what is checked, hashed and embedded.
//! Every problem is collected; none stops at the first.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::check;
use crate::checksum::{self, Checksum};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::filename::{FileName, Judgement, Part, judge};
use crate::options::Options;
use crate::rule::Rule;
use crate::source::{SourceFile, Span};
use crate::version::{Version, compare_names};

/// A migrations folder that keeps every rule: its migrations in the order they run in.
#[derive(Clone, Debug)]
pub struct Folder {
    path: String,
    migrations: Vec<Migration>,
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

/// One file of a migration.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where the file is, for the compiler to watch.
    pub path: PathBuf,
    /// The text, normalised, with the path as messages show it.
    pub file: Arc<SourceFile>,
    /// What is sent to the server, where that is not the whole text. It is as long as the text, with
    /// what is left out blanked, so that a position in it is a position in the file.
    pub run: Option<String>,
    /// SHA-256 of the text.
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
        let files = list(directory, shown, &options.ignore, &mut diagnostics);
        let files: Vec<_> =
            files.into_iter().filter_map(|entry| entry.load(&mut diagnostics)).collect();
        check::names::check(&files, &mut diagnostics);
        let scripts: Vec<_> =
            files.into_iter().map(|file| check::script::check(file, &mut diagnostics)).collect();
        let migrations = pair(scripts, &mut diagnostics);
        options.levels.apply(&mut diagnostics);
        diagnostics.sort_by(|left, right| left.sort_key().cmp(&right.sort_key()));
        Reading { folder: Self { path: shown.to_owned(), migrations }, diagnostics }
    }

    /// The folder's path as messages show it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The migrations in the order they run in.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// One sum over all names and checksums; see [`checksum::fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        checksum::fingerprint(self.migrations.iter().map(|it| (it.name.as_str(), it.up.checksum)))
    }
}

/// The names and checksums of the migrations a folder holds now, without checking anything else.
///
/// For the question whether a build is stale: it must answer for a folder that someone is editing.
///
/// # Errors
///
/// The file system's, when the folder or a file in it cannot be read.
pub fn glance(directory: &Path, ignore: &[&str]) -> std::io::Result<Vec<(String, Checksum)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Judgement::Migration(FileName { stem, part: Part::Up | Part::Rust, .. }) =
            judge(&name)
            && !ignore.contains(&name.as_str())
        {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            found.push((stem, Checksum::of(&crate::source::normalise(&text))));
        }
    }
    found.sort_by(|(left, _), (right, _)| compare_names(left, right));
    Ok(found)
}

/// A file that by its name belongs to a migration.
#[derive(Debug)]
struct Entry {
    path: PathBuf,
    shown: String,
    name: FileName,
}

/// A file of a migration and its text.
#[derive(Debug)]
pub(crate) struct LoadedFile {
    pub(crate) path: PathBuf,
    pub(crate) name: FileName,
    pub(crate) file: Arc<SourceFile>,
}

/// A checked file of a migration.
#[derive(Debug)]
pub(crate) struct CheckedFile {
    pub(crate) name: FileName,
    pub(crate) script: Script,
}

fn list(
    directory: &Path,
    shown: &str,
    ignore: &[String],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            diagnostics.push(no_folder(shown, &error));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                diagnostics.push(unreadable(shown, &error));
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        if ignore.contains(&name) {
            continue;
        }
        let shown = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
        // `metadata` follows symbolic links, so that a link to a file is a file.
        let is_file = fs::metadata(entry.path()).map(|metadata| metadata.is_file());
        match (is_file, judge(&name)) {
            (_, Judgement::Bystander) => {}
            (Err(error), _) => diagnostics.push(unreadable(&shown, &error)),
            (Ok(true), Judgement::Migration(name)) => {
                files.push(Entry { path: entry.path(), shown, name })
            }
            (Ok(true), Judgement::Misnamed { fact, suggestion }) => {
                diagnostics.push(misnamed(&shown, &name, &fact, &suggestion));
            }
            (Ok(is_file), _) => diagnostics.push(unexpected(&shown, &name, is_file)),
        }
    }
    files.sort_by(|left, right| left.shown.cmp(&right.shown));
    files
}

impl Entry {
    fn load(self, diagnostics: &mut Vec<Diagnostic>) -> Option<LoadedFile> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                diagnostics.push(unreadable(&self.shown, &error));
                return None;
            }
        };
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let start = error.utf8_error().valid_up_to();
            let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
            diagnostics.push(not_utf8(&self.shown, &lossy, start, error.as_bytes()[start]));
            lossy
        });
        Some(LoadedFile {
            path: self.path,
            name: self.name,
            file: Arc::new(SourceFile::new(self.shown, &text)),
        })
    }
}

/// Puts each undo beside its migration, and the migrations in order.
fn pair(files: Vec<CheckedFile>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Migration> {
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
    migrations.sort_by(|left, right| compare_names(&left.name, &right.name));
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

fn unreadable(shown: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Rule::Unreadable, format!("`{shown}` cannot be read: {error}"))
        .at(Place::file(shown))
        .help("make it readable for the user who builds, or remove it")
}

fn misnamed(shown: &str, name: &str, fact: &str, suggestion: &str) -> Diagnostic {
    Diagnostic::new(
        Rule::MisnamedFile,
        format!("`{}` is not the name of a migration", name.escape_debug()),
    )
    .at(Place::file(shown))
    .note(format!(
        "{fact}; a migration is `<version>_<name>.sql`, its undo `<version>_<name>.down.sql`"
    ))
    .help(format!("rename it to `{suggestion}`"))
}

fn unexpected(shown: &str, name: &str, is_file: bool) -> Diagnostic {
    let what =
        if is_file { "a file that is not a migration" } else { "a folder among the migrations" };
    let diagnostic = Diagnostic::new(Rule::UnexpectedEntry, format!("{what}: `{}`", name.escape_debug()))
        .at(Place::file(shown))
        .note("whatever lies in a migrations folder is a migration, a README or a dot file, so that none is overlooked");
    if is_file {
        let name = name.escape_debug();
        diagnostic.help(format!("move it away, or say that it belongs here: embed_migrations!(\"...\", ignore = [\"{name}\"])"))
    } else {
        diagnostic.help("move its migrations up into the folder itself, one file for each")
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

fn two_undos(up: &Script, down: &Script) -> Diagnostic {
    Diagnostic::new(Rule::TwoUndos, "two ways to undo one migration")
        .at(Place::file(down.file.path()))
        .also(Place::file(up.file.path()))
        .note("the Rust file has a function `down`, and there is a `.down.sql` file")
        .help("remove one of them")
}
