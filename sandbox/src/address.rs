//! Where a server listens: a folder with a socket, and the number in the socket's name.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// The part of `.s.PGSQL.5432` after the last point; the folder is private, so it need not vary.
pub(crate) const PORT: u16 = 5432;

/// `sun_path` less its terminating zero byte (unix(7): 108; macOS `sys/un.h`: 104).
pub(crate) const LONGEST_SOCKET_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The superuser of every private server.
pub(crate) const USER: &str = "postgres";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) socket_dir: PathBuf,
    pub(crate) port: u16,
}

impl Address {
    pub(crate) fn connection_string(&self, database: &str) -> String {
        let host = value(&self.socket_dir.display().to_string());
        format!("host={host} port={} user={USER} dbname={}", self.port, value(database))
    }
}

/// Whether a socket can live in this folder: its path fits, and no client would split it.
///
/// libpq and tokio-postgres split `host` at commas.
pub(crate) fn can_hold_socket(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_encoded_bytes();
    // The number may be one of a server that also listens on TCP.
    let name = format!("/.s.PGSQL.{}", u16::MAX);
    bytes.len() + name.len() <= LONGEST_SOCKET_PATH
        && !bytes.contains(&b',')
        && folder.to_str().is_some()
}

/// A TCP port that nobody listens on at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|it| it.port())
}

/// Quotes a value as libpq reads it (34.1.1.1 Keyword/Value Connection Strings).
fn value(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && c != '\'' && c != '\\';
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_survive_the_connection_string() {
        let address = Address { socket_dir: "/tmp/a b's\\c".into(), port: 7 };
        let config: tokio_postgres::Config =
            address.connection_string("it's \\ odd").parse().expect("a valid connection string");
        assert_eq!(config.get_dbname(), Some("it's \\ odd"));
        assert_eq!(config.get_ports(), [7]);
        let hosts = [tokio_postgres::config::Host::Unix("/tmp/a b's\\c".into())];
        assert_eq!(config.get_hosts(), hosts);
    }

    #[test]
    fn the_longest_folder_is_the_longest_socket_path() {
        let fits = "/".repeat(LONGEST_SOCKET_PATH - "/.s.PGSQL.65535".len());
        assert!(can_hold_socket(Path::new(&fits)));
        assert!(!can_hold_socket(Path::new(&format!("{fits}/"))));
        assert!(!can_hold_socket(Path::new("/tmp/a,b")));
    }
}
