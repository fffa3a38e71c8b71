//! Which database: strings, variables, services, password files, TLS, and what is never shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::server::{TestDatabase, server};
use crate::support::{Project, Ran, ran};

const PASSWORD: &str = "pa:ss@w%rd";
/// The same as a URL has it.
const ESCAPED: &str = "pa%3Ass%40w%25rd";

struct Case {
    project: Project,
    database: TestDatabase,
}

impl Case {
    fn new(test: &str) -> Self {
        let project = Project::with(test, &[("0001_a.sql", "SELECT 1;\n")]);
        Self { project, database: TestDatabase::new() }
    }

    /// `status` with variables.
    fn status(&self, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.project.command(&["status"]);
        ran(&command.envs(variables.iter().copied()).output().unwrap())
    }

    /// `status` over TCP with a password and these parameters.
    fn with_tls(&self, host: &str, parameters: &str) -> Ran {
        let url = self.database.tcp_at(host, &format!("ana:{ESCAPED}"));
        self.status(&[("DATABASE_URL", &format!("{url}?{parameters}"))])
    }

    fn write_secret(&self, name: &str, text: &str, mode: u32) {
        self.project.write(name, text);
        let path = self.project.path.join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn nothing_is_guessed_where_no_database_is_named() {
    let case = Case::new("no-database");
    let refused = case.status(&[]);
    assert!(refused.stderr(2).starts_with("error: no database is named\n"), "{}", refused.stderr);
    assert_eq!(case.status(&[("PGPASSWORD", "x"), ("PGSSLMODE", "require")]).code, 2);
    for empty in ["", " ", "postgres://", "sslmode=require"] {
        let ran = case.project.run(&["status", "--database-url", empty]);
        assert!(ran.stderr(2).starts_with("error: no database is named\n"), "{empty:?}: {ran:?}");
    }
}

#[test]
fn a_url_a_list_and_variables_lead_to_the_same_database() {
    let case = Case::new("ways");
    let port = server().server.port().to_string();
    let name = case.database.database.name();
    let list = format!("host=127.0.0.1 port={port} dbname={name} user=ana password='pa:ss@w%rd'");
    assert_eq!(case.status(&[("DATABASE_URL", &list)]).code, 0);
    let url = case.database.tcp(&format!("ana:{ESCAPED}"));
    assert_eq!(case.status(&[("DATABASE_URL", &url)]).code, 0);
    let variables = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port.as_str()),
        ("PGUSER", "ana"),
        ("PGDATABASE", name),
        ("PGPASSWORD", PASSWORD),
    ];
    assert_eq!(case.status(&variables).code, 0);
    // What the URL leaves out comes from variables; what it says counts more.
    let mixed = [("DATABASE_URL", case.database.tcp("ana")), ("PGPASSWORD", PASSWORD.to_owned())];
    let mixed = mixed.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(case.status(&mixed).code, 0);
    // The argument counts more than the variable.
    let mut command = case.project.command(&["status", "--database-url", &url]);
    assert_eq!(ran(&command.env("DATABASE_URL", "postgres://nowhere").output().unwrap()).code, 0);
}

#[test]
fn a_service_and_the_password_file() {
    let case = Case::new("service");
    let port = server().server.port();
    let name = case.database.database.name();
    let service = format!(
        "[other]\nhost=nowhere\n[prod]\nhost=127.0.0.1\nport={port}\ndbname={name}\nuser=ana\n"
    );
    case.project.write(".pg_service.conf", &service);
    case.write_secret(".pgpass", &format!("127.0.0.1:{port}:{name}:ana:pa\\:ss@w%rd\n"), 0o600);
    assert_eq!(case.status(&[("PGSERVICE", "prod")]).code, 0);
    assert_eq!(case.status(&[("DATABASE_URL", "service=prod")]).code, 0);
    let unknown = case.status(&[("PGSERVICE", "stage")]);
    assert!(unknown.stderr(2).starts_with("error: there is no service `stage`\n"));
    // A file that others can read is passed over, and that is told when it is missed.
    case.write_secret(".pgpass", &format!("*:*:*:*:{PASSWORD}\n"), 0o644);
    let open = case.status(&[("PGSERVICE", "prod")]);
    assert!(open.stderr(5).contains("can be read by others and is passed over"), "{}", open.stderr);
    case.write_secret("secrets", "*:*:*:ana:pa\\:ss@w%rd\n", 0o600);
    let file = case.project.path.join("secrets");
    let variables = [("PGSERVICE", "prod"), ("PGPASSFILE", file.to_str().unwrap())];
    assert_eq!(case.status(&variables).code, 0);
}

