//! All that is about databases and nothing about tasks: connections, transactions, statements as text, rows, writes as
//! data, and the schema's migrations.

mod columns;
pub mod connect;
mod connection;
mod error;
pub mod migrate;
mod pool;
mod row;
mod sql;
pub mod statements;
mod write;

use std::time::Duration;

use sea_orm::sqlx::postgres::{PgListener, PgPoolOptions};
use sea_orm::sqlx::{self};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, SqlxSqliteConnector};

pub use columns::{ColumnKind, ColumnRef, Columns};
pub(crate) use connection::{Connection, Effect, End};
pub use error::Error;
use pool::Pool;
pub use pool::PoolStatus;
pub(crate) use row::cell;
pub use row::{Cell, Row};
pub(crate) use sql::Sql;
pub(crate) use write::{Assignment, Author, Expression, Verb, Write};

/// How long an operation waits for a connection.
const CONNECTION_WAIT: Duration = Duration::from_secs(1);
/// How long a write waits for the writes before it on SQLite, which has one writer at a time.
const WRITER_WAIT: Duration = Duration::from_secs(5);

/// An open database; clones share it.
#[derive(Clone)]
pub struct Database {
    readers: Pool,
    /// The same, but on SQLite. It has one writer at a time: writes wait in order, instead of polling for the file's
    /// lock, and all of them use one connection, whose cache nobody else's writes make stale.
    writers: Pool,
    has_writer: bool,
}

impl Database {
    /// Wraps an open database.
    #[must_use]
    pub fn new(db: DatabaseConnection) -> Self {
        let writer = match db.get_database_backend() {
            DbBackend::Sqlite => sqlite_writer(&db),
            _ => None,
        };
        let readers = Pool::new(db, CONNECTION_WAIT);
        let has_writer = writer.is_some();
        let writers = writer.map_or_else(|| readers.clone(), |writer| Pool::new(writer, WRITER_WAIT));
        Self { readers, writers, has_writer }
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.readers.db().get_database_backend()
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none is free for too long.
    pub(crate) async fn reader(&self) -> Result<Connection, Error> {
        Connection::of(&self.readers).await
    }

    /// A connection for writing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none is free for too long.
    pub(crate) async fn writer(&self) -> Result<Connection, Error> {
        Connection::of(&self.writers).await
    }

    /// A connection of its own that listens on a channel of PostgreSQL's; it cannot go back to a pool.
    pub(crate) async fn listen(&self, channel: &str) -> Result<PgListener, sqlx::Error> {
        let options = self.readers.db().get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new().max_connections(1).connect_with((*options).clone()).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(channel).await?;
        Ok(listener)
    }

    /// How the connections are used at this moment.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let readers = self.readers.status();
        if !self.has_writer {
            return readers;
        }
        let writers = self.writers.status();
        PoolStatus {
            in_use: readers.in_use + writers.in_use,
            idle: readers.idle + writers.idle,
            waiting: readers.waiting + writers.waiting,
        }
    }

    /// Closes connections that nobody uses, for as long as it is awaited.
    pub async fn keep_fresh(&self) {
        tokio::join!(self.readers.keep_fresh(), self.writers.keep_fresh());
    }

    /// Gives all connections back. Called once, when no further statement is sent.
    ///
    /// # Errors
    /// Where the connection of SQLite's writes cannot be closed.
    pub async fn close(&self) -> Result<(), DbErr> {
        self.readers.close();
        self.writers.close();
        if self.has_writer { self.writers.db().close_by_ref().await } else { Ok(()) }
    }
}

/// A pool of one connection, apart from that of the readers; none where that is the only one there can be, as for a
/// database in memory.
fn sqlite_writer(db: &DatabaseConnection) -> Option<DatabaseConnection> {
    let pool = db.get_sqlite_connection_pool();
    (pool.options().get_max_connections() > 1).then(|| {
        let options = pool.options().clone().max_connections(1);
        SqlxSqliteConnector::from_sqlx_sqlite_pool(options.connect_lazy_with((*pool.connect_options()).clone()))
    })
}
