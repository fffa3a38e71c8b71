//! What other databases have and PostgreSQL has not, and what stands for it.

use super::view::View;

/// What stands for the marks that git leaves in a file.
const UNMERGED: &str =
    "a merge is not finished here: keep what is right of both sides, and remove the marks";

/// A word and what to write instead. `^` in front of it means: at the beginning of a statement.
const ADVICE: &[(&str, &str)] = &[
    ("<<<<<<<", UNMERGED),
    ("|||||||", UNMERGED),
    ("=======", UNMERGED),
    (">>>>>>>", UNMERGED),
    ("^#", "comments begin with `--`"),
    ("^//", "comments begin with `--`"),
    ("`", "names need no quotes, or double ones: `\"users\"`"),
    ("AUTOINCREMENT", "write `GENERATED ALWAYS AS IDENTITY`"),
    ("AUTO_INCREMENT", "write `GENERATED ALWAYS AS IDENTITY`"),
    ("IDENTITY", "write `GENERATED ALWAYS AS IDENTITY`"),
    ("UNSIGNED", "PostgreSQL has no such numbers: add `CHECK (... >= 0)`"),
    ("ENGINE", "remove it: tables of PostgreSQL have no engine to choose"),
    ("MODIFY", "write `ALTER COLUMN ... TYPE ...`"),
    ("CHANGE", "write `RENAME COLUMN ... TO ...`, and `ALTER COLUMN ... TYPE ...`"),
    ("AFTER", "remove it: new columns come last"),
    ("INDEX", "an index is made by a statement of its own: `CREATE INDEX ... ON ... (...)`"),
    ("KEY", "an index is made by a statement of its own: `CREATE INDEX ... ON ... (...)`"),
    ("^REPLACE", "write `INSERT INTO ... ON CONFLICT ... DO UPDATE SET ...`"),
    ("^USE", "remove it: a connection is to one database"),
    ("^GO", "remove it: statements end with `;`"),
    ("^DELIMITER", "remove it: bodies of functions stand between `$$`"),
    ("^DESCRIBE", "remove it: it is no statement of PostgreSQL"),
];

/// What to write instead of a token that is wrong.
pub(super) fn advice(view: &View<'_>, token: usize) -> Option<&'static str> {
    let typed = view.text(token);
    ADVICE.iter().find_map(|(word, advice)| {
        let (word, anywhere) = match word.strip_prefix('^') {
            Some(word) => (word, false),
            None => (*word, true),
        };
        (typed.eq_ignore_ascii_case(word) && (anywhere || token == 0)).then_some(*advice)
    })
}
