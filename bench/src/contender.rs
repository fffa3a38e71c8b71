//! Who is measured: connecting, and bringing a database up to date.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use diesel::Connection as _;
use diesel_migrations::MigrationHarness;
use dunlin_bench_embedded as embedded;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::process::Command;
use tokio_postgres::Client;

use crate::server::Address;
use crate::{Result, by_hand, migrations};

/// One way to bring a database up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// Dunlin on a borrowed tokio-postgres connection, with its defaults.
    Dunlin,
    /// The same statements and rows, pipelined as by a person who trusts that nothing goes wrong.
    ByHand,
    /// refinery on tokio-postgres, with its defaults.
    Refinery,
    /// refinery with `set_grouped(true)`: one transaction for all.
    RefineryGrouped,
    /// `sqlx::migrate!` on one connection.
    Sqlx,
    /// `diesel_migrations` on libpq.
    Diesel,
    /// `psql -1 -f` for each file. Keeps no history.
    PsqlFiles,
    /// One `psql` that reads all files, each between `BEGIN` and `COMMIT`. Keeps no history.
    PsqlSession,
}

/// A connection of one of them.
pub enum Connection {
    /// Of tokio-postgres.
    Tokio(Client),
    /// Of sqlx.
    Sqlx(sqlx::PgConnection),
    /// Of libpq.
    Diesel(diesel::PgConnection),
    /// `psql` connects itself.
    Psql(Address),
}

/// Files for `psql`.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Contender {
    /// All of them, as the tables show them.
    pub const ALL: [Self; 8] = [
        Self::Dunlin,
        Self::ByHand,
        Self::Refinery,
        Self::RefineryGrouped,
        Self::Sqlx,
        Self::Diesel,
        Self::PsqlFiles,
        Self::PsqlSession,
    ];

    /// As the tables call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dunlin => "**Dunlin**",
            Self::ByHand => "by hand",
            Self::Refinery => "refinery",
            Self::RefineryGrouped => "refinery, grouped",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel_migrations",
            Self::PsqlFiles => "psql -1, each file",
            Self::PsqlSession => "psql, one session",
        }
    }

    /// Whether it is another tool that keeps a history.
    #[must_use]
    pub const fn is_peer(self) -> bool {
        matches!(self, Self::Refinery | Self::RefineryGrouped | Self::Sqlx | Self::Diesel)
    }

    /// Whether it knows what has been applied.
    #[must_use]
    pub const fn keeps_history(self) -> bool {
        !matches!(self, Self::PsqlFiles | Self::PsqlSession)
    }

    /// Whether it waits for the network once or more for each migration.
    #[must_use]
    pub const fn waits_for_each(self) -> bool {
        !matches!(self, Self::Dunlin | Self::ByHand)
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// What the driver says.
    pub async fn connect(self, address: &Address) -> Result<Connection> {
        Ok(match self {
            Self::Dunlin | Self::ByHand | Self::Refinery | Self::RefineryGrouped => {
                Connection::Tokio(crate::server::connect(address).await?)
            }
            Self::Sqlx => Connection::Sqlx(sqlx_options(address).connect().await?),
            Self::Diesel => {
                let url = format!("{} gssencmode=disable", address.connection_string());
                let connecting =
                    tokio::task::spawn_blocking(move || diesel::PgConnection::establish(&url));
                Connection::Diesel(connecting.await??)
            }
            Self::PsqlFiles | Self::PsqlSession => Connection::Psql(address.clone()),
        })
    }

    /// Brings the database up to the first `n` migrations and gives the connection back.
    ///
    /// # Errors
    ///
    /// What the tool says.
    pub async fn run(self, connection: Connection, n: usize, files: &Files) -> Result<Connection> {
        Ok(match (self, connection) {
            (Self::Dunlin, Connection::Tokio(mut client)) => {
                let _report =
                    dunlin::Migrator::new(embedded::dunlin(n)?).apply(&mut client).await?;
                Connection::Tokio(client)
            }
            (Self::ByHand, Connection::Tokio(client)) => {
                by_hand::apply(&client, embedded::dunlin(n)?).await?;
                Connection::Tokio(client)
            }
            (Self::Refinery | Self::RefineryGrouped, Connection::Tokio(mut client)) => {
                let grouped = self == Self::RefineryGrouped;
                let runner = embedded::refinery(n)?.set_grouped(grouped);
                let _report = runner.run_async(&mut client).await?;
                Connection::Tokio(client)
            }
            (Self::Sqlx, Connection::Sqlx(mut connection)) => {
                embedded::sqlx(n)?.run(&mut connection).await?;
                Connection::Sqlx(connection)
            }
            (Self::Diesel, Connection::Diesel(mut connection)) => {
                let source = embedded::diesel(n)?;
                let running = tokio::task::spawn_blocking(move || {
                    connection
                        .run_pending_migrations(source)
                        .map(drop)
                        .map_err(|error| error.to_string())?;
                    Ok::<_, String>(connection)
                });
                Connection::Diesel(running.await??)
            }
            (Self::PsqlFiles, Connection::Psql(address)) => {
                for number in 1..=n {
                    psql(&address, &["-1"], &files.file(number)).await?;
                }
                Connection::Psql(address)
            }
            (Self::PsqlSession, Connection::Psql(address)) => {
                psql(&address, &[], &files.all(n)).await?;
                Connection::Psql(address)
            }
            (contender, _) => {
                return Err(format!("not a connection of {}", contender.name()).into());
            }
        })
    }
}

impl Files {
    /// Writes them into a folder.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(folder: &Path) -> Result<Self> {
        let files = Self(folder.to_owned());
        let largest = migrations::SIZES.into_iter().max().unwrap_or_default();
        migrations::write(folder, migrations::Layout::Flat, largest)?;
        for n in migrations::SIZES {
            let include = |number| {
                let name = migrations::path(migrations::Layout::Flat, number);
                format!("BEGIN;\n\\ir {name}\nCOMMIT;\n")
            };
            std::fs::write(files.all(n), (1..=n).map(include).collect::<String>())?;
        }
        Ok(files)
    }

    fn file(&self, number: usize) -> PathBuf {
        self.0.join(migrations::path(migrations::Layout::Flat, number))
    }

    fn all(&self, n: usize) -> PathBuf {
        self.0.join(format!("all_{n}.psql"))
    }
}

fn sqlx_options(address: &Address) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass()
        .port(address.port)
        .username("postgres")
        .database(&address.database)
        .ssl_mode(PgSslMode::Disable);
    if address.host.starts_with('/') {
        options.socket(&address.host)
    } else {
        options.host(&address.host)
    }
}

async fn psql(address: &Address, options: &[&str], file: &Path) -> Result<()> {
    let status = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"])
        .args(options)
        .arg("-d")
        .arg(format!("{} gssencmode=disable", address.connection_string()))
        .arg("-f")
        .arg(file)
        .stdin(Stdio::null())
        .status()
        .await?;
    if status.success() { Ok(()) } else { Err(format!("psql: {status}").into()) }
}
