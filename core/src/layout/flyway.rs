//! Flyway: `V<version>__<name>.sql`, `U<version>__<name>.sql`, and what of it SQL cannot say.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Layout;
use super::arrange::Role;
use super::settings::{Setting, problem, settings};
use crate::diagnostic::{Diagnostic, Place};
use crate::filename::{FileName, Part};
use crate::lexer::{Token, lex};
use crate::rule::Rule;
use crate::source::{SourceFile, Span};
use crate::suggest::nearest;

/// What the name of a callback begins with: an event of Flyway.
const EVENTS: &[&str] = &["before", "after", "createSchema"];
/// What a script configuration file may hold.
const SETTINGS: &[&str] =
    &["executeInTransaction", "placeholderReplacement", "encoding", "shouldExecute"];

/// How long the version at the front of a text is, which `__` ends.
pub(crate) fn version_length(text: &str) -> Option<usize> {
    let end = text.find("__")?;
    is_version(&text[..end]).then_some(end)
}

/// Whether a text is numbers behind each other, divided by `.` or `_`.
pub(crate) fn is_version(text: &str) -> bool {
    text.split(['.', '_'])
        .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a file's name can be only Flyway's: a version of several numbers, or a repeatable one.
pub(crate) fn is_unmistakable(file_name: &str) -> bool {
    let Some(stem) = file_name.strip_suffix(".sql") else { return false };
    let of_several = stem
        .strip_prefix('V')
        .and_then(|rest| Some(&rest[..version_length(rest)?]))
        .is_some_and(|version| version.contains(['.', '_']));
    of_several || stem.starts_with("R__")
}

/// What a file is to Flyway.
pub(crate) fn role(file_name: &str) -> Role {
    if let Some(of) = file_name.strip_suffix(".conf").filter(|of| of.ends_with(".sql")) {
        return Role::SettingsOf(of.to_owned());
    }
    if let Some(stem) = file_name.strip_suffix(".java").or_else(|| file_name.strip_suffix(".kt")) {
        return if stem.starts_with(['V', 'U', 'R']) && stem.contains("__") {
            Role::Beyond {
                headline: format!("a migration of Flyway in Java: `{file_name}`"),
                note: "Java is not compiled into a Rust binary",
                help: format!("write it in SQL, or in Rust as `{stem}.rs`"),
            }
        } else {
            Role::Unexpected
        };
    }
    let (stem, part) = match file_name.strip_suffix(".sql") {
        Some(stem) => (stem, Part::Up),
        None => match file_name.strip_suffix(".rs") {
            Some(stem) => (stem, Part::Rust),
            None => return Role::Unexpected,
        },
    };
    if part == Part::Up
        && let Some(beyond) = beyond_sql(stem)
    {
        return beyond;
    }
    let (stem, part) = match stem.strip_prefix('U').filter(|_| part == Part::Up) {
        Some(undo) => (format!("V{undo}"), Part::Down),
        None => (stem.to_owned(), part),
    };
    match Layout::Flyway.split(&stem) {
        Some((version, rest)) if rest.len() > 2 => {
            Role::Migration(FileName { stem: stem.clone(), version, part })
        }
        _ => misnamed(file_name, &stem, part),
    }
}

/// Repeatable migrations, baselines and callbacks.
fn beyond_sql(stem: &str) -> Option<Role> {
    if let Some(name) = stem.strip_prefix("R__") {
        return Some(Role::Beyond {
            headline: format!("a repeatable migration of Flyway: `{stem}.sql`"),
            note: "Flyway runs it again whenever it was edited; here a migration runs once",
            help: format!(
                "name it `V<version>__{name}.sql`, and write each later change as a new migration"
            ),
        });
    }
    if stem.strip_prefix('B').and_then(version_length).is_some() {
        return Some(Role::Beyond {
            headline: format!("a baseline migration of Flyway: `{stem}.sql`"),
            note: "Flyway runs it on an empty database in place of all older migrations",
            help: format!("if the older migrations are gone, name it `V{}.sql`", &stem[1..]),
        });
    }
    let event = stem.split("__").next().unwrap_or_default();
    let is_event = EVENTS.iter().any(|prefix| {
        event.strip_prefix(prefix).is_some_and(|rest| {
            *prefix == "createSchema" && rest.is_empty() || rest.starts_with(char::is_uppercase)
        })
    });
    is_event.then(|| Role::Beyond {
        headline: format!("a callback of Flyway: `{stem}.sql`"),
        note: "Flyway runs it around its migrations, each time; here only migrations run, each once",
        help: "do it in the application, before or after `apply`".to_owned(),
    })
}

fn misnamed(file_name: &str, stem: &str, part: Part) -> Role {
    let prefix = if part == Part::Down { 'U' } else { 'V' };
    let bare = stem.trim_start_matches(['V', 'v', 'U', 'u']);
    let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bare.len());
    let (version, name) = (bare[..end].trim_end_matches('.'), &bare[end..]);
    let name = name.trim_matches(['_', '-', ' ', '.']);
    let version = if is_version(version) { version } else { "<version>" };
    let name = if name.is_empty() { "<what_it_does>" } else { name };
    let extension = file_name.rsplit('.').next().unwrap_or_default();
    Role::Misnamed {
        fact: "the name is not Flyway's".to_owned(),
        suggestion: format!("{prefix}{version}__{name}.{extension}"),
    }
}

