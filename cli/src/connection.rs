//! From what a person says about a database to a pool of connections to it.
//!
//! As libpq does it, so that what works with `psql` works here: a connection string, then a service,
//! then variables, then the password file. Its manual is «Database Connection Control Functions».
//!
//! **Invariant:** a password is in [`Parameters`] and in the driver, and in nothing that is shown.

mod binding;
mod parameters;
mod parse;
mod password;
mod service;
mod tls;

use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslNegotiation, TargetSessionAttrs};

use self::parameters::Parameters;
use self::tls::Verification;
use crate::answer::Failure;
use crate::args::{ConnectionArgs, Secret};
use crate::exit::Exit;

/// How long a server may take to answer, where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool, and what to say when it gives no connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) pool: Pool,
    /// Where it leads, without a password.
    pub(crate) described: String,
    /// What was passed over on the way.
    notes: Vec<String>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Whichever server answers.
    Any,
    /// A server that can be written to.
    Primary,
}

impl Connection {
    /// Prepares connections; none is made yet.
    pub(crate) fn prepare(args: &ConnectionArgs, purpose: Purpose) -> Result<Self, Box<Failure>> {
        let url = args.database_url.as_ref().map(|it| it.0.as_str());
        Self::to(&Parameters::gather(url)?, purpose)
    }

    /// Connections to a server, in the database that the string names, or in another one.
    pub(crate) fn of(string: &Secret, database: Option<&str>) -> Result<Self, Box<Failure>> {
        let parameters = Parameters::gather(Some(&string.0))?;
        let parameters = match database {
            Some(name) => parameters.in_database(name),
            None => parameters,
        };
        Self::to(&parameters, Purpose::Any)
    }

    fn to(parameters: &Parameters, purpose: Purpose) -> Result<Self, Box<Failure>> {
        let (config, mode) = config(parameters, purpose)?;
        let tls = tls::connector(parameters, &mode)?;
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, tls, manager))
            .max_size(2)
            .runtime(Runtime::Tokio1)
            .build();
        let pool = pool.map_err(|error| {
            Box::new(Failure::new(Exit::Database, format!("no pool of connections: {error}")))
        })?;
        Ok(Self { pool, described: parameters.described(), notes: parameters.notes.clone() })
    }

    /// Makes one connection and gives it back.
    pub(crate) async fn try_once(&self) -> Result<(), Box<Failure>> {
        self.get().await.map(|_connection| ())
    }

    /// One connection.
    pub(crate) async fn get(&self) -> Result<Object, Box<Failure>> {
        let error = match self.pool.get().await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        // What the pool adds says nothing more.
        let (said, code) = match &error {
            PoolError::Backend(error) => match error.as_db_error() {
                Some(answer) => {
                    let code = answer.code().code().to_owned();
                    (format!("{} ({code})", answer.message()), Some(code))
                }
                None => (chain(error), None),
            },
            other => (chain(other), None),
        };
        let headline = format!("no connection to the database: {said}");
        let mut failure =
            Failure::new(Exit::Database, headline).note(format!("tried {}", self.described));
        failure.sqlstate = code;
        Err(Box::new(self.notes.iter().fold(failure, |failure, note| failure.note(note))))
    }

    /// Adds to a failure to connect where to.
    pub(crate) fn explain(&self, error: dunlin::Error) -> Box<Failure> {
        let tells = error.kind() == dunlin::ErrorKind::Connection && error.migration().is_none();
        let failure: Box<Failure> = error.into();
        if !tells {
            return failure;
        }
        let failure = failure.note(format!("tried {}", self.described));
        Box::new(self.notes.iter().fold(failure, |failure, note| failure.note(note)))
    }
}

