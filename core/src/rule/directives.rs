//! What is to be known about the rules over directives.

use super::Explanation;

pub(super) const UNKNOWN_DIRECTIVE: Explanation = Explanation {
    why: "A mistyped directive that counts as prose would silently run the file in another way than its author wrote.",
    example: &[("0001_users.sql", "-- dunlin: no-transacton\nCREATE TABLE users (id bigint);\n")],
    instead: "Write one of the directives that the message lists.\n\
        Prose may begin with `dunlin` as long as no colon follows.",
    mended: &[("0001_users.sql", "-- dunlin: no-transaction\nCREATE TABLE users (id bigint);\n")],
};

pub(super) const MISPLACED_DIRECTIVE: Explanation = Explanation {
    why: "Directives speak of the whole file, so whoever reads it must find them at its head.",
    example: &[(
        "0001_index.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n-- dunlin: allow long-identifier: the name is generated\n",
    )],
    instead: "Move the line above the first statement.",
    mended: &[(
        "0001_index.sql",
        concat!(
            "-- dunlin: no-transaction\n",
            "CREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n"
        ),
    )],
};

pub(super) const MALFORMED_ALLOWANCE: Explanation = Explanation {
    why: "An allowance says to whoever reads the file later why a rule does not hold here.\n\
        So it names one rule and gives a reason.\n\
        Rules without which the folder has no meaning, or would run in another way than it is written, cannot be allowed.",
    example: &[(
        "0001_users.sql",
        "-- dunlin: allow leaking-setting\nCREATE TABLE users (id bigint);\n",
    )],
    instead: "Write `-- dunlin: allow <rule>: <reason>`, with the name the message shows, or remove the line where it is not needed.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const UNUSED_ALLOWANCE: Explanation = Explanation {
    why: "An allowance that is not needed any more would hide the next mistake of its kind.",
    example: &[(
        "0001_users.sql",
        "-- dunlin: allow leaking-setting: a dump\nCREATE TABLE users (id bigint);\n",
    )],
    instead: "Remove it.\n\
        In a released file it stays, because the text must not change; then the macro ends the warning: `allow = [\"unused-allowance: 0001_users.sql\"]`.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};
