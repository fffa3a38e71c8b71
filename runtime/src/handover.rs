//! A plan as a script that somebody else runs: what is said to the server, for `psql`.
//!
//! Separate from execution because nothing is asked while it runs. It holds the same texts and the
//! same rows; what a run decides by answers (trying again, continuing, waiting for another migrator)
//! it cannot have.
//!
//! **Invariant:** a migration in one transaction has its row in it, so a script that stops leaves what
//! a run that stops leaves, and either may go on.

use std::fmt::Write;
use std::time::Duration;

use crate::applied::{Kind, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::row;
use crate::history::{History, State};
use crate::plan::{Plan, Step};
use crate::registry::Code;
use crate::script::SqlText;

/// The script, or why there is none.
pub(crate) fn script(
    history: &mut History,
    state: &State,
    plan: &Plan,
    lock_timeout: Duration,
) -> Result<String> {
    let log = history.begin_log(state)?;
    let mut script = format!(
        "-- {} migration(s), recorded in {}.\n\
         -- For psql, as the role that migrates and with its search path. It stops at the first error;\n\
         -- what is committed stays, and `up` or a new script goes on behind it.\n\
         \\set ON_ERROR_STOP on\n",
        plan.steps.len(),
        history.qualified
    );
    let creation = match (state.exists, log) {
        (false, log) => Some(history.creation(log.as_deref())),
        (true, log) => log,
    };
    if let Some(creation) = creation {
        write_to(&mut script, format_args!("\nBEGIN;\n{creation};\nCOMMIT;\n"));
    }
    for step in &plan.steps {
        write_to(&mut script, format_args!("\n{}", of_step(history, step, lock_timeout)?));
    }
    Ok(script)
}

fn of_step(history: &History, step: &Step, lock_timeout: Duration) -> Result<String> {
    let migration = step.migration;
    let (name, path) = (migration.name, migration.up.path);
    let Code::Sql { transactional } = migration.up.code else {
        return Err(refused(&format!("`{name}` is in Rust and cannot be written as a script"))
            .help("start the application, or `up` in its own binary"));
    };
    if step.progress.is_some() {
        return Err(refused(&format!(
            "`{name}` was begun without a transaction and is not finished"
        ))
        .help("`up` continues behind the statements that are done"));
    }
    let sql = SqlText::new(path, migration.up.run_text);
    let text = sql.text.trim_end();
    // A comment at the end must not swallow what follows.
    let end = if sql.statements.last().is_none_or(|it| it.terminated) { "\n" } else { "\n;\n" };
    let head = format!("-- {name} ({path})\n");
    if transactional {
        let row = history.insert(&row(migration, Kind::Sql));
        let lock_timeout = lock_timeout.as_millis();
        return Ok(format!(
            "{head}BEGIN;\nSET LOCAL lock_timeout = {lock_timeout};\nSET LOCAL statement_timeout = 0;\n\
             {text}{end}RESET ALL;\n{row};\nCOMMIT;\n"
        ));
    }
    let n = sql.statements.len();
    let mut row = row(migration, Kind::SqlNoTransaction);
    row.progress = Some(Progress { n_done: n, n_begun: n, n_statements: n });
    Ok(format!(
        "{head}SET lock_timeout = 0;\nSET statement_timeout = 0;\n{text}{end}RESET ALL;\n{};\n",
        history.insert(&row)
    ))
}

fn refused(headline: &str) -> Error {
    Error::new(ErrorKind::Target, headline).note("nothing was changed")
}

fn write_to(script: &mut String, text: std::fmt::Arguments<'_>) {
    let _never_fails = script.write_fmt(text);
}