fn config(
    parameters: &Parameters,
    purpose: Purpose,
) -> Result<(Config, Verification), Box<Failure>> {
    let mut config = Config::new();
    let hosts = parameters.hosts();
    for host in &hosts {
        let _config = config.host(host);
    }
    for address in parameters.list("hostaddr") {
        let address = address.parse().map_err(|_| refused("hostaddr", "is no IP address"))?;
        let _config = config.hostaddr(address);
    }
    for port in parameters.list("port") {
        let port = if port.is_empty() { "5432" } else { port };
        let _config = config.port(port.parse().map_err(|_| refused("port", "is no port"))?);
    }
    if let Some(user) = parameters.user() {
        let _config = config.user(user);
    }
    if let Some(database) = parameters.get("dbname") {
        let _config = config.dbname(database);
    }
    if let Some(password) = parameters.password() {
        let _config = config.password(password);
    }
    if let Some(options) = parameters.get("options") {
        let _config = config.options(options);
    }
    let name = parameters.get("application_name");
    let name = name.or_else(|| parameters.get("fallback_application_name"));
    let _config = config.application_name(name.map_or_else(program, str::to_owned));
    let timeout = match parameters.number("connect_timeout")? {
        None => Some(CONNECT_TIMEOUT),
        // libpq: zero is without limit.
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
    };
    if let Some(timeout) = timeout {
        let _config = config.connect_timeout(timeout);
    }
    if let Some(keepalives) = parameters.number("keepalives")? {
        let _config = config.keepalives(keepalives != 0);
    }
    // libpq: zero is what the system has.
    let chosen = |word| Ok::<_, Box<Failure>>(parameters.number(word)?.filter(|it| *it > 0));
    if let Some(seconds) = chosen("keepalives_idle")? {
        let _config = config.keepalives_idle(Duration::from_secs(seconds));
    }
    if let Some(seconds) = chosen("keepalives_interval")? {
        let _config = config.keepalives_interval(Duration::from_secs(seconds));
    }
    if let Some(n) = chosen("keepalives_count")? {
        let _config = config.keepalives_retries(u32::try_from(n).unwrap_or(u32::MAX));
    }
    if let Some(milliseconds) = chosen("tcp_user_timeout")? {
        let _config = config.tcp_user_timeout(Duration::from_millis(milliseconds));
    }
    let attributes = match (purpose, parameters.get("target_session_attrs")) {
        (Purpose::Primary, _) | (_, Some("read-write" | "primary")) => {
            TargetSessionAttrs::ReadWrite
        }
        (_, Some("read-only" | "standby")) => TargetSessionAttrs::ReadOnly,
        (_, None | Some("any" | "prefer-standby")) => TargetSessionAttrs::Any,
        (_, Some(_)) => return Err(refused("target_session_attrs", "has no such value")),
    };
    let _config = config.target_session_attrs(attributes);
    negotiate(&mut config, parameters)?;
    // libpq: `sslmode` is ignored on a unix socket.
    let is_local =
        parameters.get("hostaddr").is_none() && hosts.iter().all(|it| it.starts_with('/'));
    let mode = if is_local { Verification::Disabled } else { Verification::of(parameters)? };
    let _config = config.ssl_mode(mode.asked());
    Ok((config, mode))
}

/// How TLS is begun, and whether the password is bound to it.
fn negotiate(config: &mut Config, parameters: &Parameters) -> Result<(), Box<Failure>> {
    match parameters.get("channel_binding") {
        None | Some("prefer") => {}
        Some("disable") => _ = config.channel_binding(ChannelBinding::Disable),
        Some("require") => _ = config.channel_binding(ChannelBinding::Require),
        Some(_) => return Err(refused("channel_binding", "has no such value")),
    }
    match parameters.get("sslnegotiation") {
        None | Some("postgres") => {}
        Some("direct") => _ = config.ssl_negotiation(SslNegotiation::Direct),
        Some(_) => return Err(refused("sslnegotiation", "has no such value")),
    }
    Ok(())
}

/// An error and its causes, each once: some libraries say their cause themselves.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(&format!(": {said}"));
        }
        next = cause.source();
    }
    text
}

/// A value that cannot be, told without the value.
fn refused(keyword: &str, fact: &str) -> Box<Failure> {
    Box::new(Failure::usage(format!("the connection's `{keyword}` {fact}")))
}

/// How the session is called in `pg_stat_activity`.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.and_then(|it| Some(it.file_stem()?.to_string_lossy().into_owned()));
    name.unwrap_or_else(|| "dunlin".to_owned())
}
