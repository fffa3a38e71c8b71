//! What is to be known about the rules over the names of files.

use super::Explanation;

const USERS: &str = "CREATE TABLE users (id bigint);\n";
const TEAMS: &str = "CREATE TABLE teams (id bigint);\n";

pub(super) const DUPLICATE_NAME: Explanation = Explanation {
    why: "The whole name is what the history table stores, so two files of one name are one migration with two texts.",
    example: &[("0001_users.sql", USERS), ("0001_users.up.sql", USERS)],
    instead: "Keep one of them, or give the other a version and a name of its own.",
    mended: &[("0001_users.sql", USERS)],
};

pub(super) const DUPLICATE_VERSION: Explanation = Explanation {
    why: "Versions decide the order, and a counter or a time of day is written to be unique.\n\
        Two equal ones are an accident, usually of two branches, and which one runs first would be decided by their names.",
    example: &[("0001_users.sql", USERS), ("0001_teams.sql", TEAMS)],
    instead: "Give the one that is not released yet the next version.\n\
        Several migrations on one bare date, such as `20251104-a` and `20251104-b`, are normal and run in the order of their names.",
    mended: &[("0001_users.sql", USERS), ("0002_teams.sql", TEAMS)],
};

pub(super) const MIXED_VERSIONS: Explanation = Explanation {
    why: "A number has no place among dates, so a folder that holds both has no order that everybody would agree on.",
    example: &[("0001_users.sql", USERS), ("20250101_teams.sql", TEAMS)],
    instead: "Give the file that is not released yet a version of the kind the others have.\n\
        Where another tool has run both, its order is known: `layout = \"sqlx\"` and the layouts of other tools that count compare all versions as numbers.",
    mended: &[("20241231_users.sql", USERS), ("20250101_teams.sql", TEAMS)],
};

pub(super) const ORPHAN_UNDO: Explanation = Explanation {
    why: "An undo belongs to the migration of the same name, and is never run on its own.\n\
        One that belongs to none is misspelt, or was left behind when its migration was renamed.",
    example: &[("0001_users.sql", USERS), ("0001_user.down.sql", "DROP TABLE users;\n")],
    instead: "Give it the name of its migration, or remove it.",
    mended: &[("0001_users.sql", USERS), ("0001_users.down.sql", "DROP TABLE users;\n")],
};

pub(super) const TWO_UNDOS: Explanation = Explanation {
    why: "A migration in Rust is undone by its function `down` or by a `.down.sql` file, and nobody could tell which of two is meant.",
    example: &[
        (
            "0001_users.rs",
            "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\npub async fn down(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n",
        ),
        ("0001_users.down.sql", "DROP TABLE users;\n"),
    ],
    instead: "Remove one of them.",
    mended: &[
        (
            "0001_users.rs",
            "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> { Ok(()) }\n",
        ),
        ("0001_users.down.sql", "DROP TABLE users;\n"),
    ],
};

pub(super) const CASE_ONLY_NAMES: Explanation = Explanation {
    why: "On Windows and macOS the two names are one file.\n\
        A checkout there holds only one of them, without a word, and so lacks a migration that this one has.",
    example: &[("20250101_users.sql", USERS), ("20250101_Users.sql", TEAMS)],
    instead: "Rename the one that is not released yet.",
    mended: &[("20250101_users.sql", USERS), ("20250101_teams.sql", TEAMS)],
};

pub(super) const LONG_NAME: Explanation = Explanation {
    why: "The history table stores names in a column of 255 characters, `varchar(255)`, so a migration with a longer one would run and could not be recorded.",
    example: &[],
    instead: "Shorten the name; what it says in more than a few words belongs into a comment at the head of the file.",
    mended: &[],
};

pub(super) const UNPORTABLE_NAME: Explanation = Explanation {
    why: "A colleague's system must be able to hold the file under the same name, because the name is the identity of the migration.\n\
        Windows has no files whose names hold `< > : \" | ? * \\`, end in a dot or a space, or are `CON`, `NUL`, `COM1` and the like.\n\
        A letter that is written as a letter and a combining accent is turned into one character by some programs and file systems, and back by others: then the migration counts as missing, and another one as new.",
    example: &[("0001_users:create.sql", USERS)],
    instead: "Rename the file as long as it is not released.\n\
        Once it is applied somewhere the name must stay, or its row in the history table be renamed with it.",
    mended: &[("0001_users_create.sql", USERS)],
};
