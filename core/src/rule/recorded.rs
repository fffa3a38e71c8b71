//! What is to be known about the rules over `dunlin.sum`.

use super::Explanation;

const USERS: &str = "CREATE TABLE users (id bigint);\n";
const TEAMS: &str = "CREATE TABLE teams (id bigint);\n";
const EVENTS: &str = "CREATE TABLE events (id bigint);\n";

/// The sum of `0001_users` and `0002_teams`.
const TWO: &str = "# dunlin.sum 1\n\
    3f1be8dde61b55aba73db7854fa2c48659e4a6095463d3da67302ee3c80b1154 0001_users\n\
    f06283dbdae88c3c09d280803062ec4ac314600d96cf299d986606c0a4c9cbcb 0002_teams\n";

/// The sum of `0001_users`, `0002_teams` and `0003_events`.
const THREE: &str = "# dunlin.sum 1\n\
    3f1be8dde61b55aba73db7854fa2c48659e4a6095463d3da67302ee3c80b1154 0001_users\n\
    f06283dbdae88c3c09d280803062ec4ac314600d96cf299d986606c0a4c9cbcb 0002_teams\n\
    7248ce42918e70758d4f30e002b52236a42bd2d700ade136b122c1fbab83a4e2 0003_events\n";

/// The sum of `0001_users` and `0003_events`.
const WITHOUT_TEAMS: &str = "# dunlin.sum 1\n\
    3f1be8dde61b55aba73db7854fa2c48659e4a6095463d3da67302ee3c80b1154 0001_users\n\
    d450c77e6797e4be0bc3cf33a16f6d7b0b6262bd74da40ed051c08416382c9d9 0003_events\n";

/// What a merge that is not finished leaves.
const UNFINISHED: &str = "# dunlin.sum 1\n\
    3f1be8dde61b55aba73db7854fa2c48659e4a6095463d3da67302ee3c80b1154 0001_users\n\
    <<<<<<< HEAD\n\
    f06283dbdae88c3c09d280803062ec4ac314600d96cf299d986606c0a4c9cbcb 0002_teams\n\
    =======\n\
    d450c77e6797e4be0bc3cf33a16f6d7b0b6262bd74da40ed051c08416382c9d9 0003_events\n\
    >>>>>>> events\n";

pub(super) const MALFORMED_SUM: Explanation = Explanation {
    why: "`dunlin.sum` says what is released, so nothing in it is guessed at.\n\
        Most often it holds the marks of a merge that is not finished.",
    example: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", UNFINISHED),
    ],
    instead: "Finish the merge, or take the file from version control again.\n\
        Its format is described in [dunlin.sum](../dunlin-sum.md).",
    mended: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", THREE),
    ],
};

pub(super) const RECORDED_EDITED: Explanation = Explanation {
    why: "A recorded migration is released: it may have run on any database, and an edit would leave those as they are and make new ones different.\n\
        A start would find the difference by the checksum in the history table; `dunlin.sum` finds it without a database.",
    example: &[
        ("0001_users.sql", "CREATE TABLE users (id uuid);\n"),
        ("0002_teams.sql", TEAMS),
        ("dunlin.sum", TWO),
    ],
    instead: "Restore the file, and write what is to change as a new migration.\n\
        If it has run nowhere yet, remove its line and those behind it from `dunlin.sum`, and record again.",
    mended: &[("0001_users.sql", USERS), ("0002_teams.sql", TEAMS), ("dunlin.sum", TWO)],
};

pub(super) const RECORDED_MISSING: Explanation = Explanation {
    why: "A recorded migration is released; without its file a new database lacks what it did, and a start on an old one refuses to run because an applied migration is missing.\n\
        A renamed file is one that is missing and another that is new: the name is the identity.",
    example: &[("0001_users.sql", USERS), ("dunlin.sum", TWO)],
    instead: "Restore the file under its name.",
    mended: &[("0001_users.sql", USERS), ("0002_teams.sql", TEAMS), ("dunlin.sum", TWO)],
};

pub(super) const RECORDED_ORDER: Explanation = Explanation {
    why: "Databases have run the recorded migrations in the recorded order.\n\
        One that now comes before a recorded one runs after it there, and before it on a new database; most often it comes from a branch that was merged late.",
    example: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", WITHOUT_TEAMS),
    ],
    instead: "Give the newcomer a version behind the last recorded one.\n\
        If it may well run late, record it on purpose: the lines from its place on become those the message shows.",
    mended: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", THREE),
    ],
};

pub(super) const UNRECORDED: Explanation = Explanation {
    why: "A migration that is not recorded is not protected.\n\
        It is a warning and not an error, because a migration is written, run and edited many times before it is released; recording it is what releasing means, and the build never does that by itself.",
    example: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", TWO),
    ],
    instead: "Record it when it is released: append the line the message shows to `dunlin.sum`.\n\
        To refuse builds with unrecorded migrations, in CI or everywhere: `deny = [\"unrecorded\"]`.",
    mended: &[
        ("0001_users.sql", USERS),
        ("0002_teams.sql", TEAMS),
        ("0003_events.sql", EVENTS),
        ("dunlin.sum", THREE),
    ],
};
