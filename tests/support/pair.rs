//! A primary and a standby that repeats what it does.

use std::path::{Path, PathBuf};
use std::process::Command;

use dunlin_sandbox::Server;

use crate::database::server;

/// Two servers; both are stopped and removed with the value.
#[derive(Debug)]
pub struct Pair {
    primary: Option<Server>,
    standby: Option<Server>,
    folder: PathBuf,
}

const DATABASE: &str = "app";

impl Pair {
    /// Starts a primary, lets somebody do something to its database, and starts a standby as its copy.
    pub async fn start(prepare: impl AsyncFnOnce(&str)) -> Self {
        let folder = crate::registry::folder(&[]);
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let first = kept(&folder.join("primary"), None);
        first.create_database_named(DATABASE).unwrap();
        prepare(&first.connection_string(DATABASE)).await;
        first.stop().unwrap();
        let (original, copy) = (folder.join("primary"), folder.join("standby"));
        // With its owners: the data may belong to another user.
        let copied = Command::new("cp").arg("-a").args([&original, &copy]).status().unwrap();
        assert!(copied.success());
        std::fs::write(copy.join("data/standby.signal"), "").unwrap();
        let primary = kept(&original, None);
        let from = primary.connection_string(DATABASE);
        let from = from.split_once(" dbname=").unwrap().0;
        let standby = kept(&copy, Some(from));
        Self { primary: Some(primary), standby: Some(standby), folder }
    }

    /// Where the database of the primary is.
    pub fn primary(&self) -> String {
        self.primary.as_ref().unwrap().connection_string(DATABASE)
    }

    /// Where that of the standby is.
    pub fn standby(&self) -> String {
        self.standby.as_ref().unwrap().connection_string(DATABASE)
    }

    /// Stops the primary; it keeps its address.
    pub fn stop_primary(&mut self) {
        self.primary.take().unwrap().stop().unwrap();
    }

    /// Starts it again.
    pub fn start_primary(&mut self) {
        self.primary = Some(kept(&self.folder.join("primary"), None));
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop((self.standby.take(), self.primary.take()));
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn kept(folder: &Path, primary: Option<&str>) -> Server {
    let builder = Server::builder()
        .keep_in(folder)
        .postgres_version(server().major_version())
        .setting("fsync", "off")
        .setting("max_connections", "30");
    let builder = match primary {
        Some(primary) => builder.setting("primary_conninfo", primary),
        None => builder,
    };
    builder.start().unwrap_or_else(|error| panic!("{error:#}"))
}
