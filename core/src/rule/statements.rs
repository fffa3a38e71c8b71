//! What is to be known about the rules over what a file may ask of whoever runs it.

use super::Explanation;

const TABLE: &str = "CREATE TABLE users (id bigint, email text);\n";

pub(super) const TRANSACTION_CONTROL: Explanation = Explanation {
    why: "A file and its row in the history table are one transaction, which Dunlin begins and ends.\n\
        A `COMMIT` inside would leave a migration half applied and unrecorded when what follows it fails.",
    example: &[(
        "0001_users.sql",
        "CREATE TABLE users (id bigint);\nCOMMIT;\nCREATE TABLE teams (id bigint);\n",
    )],
    instead: "Remove it; what must commit on its own belongs in a migration of its own.\n\
        `BEGIN;` and `COMMIT;` around the whole file are understood and dropped, see `wrapped-transaction`; with an isolation level or `READ ONLY` they are not, because dropping them would change what the file asks for.\n\
        `SAVEPOINT` and `SET TRANSACTION` stay inside of the transaction and are allowed.",
    mended: &[
        ("0001_users.sql", "CREATE TABLE users (id bigint);\n"),
        ("0002_teams.sql", "CREATE TABLE teams (id bigint);\n"),
    ],
};

pub(super) const WRAPPED_TRANSACTION: Explanation = Explanation {
    why: "Many tools run a file as it is, so people write its transaction into it.\n\
        Dunlin runs each file in a transaction together with its row in the history table; it leaves the two statements out of what it sends and says so.\n\
        The checksum is that of the whole file, so they need not be removed from a file that was applied.",
    example: &[("0001_users.sql", "BEGIN;\nCREATE TABLE users (id bigint);\nCOMMIT;\n")],
    instead: "Leave them out of new files.\n\
        For a folder that comes from another tool, `allow = [\"wrapped-transaction\"]` in the macro ends the notes.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const NOT_IN_TRANSACTION: Explanation = Explanation {
    why: "Dunlin runs each file in a transaction unless the file says otherwise, and some commands refuse to run in one: `CREATE INDEX CONCURRENTLY`, `VACUUM`, `CREATE DATABASE`, `ALTER SYSTEM` and more.\n\
        The server would refuse them with SQLSTATE 25001.",
    example: &[(
        "0001_index.sql",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_email_idx ON users (email);\n",
    )],
    instead: "Begin the file with the line `-- dunlin: no-transaction`.\n\
        Its statements then run one by one, and each is recorded when it is done, so that a run that was cut off is continued.",
    mended: &[(
        "0001_index.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS users_email_idx ON users (email);\n",
    )],
};

pub(super) const MIXED_TRANSACTION: Explanation = Explanation {
    why: "One statement of the file cannot run in a transaction, and the others are worth one: without it a failure in the middle leaves the first half applied.",
    example: &[(
        "0001_email.sql",
        "ALTER TABLE users ADD COLUMN email text;\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n",
    )],
    instead: "Split the file: what can run in a transaction stays, the rest moves to a migration behind it that begins with `-- dunlin: no-transaction`.\n\
        A file with that directive may hold statements of both kinds, for whoever wants each to be committed on its own.",
    mended: &[
        ("0001_email.sql", "ALTER TABLE users ADD COLUMN email text;\n"),
        (
            "0002_email_index.sql",
            "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n",
        ),
    ],
};

pub(super) const PSQL_COMMAND: Explanation = Explanation {
    why: "Commands with a backslash are understood by the program psql, which acts on them itself; the server takes them for a syntax error.\n\
        They come with scripts that were written for psql and with the output of `pg_dump`, whose newer versions write `\\restrict` and `\\unrestrict` around everything.",
    example: &[(
        "0001_users.sql",
        "\\restrict Xb7\nCREATE TABLE users (id bigint);\n\\unrestrict Xb7\n",
    )],
    instead: "Remove the line, and write what it did in SQL.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const COPY_FROM_STDIN: Explanation = Explanation {
    why: "The rows follow the statement on the wire, as a conversation of their own, and a migration carries only SQL.",
    example: &[("0001_users.sql", "COPY users (id, name) FROM stdin;\n1\tZoë\n\\.\n")],
    instead: "Write the rows as `INSERT`; `pg_dump --inserts` does so.\n\
        Many rows are better written by a migration in Rust.",
    mended: &[("0001_users.sql", "INSERT INTO users (id, name) VALUES (1, 'Zoë');\n")],
};

pub(super) const COPY_TO_STDOUT: Explanation = Explanation {
    why: "The server would send the rows to the client, and a migration has nowhere to put them.",
    example: &[("0001_users.sql", "COPY users TO stdout;\n")],
    instead: "Remove it, or copy into a table.",
    mended: &[("0001_users.sql", "CREATE TABLE users_before AS TABLE users;\n")],
};

pub(super) const EMPTY_UNDO: Explanation = Explanation {
    why: "With an undo a migration counts as one that can be undone.\n\
        One without statements, such as the template that some tools write, would remove the row from the history table and leave everything else, so that the migration then runs a second time.",
    example: &[
        ("0001_users.sql", TABLE),
        ("0001_users.down.sql", "-- Add down migration script here\n"),
    ],
    instead: "Write the undo, or remove the file: then undoing this migration is refused.\n\
        Where there is nothing to undo, say so: `-- dunlin: allow empty-undo: <reason>`.",
    mended: &[("0001_users.sql", TABLE), ("0001_users.down.sql", "DROP TABLE users;\n")],
};

pub(super) const MISSING_UP: Explanation = Explanation {
    why: "A migration in Rust is its function `up`, which is called inside of the migration's transaction.",
    example: &[("0001_users.rs", "pub async fn apply() {}\n")],
    instead: "Write `pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()>`, and `down` of the same form if it can be undone.",
    mended: &[(
        "0001_users.rs",
        "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n",
    )],
};
