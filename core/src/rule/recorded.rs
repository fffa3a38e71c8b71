//! What is to be known about the rules over `dunlin.sum`.

use super::Explanation;

pub(super) const MALFORMED_SUM: Explanation = Explanation {
    why: "`dunlin.sum` says what is released, so nothing in it is guessed at.\n\
        Most often it holds the marks of a merge that is not finished.",
    example: &[],
    instead: "Finish the merge, or take the file from version control again.\n\
        Its format is described in [dunlin.sum](../dunlin-sum.md).",
    mended: &[],
};

pub(super) const RECORDED_EDITED: Explanation = Explanation {
    why: "A recorded migration is released: it may have run on any database, and an edit would leave those as they are and make new ones different.\n\
        A start would find the difference by the checksum in the history table; `dunlin.sum` finds it without a database.",
    example: &[],
    instead: "Restore the file, and write what is to change as a new migration.\n\
        If it has run nowhere yet, remove its line and those behind it from `dunlin.sum`, and record again.",
    mended: &[],
};

pub(super) const RECORDED_MISSING: Explanation = Explanation {
    why: "A recorded migration is released; without its file a new database lacks what it did, and a start on an old one refuses to run because an applied migration is missing.\n\
        A renamed file is one that is missing and another that is new: the name is the identity.",
    example: &[],
    instead: "Restore the file under its name.",
    mended: &[],
};

pub(super) const RECORDED_ORDER: Explanation = Explanation {
    why: "Databases have run the recorded migrations in the recorded order.\n\
        One that now comes before a recorded one runs after it there, and before it on a new database; most often it comes from a branch that was merged late.",
    example: &[],
    instead: "Give the newcomer a version behind the last recorded one.\n\
        If it may well run late, record it on purpose: the lines from its place on become those the message shows.",
    mended: &[],
};

pub(super) const UNRECORDED: Explanation = Explanation {
    why: "A migration that is not recorded is not protected.\n\
        It is a warning and not an error, because a migration is written, run and edited many times before it is released; recording it is what releasing means, and the build never does that by itself.",
    example: &[],
    instead: "Record it when it is released: append the line the message shows to `dunlin.sum`.\n\
        To refuse builds with unrecorded migrations, in CI or everywhere: `deny = [\"unrecorded\"]`.",
    mended: &[],
};
