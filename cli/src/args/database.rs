//! The arguments of what works on a database.

use std::fmt;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use dunlin::{AheadPolicy, Policy};
use dunlin::{Place, Tool};

/// What can be done with a database.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    Status(Status),
    Verify(Verify),
    Plan(Plan),
    Up(Up),
    Down(Down),
    Redo(Redo),
    Wait(Wait),
    // Its arguments are as many as those of two others.
    Adopt(Box<Adopt>),
    Baseline(Baseline),
    Repair(Repair),
    Mark(Mark),
    Unlock(Unlock),
}

/// Which database.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Database")]
pub(crate) struct ConnectionArgs {
    /// The database, as a URL or as `keyword=value`; else `DATABASE_URL`, else the variables of psql
    ///
    /// As libpq reads it: `postgres://user:password@host:5432/name?sslmode=verify-full`, or
    /// `service=production`. What it leaves out is taken from a service, from variables such as
    /// `PGHOST`, and the password from `~/.pgpass`. Other people on the machine can see the arguments of
    /// a process: a password belongs into the variable or the file.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<Secret>,
    /// The name of the history table, unless the build says another one than `migrations`
    #[arg(long, value_name = "NAME")]
    pub(crate) history_table: Option<String>,
    /// The schema of the history table; by default the first one of the search path
    #[arg(long, value_name = "NAME")]
    pub(crate) history_schema: Option<String>,
    /// The name of the log; by default the history table's with `_log` behind it
    #[arg(long, value_name = "NAME", conflicts_with = "no_log")]
    pub(crate) log_table: Option<String>,
    /// Keep no log
    #[arg(long)]
    pub(crate) no_log: bool,
    /// Refuse migrations that are older than something applied
    #[arg(long)]
    pub(crate) strict_order: bool,
    /// What to do when the database holds something newer than all files here; `compatible` goes on
    /// unless that is marked `-- dunlin: breaking`
    #[arg(long, value_name = "POLICY", default_value = "compatible")]
    pub(crate) on_ahead: OnAhead,
    /// What to do when the file of something applied was edited
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    pub(crate) on_changed: OnDrift,
    /// What to do when something was applied that is not here, although newer files are
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    pub(crate) on_missing: OnDrift,
    /// What to do when another tool has migrated this database, and this one has not
    #[arg(long, value_name = "POLICY", default_value = "refuse")]
    pub(crate) on_other_history: OnDrift,
}

/// What to do about what is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnAhead {
    Compatible,
    Run,
    Refuse,
}

/// What to do about a disagreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnDrift {
    Refuse,
    Announce,
}

impl From<OnAhead> for AheadPolicy {
    fn from(policy: OnAhead) -> Self {
        match policy {
            OnAhead::Compatible => Self::Compatible,
            OnAhead::Run => Self::Run,
            OnAhead::Refuse => Self::Refuse,
        }
    }
}

impl From<OnDrift> for Policy {
    fn from(policy: OnDrift) -> Self {
        match policy {
            OnDrift::Refuse => Self::Refuse,
            OnDrift::Announce => Self::Announce,
        }
    }
}

/// How a run behaves.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// What the log calls this build, such as a commit
    #[arg(long, value_name = "TEXT")]
    pub(crate) build: Option<String>,
    /// How long to wait for another migrator, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) lock_wait: u64,
    /// How long a statement may wait for a lock, in milliseconds; 0 is without limit
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    pub(crate) lock_timeout: u64,
    /// The same of what works `CONCURRENTLY` or validates, which makes nobody wait
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) lock_timeout_concurrently: u64,
    /// How long a migration that got no lock is tried again, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_retries: u64,
    /// How long to wait for a server that can be written to, in a failover, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_for_primary: u64,
}

/// A connection string, which may hold a password.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a connection string)")
    }
}

