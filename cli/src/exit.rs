//! How a command ends: few codes, each of which asks for another reaction.

use std::fmt;
use std::process::ExitCode;

/// How a command ended. The number is the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// What was asked is so, or was done.
    Ok = 0,
    /// The folder, or the build, has a problem. Nothing was asked of a database.
    Folder = 1,
    /// The command line cannot be understood, or names what is not there.
    Usage = 2,
    /// Migrations are pending, where that was asked about.
    Pending = 3,
    /// The database and the migrations disagree about what has been applied.
    Drift = 4,
    /// The server cannot be reached, or refused, or a migration failed.
    Database = 5,
    /// Interrupted, by Ctrl-C or because a question was answered with no.
    Interrupted = 130,
}

impl Exit {
    /// Every way to end.
    pub const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Folder,
        Self::Usage,
        Self::Pending,
        Self::Drift,
        Self::Database,
        Self::Interrupted,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The word for it in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Folder => "folder",
            Self::Usage => "usage",
            Self::Pending => "pending",
            Self::Drift => "drift",
            Self::Database => "database",
            Self::Interrupted => "interrupted",
        }
    }

    /// What it means, in a sentence of the documentation.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "what was asked is so, or was done",
            Self::Folder => "the folder, or the build, has a problem",
            Self::Usage => "the command line cannot be understood, or names what is not there",
            Self::Pending => "migrations are pending, where that was asked about",
            Self::Drift => "the database and the migrations disagree about what was applied",
            Self::Database => "the server cannot be reached, or refused, or a migration failed",
            Self::Interrupted => "interrupted, or a question was answered with no",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