#[test]
fn sslmode_means_what_libpq_means() {
    let case = Case::new("tls");
    let (root, other) = (server().root.display(), server().other_root.display());
    for mode in ["disable", "allow", "prefer", "require"] {
        assert_eq!(case.with_tls("127.0.0.1", &format!("sslmode={mode}")).code, 0, "{mode}");
    }
    // The chain is looked at, the name is not: the certificate says `localhost`.
    let chain = format!("sslmode=verify-ca&sslrootcert={root}");
    assert_eq!(case.with_tls("127.0.0.1", &chain).code, 0);
    let full = format!("sslmode=verify-full&sslrootcert={root}");
    assert_eq!(case.with_tls("localhost", &full).code, 0);
    let wrong_name = case.with_tls("127.0.0.1", &full);
    assert!(
        wrong_name.stderr(5).contains("certificate not valid for name"),
        "{}",
        wrong_name.stderr
    );
    for mode in ["require", "verify-ca", "verify-full"] {
        let stranger = case.with_tls("localhost", &format!("sslmode={mode}&sslrootcert={other}"));
        assert!(stranger.stderr(5).contains("certificate"), "{mode}: {}", stranger.stderr);
    }
    // On a socket there is no TLS, and nothing is asked of a certificate.
    let url = case.database.url();
    assert_eq!(case.status(&[("DATABASE_URL", &url), ("PGSSLMODE", "verify-full")]).code, 0);
    let system = case.with_tls("localhost", "sslrootcert=system");
    assert!(system.stderr(5).contains("certificate"), "{}", system.stderr);
    let missing = case.with_tls("localhost", "sslmode=verify-full&sslrootcert=/no/such.crt");
    assert!(
        missing.stderr(2).starts_with("error: there is no root certificate at `/no/such.crt`\n"),
        "{}",
        missing.stderr
    );
    assert_eq!(case.with_tls("localhost", "sslmode=full").code, 2);
}

#[test]
fn more_of_what_libpq_knows() {
    let case = Case::new("more");
    let (port, name) = (server().server.port(), case.database.database.name());
    // The first host that answers, and an address beside a name.
    let hosts = format!("postgres://ana:{ESCAPED}@127.0.0.1:1,127.0.0.1:{port}/{name}");
    assert_eq!(case.status(&[("DATABASE_URL", &hosts)]).code, 0);
    let root = server().root.display();
    let address = format!(
        "hostaddr=127.0.0.1 host=localhost port={port} dbname={name} user=ana password='{PASSWORD}' \
         sslmode=verify-full sslrootcert='{root}' channel_binding=prefer"
    );
    let bound = case.status(&[("DATABASE_URL", &address)]);
    assert_eq!(bound.code, 0, "{}", bound.stderr);
    let bound = case.status(&[("DATABASE_URL", &address.replace("prefer", "require"))]);
    assert_eq!(bound.code, 0, "{}", bound.stderr);
    // Where there is no TLS, there is nothing to bind the password to.
    let unbound = case.with_tls("127.0.0.1", "sslmode=disable&channel_binding=require");
    assert!(unbound.stderr(5).contains("channel binding"), "{}", unbound.stderr);
    // What makes no difference is borne, as psql bears it; what would be missed is refused.
    let borne =
        "keepalives_interval=5&keepalives_count=0&tcp_user_timeout=9000&sslsni=1&sslcompression=0";
    assert_eq!(case.with_tls("127.0.0.1", borne).code, 0);
    let refused = case.with_tls("127.0.0.1", "sslcrl=revoked.pem");
    assert!(
        refused.stderr(2).starts_with("error: the connection's `sslcrl` cannot be had here\n"),
        "{}",
        refused.stderr
    );
    // What the session is told reaches it.
    let options =
        [("DATABASE_URL", case.database.url()), ("PGOPTIONS", "-c search_path=nowhere".to_owned())];
    let options = options.each_ref().map(|(name, value)| (*name, value.as_str()));
    let nowhere = case.status(&options);
    assert!(
        nowhere.stderr(5).contains("nowhere") || nowhere.stderr.contains("schema"),
        "{}",
        nowhere.stderr
    );
    for wrong in [
        "port=x",
        "connect_timeout=soon",
        "channel_binding=x",
        "hostaddr=db",
        "target_session_attrs=x",
    ] {
        let ran = case.status(&[("DATABASE_URL", &format!("host=db {wrong}"))]);
        assert!(ran.stderr(2).starts_with("error: the connection's `"), "{}", ran.stderr);
    }
}