/// Show what is applied, pending, changed and missing
///
/// Reads only, without the lock; `SELECT` on the history table is all it needs.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin status --database-url postgres://localhost/app\n  cargo dunlin status --exit-code"
)]
pub(crate) struct Status {
    /// End with 3 when something is pending, and with 4 when something was edited or is missing
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// Fail when an applied migration was edited, removed or renamed, with a diff
///
/// For pipelines. Reads only; `SELECT` on the history table is all it needs. Ends with 4 when database
/// and files disagree. Pending migrations are no fault, unless they are asked about.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin verify\n  cargo dunlin verify --no-pending --format github"
)]
pub(crate) struct Verify {
    /// End with 3 when something is pending
    #[arg(long)]
    pub(crate) no_pending: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// Show what `up` would do, in order, with its statements and locks
///
/// Reads only. The locks are those that the words of a statement tell, on what is there before: a
/// function that is called, a trigger or a cascade may lock more. With `--sql` it writes a script for
/// `psql` instead, for whoever runs it by hand: the same texts and the same rows in the history table.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo dunlin plan\n  cargo dunlin plan --sql > release.sql")]
pub(crate) struct Plan {
    /// Up to and including this migration or version
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    /// Write the script that does it
    #[arg(long)]
    pub(crate) sql: bool,
    /// End with 3 when there is something to do
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// Apply what is pending
///
/// Each migration in its own transaction together with its row in the history table. Stops at the
/// first one that fails; what was applied before stays. Any number may run at once: one migrates, the
/// others wait. Ctrl-C stops it, and leaves no migration half applied.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin up\n  cargo dunlin up --to 0007\n  cargo dunlin up --build \"$(git rev-parse --short HEAD)\""
)]
pub(crate) struct Up {
    /// Up to and including this migration or version
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    /// All of it in one transaction, or nothing; locks are held to the end
    #[arg(long)]
    pub(crate) single_transaction: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Undo migrations, the newest version first
///
/// Each with its undo; if one of them has none, nothing is undone.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin down\n  cargo dunlin down 2\n  cargo dunlin down --to 0007"
)]
pub(crate) struct Down {
    /// How many
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) number: u32,
    /// Everything newer than this migration or version
    #[arg(long, value_name = "NAME", conflicts_with = "number")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Undo the last migrations and apply them again
