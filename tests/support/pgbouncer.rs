//! A real pgbouncer in transaction mode before the server.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::database::{server, until};

/// A pooler in transaction mode, stopped with the value or with this process.
#[derive(Debug)]
pub struct Pgbouncer {
    keeper: Child,
    folder: PathBuf,
}

/// Ends pgbouncer when its own input ends, however its owner does.
const KEEPER: &str = "pgbouncer -q \"$1\" & read -r _; kill -INT $!; wait $!";

/// The number in the socket's name.
const PORT: u16 = 6432;

impl Pgbouncer {
    /// Starts one that has at most so many connections to the server for each database.
    pub async fn start(n_connections: usize) -> Self {
        let found = Command::new("pgbouncer").arg("--version").output();
        assert!(
            found.is_ok_and(|it| it.status.success()),
            "there is no pgbouncer on this machine: apt-get install pgbouncer, then put its folder into PATH"
        );
        let target = server().socket_dir();
        let owner = std::fs::metadata(target).unwrap();
        let folder = crate::registry::folder(&[]);
        let ini = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={} user=postgres\n[pgbouncer]\nunix_socket_dir = {}\n\
             listen_port = {PORT}\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {n_connections}\nmax_client_conn = 200\nlogfile = {}\n",
            target.display(),
            server().port(),
            folder.display(),
            folder.join("log").display(),
        );
        std::fs::write(&ini, text).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("sh");
        let _command = command.args(["-c", KEEPER, "keeper"]).arg(&ini).stdin(Stdio::piped());
        // Neither pgbouncer nor the folder of the server's socket lets root in.
        if owner.uid() != 0 && std::fs::metadata(&folder).unwrap().uid() == 0 {
            chown(&folder, Some(owner.uid()), Some(owner.gid())).unwrap();
            let _command = command.uid(owner.uid()).gid(owner.gid());
        }
        let keeper = command.spawn().unwrap();
        let pooler = Self { keeper, folder };
        until("pgbouncer listens", async || {
            let socket = pooler.folder.join(format!(".s.PGSQL.{PORT}"));
            tokio::net::UnixStream::connect(socket).await.is_ok()
        })
        .await;
        pooler
    }

    /// How to connect through it to a database of the server.
    pub fn connection_string(&self, direct: &str) -> String {
        let database = direct.split_once("dbname=").unwrap().1;
        format!("host={} port={PORT} user=postgres dbname={database}", self.folder.display())
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _status = self.keeper.wait().unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}
