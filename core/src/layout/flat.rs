//! Layouts in which each migration is a file: sqlx, refinery, golang-migrate, goose, dbmate,
//! sql-migrate, tern, Flyway, and Dunlin's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arrange::{Arranged, Role, objection};
use super::flyway::{self, ScriptSettings};
use super::section::{Sections, cut, problem};
use super::{Layout, code, dbmate, goose, leading_digits, sql_migrate, tern};
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Judgement, Part, is_bystander, judge};
use crate::folder::Transaction;
use crate::folder::entry::Entry;
use crate::rule::Rule;
use crate::rust_source::functions;
use crate::source::{SourceFile, Span};

/// The line with which sqlx has a file run outside a transaction, if the file begins with it.
pub(crate) const SQLX_MARK: &str = "-- no-transaction";

/// The migrations among what lies in a folder.
pub(crate) fn arrange(
    layout: Layout,
    entries: &[Entry],
    diagnostics: &mut Vec<Diagnostic>,
) -> Arranged {
    let mut arranged = Arranged::default();
    let mut all = Vec::new();
    flatten(layout, entries, &mut all, diagnostics);
    let settings = settings(layout, &all, &mut arranged, diagnostics);
    for entry in all {
        let role = role(layout, &entry.name);
        if let Some(objection) = objection(layout, entry, &role) {
            diagnostics.push(objection);
        } else if let Role::Migration(name) = role
            && let Some(file) = entry.load(diagnostics)
        {
            let settings = settings.get(&entry.shown).copied();
            migration(layout, entry, name, file, settings, &mut arranged, diagnostics);
        }
    }
    if matches!(layout, Layout::Sqlx | Layout::GolangMigrate | Layout::Flyway) {
        pair_by_version(&mut arranged);
    }
    arranged
}

/// refinery and Flyway look into folders, the others do not.
fn flatten<'a>(
    layout: Layout,
    entries: &'a [Entry],
    all: &mut Vec<&'a Entry>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for entry in entries {
        let looks_inside = matches!(layout, Layout::Refinery | Layout::Flyway);
        if looks_inside && entry.is_folder() && !is_bystander(&entry.name) {
            flatten(layout, entry.open(diagnostics), all, diagnostics);
        } else {
            all.push(entry);
        }
    }
}

