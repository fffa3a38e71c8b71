//! Rules over what statements mean, as far as it can be told without a database.
//!
//! **Invariant:** nothing here looks at more than one file. Each file is a transaction of its own,
//! with a session that is put back to what it was, so one file cannot make another one wrong.

mod empty_undo;
mod enum_value;
mod history_table;
mod identifier;
mod setting;

use crate::diagnostic::Diagnostic;
use crate::options::Options;

use super::script::Sql;

/// Checks what the statements of one file mean together.
pub(crate) fn check(sql: &Sql<'_>, options: &Options, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(empty_undo::check(sql));
    diagnostics.extend(enum_value::check(sql));
    diagnostics.extend(identifier::check(sql));
    diagnostics.extend(setting::check(sql));
    diagnostics.extend(history_table::check(sql, &options.history_table));
}

/// A text for a headline: one line, with what cannot be seen written out.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_debug());
        } else {
            printable.push(character);
        }
    }
    printable
}
