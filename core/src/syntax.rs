//! Whether statements keep PostgreSQL's grammar.
//!
//! A parser with error recovery says yes or no and where (`parse`); around it stand what makes its
//! answer PostgreSQL's: what it takes and should not (`tree`, `escape`), what it refuses and should not
//! (`mend`), and what would make a wrong statement right (`repair`).
//!
//! The grammar is that of all versions from 14 on together: at build time nobody knows the server.
//! Texts inside of quotes, so function bodies in PL/pgSQL, are texts and not looked into.
//!
//! **Invariant:** whatever the text, no stack overflows and nothing runs on. A statement that is too
//! deep, too long or too odd to be judged is not blamed; that is no problem of the folder.

mod budget;
mod depth;
mod dialect;
mod escape;
mod guess;
mod head;
mod mend;
mod message;
mod names;
mod parse;
mod repair;
mod tree;
mod view;
pub mod words;

#[cfg(test)]
mod asked;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread;

use self::budget::Budget;
use self::parse::{Fault, What};
use self::repair::Cause;
use self::view::View;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexed, Token};
use crate::source::SourceFile;
use crate::statement::Statement;

/// How much of one file is parsed again in search of valid forms that the parser does not know, apart
/// from twice its length, and of causes. A second each without optimisation.
const BUDGET_BYTES: usize = 3_000_000;

/// The problems of statements of one file, at most one for each.
#[must_use]
pub fn check(file: &Arc<SourceFile>, lexed: &Lexed, statements: &[&Statement]) -> Vec<Diagnostic> {
    let mut bytes = 0;
    let mut shallow = Vec::new();
    for &statement in statements {
        let tokens = lexed.tokens.get(statement.tokens.clone()).unwrap_or_default();
        if let Some(needed) = depth::stack_bytes(tokens) {
            bytes = bytes.max(needed);
            shallow.push((statement, tokens));
        }
    }
    if shallow.is_empty() {
        return Vec::new();
    }
    let check_all = || {
        let mut forms = Budget::new(BUDGET_BYTES + 2 * file.text().len());
        let mut causes = Budget::new(BUDGET_BYTES);
        let problems = shallow.iter();
        problems.filter_map(|it| problem(file, it.0, it.1, &mut forms, &mut causes)).collect()
    };
    thread::scope(|scope| {
        let checking = thread::Builder::new().stack_size(bytes).spawn_scoped(scope, check_all);
        // No thread, or a parser that gave up: then nothing is known of the file.
        checking.ok().and_then(|checking| checking.join().ok()).unwrap_or_default()
    })
}

/// The problem of one statement, on this thread's stack.
fn problem(
    file: &Arc<SourceFile>,
    statement: &Statement,
    tokens: &[Token],
    forms: &mut Budget,
    causes: &mut Budget,
) -> Option<Diagnostic> {
    let sql = statement.text(file.text());
    let start = statement.span.start;
    let escape = escape::first_fault(file.text(), tokens)
        .map(|fault| Fault { at: fault.at - start, ..fault });
    let quick = match sql.starts_with('\u{feff}') {
        // The parser passes over it, PostgreSQL does so at the beginning of a file only.
        true => Some(Fault { at: 0, what: What::ByteOrderMark }),
        false => parse::first_fault(sql),
    };
    if escape.is_none() && quick.is_none() {
        return None;
    }
    let view = View::new(sql);
    let fault = quick.and_then(|quick| mend::true_fault(&view, quick, forms).ok().flatten());
    // The first of the two; of one, the escape says more.
    let mut fault = escape.into_iter().chain(fault).min_by_key(|fault| fault.at)?;
    // The parser blames the first word of a command that it does not know.
    if let Some((token, _)) = head::misfit(&view)
        && view.at(fault.at) < token
    {
        fault.at = view.start(token);
    }
    let cause = match fault.what {
        What::ByteOrderMark | What::Escape(..) | What::Misplaced(_) | What::ReservedRole => {
            Cause::Unknown
        }
        _ => repair::cause(&view, &fault, causes),
    };
    Some(message::say(file, start, &view, &fault, &cause))
}
