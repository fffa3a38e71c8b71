//! What is to be known about the rules over a base branch.

use super::Explanation;

pub(super) const RELEASED_EDITED: Explanation = Explanation {
    why: "What the base branch has may have run on any database; an edit would leave those as they are and make new ones different.\n\
        A start would find the difference by the checksum in the history table; `cargo dunlin check --base <ref>` finds it in a pull request, without a database.\n\
        Line endings and a byte order mark do not count, nor does the undo.",
    example: &[],
    instead: "Take the file back from the base branch, and write what is to change as a new migration.",
    mended: &[],
};

pub(super) const RELEASED_MISSING: Explanation = Explanation {
    why: "A database that has the migration would refuse to start, and a new one would lack what it did.\n\
        A renamed file is one that is missing and another that is new: the name is the identity.\n\
        What the base branch got after this branch began is not missed, as far as the clone shows when that was; a shallow one does not.",
    example: &[],
    instead: "Take the file back from the base branch, under its name.\n\
        In a shallow clone, fetch more of the history (`git fetch --unshallow`, `fetch-depth: 0`) or merge the base branch first.",
    mended: &[],
};

pub(super) const RELEASED_ORDER: Explanation = Explanation {
    why: "Databases that follow the base branch have run its last migration.\n\
        A new one that comes before it runs late there, and in its place on a new database, so the two may differ; one that has a version of the base branch's cannot be merged at all.\n\
        Both happen when two branches add a migration and the other one is merged first.",
    example: &[],
    instead: "`cargo dunlin renumber --base <ref>` gives this branch's own migrations the next versions, in the order they have.",
    mended: &[],
};
