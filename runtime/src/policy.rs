//! The choices of a [`Migrator`](crate::Migrator) about what it finds.

/// What to do about something that was found and that a run would better not pass over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Nothing runs.
    #[default]
    Refuse,
    /// It is told ([`Event::Tolerated`](crate::Event::Tolerated),
    /// [`Event::OtherHistory`](crate::Event::OtherHistory)), and the run goes on.
    Announce,
}

/// What to do when the database holds migrations that are newer than everything in the build, as in a
/// rolling deployment or after going back to an older release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AheadPolicy {
    /// Run and announce, unless one of them was marked `-- dunlin: breaking`: that mark says that
    /// older builds cannot work with the database since.
    #[default]
    Compatible,
    /// Run and announce, whatever their marks say.
    Run,
    /// Refuse.
    Refuse,
}

/// All of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) strict_order: bool,
    pub(crate) single_transaction: bool,
    pub(crate) ahead: AheadPolicy,
    pub(crate) changed: Policy,
    pub(crate) missing: Policy,
    pub(crate) other_history: Policy,
}

impl AheadPolicy {
    /// Whether a migration that is ahead stops an older build.
    pub(crate) fn refuses(self, is_breaking: bool) -> bool {
        match self {
            Self::Compatible => is_breaking,
            Self::Run => false,
            Self::Refuse => true,
        }
    }
}
