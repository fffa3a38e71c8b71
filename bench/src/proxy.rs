//! A network that is slow but not narrow: everything is delivered later by the same time, in order,
//! and as much at once as was sent at once.
//!
//! Threads of the operating system, not a runtime: its timers count whole milliseconds, and half of
//! the shortest round trip measured here is half a millisecond.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::{Counts, Messages, Session};

/// A TCP port of this machine behind which a server's unix socket seems far away.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    counts: Arc<Mutex<Counts>>,
}

/// One direction of one connection.
struct Direction<R, W> {
    from: R,
    to: W,
    messages: Messages,
    count: fn(&mut Session, u8, usize, &mut Counts),
    delay: Duration,
}

/// Bytes that are to be delivered at a certain time; none means the end.
type Parcel = (Instant, Vec<u8>);

impl Proxy {
    /// Listens until the program ends. Every round trip takes `round_trip` longer, half of it each way.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub fn start(socket: &Path, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (socket, shared) = (socket.to_owned(), Arc::clone(&counts));
        let _listening = thread::spawn(move || {
            for client in listener.incoming() {
                if let Err(error) =
                    client.and_then(|it| connect(it, &socket, round_trip / 2, &shared))
                {
                    eprintln!("the proxy lost a connection: {error}");
                }
            }
        });
        Ok(Self { address, counts })
    }

    /// The port on the loopback address.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What has gone through so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *locked(&self.counts)
    }
}

fn connect(
    client: TcpStream,
    socket: &PathBuf,
    delay: Duration,
    counts: &Arc<Mutex<Counts>>,
) -> io::Result<()> {
    let server = UnixStream::connect(socket)?;
    client.set_nodelay(true)?;
    let session = Arc::new(Mutex::new(Session::default()));
    let up = Direction {
        from: client.try_clone()?,
        to: server.try_clone()?,
        messages: Messages::of_client(),
        count: Session::client_sent,
        delay,
    };
    let down = Direction {
        from: server,
        to: client,
        messages: Messages::of_server(),
        count: Session::server_sent,
        delay,
    };
    up.run(&session, counts, |it| it.shutdown(Shutdown::Write));
    down.run(&session, counts, |it| it.shutdown(Shutdown::Write));
    Ok(())
}

impl<R: Read + Send + 'static, W: Write + Send + 'static> Direction<R, W> {
    fn run(
        self,
        session: &Arc<Mutex<Session>>,
        counts: &Arc<Mutex<Counts>>,
        end: impl FnOnce(&W) -> io::Result<()> + Send + 'static,
    ) {
        let Self { mut from, mut to, mut messages, count, delay } = self;
        let (session, counts) = (Arc::clone(session), Arc::clone(counts));
        let (sender, receiver) = channel();
        let _reading = thread::spawn(move || {
            // A connection that is cut ends as one that is closed.
            let _end = read(&mut from, &sender, delay, |bytes| {
                let (mut session, mut counts) = (locked(&session), locked(&counts));
                for (kind, n_bytes) in messages.take(bytes) {
                    count(&mut session, kind, n_bytes, &mut counts);
                }
            });
        });
        let _writing = thread::spawn(move || {
            let _end = deliver(&receiver, &mut to).and_then(|()| end(&to));
        });
    }
}

fn read(
    from: &mut impl Read,
    sender: &Sender<Parcel>,
    delay: Duration,
    mut look: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        let due = Instant::now() + delay;
        look(&buffer[..n]);
        if sender.send((due, buffer[..n].to_vec())).is_err() {
            return Ok(());
        }
    }
}

fn deliver(receiver: &Receiver<Parcel>, to: &mut impl Write) -> io::Result<()> {
    for (due, bytes) in receiver {
        let left = due.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            thread::sleep(left);
        }
        to.write_all(&bytes)?;
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
