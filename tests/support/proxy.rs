//! A man in the middle who understands messages and counts what passes.
//!
//! Used with the runtime of `#[tokio::test]`, which has one thread, the counts do not depend on time:
//! what the client sends without waiting is all in the socket before he reads any of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A proxy before a server. It ends with the value, and with it every connection through it.
#[derive(Debug)]
pub struct Proxy {
    connection_string: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

/// Who has sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The program that connected.
    Client,
    /// PostgreSQL.
    Server,
}

/// One message of the protocol (manual, 55.7).
#[derive(Clone, Debug)]
pub struct Message {
    /// Who has sent it.
    pub from: Side,
    /// Its first byte, `Q` for a simple query; a space for the startup message, which has none.
    pub kind: char,
    /// With its kind and its length.
    pub n_bytes: usize,
}

/// What has passed.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// How often the client has sent something when every question before it was answered.
    pub n_round_trips: usize,
    /// The messages in the order they passed.
    pub messages: Vec<Message>,
}

/// A message that the proxy is to hold back when it comes.
#[derive(Debug)]
pub struct Moment {
    come: oneshot::Receiver<()>,
    verdict: oneshot::Sender<Verdict>,
}

/// What becomes of a message that was held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    /// It is lost, and the connection with it.
    Cut,
}

#[derive(Debug, Default)]
struct State {
    traffic: Traffic,
    n_unanswered: usize,
    breakpoint: Option<Breakpoint>,
}

/// The other end of a [`Moment`].
#[derive(Debug)]
struct Breakpoint {
    side: Side,
    /// How many messages of that side pass before.
    n_before: usize,
    come: oneshot::Sender<()>,
    verdict: oneshot::Receiver<Verdict>,
}

impl Proxy {
    /// A proxy before the server of a connection string with a unix socket.
    pub async fn start(connection_string: &str) -> Self {
        let config: Config = connection_string.parse().unwrap();
        let [Host::Unix(folder)] = config.get_hosts() else { panic!("{connection_string}") };
        let target = folder.join(format!(".s.PGSQL.{}", config.get_ports()[0]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (user, database) = (config.get_user().unwrap(), config.get_dbname().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let task = tokio::spawn(accept(listener, target, Arc::clone(&state)));
        let connection_string = format!("host=127.0.0.1 port={port} user={user} dbname={database}");
        Self { connection_string, state, task }
    }

    /// How to connect through it.
    pub fn connection_string(&self) -> &str {
        &self.connection_string
    }

    /// Holds back the message of one side before which `n_before` others of it pass from now on, over
    /// all connections.
    pub fn hold(&self, side: Side, n_before: usize) -> Moment {
        let ((come_now, come), (verdict, wait)) = (oneshot::channel(), oneshot::channel());
        let breakpoint = Breakpoint { side, n_before, come: come_now, verdict: wait };
        self.state.lock().unwrap().breakpoint = Some(breakpoint);
        Moment { come, verdict }
    }

    /// What has passed since the last call.
    pub fn take(&self) -> Traffic {
        std::mem::take(&mut self.state.lock().unwrap().traffic)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Moment {
    /// Waits until the message comes, without end if it does not.
    pub async fn comes(&mut self) {
        if (&mut self.come).await.is_err() {
            std::future::pending().await
        }
    }

    /// Lets it pass.
    pub fn pass(self) {
        self.end(Verdict::Pass);
    }

    /// Loses it, and breaks the connection in both directions.
    pub fn cut(self) {
        self.end(Verdict::Cut);
    }

    /// Whoever waited for the verdict may be gone with its connection.
    fn end(self, verdict: Verdict) {
        match self.verdict.send(verdict) {
            Ok(()) | Err(_) => {}
        }
    }
}

impl Traffic {
    /// The kinds of messages of one side, in order.
    pub fn kinds(&self, from: Side) -> String {
        self.of(from).map(|message| message.kind).collect()
    }

    /// How many bytes one side has sent.
    pub fn n_bytes(&self, from: Side) -> usize {
        self.of(from).map(|message| message.n_bytes).sum()
    }

    fn of(&self, from: Side) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.from == from)
    }
}

impl State {
    fn pass(&mut self, message: Message) {
        match (message.from, message.kind) {
            (Side::Client, 'Q' | 'S' | ' ') => {
                self.traffic.n_round_trips += usize::from(self.n_unanswered == 0);
                self.n_unanswered += 1;
            }
            (Side::Server, 'Z') => self.n_unanswered = self.n_unanswered.saturating_sub(1),
            _ => {}
        }
        self.traffic.messages.push(message);
    }

    /// The breakpoint, if it is this message that is to be held back.
    fn due(&mut self, from: Side) -> Option<Breakpoint> {
        let breakpoint = self.breakpoint.as_mut().filter(|it| it.side == from)?;
        if breakpoint.n_before > 0 {
            breakpoint.n_before -= 1;
            return None;
        }
        self.breakpoint.take()
    }
}

async fn accept(listener: TcpListener, target: PathBuf, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        // A server that is not there right now lets nobody in.
        let Ok(server) = UnixStream::connect(&target).await else { continue };
        let _handle = connections.spawn(relay(client, server, Arc::clone(&state)));
    }
}

/// Relays until one side ends; then both are closed.
async fn relay(client: TcpStream, server: UnixStream, state: Arc<Mutex<State>>) {
    client.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(Side::Client, from_client, to_server, &state) => {}
        () = pump(Side::Server, from_server, to_client, &state) => {}
    }
}

async fn pump(
    from: Side,
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    state: &Mutex<State>,
) {
    let mut has_kind = from == Side::Server;
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        // A side that is gone is the end of both.
        let Ok(n @ 1..) = source.read(&mut chunk).await else { return };
        buffer.extend_from_slice(&chunk[..n]);
        let mut at = 0;
        while let Some(message) = first(&buffer[at..], from, has_kind) {
            has_kind = true;
            let due = state.lock().unwrap().due(from);
            if let Some(Breakpoint { come, verdict, .. }) = due {
                if sink.write_all(&buffer[..at]).await.is_err() {
                    return;
                }
                drop(buffer.drain(..at));
                at = 0;
                if come.send(()).is_err() || verdict.await != Ok(Verdict::Pass) {
                    return;
                }
            }
            at += message.n_bytes;
            state.lock().unwrap().pass(message);
        }
        if sink.write_all(&buffer[..at]).await.is_err() {
            return;
        }
        drop(buffer.drain(..at));
    }
}

/// The first message of some bytes, if it is all there.
fn first(bytes: &[u8], from: Side, has_kind: bool) -> Option<Message> {
    let n_before = usize::from(has_kind);
    let length: [u8; 4] = bytes.get(n_before..n_before + 4)?.try_into().ok()?;
    let n_bytes = n_before + usize::try_from(u32::from_be_bytes(length)).ok()?;
    let kind = if has_kind { char::from(bytes[0]) } else { ' ' };
    (bytes.len() >= n_bytes).then_some(Message { from, kind, n_bytes })
}
