//! The database with what every verb needs beside it: the clock, and transactions that cannot be cut short.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, SqliteTransactionMode, SqlxSqliteConnector,
    Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::at_hand::{AtHand, Effect, Lease};
use super::feed::{FeedStatus, Hub};
use super::{Clock, Error, Instant, Viewer, statements, user};

/// How long a write waits for the writes before it on SQLite, which has one writer at a time.
const WRITER_WAIT: Duration = Duration::from_secs(5);

/// How long an operation waits for a connection.
const CONNECTION_WAIT: Duration = Duration::from_secs(1);

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    clock: Clock,
    writes: TaskTracker,
    /// As many as the pool has connections. Who waits, waits here, in order and where it can be seen.
    connections: Arc<Semaphore>,
    pool_size: usize,
    waiting: Arc<AtomicUsize>,
    sqlite_writer: Option<SqliteWriter>,
    hub: Hub,
    at_hand: AtHand,
}

impl Store {
    /// Wraps an open database.
    #[must_use]
    pub fn new(mut db: DatabaseConnection, clock: Clock) -> Self {
        statements::watch(&mut db);
        let is_sqlite = db.get_database_backend() == DbBackend::Sqlite;
        let sqlite_writer = is_sqlite.then(|| SqliteWriter::of(&db));
        let pool_size = if is_sqlite {
            db.get_sqlite_connection_pool().options().get_max_connections()
        } else {
            db.get_postgres_connection_pool().options().get_max_connections()
        } as usize;
        let connections = Arc::new(Semaphore::new(pool_size));
        let waiting = Arc::default();
        let (hub, at_hand) = (Hub::default(), AtHand::default());
        Self { db, clock, writes: TaskTracker::new(), connections, pool_size, waiting, sqlite_writer, hub, at_hand }
    }

    /// A connection's worth of the pool, for one statement at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none is free for too long.
    pub(super) async fn connection(&self) -> Result<Connection<'_>, Error> {
        let permit = self.permit().await?;
        self.leave_to_pool();
        Ok(Connection { db: &self.db, _permit: permit })
    }

    /// The right to a connection at hand, one statement at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where no connection is free for too long.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, Error> {
        Ok(Lease { db: &self.db, at_hand: &self.at_hand, _permit: self.permit().await? })
    }

    /// Sees to it that the pool has a connection for who has just got the right to one.
    fn leave_to_pool(&self) {
        self.at_hand.shrink(|| self.connections.available_permits());
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.waiting);
        let permit = tokio::time::timeout(CONNECTION_WAIT, Arc::clone(&self.connections).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| Error::Unavailable("no database connection is free".into()))
    }

    /// The present instant.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// How the pool is used at this moment.
    #[must_use]
    pub fn pool(&self) -> PoolStatus {
        let idle = if self.sqlite_writer.is_some() {
            self.db.get_sqlite_connection_pool().num_idle()
        } else {
            self.db.get_postgres_connection_pool().num_idle()
        };
        let idle = idle + self.at_hand.len();
        let writes = self.sqlite_writer.as_ref().is_some_and(|writer| writer.is_apart && writer.is_busy());
        PoolStatus {
            in_use: self.pool_size - self.connections.available_permits() + usize::from(writes),
            idle,
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    /// Who follows changes in this process.
    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// How much is followed at this moment.
    #[must_use]
    pub fn feed(&self) -> FeedStatus {
        self.hub.status()
    }

    /// The pool itself, for what needs a connection outside of it.
    pub(super) fn database(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Whether the database answers. One statement.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.connection().await?.ping().await?)
    }

    /// Runs `work` in a transaction that holds the viewer's row and carries the number of the change. It runs in a task
    /// of its own: a caller that goes away neither cuts it in half nor leaves a transaction open in the pool. What
    /// `work` does not [`commit`](Write::commit) is undone, the row's number too.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Unavailable`] where the database is; [`Error::Internal`] where `work` panics.
    pub async fn write<T, F, Fut>(&self, viewer: &Viewer, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(Write) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let (store, viewer) = (self.clone(), viewer.clone());
        self.uncut(async move { work(store.begin(viewer).await?).await }).await
    }

    /// Sends a statement that is a whole write, in a task of its own too. Its row begins with the number of the change;
    /// where there is none, no task was changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the database is; [`Error::Internal`].
    pub(super) async fn write_at_once(
        &self,
        viewer: &Viewer,
        statement: Statement,
    ) -> Result<Option<QueryResult>, Error> {
        let (store, user) = (self.clone(), viewer.id.clone());
        let run = async move {
            let row = store.lease().await?.query(statement, Effect::Writes).await?.into_iter().next();
            if let Some(row) = &row {
                store.hub.tell(&user, row.try_get_by_index(0)?);
            }
            Ok(row)
        };
        self.uncut(run).await
    }

    /// Does a write in a task of its own, which goes on when nobody waits for it any more.
    async fn uncut<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let task = self.writes.spawn(statements::carried(statements::counter(), write).in_current_span());
        task.await.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string().into())))
    }

    /// Gives connections that nobody uses back to the pool, for as long as it is awaited.
    pub async fn keep_connections_fresh(&self) {
        self.at_hand.keep_fresh().await;
    }

    /// Waits until no write is under way, and gives all connections back. Called once, when no further request is taken.
    pub async fn finish(&self) {
        self.writes.close();
        self.writes.wait().await;
        self.at_hand.close();
        if let Some(writer) = &self.sqlite_writer
            && let Err(error) = writer.finish().await
        {
            tracing::warn!(%error, "the connection of the writes was not closed");
        }
    }

    async fn begin(self, viewer: Viewer) -> Result<Write, Error> {
        let turn = match &self.sqlite_writer {
            Some(writer) => Some(writer.turn().await?),
            None => None,
        };
        let permit = if self.sqlite_writer.as_ref().is_some_and(|writer| writer.is_apart) {
            None
        } else {
            let permit = self.permit().await?;
            self.leave_to_pool();
            Some(permit)
        };
        let transaction = turn.as_deref().unwrap_or(&self.db).begin_with_options(immediate()).await?;
        let now = self.clock.now();
        let revision = user::take_revision(&transaction, &viewer, now).await?;
        Ok(Write { transaction, viewer, now, revision, hub: self.hub, _permit: permit, _turn: turn })
    }
}

