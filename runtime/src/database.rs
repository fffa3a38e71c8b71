//! What migrations can run on: a pool, a pooled connection or a plain client.

use std::ops::Deref;

use tokio_postgres::Client;

#[cfg(feature = "deadpool")]
use crate::error::Error;
use crate::error::Result;
#[cfg(feature = "deadpool")]
use crate::watch::Onlooker;

use self::sealed::Connecting;

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
    use std::pin::Pin;

    use super::{Connection, Result};
    use crate::watch::Onlooker;

    /// A connection to come. Boxed: a run that awaits an opaque future with a lifetime is not `Send`
    /// as far as the compiler can tell (rust-lang/rust#100013), so it could not be spawned.
    pub(crate) type Connecting<'a> =
        Pin<Box<dyn Future<Output = Result<Connection<'a>>> + Send + 'a>>;

    /// The closed part of [`Database`](super::Database).
    pub trait Connect: Send {
        /// A connection for one run.
        fn connect<'a>(self) -> Connecting<'a>
        where
            Self: 'a;

        /// The same once more, if it can give another connection when one breaks.
        fn again(&self) -> Option<Self>
        where
            Self: Sized;

        /// A way to the server beside that connection.
        fn onlooker(&self) -> Onlooker {
            Onlooker::default()
        }
    }
}

/// A connection for one run.
#[doc(hidden)]
#[derive(Debug)]
pub struct Connection<'a>(Source<'a>);

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

impl sealed::Connect for &mut Client {
    fn connect<'a>(self) -> Connecting<'a>
    where
        Self: 'a,
    {
        Box::pin(async { Ok(Connection(Source::Borrowed(self))) })
    }

    fn again(&self) -> Option<Self> {
        None
    }
}

#[cfg(feature = "deadpool")]
impl sealed::Connect for &mut deadpool_postgres::Object {
    fn connect<'a>(self) -> Connecting<'a>
    where
        Self: 'a,
    {
        Box::pin(async { Ok(Connection(Source::Borrowed(self))) })
    }

    fn again(&self) -> Option<Self> {
        None
    }
}

#[cfg(feature = "deadpool")]
impl sealed::Connect for &deadpool_postgres::Pool {
    fn connect<'a>(self) -> Connecting<'a>
    where
        Self: 'a,
    {
        Box::pin(async {
            let object = self.get().await.map_err(Error::from_pool)?;
            Ok(Connection(Source::Pooled(Some(Box::new(object)))))
        })
    }

    fn again(&self) -> Option<Self> {
        Some(*self)
    }

    fn onlooker(&self) -> Onlooker {
        Onlooker { pool: Some((*self).clone()) }
    }
}
