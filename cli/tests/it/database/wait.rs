//! Waiting: for a server, for a primary, for another migrator.

use super::Case;

#[test]
fn wait_for_a_server_a_primary_and_a_migration() {
    let case = Case::new("wait");
    assert!(case.run(&["wait"]).stdout(0).starts_with("the server answers after 0 s\n"));
    assert_eq!(case.run(&["wait", "--for", "primary"]).code, 0);
    let pending = case.run(&["wait", "--for", "migrated", "--timeout", "1"]);
    assert_eq!(pending.stderr(3), "error: 2 migrations are pending\n  = note: waited for 1 s\n");
    assert_eq!(case.run(&["up"]).code, 0);
    assert_eq!(case.run(&["wait", "--for", "migrated"]).code, 0);
    case.database.client().run(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        case.database.database.name()
    ));
    assert_eq!(case.run(&["wait", "--for", "primary", "--timeout", "1"]).code, 5);
    case.project.write("migrations/0001_users.sql", "CREATE TABLE users (id uuid);\n");
    assert_eq!(case.run(&["wait", "--for", "migrated", "--timeout", "20"]).code, 4);
}

/// Turns the first that comes away, and passes everybody else on to the server.
fn forward(listener: &std::net::TcpListener) {
    let server = ("127.0.0.1", crate::server::server().server.port());
    for stream in listener.incoming().skip(1) {
        let (mut near, mut far) = (stream.unwrap(), std::net::TcpStream::connect(server).unwrap());
        let (mut near_again, mut far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        drop(std::thread::spawn(move || std::io::copy(&mut near, &mut far)));
        drop(std::thread::spawn(move || std::io::copy(&mut far_again, &mut near_again)));
    }
}

#[test]
fn wait_ends_when_the_server_comes() {
    let case = Case::new("wait-comes");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let name = case.database.database.name();
    let url = format!("postgres://reader:reader@127.0.0.1:{port}/{name}?sslmode=disable");
    drop(std::thread::spawn(move || forward(&listener)));
    let waited = case.project.json(&["wait", "--database-url", &url]);
    assert_eq!(waited["exit"], "ok", "{waited}");
    // It was turned away once, and has asked again after a pause.
    assert!(waited["waited_ms"].as_u64().unwrap() >= 300, "{waited}");
}

#[test]
fn who_comes_second_waits_and_is_told_for_whom() {
    let case = Case::new("lock");
    let client = case.database.client();
    client.run("SELECT pg_advisory_lock(1, 1)");
    let gate = "SET LOCAL lock_timeout = 0;\nSELECT pg_advisory_xact_lock(1, 1);\n";
    case.project.write("migrations/0003_gate.sql", gate);
    let url = case.database.url();
    let mut first = case.project.command(&["up", "--database-url", &url]);
    let mut first = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    client.until(
        "SELECT count(*) = 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted",
    );
    let second = case.run(&["up", "--lock-wait", "1"]);
    assert_eq!(second.code, 5, "{second:?}");
    assert!(second.stdout.contains("Waiting for the migration lock"), "{}", second.stdout);
    assert!(second.stderr.contains("application `cargo-dunlin`"), "{}", second.stderr);
    client.run("SELECT pg_advisory_unlock(1, 1)");
    assert!(first.wait().unwrap().success());
    assert_eq!(case.run(&["verify", "--no-pending"]).code, 0);
}
