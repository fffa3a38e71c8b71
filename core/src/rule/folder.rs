//! What is to be known about the rules over a folder and its files as such.

use super::Explanation;

pub(super) const MISSING_FOLDER: Explanation = Explanation {
    why: "A build without its migrations would start, find nothing to do, and run against a database that lacks everything.",
    example: &[],
    instead: "Create the folder, even empty, or pass its path to the macro.\n\
        Paths are relative to the `Cargo.toml` of the crate that calls the macro.",
    mended: &[],
};

pub(super) const UNREADABLE: Explanation = Explanation {
    why: "A file that cannot be read may be a migration, and a build must not leave one out.",
    example: &[],
    instead: "Make it readable for the user who builds, mend the link that leads nowhere, or remove it.",
    mended: &[],
};

pub(super) const UNEXPECTED_ENTRY: Explanation = Explanation {
    why: "A file that is silently passed over is a migration that silently never runs.\n\
        So whatever lies in the folder is a migration, its undo, a `README`, a dot file, `dunlin.sum`, or named.",
    example: &[
        ("0001_users.sql", "CREATE TABLE users (id bigint);\n"),
        ("schema.dbml", "Table users {}\n"),
    ],
    instead: "Move it away, or name it: `embed_migrations!(\"migrations\", ignore = [\"schema.dbml\"])`.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const MISNAMED_FILE: Explanation = Explanation {
    why: "The version at the front of a name decides when a migration runs, and the whole name is what the history table stores.\n\
        A file without a version has no place in the order.",
    example: &[("users.sql", "CREATE TABLE users (id bigint);\n")],
    instead: "Name it `<version>_<name>.sql`, and its undo `<version>_<name>.down.sql`.\n\
        The message says what the name should be as far as it can be told.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const NOT_UTF_8: Explanation = Explanation {
    why: "A program's text is UTF-8, and so is what it sends to the server.\n\
        A file in another encoding would arrive as other characters than were written.",
    example: &[],
    instead: "Save the file as UTF-8.\n\
        `iconv -f latin1 -t utf-8` does so for the encoding that is meant most often.",
    mended: &[],
};

pub(super) const NUL_CHARACTER: Explanation = Explanation {
    why: "PostgreSQL's protocol ends a text at NUL, so everything behind it would be lost without a word.",
    example: &[("0001_users.sql", "CREATE TABLE users (id bigint);\0\n")],
    instead: "Remove it.\nA file full of them was saved as UTF-16: save it as UTF-8.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const BLANK_FILE: Explanation = Explanation {
    why: "A blank file is most often one that somebody created and did not write yet, or whose content a failed write has lost.",
    example: &[("0001_users.sql", "\n")],
    instead: "Write the migration.\n\
        One that must do nothing, because its version is taken or was applied elsewhere, holds a comment that says why: files of comments only are legal.",
    mended: &[(
        "0001_users.sql",
        "-- Nothing to do: the table is created by 0002 since the release of May.\n",
    )],
};