/// The script configuration files of Flyway, by the path of the script.
fn settings(
    layout: Layout,
    all: &[&Entry],
    arranged: &mut Arranged,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, ScriptSettings> {
    let mut settings = BTreeMap::new();
    if layout != Layout::Flyway {
        return settings;
    }
    for entry in all {
        let Role::SettingsOf(name) = role(layout, &entry.name) else { continue };
        let script = entry.shown.trim_end_matches(".conf");
        if !all.iter().any(|other| other.shown == script) {
            diagnostics.push(
                Diagnostic::new(Rule::UnexpectedEntry, format!("settings without `{name}`"))
                    .at(Place::file(&entry.shown))
                    .help("remove the file, or name it after its script"),
            );
        } else if let Some(file) = entry.load(diagnostics) {
            arranged.settings.push(entry.path.clone());
            let read = flyway::script_settings(&file, diagnostics);
            let _previous = settings.insert(script.to_owned(), read);
        }
    }
    settings
}

/// The tools put an undo beside its migration by the version; the names may differ.
fn pair_by_version(arranged: &mut Arranged) {
    let ups: Vec<_> = arranged
        .files
        .iter()
        .filter(|file| file.name.part != Part::Down)
        .map(|file| file.name.clone())
        .collect();
    for down in arranged.files.iter_mut().filter(|file| file.name.part == Part::Down) {
        let is_named = ups.iter().any(|up| up.stem == down.name.stem);
        let of_version = ups.iter().find(|up| up.version == down.name.version);
        if let (false, Some(up)) = (is_named, of_version) {
            down.name.stem.clone_from(&up.stem);
        }
    }
}

fn migration(
    layout: Layout,
    entry: &Entry,
    name: FileName,
    file: Arc<SourceFile>,
    settings: Option<ScriptSettings>,
    arranged: &mut Arranged,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if name.part == Part::Rust {
        match rust_of_refinery(&file).filter(|_| layout == Layout::Refinery) {
            Some(problem) => diagnostics.push(problem),
            None => arranged.add(entry, name, file, Transaction::One),
        }
        return;
    }
    let sections = match layout {
        Layout::Goose => cut::<goose::Goose>(&file, diagnostics),
        Layout::Dbmate => cut::<dbmate::Dbmate>(&file, diagnostics),
        Layout::SqlMigrate => cut::<sql_migrate::SqlMigrate>(&file, diagnostics),
        Layout::Tern => {
            diagnostics.extend(tern::templates(&file));
            cut::<tern::Tern>(&file, diagnostics)
        }
        _ => {
            let transaction = transaction(layout, &file, settings, diagnostics);
            if layout == Layout::Flyway && settings.is_none_or(|it| it.placeholders) {
                diagnostics.extend(flyway::placeholders(&file));
            }
            if layout == Layout::Dunlin {
                arranged.add_as_written(entry, name, file, transaction);
            } else {
                arranged.add(entry, name, file, transaction);
            }
            return;
        }
    };
    add_sections(entry, &name, sections, arranged);
}

fn add_sections(entry: &Entry, name: &FileName, sections: Sections, arranged: &mut Arranged) {
    let parts = [(Part::Up, Some(sections.up)), (Part::Down, sections.down)];
    for (part, section) in parts {
        let Some(section) = section else { continue };
        let name = FileName { part, ..name.clone() };
        let transaction = if section.transaction { Transaction::One } else { Transaction::None };
        let file = Arc::new(SourceFile::new(entry.shown.clone(), &section.text));
        arranged.add_section(entry, name, file, section.checksum, transaction);
    }
}

/// How a file without sections runs.
fn transaction(
    layout: Layout,
    file: &Arc<SourceFile>,
    settings: Option<ScriptSettings>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Transaction {
    match layout {
        Layout::Sqlx if file.text().starts_with(SQLX_MARK) => Transaction::None,
        Layout::Sqlx => {
            diagnostics.extend(misplaced_mark(file));
            Transaction::One
        }
        Layout::Flyway => match settings.and_then(|it| it.transaction) {
            Some(true) => Transaction::One,
            Some(false) => Transaction::None,
            None => Transaction::AsNeeded,
        },
        // The file is sent as it is: one statement runs alone, several are one implicit transaction.
        Layout::GolangMigrate => Transaction::AsNeeded,
        _ => Transaction::One,
    }
}

/// sqlx obeys its mark only if nothing stands above it, not even a comment.
fn misplaced_mark(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let mut start = 0;
    for line in file.text().split('\n') {
        let trimmed = line.trim();
        if trimmed.eq_ignore_ascii_case(SQLX_MARK) {
            let at = start + line.find('-').unwrap_or_default();
            return Some(
                problem(
                    format!("`{SQLX_MARK}` that does not begin the file"),
                    Place::span(file, Span::new(at, at + trimmed.len()), ""),
                )
                .note("sqlx takes it for a comment, and runs the file in a transaction")
                .help("make it the first line, written like this, or remove it"),
            );
        }
        if !trimmed.is_empty() && !trimmed.starts_with("--") {
            return None;
        }
        start += line.len() + 1;
    }
    None
}

/// What refinery calls in a migration in Rust.
const REFINERY_FN: &str = "pub fn migration()";

/// Whether a Rust file is one of refinery's: named like them, and with their function.
pub(crate) fn is_refinerys(file_name: &str, file: &SourceFile) -> bool {
    Layout::Refinery.split(file_name).is_some()
        && file.text().contains(REFINERY_FN)
        && !functions(file.text()).up
}

/// refinery's migrations in Rust return a text, which their authors can compute as they like.
fn rust_of_refinery(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let at = file.text().find(REFINERY_FN).filter(|_| !functions(file.text()).up)?;
    let stem = file.path().rsplit('/').next()?.strip_suffix(".rs")?;
    Some(
        Diagnostic::new(Rule::UnsupportedFeature, "a migration of refinery in Rust")
            .at(Place::span(file, Span::new(at, at + REFINERY_FN.len()), ""))
            .note("it returns a text of SQL; here a migration in Rust runs its statements itself")
            .help(format!("write the text into `{stem}.sql`"))
            .help("or add `pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()>`, and let it call `cx.batch_execute(&migration())`"),
    )
}

/// What an entry of that name is.
pub(crate) fn role(layout: Layout, file_name: &str) -> Role {
    if is_bystander(file_name) || is_left_by_a_tool(layout, file_name) {
        return Role::Bystander;
    }
    match layout {
        Layout::Dunlin => match judge(file_name) {
            Judgement::Migration(name) => Role::Migration(name),
            Judgement::Bystander => Role::Bystander,
            Judgement::Misnamed { fact, suggestion } => Role::Misnamed { fact, suggestion },
            Judgement::Unexpected => code::role(file_name).unwrap_or(Role::Unexpected),
        },
        Layout::Flyway => flyway::role(file_name),
        _ => by_extension(layout, file_name),
    }
}

/// Files that a tool writes, or wants, beside the migrations.
pub(crate) fn is_left_by_a_tool(layout: Layout, file_name: &str) -> bool {
    // Atlas keeps its sums in the folders of many tools.
    if file_name == "atlas.sum" {
        return true;
    }
    let is_go = file_name.ends_with(".go");
    match layout {
        Layout::Dunlin | Layout::Sqlx | Layout::Diesel | Layout::Prisma => false,
        Layout::Refinery => matches!(file_name, "mod.rs" | "refinery.toml"),
        // `embed.go` and the like; a migration in Go begins with its number.
        Layout::Goose => {
            is_go && (leading_digits(file_name) == 0 || file_name.ends_with("_test.go"))
        }
        Layout::GolangMigrate => is_go,
        Layout::SqlMigrate => is_go || file_name == "dbconfig.yml",
        Layout::Dbmate => is_go || matches!(file_name, "schema.sql" | "structure.sql"),
        Layout::Tern => is_go || file_name == "tern.conf" || file_name.ends_with(".sql.example"),
        Layout::Flyway => matches!(file_name, "flyway.conf" | "flyway.toml"),
    }
}

fn by_extension(layout: Layout, file_name: &str) -> Role {
    let Some((stem, extension)) = file_name.rsplit_once('.') else { return Role::Unexpected };
    let lower = extension.to_ascii_lowercase();
    if lower == "go" && layout == Layout::Goose {
        return Role::Beyond {
            headline: format!("a migration of goose in Go: `{file_name}`"),
            note: "Go is not compiled into a Rust binary",
            help: format!("write it in SQL as `{stem}.sql`, or in Rust as `{stem}.rs`"),
        };
    }
    if lower != "sql" && lower != "rs" {
        return code::role(file_name).unwrap_or(Role::Unexpected);
    }
    if extension != lower {
        return Role::Misnamed {
            fact: "the extension is in capital letters".to_owned(),
            suggestion: format!("{stem}.{lower}"),
        };
    }
    if extension == "rs" {
        return by_stem(layout, stem, ".rs", Part::Rust);
    }
    match layout {
        Layout::Sqlx | Layout::GolangMigrate => {
            if let Some(stem) = stem.strip_suffix(".down") {
                by_stem(layout, stem, ".down.sql", Part::Down)
            } else if let Some(stem) = stem.strip_suffix(".up") {
                by_stem(layout, stem, ".up.sql", Part::Up)
            } else if layout == Layout::Sqlx {
                by_stem(layout, stem, ".sql", Part::Up)
            } else {
                Role::Misnamed {
                    fact: "neither `.up` nor `.down` stands before `.sql`".to_owned(),
                    suggestion: format!("{stem}.up.sql"),
                }
            }
        }
        _ => by_stem(layout, stem, ".sql", Part::Up),
    }
}

fn by_stem(layout: Layout, stem: &str, tail: &str, part: Part) -> Role {
    let refused = |fact: &str, suggestion: String| Role::Misnamed {
        fact: fact.to_owned(),
        suggestion: format!("{suggestion}{tail}"),
    };
    if let Some(control) = stem.chars().find(|character| character.is_control()) {
        let clean: String = stem.chars().filter(|character| !character.is_control()).collect();
        let fact = format!("the name holds the control character {}", control.escape_unicode());
        return refused(&fact, clean);
    }
    let Some((version, rest)) = layout.split(stem) else {
        return refused(
            &format!("the name is not one of {}'s", layout.tool()),
            suggested(layout, stem),
        );
    };
    let name = rest.trim_start_matches('_');
    let is_word =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if layout == Layout::Refinery && !is_word(name) {
        return refused(
            "the name has other signs than letters, digits and `_`, or none",
            suggested(layout, stem),
        );
    }
    Role::Migration(FileName { stem: stem.to_owned(), version, part })
}

/// The name a migration should have, as far as it can be told.
fn suggested(layout: Layout, stem: &str) -> String {
    let bare = stem.trim_start_matches(['V', 'v', 'U', 'u']);
    let bare = if leading_digits(bare) > 0 { bare } else { stem };
    let (number, rest) = bare.split_at(leading_digits(bare));
    let name = rest.trim_matches(['_', '-', '.', ' ']);
    let name = if name.is_empty() { "<what_it_does>" } else { name };
    let number = if number.is_empty() { "<number>" } else { number };
    match layout {
        Layout::Refinery => {
            let name: String = name
                .chars()
                .map(|c| if c.is_alphanumeric() || "_<>".contains(c) { c } else { '_' })
                .collect();
            format!("V{number}__{name}")
        }
        _ => format!("{number}_{name}"),
    }
}
