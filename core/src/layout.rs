//! The layouts of migrations folders: Dunlin's own and those of the tools people come from.
//!
//! A layout says which files are migrations, what their names mean, in which order they run, where a
//! file's undo is and what runs outside a transaction. It is recognised from the folder
//! (module `recognise`), or named by whoever reads it.
//!
//! **Invariant:** a folder is read as one layout, and in that tool's order. What the tool can say and
//! SQL cannot is a diagnostic; it is never passed over.

mod arrange;
mod code;
mod recognise;

mod diesel;
mod flat;
mod flyway;
mod prisma;

mod dbmate;
mod goose;
mod section;
mod settings;
mod sql_migrate;
mod tern;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

pub(crate) use self::arrange::arrange;
pub(crate) use self::recognise::recognise;
use crate::version::{self, Version, VersionKind};

/// Whose rules a migrations folder follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layout {
    /// `<version>_<name>.sql`, `<version>_<name>.down.sql`, `<version>_<name>.rs`.
    #[default]
    Dunlin,
    /// `<number>_<name>.sql`, or `.up.sql` and `.down.sql`; a first line `-- no-transaction`.
    Sqlx,
    /// A folder for each migration with `up.sql`, `down.sql` and `metadata.toml`.
    Diesel,
    /// `V<number>__<name>.sql` and `U<number>__<name>.sql`.
    Refinery,
    /// `<number>_<name>.up.sql` and `.down.sql`.
    GolangMigrate,
    /// `<number>_<name>.sql` with `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// `<digits><anything>.sql` with `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// `<anything>.sql` with `-- +migrate Up` and `-- +migrate Down`.
    SqlMigrate,
    /// `<number>_<name>.sql` with `---- create above / drop below ----`.
    Tern,
    /// `V<version>__<name>.sql` and `U<version>__<name>.sql`, versions like `1.2` or `1_2`.
    Flyway,
    /// A folder for each migration with `migration.sql`.
    Prisma,
}

