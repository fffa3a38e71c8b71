//! The tools whose histories can be taken over, and the tables they keep them in.

use std::fmt;

/// A tool that keeps a history of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tool {
    /// `sqlx migrate`, `sqlx::migrate!`.
    Sqlx,
    /// diesel and `diesel_migrations`.
    Diesel,
    /// refinery.
    Refinery,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// dbmate.
    Dbmate,
    /// sql-migrate.
    SqlMigrate,
    /// tern, the one in Go.
    Tern,
    /// Flyway.
    Flyway,
    /// Prisma.
    Prisma,
    /// Sequelize, and umzug with its storage.
    Sequelize,
    /// A table with `id`, `name` and `executed_at`.
    Table,
}

/// How a tool's table is recognised.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its name, unless the tool was told another.
    pub table: &'static str,
    /// Columns it has.
    pub columns: &'static [&'static str],
    /// Columns by which it would be another tool's.
    pub others: &'static [&'static str],
}

impl Tool {
    /// Every tool.
    pub const ALL: &'static [Self] = &[
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
        Self::Sequelize,
        Self::Table,
    ];

    /// The tool's name as an argument.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
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
            Self::Sequelize => "sequelize",
            Self::Table => "table",
        }
    }

    /// The tool of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tool| tool.id() == id)
    }

    /// The tool's name in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flyway => "Flyway",
            Self::Prisma => "Prisma",
            Self::Sequelize => "Sequelize",
            Self::Table => "the older table",
            other => other.id(),
        }
    }

    /// Its history in a sentence, without an article: `history of sqlx`.
    #[must_use]
    pub fn history(self) -> String {
        match self {
            Self::Table => "older tracking table".to_owned(),
            tool => format!("history of {}", tool.name()),
        }
    }

    /// The checksum that the tool keeps of a migration, if it keeps one.
    #[must_use]
    pub const fn checksum(self) -> Option<&'static str> {
        match self {
            Self::Sqlx => Some("SHA-384"),
            Self::Prisma => Some("SHA-256"),
            Self::Flyway => Some("CRC-32"),
            Self::Refinery => Some("SipHash-1-3"),
            _ => None,
        }
    }

    /// Whether the table has one row, and everything up to its version counts as applied.
    #[must_use]
    pub const fn counts_up(self) -> bool {
        matches!(self, Self::GolangMigrate | Self::Tern)
    }

    /// How its table is recognised.
    #[must_use]
    pub const fn shape(self) -> Shape {
        const fn shape(
            table: &'static str,
            columns: &'static [&'static str],
            others: &'static [&'static str],
        ) -> Shape {
            Shape { table, columns, others }
        }
        match self {
            Self::Sqlx => shape(
                "_sqlx_migrations",
                &[
                    "version",
                    "description",
                    "installed_on",
                    "success",
                    "checksum",
                    "execution_time",
                ],
                &[],
            ),
            Self::Diesel => shape("__diesel_schema_migrations", &["version", "run_on"], &[]),
            Self::Refinery => shape(
                "refinery_schema_history",
                &["version", "name", "applied_on", "checksum"],
                &[],
            ),
            Self::GolangMigrate => shape("schema_migrations", &["version", "dirty"], &[]),
            Self::Goose => {
                shape("goose_db_version", &["id", "version_id", "is_applied", "tstamp"], &[])
            }
            // golang-migrate and others of that name have more columns.
            Self::Dbmate => shape("schema_migrations", &["version"], &["dirty", "name"]),
            Self::SqlMigrate => shape("gorp_migrations", &["id", "applied_at"], &[]),
            Self::Tern => shape("schema_version", &["version"], &["installed_rank"]),
            Self::Flyway => shape(
                "flyway_schema_history",
                &[
                    "installed_rank",
                    "version",
                    "description",
                    "type",
                    "checksum",
                    "installed_by",
                    "installed_on",
                    "execution_time",
                    "success",
                ],
                &[],
            ),
            Self::Prisma => shape(
                "_prisma_migrations",
                &["checksum", "finished_at", "migration_name", "rolled_back_at", "started_at"],
                &[],
            ),
            Self::Sequelize => shape("SequelizeMeta", &["name"], &[]),
            Self::Table => shape("migrations", &["id", "name", "executed_at"], &["checksum"]),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
