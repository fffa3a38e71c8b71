//! A private server that also listens on TCP, with passwords and TLS, and a database for each test.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use dunlin_sandbox::{Database, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// The server of this process.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    /// The certificate of the authority that signed the server's.
    pub(crate) root: PathBuf,
    /// The certificate of another authority.
    pub(crate) other_root: PathBuf,
}

/// Who may come in how: over the socket anybody, over TCP with a password; `cert` with a certificate.
const HBA: &str = "\
local all all trust
hostssl all certified 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
";

pub(crate) fn server() -> &'static TestServer {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    SERVER.get_or_init(start)
}

fn start() -> TestServer {
    let server = Server::builder().setting("listen_addresses", "127.0.0.1").start();
    let server = server.unwrap_or_else(|error| panic!("{error:#}"));
    let (root, other_root) = (authority("Root"), authority("Other"));
    let key = KeyPair::generate().unwrap();
    // Names of the server: not 127.0.0.1, so that the name is seen to count.
    let names = vec!["localhost".to_owned()];
    let own = CertificateParams::new(names).unwrap().signed_by(&key, &root).unwrap();
    let data = server.data_dir();
    write_for_server(&data.join("server.crt"), &own.pem());
    write_for_server(&data.join("server.key"), &key.serialize_pem());
    write_for_server(&data.join("root.crt"), &root.pem());
    write_for_server(&data.join("pg_hba.conf"), HBA);
    let files = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let write = |name: &str, text: &str| {
        let path = files.join(format!("cli-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let client_key = KeyPair::generate().unwrap();
    let mut client = CertificateParams::new(Vec::new()).unwrap();
    client.distinguished_name.push(rcgen::DnType::CommonName, "certified");
    let client = client.signed_by(&client_key, &root).unwrap();
    let _certificate = write("client.crt", &client.pem());
    let _key = write("client.key", &client_key.serialize_pem());
    let (root, other_root) =
        (write("root.crt", &root.pem()), write("other.crt", &other_root.pem()));
    let server = TestServer { server, root, other_root };
    let client = server.client("postgres");
    client.run("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
    client.run("ALTER SYSTEM SET ssl = on");
    client.run("CREATE ROLE ana LOGIN SUPERUSER PASSWORD 'pa:ss@w%rd'");
    client.run("CREATE ROLE certified LOGIN SUPERUSER");
    client.run("CREATE ROLE reader LOGIN PASSWORD 'reader'");
    client.run("SELECT pg_reload_conf()");
    // The setting is taken when the server has seen the signal.
    client.until("SELECT current_setting('ssl') = 'on'");
    server
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file that the server may read, whoever it runs as.
fn write_for_server(path: &Path, text: &str) {
    let folder = fs::metadata(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    chown(path, Some(folder.uid()), Some(folder.gid())).unwrap();
}

impl TestServer {
    /// A file of a client with a certificate of its own.
    pub(crate) fn client_file(&self, name: &str) -> PathBuf {
        self.root.with_file_name(format!("cli-{}-{name}", std::process::id()))
    }

    pub(crate) fn client(&self, database: &str) -> TestClient {
        TestClient::new(&self.server.connection_string(database))
    }
}

/// A database of its own; dropped with the value.
pub(crate) struct TestDatabase {
    pub(crate) database: Database,
}

impl TestDatabase {
    pub(crate) fn new() -> Self {
        let database = server().server.create_database();
        Self { database: database.unwrap_or_else(|error| panic!("{error:#}")) }
    }

    /// Over the socket, where no password is asked for.
    pub(crate) fn url(&self) -> String {
        self.database.connection_string()
    }

    /// Over TCP, as a role with a password.
    pub(crate) fn tcp(&self, user: &str) -> String {
        self.tcp_at("127.0.0.1", user)
    }

    pub(crate) fn tcp_at(&self, host: &str, user: &str) -> String {
        format!("postgres://{user}@{host}:{}/{}", server().server.port(), self.database.name())
    }

    pub(crate) fn client(&self) -> TestClient {
        TestClient::new(&self.url())
    }
}

/// A connection that blocks.
pub(crate) struct TestClient {
    runtime: Runtime,
    client: Client,
}

impl TestClient {
    fn new(connection_string: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(connection_string, NoTls)).unwrap();
        drop(runtime.spawn(connection));
        Self { runtime, client }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    /// The first column of a query as texts.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.runtime.block_on(self.client.query(sql, &[])).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Asks until the answer is yes, for a minute.
    #[track_caller]
    pub(crate) fn until(&self, sql: &str) {
        let is_so =
            || -> bool { self.runtime.block_on(self.client.query_one(sql, &[])).unwrap().get(0) };
        for _ in 0..6000 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("waited a minute for {sql}");
    }
}