/// SQLite has one writer at a time. Writes queue here, in order, instead of polling for the file's lock, and all of them
/// use one connection, apart from the pool: what it has read of the file stays good, since hardly anybody else writes.
#[derive(Clone)]
struct SqliteWriter {
    turn: Arc<Mutex<DatabaseConnection>>,
    /// A pool of one connection, as a database in memory has, has none to spare.
    is_apart: bool,
}

impl SqliteWriter {
    fn of(db: &DatabaseConnection) -> Self {
        let pool = db.get_sqlite_connection_pool();
        let is_apart = pool.options().get_max_connections() > 1;
        let writer = if is_apart {
            let options = pool.options().clone().max_connections(1);
            let mut writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(
                options.connect_lazy_with((*pool.connect_options()).clone()),
            );
            statements::watch(&mut writer);
            writer
        } else {
            db.clone()
        };
        Self { turn: Arc::new(Mutex::new(writer)), is_apart }
    }

    async fn turn(&self) -> Result<OwnedMutexGuard<DatabaseConnection>, Error> {
        let turn = tokio::time::timeout(WRITER_WAIT, Arc::clone(&self.turn).lock_owned()).await;
        turn.map_err(|_| Error::Unavailable("waited too long for the writes before".into()))
    }

    fn is_busy(&self) -> bool {
        self.turn.try_lock().is_err()
    }

    async fn finish(&self) -> Result<(), DbErr> {
        if self.is_apart { self.turn.lock().await.close_by_ref().await } else { Ok(()) }
    }
}

/// How a pool is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that work for somebody.
    pub in_use: usize,
    /// Open connections that do not.
    pub idle: usize,
    /// Operations that wait for one.
    pub waiting: usize,
}

/// The pool, with the right to one of its connections.
pub(super) struct Connection<'s> {
    db: &'s DatabaseConnection,
    _permit: OwnedSemaphorePermit,
}

impl Deref for Connection<'_> {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        self.db
    }
}

/// Counts one that waits, for as long as it does.
struct Waiting<'s>(&'s AtomicUsize);

impl<'s> Waiting<'s> {
    fn new(count: &'s AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A transaction that on SQLite takes the write lock at once: one that began by reading could not wait for it.
#[must_use]
pub(super) fn immediate() -> TransactionOptions {
    TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() }
}

/// A write under way: the viewer's row is locked until it ends.
pub struct Write {
    /// Where the statements go.
    pub transaction: DatabaseTransaction,
    /// Whose data it is.
    pub viewer: Viewer,
    /// When it happens.
    pub now: Instant,
    /// The number of this change among the viewer's.
    pub revision: i64,
    hub: Hub,
    _permit: Option<OwnedSemaphorePermit>,
    _turn: Option<OwnedMutexGuard<DatabaseConnection>>,
}

impl Write {
    /// Makes it durable, wakes those who follow, and hands `value` on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`] where the database did not take it.
    pub async fn commit<T>(self, value: T) -> Result<T, Error> {
        self.transaction.commit().await?;
        self.hub.tell(&self.viewer.id, self.revision);
        Ok(value)
    }

    /// Leaves everything as it was and hands `value` on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the database went away meanwhile.
    pub async fn abandon<T>(self, value: T) -> Result<T, Error> {
        self.transaction.rollback().await?;
        Ok(value)
    }
}
