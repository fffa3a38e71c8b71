//! Which server: the one `DATABASE_URL` names, else a private PostgreSQL that keeps its data.
//!
//! Connections are not encrypted. A service that reaches its database over a network it does not
//! trust would put a TLS connector in the place of `NoTls`; nothing else would change.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deadpool_postgres::{Manager, Pool, Runtime};
use dunlin_sandbox::Server;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use crate::console::complain;
use crate::error::with_causes;

/// Whatever kept a program from starting. Its `{:#}` form is for the person who started it.
pub type StartError = Box<dyn Error + Send + Sync>;

const NAME: &str = "workflow";
const LARGEST_POOL: usize = 16;

/// A server that does not answer in this time counts as not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a program wants of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be the one that serves: it needs the private server for itself.
    Serve,
    /// To migrate: it may use the private server of a running service.
    Migrate,
}

/// A pool, and the private server behind it if there is one.
#[derive(Debug)]
pub struct Database {
    pool: Pool,
    server: Option<Server>,
}

impl Database {
    /// Opens the database and makes sure that it answers.
    ///
    /// # Errors
    ///
    /// When `DATABASE_URL` cannot be used, the private server does not start, or the database does
    /// not answer. No message contains the URL, since that may hold a password.
    pub async fn open(purpose: Purpose) -> Result<Self, StartError> {
        let url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        let (config, server) = match url {
            Some(url) => (config_of(&url)?, None),
            None => private(purpose)?,
        };
        let database = Self { pool: pool(config)?, server };
        match database.pool.get().await {
            Ok(_) => Ok(database),
            Err(error) => {
                Err(format!("no connection to the database: {}", with_causes(&error)).into())
            }
        }
    }

    /// Its connections.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Closes the connections and stops the private server, with a checkpoint, so that the next
    /// start need not recover.
    ///
    /// # Errors
    ///
    /// When the private server could not be waited for.
    pub fn close(self) -> Result<(), StartError> {
        self.pool.close();
        self.server.map_or(Ok(()), |server| Ok(server.stop()?))
    }
}

fn pool(mut config: Config) -> Result<Pool, StartError> {
    if config.get_application_name().is_none() {
        // How a person finds these sessions in pg_stat_activity.
        let _ = config.application_name(NAME);
    }
    if config.get_connect_timeout().is_none() {
        let _ = config.connect_timeout(CONNECT_TIMEOUT);
    }
    let pool = Pool::builder(Manager::new(config, NoTls))
        .max_size(LARGEST_POOL)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .build()?;
    Ok(pool)
}

/// Reads `DATABASE_URL`, in either of libpq's two forms.
fn config_of(url: &str) -> Result<Config, StartError> {
    let no_tls = "DATABASE_URL asks for TLS, which this example does not have: \
                  use sslmode=disable or sslmode=prefer, or put a TLS connector into database.rs";
    // tokio-postgres knows neither of these two and would only call the value unknown.
    if ["sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode)) {
        return Err(no_tls.into());
    }
    // Not the cause of the cause: it quotes what it could not read, which may be of the password.
    let config: Config = url.parse().map_err(|error| {
        format!("DATABASE_URL: {error}; write postgres://user:password@host:port/name")
    })?;
    match config.get_ssl_mode() {
        SslMode::Require => Err(no_tls.into()),
        _ => Ok(config),
    }
}

/// The private server: started, or found running.
fn private(purpose: Purpose) -> Result<(Config, Option<Server>), StartError> {
    let folder = kept_folder()?;
    match Server::builder().keep_in(&folder).start() {
        Ok(server) => {
            server.create_database_named(NAME)?;
            let connection = server.connection_string(NAME);
            complain(&format!("private PostgreSQL {}: psql '{connection}'", server.version()));
            Ok((connection.parse()?, Some(server)))
        }
        Err(error) => match error.running() {
            Some(running) if purpose == Purpose::Migrate => {
                let connection = running.connection_string(NAME);
                complain(&format!("using the private PostgreSQL of process {}", running.pid()));
                Ok((connection.parse()?, None))
            }
            _ => Err(error.into()),
        },
    }
}

/// Where the private server keeps its data: in cargo's target folder, where `cargo clean` removes
/// it and no commit picks it up; the same for both programs.
fn kept_folder() -> Result<PathBuf, StartError> {
    let program = std::env::current_exe()?;
    let folder = target_folder(&program).join("workflow-postgres");
    if rustix::process::geteuid().is_root() && !others_may_enter(&folder) {
        // PostgreSQL refuses to run as root, and its own user cannot enter, say, root's home.
        return Ok(Path::new("/var/lib/workflow-postgres").join(flat_name(&folder)));
    }
    Ok(folder)
}

/// The folder above `debug/workflow`, by cargo's mark; if this was installed elsewhere, the folder
/// for data of the user.
fn target_folder(program: &Path) -> PathBuf {
    let cargo = program.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let data = || match (std::env::var_os("XDG_DATA_HOME"), std::env::home_dir()) {
        (Some(data), _) if !data.is_empty() => PathBuf::from(data),
        (_, Some(home)) => home.join(".local/share"),
        _ => std::env::temp_dir(),
    };
    cargo.map_or_else(data, Path::to_path_buf)
}

/// Whether every folder on the way that exists lets everybody pass.
fn others_may_enter(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    let passable = |folder: &Path| {
        folder.metadata().map_or(true, |metadata| metadata.permissions().mode() & 0o001 != 0)
    };
    folder.ancestors().all(passable)
}

/// One name for a whole path, so that two checkouts do not share a database.
fn flat_name(folder: &Path) -> String {
    folder.to_string_lossy().trim_matches('/').replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<String> {
        config_of(url).err().map(|error| format!("{error:#}"))
    }

    #[test]
    fn a_url_that_demands_tls_is_refused_with_a_way_out() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let said = refusal(&format!("postgres://ana:secret@host/db?sslmode={mode}"));
            assert!(
                said.as_ref().is_some_and(|said| said.contains("asks for TLS")),
                "{mode}: {said:?}"
            );
            let said = refusal(&format!("host=host user=ana password=secret sslmode={mode}"));
            assert!(
                said.as_ref().is_some_and(|said| said.contains("asks for TLS")),
                "{mode}: {said:?}"
            );
        }
        assert_eq!(refusal("postgres://ana:secret@host/db?sslmode=prefer"), None);
        assert_eq!(refusal("postgres://ana:secret@host/db"), None);
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated() {
        for url in [
            "postgres://ana:secret@host:port/db",
            "postgres//ana:secret@host",
            "host=h password='secret",
        ] {
            let said = refusal(url).expect("it cannot be read");
            assert!(said.starts_with("DATABASE_URL: invalid connection string; "), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn the_data_lies_beside_the_profiles_of_cargo() {
        let root = std::env::temp_dir().join(format!("workflow-target-{}", std::process::id()));
        std::fs::create_dir_all(root.join("debug")).expect("a folder");
        std::fs::write(root.join("CACHEDIR.TAG"), "").expect("a file");
        assert_eq!(target_folder(&root.join("debug/workflow")), root);
        assert_eq!(target_folder(&root.join("x86_64-unknown-linux-gnu/release/migrate")), root);
        std::fs::remove_dir_all(&root).expect("the folder goes");
    }

    #[test]
    fn two_checkouts_have_two_names() {
        assert_eq!(flat_name(Path::new("/home/a/target")), "home-a-target");
        assert_eq!(flat_name(Path::new("/home/b/target")), "home-b-target");
    }
}