/// What a script configuration file says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScriptSettings {
    /// `executeInTransaction`, if it is there.
    pub(crate) transaction: Option<bool>,
    /// `placeholderReplacement`.
    pub(crate) placeholders: bool,
}

/// Reads a `V1__x.sql.conf`.
pub(crate) fn script_settings(
    file: &Arc<SourceFile>,
    diagnostics: &mut Vec<Diagnostic>,
) -> ScriptSettings {
    let mut read = ScriptSettings { transaction: None, placeholders: true };
    for setting in settings(file) {
        let result = match setting.key {
            "executeInTransaction" => setting.boolean().map(|it| read.transaction = Some(it)),
            "placeholderReplacement" => setting.boolean().map(|it| read.placeholders = it),
            "encoding" if setting.value.eq_ignore_ascii_case("UTF-8") => Ok(()),
            _ => Err(Box::new(refused(setting))),
        };
        diagnostics.extend(result.err().map(|problem| *problem));
    }
    read
}

/// What is wrong with a setting that has no meaning here.
fn refused(setting: Setting<'_>) -> Diagnostic {
    match setting.key {
        "encoding" => problem(format!("a script in `{}`", setting.value))
            .at(setting.place(""))
            .help("save the script as UTF-8, and remove this line"),
        "shouldExecute" => {
            Diagnostic::new(Rule::UnsupportedFeature, "a script that Flyway runs only sometimes")
                .at(setting.key_place(""))
                .note("what is embedded runs on every database")
                .help("ask in the migration itself: `DO $$ BEGIN IF ... THEN ... END IF; END $$`")
        }
        other => {
            let label = nearest(other, SETTINGS)
                .map(|known| format!("did you mean `{known}`?"))
                .unwrap_or_default();
            problem(format!("unknown setting `{other}` of a script"))
                .at(setting.key_place(label))
                .note(format!("the settings are: {}", SETTINGS.join(", ")))
        }
    }
}

/// Every placeholder of a text, each at the first place where Flyway would fill it in.
///
/// In a comment it does no harm.
pub(crate) fn placeholders(file: &Arc<SourceFile>) -> Vec<Diagnostic> {
    if !file.text().contains("${") {
        return Vec::new();
    }
    let lexed = lex(file.text());
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for span in placeholder_spans(file.text()) {
        let in_comment = lexed.tokens.iter().any(|token| {
            token.is_trivia() && token.span.start <= span.start && span.start < token.span.end
        });
        if !in_comment && told.insert(span.text(file.text())) {
            found.push(
                Diagnostic::new(
                    Rule::UnsupportedFeature,
                    format!("a placeholder of Flyway: `{}`", span.text(file.text())),
                )
                .at(Place::span(file, span, ""))
                .note("Flyway fills it in when it runs the file; what is embedded runs as it is written")
                .help("write the value; what differs between machines belongs in a migration in Rust"),
            );
        }
    }
    found
}

/// Whether a placeholder stands where SQL knows nothing of the kind, outside of quotes and comments.
pub(crate) fn has_bare_placeholder(text: &str) -> bool {
    if !text.contains("${") {
        return false;
    }
    let tokens = lex(text).tokens;
    let bare = |at: usize| tokens.iter().any(|token: &Token| token.span.start == at);
    placeholder_spans(text).any(|span| bare(span.start))
}

fn placeholder_spans(text: &str) -> impl Iterator<Item = Span> {
    text.match_indices("${").filter_map(move |(start, _)| {
        let length = text[start..].find(['}', '\n'])?;
        let name = &text[start + 2..start + length];
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
        (is_name && text[start + length..].starts_with('}'))
            .then(|| Span::new(start, start + length + 1))
    })
}
