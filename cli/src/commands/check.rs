//! `check`: what the build says, and what a base branch says.

use dunlin::{Migration, Registry};
use dunlin_core::base::Base;
use dunlin_core::options::DEFAULT_HISTORY_TABLE;
use dunlin_core::{Diagnostic, Rule};

use super::check_server::{self, Rehearsal, Trial, Tried};
use super::database::Door;
use crate::answer::{Answer, Finding, Outcome};
use crate::args::{ApplicationCheck, Check};
use crate::exit::Exit;
use crate::folder::Source;
use crate::git;
use crate::registry;
use crate::screen::Screen;

pub(crate) fn check(screen: &Screen, args: &Check, source: &Source) -> Outcome {
    let reading = source.read();
    let mut diagnostics = reading.diagnostics.clone();
    if let Some(reference) = &args.base {
        let branch = git::branch(source, reference)?;
        let base =
            Base { name: reference, released: &branch.released, began: branch.began.as_ref() };
        diagnostics.extend(base.check(&reading.folder));
    }
    let names = reading.folder.migrations().iter().map(|it| it.name.as_str());
    let mut checked = Checked {
        names: names.collect(),
        findings: diagnostics.into_iter().map(|it| finding(source, it)).collect(),
        tried: None,
    };
    if let Some(server) = args.trial.server.as_ref().filter(|_| reading.is_accepted()) {
        let registry = registry::of(&reading.folder, DEFAULT_HISTORY_TABLE);
        let rehearsal = Rehearsal {
            registry: Box::leak(Box::new(registry)),
            door: Door::Folder,
            texts: check_server::texts(&reading.folder),
        };
        checked.with(check_server::tried(screen, server.as_ref(), &rehearsal)?);
    }
    let answer = checked.answer();
    Ok(answer.field("folder", &source.shown).field("layout", reading.folder.layout().id()))
}

/// The same of migrations that are compiled in, whose texts the build has checked.
pub(crate) fn check_application(
    screen: &Screen,
    args: &ApplicationCheck,
    registry: &'static Registry,
) -> Outcome {
    let names = registry.iter().map(Migration::name).collect();
    let mut checked = Checked { names, findings: Vec::new(), tried: None };
    if let Some(server) = &args.trial.server {
        let rehearsal = Rehearsal { registry, door: Door::Application, texts: Vec::new() };
        checked.with(check_server::tried(screen, server.as_ref(), &rehearsal)?);
    }
    Ok(checked.answer())
}

/// What was looked at, and what was found.
#[derive(Debug)]
struct Checked<'a> {
    names: Vec<&'a str>,
    findings: Vec<Finding>,
    tried: Option<Tried>,
}

impl Checked<'_> {
    fn with(&mut self, trial: Trial) {
        match trial {
            Ok(tried) => self.tried = Some(tried),
            Err(found) => self.findings.extend(found),
        }
    }

    fn answer(self) -> Answer {
        let Self { names, findings, tried } = self;
        let n_errors = findings.iter().filter(|it| it.is_error()).count();
        let n_warnings = findings.len() - n_errors;
        let text = match (n_errors, n_warnings) {
            (0, 0) => format!("{}: nothing to object to\n", migrations(names.len())),
            (0, _) => format!("{}: {}\n", migrations(names.len()), count(n_warnings, "warning")),
            (_, 0) => format!("{}\n", count(n_errors, "error")),
            _ => format!("{}, {}\n", count(n_errors, "error"), count(n_warnings, "warning")),
        };
        let text = format!("{}{text}", tried.as_ref().map(Tried::told).unwrap_or_default());
        let answer = Answer::new(text)
            .exit(if n_errors == 0 { Exit::Ok } else { Exit::Folder })
            .field("migrations", names)
            .field("errors", n_errors)
            .field("warnings", n_warnings);
        let answer = match tried {
            Some(tried) => answer.field("server", tried),
            None => answer,
        };
        answer.findings(findings)
    }
}

/// Core does not know how the folder was chosen.
pub(super) fn finding(source: &Source, diagnostic: Diagnostic) -> Finding {
    let diagnostic = match diagnostic.rule() {
        Rule::MissingFolder => diagnostic
            .note(format!("`{}` is relative to the folder you are in", source.shown))
            .help("name it with `--folder`, or begin with `cargo dunlin init`"),
        Rule::Unrecorded => diagnostic.help("cargo dunlin sum"),
        _ => match passed_over(&diagnostic.to_string()) {
            Some(name) => diagnostic.help(format!("on the command line: --ignore {name}")),
            None => diagnostic,
        },
    };
    Finding::from(&diagnostic)
}

/// The file that core proposes to pass over, in the words of the macro.
fn passed_over(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("ignore = [\"")?;
    Some(rest.split_once("\"]")?.0)
}

/// `1 migration`, `14 migrations`.
pub(crate) fn migrations(n: usize) -> String {
    count(n, "migration")
}

pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