#[test]
fn a_certificate_of_its_own_lets_a_client_in() {
    let case = Case::new("client-certificate");
    let (certificate, key) =
        (server().client_file("client.crt"), server().client_file("client.key"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let url = format!("{}?sslmode=require", case.database.tcp("certified"));
    let with = [("DATABASE_URL", url.as_str()), ("PGSSLCERT", certificate), ("PGSSLKEY", key)];
    assert_eq!(case.status(&with).code, 0);
    assert_eq!(case.status(&[("DATABASE_URL", &url)]).code, 5);
}

#[test]
fn no_server_and_no_database_say_where_was_tried() {
    let case = Case::new("no-server");
    let url = "postgres://ana:secret@127.0.0.1:1/app";
    let ran = case.status(&[("DATABASE_URL", url)]);
    assert!(ran.stderr(5).starts_with("error: no connection to the database: "), "{}", ran.stderr);
    let tried = "= note: tried 127.0.0.1:1, database `app`, user `ana`, sslmode=prefer\n";
    assert!(ran.stderr.contains(tried), "{}", ran.stderr);
    let waited = case.project.run(&["wait", "--timeout", "1", "--database-url", url]);
    assert!(waited.stderr(5).ends_with("= note: waited for 1 s\n"), "{}", waited.stderr);
    let gone = case.database.url().replace(case.database.database.name(), "no_such_database");
    assert_eq!(case.project.run(&["wait", "--timeout", "20", "--database-url", &gone]).code, 5);
}

#[test]
fn a_wrong_password_is_told_at_once() {
    let case = Case::new("wrong-password");
    let url = case.database.tcp("ana:wrong");
    let ran = case.project.run(&["up", "--database-url", &url]);
    assert!(
        ran.stderr(5).starts_with(
            "error: no connection to the database: password authentication failed for user \"ana\" (28P01)\n"
        ),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("= help: correct user or password"), "{}", ran.stderr);
    let document = case.project.json(&["up", "--database-url", &url]);
    assert_eq!((&document["error"]["sqlstate"], &document["code"]), (&"28P01".into(), &5.into()));
    // Waiting does not mend it.
    let waited = case.project.run(&["wait", "--timeout", "600", "--database-url", &url]);
    assert!(waited.stderr(5).contains("password authentication failed"), "{}", waited.stderr);
}

#[test]
fn a_password_is_in_no_output() {
    let case = Case::new("secrets");
    let wrong = case.database.tcp("ana:Geheim%21").to_string();
    let right = case.database.tcp(&format!("ana:{ESCAPED}"));
    let broken = "postgres://ana:Geheim!@db:port:x/app".to_owned();
    let unknown = format!("{wrong}?sslmod=require");
    let weak = format!("{wrong}?sslmode=Geheim!");
    let nowhere = "postgres://ana:Geheim!@127.0.0.1:1/app".to_owned();
    for (url, code) in [(wrong, 5), (right, 0), (broken, 2), (unknown, 2), (weak, 2), (nowhere, 5)]
    {
        for command in ["status", "verify", "plan", "up", "wait"] {
            for format in ["human", "json", "github"] {
                let mut arguments = vec![command, "--format", format, "--database-url", &url];
                if command == "wait" {
                    // Where nobody answers it waits to the end.
                    arguments.extend(["--timeout", if url.contains(":1/") { "0" } else { "60" }]);
                }
                let ran = case.project.run(&arguments);
                assert_eq!(ran.code, code, "{command} {format}: {ran:?}");
                let said = format!("{}{}", ran.stdout, ran.stderr);
                for secret in ["Geheim", PASSWORD, ESCAPED] {
                    assert!(!said.contains(secret), "{command} {format}: {said}");
                }
            }
        }
    } // Nor is it in what was written to the database.
    let rows = "SELECT m::text FROM migrations m UNION ALL SELECT l::text FROM migrations_log l";
    let rows = case.database.client().texts(rows);
    assert!(rows.len() >= 2, "{rows:?}");
    for secret in ["Geheim", PASSWORD, ESCAPED] {
        assert!(!rows.iter().any(|row| row.contains(secret)), "{rows:?}");
    }
}
