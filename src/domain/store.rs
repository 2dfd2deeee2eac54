//! The database with what every verb needs beside it: the clock, and transactions that cannot be cut short.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::{Clock, Error, Instant, Viewer, statements, user};

/// How long a write waits for the writes before it on SQLite, which has one writer at a time.
const WRITER_WAIT: Duration = Duration::from_secs(5);

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    clock: Clock,
    writes: TaskTracker,
    /// SQLite's writers queue here, in order, instead of polling for the file lock and holding a connection each.
    sqlite_writer: Option<Arc<Mutex<()>>>,
}

impl Store {
    /// Wraps an open database.
    #[must_use]
    pub fn new(mut db: DatabaseConnection, clock: Clock) -> Self {
        statements::watch(&mut db);
        let is_sqlite = db.get_database_backend() == sea_orm::DbBackend::Sqlite;
        let sqlite_writer = is_sqlite.then(|| Arc::new(Mutex::new(())));
        Self { db, clock, writes: TaskTracker::new(), sqlite_writer }
    }

    /// The connection pool, for reading.
    #[must_use]
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Whether the database answers. One statement.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.db.ping().await?)
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
        let run = async move { work(store.begin(viewer).await?).await };
        let task = self.writes.spawn(statements::carried(statements::counter(), run).in_current_span());
        task.await.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string().into())))
    }

    /// Waits until no write is under way. Called once, when no further request is taken.
    pub async fn finish_writes(&self) {
        self.writes.close();
        self.writes.wait().await;
    }

    async fn begin(self, viewer: Viewer) -> Result<Write, Error> {
        let turn = match self.sqlite_writer {
            Some(writer) => Some(
                tokio::time::timeout(WRITER_WAIT, writer.lock_owned())
                    .await
                    .map_err(|_| Error::Unavailable("waited too long for the writes before".into()))?,
            ),
            None => None,
        };
        let transaction = self.db.begin_with_options(immediate()).await?;
        let now = self.clock.now();
        let revision = user::take_revision(&transaction, &viewer, now).await?;
        Ok(Write { transaction, viewer, now, revision, _turn: turn })
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
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Write {
    /// Makes it durable and hands `value` on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`] where the database did not take it.
    pub async fn commit<T>(self, value: T) -> Result<T, Error> {
        self.transaction.commit().await?;
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