///
/// For development: an edited migration that has run nowhere else is run as it is now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo dunlin redo\n  cargo dunlin redo 2")]
pub(crate) struct Redo {
    /// How many
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) number: u32,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Wait until the server answers, can be written to, or is migrated
///
/// Reads only. Ends at once where waiting mends nothing: a wrong password, a database that is not there,
/// an edited migration. When the time is up it ends with 5, or with 3 when migrations are still pending.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin wait --timeout 30\n  cargo dunlin wait --for primary\n  cargo dunlin wait --for migrated --timeout 300"
)]
pub(crate) struct Wait {
    /// What to wait for
    #[arg(long = "for", value_name = "WHAT", default_value = "server")]
    pub(crate) goal: Goal,
    /// For how long, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// Move in: take over the history of another migration tool
///
/// Reads that tool's table, fits it to the migrations here, and proves what can be proved: by the
/// checksums that sqlx, Prisma, Flyway and refinery keep, else by running the recorded migrations on a
/// private PostgreSQL, one after another, and comparing what each makes, alters and drops with this
/// database. That says nothing about data, owners, privileges and comments: a migration whose work does
/// not show in the schema, or no more, is recorded as unverified. Shows the result and asks first.
/// Then everything is recorded in one transaction, and the other tool's table stays as it is. What does
/// not fit is an error that lists all of it. It can be run again.
///
/// A time that is recorded without a zone, as by goose and Flyway, is read in the time zone of the session
/// (`PGTZ`, or what the role or the database has set); diesel's is UTC.
///
/// Without `--from` the tool is recognised by its table. A table with `id`, `name` and `executed_at` that
/// has the name of the history table gets the columns that are missing: its rows count as applied and as
/// unverified, because nobody knows what the files were then; with `--from table` they are proved first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin adopt --from sqlx\n  cargo dunlin adopt --from sqlx --accept 20240301083000_users\n  cargo dunlin adopt --from goose --server postgres://postgres@localhost"
)]
pub(crate) struct Adopt {
    /// The tool; `table` is any table with `id`, `name` and `executed_at`
    #[arg(long, value_name = "TOOL", value_parser = tool())]
    pub(crate) from: Option<Tool>,
    /// The tool's table, if it is not called as usual or there are several: `name` or `schema.name`, in
    /// double quotes where a name has a dot
    #[arg(long, value_name = "TABLE", requires = "from")]
    pub(crate) from_table: Option<Place>,
    /// Vouch for a migration that stands against it: one that was edited is recorded as unverified, one
    /// that is not here is left out, and its row deleted if the table itself becomes the history table
    #[arg(long, value_name = "NAME")]
    pub(crate) accept: Vec<String>,
    /// Compare no schema: what no checksum proves is recorded as unverified
    #[arg(long)]
    pub(crate) unproved: bool,
    /// Compare on the server of this URL instead of a private one, in a scratch database that is removed
    /// afterwards
    ///
    /// For migrations that need what a private server does not have, such as extensions. Roles belong to the
    /// whole server: those that a migration creates must not be there, and stay on it.
    #[arg(long, value_name = "URL", conflicts_with = "unproved")]
    pub(crate) server: Option<Secret>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The tools by their names.
fn tool() -> impl TypedValueParser<Value = Tool> {
    let ids = Tool::ALL.iter().map(|tool| tool.id());
    PossibleValuesParser::new(ids)
        .try_map(|id| Tool::from_id(&id).ok_or_else(|| format!("no tool is called `{id}`")))
}

/// Record migrations as applied without running them
///
/// For a database that has the schema already, by another tool or by hand. What is applied stays as it
/// is. Shows what it will record and asks first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin baseline --to 0007\n  cargo dunlin baseline --yes"
)]
pub(crate) struct Baseline {
    /// Up to and including this migration or version
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Settle what was edited and renamed in favour of the files
///
/// The rows of the history table get the names, checksums and texts that are here. Nothing is run: what
/// an edit would have changed is not in the database. A migration that is missing stays missing. Shows
/// what it will settle and asks first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo dunlin repair")]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Say of one migration what only a person can know
///
/// Changes its row in the history table and runs nothing. Shows what the row says now and asks first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin mark 0007_users applied\n  cargo dunlin mark 0008_index statement-done"
)]
pub(crate) struct Mark {
    /// The migration's name
    pub(crate) name: String,
    /// What it is
    #[arg(value_name = "MARK")]
    pub(crate) mark: MarkAs,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// End the session that holds the migration lock
///
/// A transaction it is in the middle of is rolled back. A role may end its own sessions, and those of
/// others with `pg_signal_backend`. Shows who holds the lock and asks first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo dunlin unlock")]
pub(crate) struct Unlock {
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// What a migration is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MarkAs {
    /// It counts as applied, with the text that is here
    Applied,
    /// It counts as pending; nothing is undone
    Pending,
    /// The statement in which it was interrupted took effect
    StatementDone,
    /// The statement in which it was interrupted had no effect
    StatementNotDone,
}

impl From<MarkAs> for dunlin::Mark {
    fn from(mark: MarkAs) -> Self {
        match mark {
            MarkAs::Applied => Self::Applied,
            MarkAs::Pending => Self::Pending,
            MarkAs::StatementDone => Self::StatementDone,
            MarkAs::StatementNotDone => Self::StatementNotDone,
        }
    }
}

/// Whether a person has to be asked.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Consent {
    /// Do it without asking; what it does is shown all the same
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// The server answers and lets in
    Server,
    /// It can be written to: it is no standby
    Primary,
    /// Nothing is pending, and nothing was edited
    Migrated,
}
