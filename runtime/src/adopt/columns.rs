//! What the columns of each tool's table mean.

use dunlin_core::adopt::Tool;

/// What each tool's columns mean, as expressions.
pub(super) struct Columns {
    pub(super) key: &'static str,
    pub(super) description: &'static str,
    pub(super) sum: &'static str,
    pub(super) standing: &'static str,
    /// Of type `timestamptz`.
    pub(super) at: &'static str,
    pub(super) by: &'static str,
    pub(super) duration_ms: &'static str,
    pub(super) order: &'static str,
}

impl Columns {
    /// A table that says which, and no more.
    const PLAIN: Self = Self {
        key: "version",
        description: "''",
        sum: "NULL",
        standing: "'applied'",
        at: "NULL::pg_catalog.timestamptz",
        by: "NULL",
        duration_ms: "NULL",
        order: "version",
    };

    /// Flyway's rows are not only about migrations that were applied.
    const FLYWAY: Self = Self {
        description: "description",
        sum: "checksum",
        standing: "CASE WHEN NOT success THEN 'failed' WHEN type LIKE '%BASELINE' THEN 'baseline' \
               WHEN type LIKE 'UNDO%' THEN 'undone' WHEN type = 'DELETE' THEN 'deleted' \
               WHEN type = 'SCHEMA' THEN 'other' WHEN version IS NULL THEN 'repeatable' ELSE 'applied' END",
        at: "installed_on::pg_catalog.timestamptz",
        by: "installed_by",
        duration_ms: "execution_time",
        order: "installed_rank",
        ..Self::PLAIN
    };

    /// Prisma has a row for each attempt.
    const PRISMA: Self = Self {
        key: "migration_name",
        sum: "checksum",
        standing: "CASE WHEN rolled_back_at IS NOT NULL THEN 'undone' WHEN finished_at IS NULL THEN 'unfinished' ELSE 'applied' END",
        at: "coalesce(finished_at, started_at)::pg_catalog.timestamptz",
        duration_ms: "(extract(epoch FROM finished_at - started_at) * 1000)",
        order: "started_at, migration_name",
        ..Self::PLAIN
    };

    /// `has_times` says whether a table of Sequelize was told to keep them.
    pub(super) fn of(tool: Tool, has_times: bool) -> Self {
        match tool {
            Tool::Sqlx => Self {
                description: "description",
                sum: "pg_catalog.encode(checksum, 'hex')",
                standing: "CASE WHEN success THEN 'applied' ELSE 'unfinished' END",
                at: "installed_on::pg_catalog.timestamptz",
                // In nanoseconds; -1 until it is known.
                duration_ms: "CASE WHEN execution_time >= 0 THEN execution_time / 1000000 END",
                order: "installed_on, version",
                ..Self::PLAIN
            },
            // Its sessions are in UTC, and the column has no time zone.
            Tool::Diesel => {
                Self { at: "(run_on AT TIME ZONE 'UTC')", order: "run_on, version", ..Self::PLAIN }
            }
            Tool::Refinery => Self {
                description: "name",
                sum: "checksum",
                at: "(CASE WHEN applied_on ~ '^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d' THEN applied_on END)::pg_catalog.timestamptz",
                ..Self::PLAIN
            },
            Tool::GolangMigrate => {
                Self { standing: "CASE WHEN dirty THEN 'failed' ELSE 'applied' END", ..Self::PLAIN }
            }
            Tool::Goose => Self {
                key: "version_id",
                standing: "CASE WHEN is_applied THEN 'applied' ELSE 'undone' END",
                at: "tstamp::pg_catalog.timestamptz",
                order: "id",
                ..Self::PLAIN
            },
            Tool::Dbmate | Tool::Tern => Self::PLAIN,
            Tool::SqlMigrate => Self {
                key: "id",
                at: "applied_at::pg_catalog.timestamptz",
                order: "applied_at, id",
                ..Self::PLAIN
            },
            Tool::Flyway => Self::FLYWAY,
            Tool::Prisma => Self::PRISMA,
            Tool::Sequelize => Self {
                key: "name",
                at: if has_times {
                    "\"createdAt\"::pg_catalog.timestamptz"
                } else {
                    Self::PLAIN.at
                },
                order: "name",
                ..Self::PLAIN
            },
            _ => Self {
                key: "name",
                at: "executed_at::pg_catalog.timestamptz",
                order: "id",
                ..Self::PLAIN
            },
        }
    }
}
