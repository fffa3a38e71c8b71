//! What migrations can run on: a pool, a pooled connection or a plain client.

use std::ops::Deref;
use std::pin::Pin;

use tokio_postgres::Client;

#[cfg(feature = "deadpool")]
use crate::error::Error;
use crate::error::Result;
use crate::watch::Onlooker;

/// Something migrations can run on: `&Pool`, `&mut Object` or `&mut Client`.
///
/// A run needs a connection for itself, so a connection is borrowed exclusively, and a pool lends
/// one for the length of the run. A run that is cut short gives no connection back to the pool.
///
/// TLS is the business of whoever made the connection.
#[diagnostic::on_unimplemented(
    message = "migrations cannot run on `{Self}`",
    note = "pass `&pool`, `&mut object` or `&mut client`: a run needs a connection for itself"
)]
pub trait Database: sealed::Connect {}

impl<T: sealed::Connect> Database for T {}

pub(crate) mod sealed {
    use super::Link;

    /// The closed part of [`Database`](super::Database).
    pub trait Connect: Send {
        /// The same as a type that has nothing of the application's, so that a run is compiled once, here,
        /// and not with each application, in each of its builds.
        fn link<'a>(self) -> Link<'a>
        where
            Self: 'a;
    }
}

/// A run to come, of which the application sees no more than that.
pub(crate) type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// One of the things migrations can run on.
#[doc(hidden)]
#[derive(Debug)]
pub enum Link<'a> {
    Client(&'a Client),
    #[cfg(feature = "deadpool")]
    Pool(&'a deadpool_postgres::Pool),
}

/// A connection for one run.
#[derive(Debug)]
pub(crate) struct Connection<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    Borrowed(&'a Client),
    #[cfg(feature = "deadpool")]
    Pooled(Option<Box<deadpool_postgres::Object>>),
}

impl Connection<'_> {
    /// Takes a pooled connection out of its pool for good, so that nobody gets it next.
    pub(crate) fn discard(&mut self) {
        match &mut self.0 {
            Source::Borrowed(_) => {}
            #[cfg(feature = "deadpool")]
            Source::Pooled(object) => {
                if let Some(object) = object.take() {
                    drop(deadpool_postgres::Object::take(*object));
                }
            }
        }
    }
}

impl Deref for Connection<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        match &self.0 {
            Source::Borrowed(client) => client,
            #[cfg(feature = "deadpool")]
            #[expect(
                clippy::expect_used,
                reason = "only `discard` empties it, and that is the session's last act"
            )]
            Source::Pooled(object) => {
                object.as_ref().expect("a connection is not used after it was discarded")
            }
        }
    }
}

impl<'a> Link<'a> {
    /// A connection for one run.
    pub(crate) async fn connect(self) -> Result<Connection<'a>> {
        match self {
            Self::Client(client) => Ok(Connection(Source::Borrowed(client))),
            #[cfg(feature = "deadpool")]
            Self::Pool(pool) => {
                let object = pool.get().await.map_err(Error::from_pool)?;
                Ok(Connection(Source::Pooled(Some(Box::new(object)))))
            }
        }
    }

    /// The same once more, if it can give another connection when one breaks.
    pub(crate) const fn again(&self) -> Option<Self> {
        match self {
            Self::Client(_) => None,
            #[cfg(feature = "deadpool")]
            Self::Pool(pool) => Some(Self::Pool(pool)),
        }
    }

    /// A way to the server beside that connection.
    pub(crate) fn onlooker(&self) -> Onlooker {
        match self {
            Self::Client(_) => Onlooker::default(),
            #[cfg(feature = "deadpool")]
            Self::Pool(pool) => Onlooker { pool: Some((*pool).clone()) },
        }
    }
}

impl sealed::Connect for &mut Client {
    fn link<'a>(self) -> Link<'a>
    where
        Self: 'a,
    {
        Link::Client(self)
    }
}

#[cfg(feature = "deadpool")]
impl sealed::Connect for &mut deadpool_postgres::Object {
    fn link<'a>(self) -> Link<'a>
    where
        Self: 'a,
    {
        Link::Client(self)
    }
}

#[cfg(feature = "deadpool")]
impl sealed::Connect for &deadpool_postgres::Pool {
    fn link<'a>(self) -> Link<'a>
    where
        Self: 'a,
    {
        Link::Pool(self)
    }
}
