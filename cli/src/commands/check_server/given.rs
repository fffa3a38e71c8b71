//! In a scratch database of a server that somebody names.

use super::{Rehearsal, Trial};
use crate::answer::Failure;
use crate::args::Secret;
use crate::commands::database::{Leaves, block_on};
use crate::commands::scratch::ScratchDatabase;

pub(super) fn tried(server: &Secret, rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    let scratch = ScratchDatabase::of("check", server)?;
    scratch.removed(on(&scratch, rehearsal))
}

fn on(scratch: &ScratchDatabase<'_>, rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    let version = block_on(Leaves::Nothing, scratch.create())?;
    rehearsal.on(&scratch.connection()?.pool, &version)
}
