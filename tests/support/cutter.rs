//! A connection that breaks at a chosen moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Stands between a client and the server and breaks connections.
#[derive(Debug)]
pub struct Cutter {
    port: u16,
    n_cuts: Arc<AtomicUsize>,
    config: Config,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// When the client sends this text; the server never sees it.
    BeforeRequest(&'static str),
    /// When the server answers what the client sent together with this text; the client never sees
    /// the answer.
    BeforeAnswer(&'static str),
}

impl Cutter {
    /// A listener in front of the server of a connection string that breaks the first `n`
    /// connections that come to the moment.
    pub async fn new(connection_string: &str, cut: Cut, n: usize) -> Self {
        let config: Config = connection_string.parse().unwrap();
        let Some(Host::Unix(folder)) = config.get_hosts().first().cloned() else {
            panic!("no unix socket")
        };
        let socket = folder.join(format!(".s.PGSQL.{}", config.get_ports()[0]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let n_cuts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_cuts);
        drop(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                drop(tokio::spawn(relay(client, server, cut, n, Arc::clone(&counter))));
            }
        }));
        Self { port, n_cuts, config }
    }

    /// The connection string of the way through here.
    pub fn connection_string(&self) -> String {
        let (user, database) = (self.config.get_user().unwrap(), self.config.get_dbname().unwrap());
        format!("host=127.0.0.1 port={} user={user} dbname={database}", self.port)
    }

    /// How many connections were broken.
    pub fn n_cuts(&self) -> usize {
        self.n_cuts.load(Ordering::SeqCst)
    }
}

/// Passes bytes on in both directions until one side ends or the moment has come.
async fn relay(
    mut client: TcpStream,
    mut server: UnixStream,
    cut: Cut,
    n: usize,
    n_cuts: Arc<AtomicUsize>,
) {
    let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut is_due = false;
    // What one write of the client brings may come in several reads.
    let mut sent = Vec::new();
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                sent.extend_from_slice(&request[..length]);
                let (Cut::BeforeRequest(text) | Cut::BeforeAnswer(text)) = cut;
                if !is_due && contains(&sent, text) && n_cuts.load(Ordering::SeqCst) < n {
                    let _before = n_cuts.fetch_add(1, Ordering::SeqCst);
                    is_due = true;
                    if matches!(cut, Cut::BeforeRequest(_)) {
                        return;
                    }
                }
                if server.write_all(&request[..length]).await.is_err() { return }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if is_due || client.write_all(&answer[..length]).await.is_err() { return }
                sent.clear();
            }
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
