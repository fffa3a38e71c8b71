//! A server in use: databases, runtimes, settings, two at once.

use std::collections::HashSet;

use dunlin_sandbox::{Database, Server};
use tokio_postgres::NoTls;

use crate::owner::{Plan, Scratch, keepers_of, postmaster, processes_of};

/// One value of the first row.
pub(crate) fn ask(connection: &str, query: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(connection, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(query).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        let row = messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        row.unwrap_or_default()
    })
}

#[test]
fn nothing_is_left_of_a_stopped_server() {
    let server = Server::start().unwrap();
    let base = server.data_dir().parent().unwrap().to_owned();
    // A child of the server has the server's command line until it sets its own.
    assert!(processes_of(&base).contains(&postmaster(server.data_dir()).0));
    assert_eq!(keepers_of(&base).len(), 2, "the keeper and its subshell");
    server.stop().unwrap();
    assert!(!base.exists());
    assert_eq!(processes_of(&base), Vec::<u32>::new());
}

#[test]
fn a_database_is_gone_with_its_value_even_when_in_use() {
    let server = Server::shared().unwrap();
    let database = server.create_database().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connecting = async { tokio_postgres::connect(&database.connection_string(), NoTls).await };
    let (client, connection) = runtime.block_on(connecting).unwrap();
    let connection = runtime.spawn(connection);
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", database.name());
    assert_eq!(ask(&server.connection_string("postgres"), &count), "1");
    drop(database);
    assert_eq!(ask(&server.connection_string("postgres"), &count), "0");
    let error = runtime.block_on(client.simple_query("SELECT 1")).unwrap_err();
    assert!(error.is_closed() || error.code().is_some(), "{error}");
    drop((client, connection));
}

#[test]
fn a_clone_has_what_its_template_has() {
    let server = Server::shared().unwrap();
    let template = server.create_database().unwrap();
    let filled = "CREATE TABLE t AS SELECT g FROM generate_series(1, 100) g; SELECT 1";
    assert_eq!(ask(&template.connection_string(), filled), "1");
    let copies = [
        server.create_database_from(&template).unwrap(),
        server.create_database_from(template.name()).unwrap(),
    ];
    for copy in copies {
        assert_eq!(ask(&copy.connection_string(), "SELECT count(*) FROM t"), "100");
    }
}

#[test]
fn a_missing_template_is_named_with_what_the_server_says() {
    let error = Server::shared().unwrap().create_database_from("absent").unwrap_err();
    assert_eq!(error.to_string(), "no database could be cloned from `absent`");
    assert_eq!(
        format!("{error:#}"),
        "no database could be cloned from `absent`\
         \n  = note: template database \"absent\" does not exist (SQLSTATE 3D000)"
    );
}

#[test]
fn a_named_database_is_created_once_by_any_number() {
    let server = Server::shared().unwrap();
    let create = || server.create_database_named("Odd \"name\"").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let _ = scope.spawn(create);
        }
    });
    let connection = server.connection_string("Odd \"name\"");
    assert_eq!(ask(&connection, "SELECT current_database()"), "Odd \"name\"");
}

#[test]
fn a_name_that_postgresql_would_cut_is_refused() {
    let server = Server::shared().unwrap();
    server.create_database_named(&"n".repeat(63)).unwrap();
    let error = server.create_database_named(&"n".repeat(64)).unwrap_err();
    let headline = format!("`{}` is too long for the name of a database", "n".repeat(64));
    assert_eq!(error.to_string(), headline);
    let error = format!("{:#}", server.create_database_named("").unwrap_err());
    assert!(error.contains("zero-length delimited identifier"), "{error}");
}

#[test]
fn sixteen_databases_are_created_at_once() {
    let server = Server::shared().unwrap();
    let create = || {
        let database = server.create_database().unwrap();
        let here = ask(&database.connection_string(), "SELECT current_database()");
        assert_eq!(here, database.name());
        database
    };
    let databases: Vec<Database> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let names: HashSet<&str> = databases.iter().map(Database::name).collect();
    assert_eq!(names.len(), 16);
}

#[test]
fn every_call_works_inside_a_runtime() {
    let mut current = tokio::runtime::Builder::new_current_thread();
    let mut several = tokio::runtime::Builder::new_multi_thread();
    for builder in [&mut current, several.worker_threads(2)] {
        builder.enable_all().build().unwrap().block_on(async {
            let server = Server::start().unwrap();
            let database = server.create_database().unwrap();
            let connected = tokio_postgres::connect(&database.connection_string(), NoTls).await;
            drop(connected.unwrap());
            drop(database);
            server.stop().unwrap();
        });
    }
}

#[test]
fn the_server_speaks_utf8_and_utc_and_to_nobody_else() {
    let server = Server::shared().unwrap();
    let connection = server.connection_string("postgres");
    let shown = |name: &str| ask(&connection, &format!("SHOW {name}"));
    assert_eq!(shown("server_encoding"), "UTF8");
    assert_eq!(shown("timezone"), "UTC");
    assert_eq!(shown("listen_addresses"), "");
    assert_eq!(shown("synchronous_commit"), "on");
    assert_eq!(shown("fsync"), "off");
    assert_eq!(ask(&connection, "SELECT 'Z' < 'a'"), "t", "sorted by bytes");
    let version = shown("server_version");
    assert_eq!(version.split(' ').next(), Some(server.version()));
    assert!(server.version().starts_with(&server.major_version().to_string()));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(server.socket_dir()).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn settings_of_the_caller_win() {
    let odd = "it's \\ odd\nport = 1";
    let builder = Server::builder().setting("work_mem", "7MB").setting("my.own", odd);
    let server = builder.setting("fsync", "on").setting("fsync", "off").start().unwrap();
    let connection = server.connection_string("postgres");
    assert_eq!(ask(&connection, "SHOW work_mem"), "7MB");
    assert_eq!(ask(&connection, "SHOW my.own"), odd);
}

#[test]
fn a_server_that_does_not_come_up_shows_its_log() {
    let refused = Server::builder().setting("work_mem", "much").start().unwrap_err();
    assert_eq!(refused.to_string(), "PostgreSQL does not start");
    let text = format!("{refused:?}");
    assert!(text.contains("invalid value for parameter \"work_mem\": \"much\""), "{text}");
    assert!(text.contains("`postgres` ended with status 1"), "{text}");
}

#[test]
fn two_owners_at_once_do_not_meet() {
    let scratch = Scratch::new();
    let mut owners: Vec<_> =
        (0..2).map(|_| Plan::new("serve").in_tmpdir(&scratch).start()).collect();
    let reports: Vec<_> = owners.iter_mut().map(|owner| owner.ready()).collect();
    assert_ne!(reports[0].data, reports[1].data);
    for report in &reports {
        let there = ask(&report.connection, "SHOW data_directory");
        assert_eq!(there, report.data.to_str().unwrap());
    }
    for owner in owners {
        assert!(owner.finish().success());
    }
    assert_eq!(scratch.names(), [""; 0]);
}
