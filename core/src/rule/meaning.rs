//! What is to be known about the rules over what statements mean.

use super::Explanation;

pub(super) const ENUM_VALUE_USED: Explanation = Explanation {
    why: "A value that `ALTER TYPE ... ADD VALUE` adds cannot be used before its transaction is committed: SQLSTATE 55P04, «unsafe use of new value».\n\
        The table may have been empty where the migration was tried, and the statement works there; where it has rows, or a default or a check is made of the value, it fails.\n\
        Since version 17 PostgreSQL allows it if the same file creates the type; versions 14 to 16 do not, and values that stand in `CREATE TYPE` itself are always allowed.\n\
        Found is the value as a string in a later statement of the same file, outside of function bodies; a text that only looks the same is found too.",
    example: &[(
        "0001_paused.sql",
        "ALTER TYPE status ADD VALUE 'paused';\nUPDATE jobs SET status = 'paused' WHERE worker IS NULL;\n",
    )],
    instead: "Use the value in the next migration: each file is a transaction of its own.\n\
        In a file with `-- dunlin: no-transaction` each statement is committed on its own, so the value can be used at once.",
    mended: &[
        ("0001_paused.sql", "ALTER TYPE status ADD VALUE 'paused';\n"),
        ("0002_pause.sql", "UPDATE jobs SET status = 'paused' WHERE worker IS NULL;\n"),
    ],
};

pub(super) const LONG_IDENTIFIER: Explanation = Explanation {
    why: "PostgreSQL keeps the first 63 bytes of a name and drops the rest with no more than a notice (`NAMEDATALEN`).\n\
        The object then has a name that is written nowhere: `DROP CONSTRAINT` finds it only because it is cut in the same way, two long names become one, and a query of the catalogs finds nothing.\n\
        Bytes count and not characters: `ß` has two.\n\
        Looked at are the names in `CREATE` and `ALTER`.",
    example: &[(
        "0001_index.sql",
        "CREATE INDEX index_workflow_request_participants_on_workflow_request_id_and_user_id ON participants (request_id, user_id);\n",
    )],
    instead: "Choose a shorter name.\n\
        Where the object exists already, the name in the file may as well be the one the database has.",
    mended: &[(
        "0001_index.sql",
        "CREATE INDEX participants_request_user_idx ON participants (request_id, user_id);\n",
    )],
};

pub(super) const LEAKING_SETTING: Explanation = Explanation {
    why: "`SET` without `LOCAL`, and `set_config(..., false)`, last as long as the session.\n\
        The migrations of a run share a session, and the application may use it afterwards; so Dunlin puts every setting back when a file is done.\n\
        Whoever expects the setting to last is mistaken, and whoever does not can say so.\n\
        A setting that the file resets itself is not found, nor one that is made inside the body of a function or of `DO`, nor one in a file with `no-transaction`, where `SET LOCAL` has no effect.",
    example: &[(
        "0001_slow.sql",
        "SET statement_timeout = '10min';\nUPDATE users SET email = lower(email);\n",
    )],
    instead: "Write `SET LOCAL`, or `set_config(..., true)`: it ends with the file's transaction.\n\
        What is to last belongs to the database or the role: `ALTER DATABASE ... SET`, `ALTER ROLE ... SET`.",
    mended: &[(
        "0001_slow.sql",
        "SET LOCAL statement_timeout = '10min';\nUPDATE users SET email = lower(email);\n",
    )],
};

pub(super) const HISTORY_TABLE: Explanation = Explanation {
    why: "What is applied is what the history table says, and Dunlin writes it in the same transaction as the migration.\n\
        A migration that creates, alters or drops this table, or writes rows to it, is at odds with the run it is part of; typical is an `INSERT` with which a file recorded itself under another tool.\n\
        Found are statements that change the table by its name, with no schema or with `public`; reading it is allowed.",
    example: &[(
        "0001_users.sql",
        "CREATE TABLE users (id bigint);\nINSERT INTO migrations (name) VALUES ('0001_users');\n",
    )],
    instead: "Remove the statement.\n\
        If the application has a table `migrations` of its own, give the history another name, in the macro and on the `Migrator`: `embed_migrations!(\"migrations\", history_table = \"schema_history\")`.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};
