//! `check`: what the build says, and what a base branch says.

use dunlin_core::base::Base;
use dunlin_core::{Diagnostic, Rule};

use super::check_server::{self, Tried};
use crate::answer::{Answer, Finding, Outcome};
use crate::args::Check;
use crate::exit::Exit;
use crate::folder::Source;
use crate::git;
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
    let names: Vec<_> = reading.folder.migrations().iter().map(|it| it.name.as_str()).collect();
    let mut findings: Vec<_> = diagnostics.into_iter().map(|it| finding(source, it)).collect();
    let mut tried = None;
    if args.server && reading.is_accepted() {
        match check_server::tried(screen, &reading.folder)? {
            Ok(done) => tried = Some(done),
            Err(found) => findings.push(found),
        }
    }
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
        .field("folder", &source.shown)
        .field("layout", reading.folder.layout().id())
        .field("migrations", names)
        .field("errors", n_errors)
        .field("warnings", n_warnings);
    let answer = match tried {
        Some(tried) => answer.field("server", tried),
        None => answer,
    };
    Ok(answer.findings(findings))
}

/// Core does not know how the folder was chosen.
pub(super) fn finding(source: &Source, diagnostic: Diagnostic) -> Finding {
    let diagnostic = match diagnostic.rule() {
        Rule::MissingFolder => diagnostic
            .note(format!("`{}` is relative to the folder you are in", source.shown))
            .help("name it with `--folder`, or begin with `cargo dunlin init`"),
        Rule::Unrecorded => diagnostic.help("cargo dunlin sum"),
        _ => diagnostic,
    };
    Finding::from(&diagnostic)
}

/// `1 migration`, `14 migrations`.
pub(crate) fn migrations(n: usize) -> String {
    count(n, "migration")
}

pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
