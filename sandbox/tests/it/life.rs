//! A throw-away server from start to end, and a kept one over two starts.

use dunlin_sandbox::Server;

#[test]
fn nothing_is_left_of_a_stopped_server() {
    let server = Server::start().unwrap();
    let base = server.data_dir().parent().unwrap().to_owned();
    let database = server.create_database().unwrap();
    let copy = server.create_database_from(&database).unwrap();
    assert_ne!(database.name(), copy.name());
    assert!(base.exists());
    server.stop().unwrap();
    assert!(!base.exists());
}

#[test]
fn a_kept_server_finds_its_data_again() {
    let folder = std::env::temp_dir().join(format!("kept-{}", std::process::id()));
    let server = Server::builder().keep_in(&folder).start().unwrap();
    server.create_database_named("app").unwrap();
    let refused = Server::builder().keep_in(&folder).start().unwrap_err();
    let there = refused.running().unwrap().connection_string("app");
    assert_eq!(there, server.connection_string("app"));
    drop(server);
    let server = Server::builder().keep_in(&folder).start().unwrap();
    assert!(server.create_database_from("app").is_ok());
    server.stop().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
