//! The parameters of a connection by libpq's names, wherever they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use dunlin_core::suggest::nearest;

use super::{parse, password, refused, service};
use crate::answer::Failure;

/// What libpq knows and is taken here, and the variable that sets it.
const KEYWORDS: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssencmode", ""),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// What libpq knows and makes no difference here: there is no GSSAPI, no compression, and TLS is 1.2 or
/// later.
const IDLE: &[&str] = &[
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslsni",
];

/// What libpq knows and cannot be had here; to pass it over would be less safe than it looks.
const REFUSED: &[&str] = &[
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "ssl_max_protocol_version",
    "sslcrl",
    "sslcrldir",
    "sslpassword",
];

/// The parameters of a connection.
pub(super) struct Parameters {
    values: BTreeMap<&'static str, String>,
    /// What was passed over, for when the connection fails.
    pub(super) notes: Vec<String>,
}

/// The parameters of libpq by name; a name that it does not have is told.
pub(super) fn keyword(name: &str) -> Result<&'static str, Box<Failure>> {
    if let Some((known, _)) = KEYWORDS.iter().find(|(known, _)| *known == name) {
        return Ok(known);
    }
    if let Some(known) = IDLE.iter().find(|known| **known == name) {
        return Ok(known);
    }
    if REFUSED.contains(&name) {
        return Failure::usage(format!("the connection's `{name}` cannot be had here"))
            .note("psql knows it; to pass it over would be less safe than it looks")
            .into();
    }
    let known: Vec<_> = KEYWORDS.iter().map(|(known, _)| *known).collect();
    let plain = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    // What is no word may be a piece of a password with an `&` in it.
    let headline = if plain && name.len() <= 40 {
        format!("the connection string has an unknown parameter `{name}`")
    } else {
        "the connection string has an unknown parameter".to_owned()
    };
    let failure = Failure::usage(headline);
    Err(Box::new(match nearest(name, &known) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help("in a URL, write `%26` for an `&` inside of a value"),
    }))
}

impl Parameters {
    /// What `--database-url`, `DATABASE_URL`, a service, variables and the password file say, the
    /// first that says something about a parameter.
    pub(super) fn gather(argument: Option<&str>) -> Result<Self, Box<Failure>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        let url = argument.map(str::to_owned).or_else(|| variable("DATABASE_URL"));
        let mut gathered = Self { values: BTreeMap::new(), notes: Vec::new() };
        if let Some(url) = &url {
            gathered.values = parse::connection_string(url)?;
        }
        let of_variables = KEYWORDS.iter().filter(|(_, name)| !name.is_empty());
        let of_variables: Vec<_> =
            of_variables.filter_map(|(word, name)| Some((*word, variable(name)?))).collect();
        let speaks = |word: &str| {
            matches!(word, "host" | "hostaddr" | "port" | "dbname" | "user" | "service")
        };
        // Of the argument too: in a script it may be a variable that nobody has set.
        let words = of_variables.iter().map(|it| it.0).chain(gathered.values.keys().copied());
        if !words.into_iter().any(speaks) {
            return Failure::usage("no database is named")
                .note("nothing is guessed: a migration of the wrong database is hard to take back")
                .help("--database-url postgres://user@host:5432/name, or the variable DATABASE_URL")
                .help("or the variables of psql: PGHOST, PGDATABASE, PGUSER, PGSERVICE")
                .into();
        }
        let named = |word: &str| {
            let of_variable = of_variables.iter().find(|it| it.0 == word);
            gathered.values.get(word).or(of_variable.map(|it| &it.1)).cloned()
        };
        if let Some(name) = named("service") {
            let file = named("servicefile").map(PathBuf::from);
            for (word, value) in service::read(&name, file.as_deref())? {
                let _value = gathered.values.entry(word).or_insert(value);
            }
        }
        for (word, value) in of_variables {
            let _value = gathered.values.entry(word).or_insert(value);
        }
        gathered.look_up_password();
        Ok(gathered)
    }

    /// The same in another database of the server.
    pub(super) fn in_database(mut self, name: &str) -> Self {
        let _value = self.values.insert("dbname", name.to_owned());
        self
    }

    fn look_up_password(&mut self) {
        if self.get("password").is_some() {
            return;
        }
        let named = self.get("passfile").map(PathBuf::from);
        let Some(file) = named.or_else(|| home().map(|it| it.join(".pgpass"))) else { return };
        let host = self.hosts().first().cloned().unwrap_or_default();
        let port = self.list("port").first().copied().unwrap_or("5432").to_owned();
        let user = self.user().unwrap_or_default();
        let database = self.get("dbname").unwrap_or(&user).to_owned();
        match password::look_up(&file, [&host, &port, &database, &user]) {
            Ok(Some(password)) => _ = self.values.insert("password", password),
            Ok(None) => {}
            Err(note) => self.notes.push(note),
        }
    }

    /// The value of a parameter that is not empty.
    pub(super) fn get(&self, word: &str) -> Option<&str> {
        self.values.get(word).map(String::as_str).filter(|it| !it.is_empty())
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.get("password")
    }

    /// The items of a list with commas.
    pub(super) fn list(&self, word: &str) -> Vec<&str> {
        self.get(word).map(|it| it.split(',').map(str::trim).collect()).unwrap_or_default()
    }

    pub(super) fn number(&self, word: &str) -> Result<Option<u64>, Box<Failure>> {
        self.get(word).map(|it| it.parse().map_err(|_| refused(word, "is no number"))).transpose()
    }

    /// The hosts, or the folder of the local server's socket.
    pub(super) fn hosts(&self) -> Vec<String> {
        let hosts: Vec<_> = self
            .list("host")
            .into_iter()
            .map(|it| if it.is_empty() { local() } else { it.to_owned() })
            .collect();
        match hosts.is_empty() && self.get("hostaddr").is_none() {
            true => vec![local()],
            false => hosts,
        }
    }

    /// The role; libpq takes the name of the person at the machine.
    pub(super) fn user(&self) -> Option<String> {
        let person = || ["USER", "LOGNAME"].into_iter().find_map(|it| std::env::var(it).ok());
        self.get("user").map(str::to_owned).or_else(person).filter(|it| !it.is_empty())
    }

    /// Where it leads, for messages: never the password.
    pub(super) fn described(&self) -> String {
        let mut hosts = self.hosts();
        if hosts.is_empty() {
            hosts = self.list("hostaddr").into_iter().map(str::to_owned).collect();
        }
        let ports = self.list("port");
        let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or("5432");
        let places: Vec<_> =
            hosts.iter().enumerate().map(|(at, host)| format!("{host}:{}", port(at))).collect();
        let user = self.user().unwrap_or_default();
        let database = self.get("dbname").unwrap_or(&user);
        let mode = self.get("sslmode").unwrap_or("prefer");
        format!("{}, database `{database}`, user `{user}`, sslmode={mode}", places.join(", "))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.described())
    }
}

/// Where a local server's socket usually is: Debian's folder if there is one, else upstream's.
fn local() -> String {
    if cfg!(windows) {
        return "localhost".to_owned();
    }
    let debian = "/var/run/postgresql";
    if Path::new(debian).is_dir() { debian } else { "/tmp" }.to_owned()
}

/// The person's folder.
pub(super) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|it| !it.as_os_str().is_empty())
}