impl Layout {
    /// Every layout.
    pub const ALL: &'static [Self] = &[
        Self::Dunlin,
        Self::Sqlx,
        Self::Diesel,
        Self::Refinery,
        Self::GolangMigrate,
        Self::Goose,
        Self::Dbmate,
        Self::SqlMigrate,
        Self::Tern,
        Self::Flyway,
        Self::Prisma,
    ];

    /// The layout's name as an argument.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Dunlin => "dunlin",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel",
            Self::Refinery => "refinery",
            Self::GolangMigrate => "golang-migrate",
            Self::Goose => "goose",
            Self::Dbmate => "dbmate",
            Self::SqlMigrate => "sql-migrate",
            Self::Tern => "tern",
            Self::Flyway => "flyway",
            Self::Prisma => "prisma",
        }
    }

    /// The layout of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|layout| layout.id() == id)
    }

    /// The tool's name as its authors write it.
    #[must_use]
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Dunlin => "Dunlin",
            Self::Flyway => "Flyway",
            Self::Prisma => "Prisma",
            other => other.id(),
        }
    }

    /// Cuts the version off the front of a migration's name; the rest begins with what follows it.
    #[must_use]
    pub fn split(self, name: &str) -> Option<(Version, &str)> {
        let at = |end: usize, kind| Some((Version::new(kind, &name[..end]), &name[end..]));
        let n_digits = leading_digits(name);
        match self {
            Self::Dunlin => Version::split(name),
            Self::Sqlx | Self::GolangMigrate | Self::Goose | Self::Tern => {
                let is_number = n_digits > 0 && name[n_digits..].starts_with('_');
                is_number.then(|| at(n_digits, VersionKind::Counter)).flatten()
            }
            Self::Refinery => {
                let number = name.strip_prefix(['V', 'U'])?;
                let n_digits = leading_digits(number);
                let is_number = n_digits > 0 && number[n_digits..].starts_with("__");
                is_number.then(|| at(1 + n_digits, VersionKind::Counter)).flatten()
            }
            Self::Dbmate => (n_digits > 0).then(|| at(n_digits, VersionKind::Text)).flatten(),
            Self::SqlMigrate if n_digits > 0 => at(n_digits, VersionKind::Counter),
            Self::SqlMigrate => at(name.len(), VersionKind::Text),
            Self::Diesel | Self::Prisma => {
                let end = name.find('_').unwrap_or(name.len());
                (end > 0).then(|| at(end, VersionKind::Text)).flatten()
            }
            Self::Flyway => {
                let end = 1 + flyway::version_length(name.strip_prefix('V')?)?;
                at(end, VersionKind::Dotted)
            }
        }
    }

    /// Reads a whole text as a version, as a person writes one: `1.2` as well as `V1.2`.
    #[must_use]
    pub fn version(self, text: &str) -> Option<Version> {
        let is_number = leading_digits(text) == text.len() && !text.is_empty();
        match self {
            Self::Dunlin => Version::parse(text),
            Self::Flyway => {
                let parts = text.strip_prefix('V').unwrap_or(text);
                flyway::is_version(parts).then(|| Version::new(VersionKind::Dotted, text))
            }
            Self::Refinery => {
                let number = text.strip_prefix(['V', 'U']).unwrap_or(text);
                let is_number = leading_digits(number) == number.len() && !number.is_empty();
                is_number.then(|| Version::new(VersionKind::Counter, text))
            }
            Self::Diesel | Self::Prisma | Self::Dbmate => {
                (!text.is_empty()).then(|| Version::new(VersionKind::Text, text))
            }
            Self::Sqlx | Self::GolangMigrate | Self::Goose | Self::Tern | Self::SqlMigrate => {
                is_number.then(|| Version::new(VersionKind::Counter, text))
            }
        }
    }

    /// The order of two migrations: the tool's own.
    ///
    /// A name without a version, which only a history table can hold, comes after all others.
    #[must_use]
    pub fn compare_names(self, left: &str, right: &str) -> Ordering {
        let file_name = |name: &str| name.bytes().chain(*b".sql").collect::<Vec<_>>();
        let by_version = |left, right| {
            version::compare_known(self.split(left).map(first), self.split(right).map(first))
        };
        let by_being_known = || self.split(right).is_some().cmp(&self.split(left).is_some());
        match self {
            Self::Dunlin => version::compare_names(left, right),
            // Both sort the names themselves: `10_x` runs before `9_x`, and `10_x` before `1_x`.
            Self::Dbmate | Self::Prisma => by_being_known().then_with(|| left.cmp(right)),
            // Names of files decide, of which `1-a.sql` stands before `1.sql`.
            Self::SqlMigrate => match (self.split(left), self.split(right)) {
                (Some((a, _)), Some((b, _)))
                    if a.kind() == VersionKind::Text && b.kind() == VersionKind::Text =>
                {
                    file_name(left).cmp(&file_name(right))
                }
                _ => by_version(left, right).then_with(|| file_name(left).cmp(&file_name(right))),
            },
            _ => by_version(left, right).then_with(|| left.cmp(right)),
        }
    }

    /// How the tool wants files named, as the end of a sentence.
    pub(crate) const fn names(self) -> &'static str {
        match self {
            Self::Dunlin => {
                "a migration is `<version>_<name>.sql`, its undo `<version>_<name>.down.sql`"
            }
            Self::Sqlx => "sqlx takes `<number>_<name>.sql`, or `.up.sql` and `.down.sql`",
            Self::Diesel => "diesel takes folders `<version>_<name>` with `up.sql` and `down.sql`",
            Self::Refinery => "refinery takes `V<number>__<name>.sql`",
            Self::GolangMigrate => "golang-migrate takes `<number>_<name>.up.sql` and `.down.sql`",
            Self::Goose => "goose takes `<number>_<name>.sql`",
            Self::Dbmate => "dbmate takes `<digits>_<name>.sql`",
            Self::SqlMigrate => "sql-migrate takes `<name>.sql`",
            Self::Tern => "tern takes `<number>_<name>.sql`",
            Self::Flyway => {
                "Flyway takes `V<version>__<name>.sql`, and `U<version>__<name>.sql` for an undo"
            }
            Self::Prisma => "Prisma takes folders `<version>_<name>` with `migration.sql`",
        }
    }

    /// Whether the tool silently passes over a file that is named otherwise.
    pub(crate) const fn passes_over_other_names(self) -> bool {
        matches!(
            self,
            Self::Sqlx | Self::Refinery | Self::GolangMigrate | Self::Dbmate | Self::Tern
        )
    }

    /// Whether two migrations may have one version, because the tool tells them apart by name.
    pub(crate) const fn shares_versions(self) -> bool {
        matches!(self, Self::SqlMigrate | Self::Prisma)
    }

    /// The file of a migration of that name, as the tool would call it.
    pub(crate) fn file_of(self, name: &str) -> String {
        match self {
            Self::Diesel => format!("{name}/up.sql"),
            Self::Prisma => format!("{name}/migration.sql"),
            Self::GolangMigrate => format!("{name}.up.sql"),
            _ => format!("{name}.sql"),
        }
    }

    /// The file of the undo of a migration of that name.
    pub(crate) fn undo_file_of(self, name: &str) -> String {
        match self {
            Self::Diesel | Self::Prisma => format!("{name}/down.sql"),
            Self::Flyway => format!("{}.sql", name.replacen('V', "U", 1)),
            _ => format!("{name}.down.sql"),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

fn first<A, B>((a, _): (A, B)) -> A {
    a
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}
