//! What is to be known about the rules over folders of other tools.

use super::Explanation;

pub(super) const AMBIGUOUS_LAYOUT: Explanation = Explanation {
    why: "A folder is read as its tool reads it, and two tools would read this one differently: in another order, or other parts of its files.\n\
        Guessing would run migrations in an order nobody wrote.",
    example: &[
        ("1_users.sql", "-- +goose Up\nCREATE TABLE users (id bigint);\n"),
        ("2_teams.sql", "-- migrate:up\nCREATE TABLE teams (id bigint);\n"),
    ],
    instead: "Say whose the folder is: `embed_migrations!(\"migrations\", layout = \"goose\")`.\n\
        `layout = \"dunlin\"` says that it is nobody else's.",
    mended: &[
        ("1_users.sql", "-- +goose Up\nCREATE TABLE users (id bigint);\n"),
        ("2_teams.sql", "-- +goose Up\nCREATE TABLE teams (id bigint);\n"),
    ],
};

pub(super) const SECTION_MARKER: Explanation = Explanation {
    why: "A line such as `-- +goose Down` decides whether the statements below it are the migration or its undo.\n\
        One that is mistyped, or stands where the tool does not look for it, would make the undo a part of the migration.",
    example: &[(
        "00001_users.sql",
        "-- +goose Up\nCREATE TABLE users (id bigint);\n-- +goose Dwon\nDROP TABLE users;\n",
    )],
    instead: "Write the marker as the tool does.\n\
        A comment that is none must not hold its words.",
    mended: &[(
        "00001_users.sql",
        "-- +goose Up\nCREATE TABLE users (id bigint);\n-- +goose Down\nDROP TABLE users;\n",
    )],
};

pub(super) const UNSUPPORTED_FEATURE: Explanation = Explanation {
    why: "Other tools can do what SQL cannot say: migrations in other languages, placeholders, templates, migrations that run again whenever they change, callbacks.\n\
        What is embedded runs as it is written and once, so a folder that needs more would not become what it is under its tool.",
    example: &[
        ("00001_users.sql", "-- +goose Up\nCREATE TABLE users (id bigint);\n"),
        ("00002_seed.go", "package migrations\n"),
    ],
    instead: "Write in SQL, or in Rust, what the tool did.\n\
        What has been applied everywhere and is needed nowhere can be passed over with `ignore`.",
    mended: &[
        ("00001_users.sql", "-- +goose Up\nCREATE TABLE users (id bigint);\n"),
        ("00002_seed.sql", "-- +goose Up\nINSERT INTO users (id) VALUES (1);\n"),
    ],
};

pub(super) const TOOL_SETTING: Explanation = Explanation {
    why: "A file such as diesel's `metadata.toml` decides whether a migration runs in a transaction, so what it says must be understood.",
    example: &[
        ("20230101000000_users/up.sql", "CREATE TABLE users (id bigint);\n"),
        ("20230101000000_users/metadata.toml", "run_in_transaction = no\n"),
    ],
    instead: "Write what the message asks for, or remove the file.",
    mended: &[
        ("20230101000000_users/up.sql", "CREATE TABLE users (id bigint);\n"),
        ("20230101000000_users/metadata.toml", "run_in_transaction = true\n"),
    ],
};
