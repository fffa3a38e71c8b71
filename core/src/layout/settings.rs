//! The small settings files that tools lay beside migrations.
//!
//! Of TOML and of Java's properties only what these files hold is read: a key, `=`, and a value on one
//! line. A line that is understood in no other way is an error where the tool asks for one.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::rule::Rule;
use crate::source::SourceFile;

use super::section::Line;

/// A `key = value` line.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    line: Line<'a>,
}

impl Setting<'_> {
    /// The value as a place.
    pub(crate) fn place(&self, label: impl Into<String>) -> Place {
        self.line.place(self.value, label)
    }

    /// The key as a place.
    pub(crate) fn key_place(&self, label: impl Into<String>) -> Place {
        self.line.place(self.key, label)
    }

    /// The value as yes or no.
    pub(crate) fn boolean(&self) -> Result<bool, Box<Diagnostic>> {
        match self.value {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(Box::new(
                problem(format!("`{other}` is neither `true` nor `false`"))
                    .at(self.place(""))
                    .help(format!("write `{} = true` or `{} = false`", self.key, self.key)),
            )),
        }
    }
}

/// The settings above the first table of a file; quotes around keys and values are taken off.
pub(crate) fn settings(file: &Arc<SourceFile>) -> impl Iterator<Item = Setting<'_>> {
    Line::all(file)
        .take_while(|line| !line.text.trim_start().starts_with('['))
        .filter(|line| !line.text.trim_start().starts_with(['#', '!']))
        .filter_map(|line| {
            let (key, value) = line.text.split_once('=')?;
            let value = value.trim();
            let value = match value.strip_prefix('"').and_then(|value| value.split_once('"')) {
                Some((quoted, _)) => quoted,
                None => value.split('#').next().unwrap_or_default().trim(),
            };
            Some(Setting { key: key.trim().trim_matches('"'), value, line })
        })
}

/// A problem with a settings file.
pub(crate) fn problem(headline: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Rule::ToolSetting, headline)
}
