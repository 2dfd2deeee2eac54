//! The database with what every verb needs beside it: the clock, those who follow changes, and writes that cannot be cut
//! short.

use std::any::Any;
use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend, QueryResult};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::{Clock, Error, Instant, UserId};
use crate::database::{Database, Effect, PoolStatus, Sql, statements};

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Store {
    database: Database,
    clock: Clock,
    writes: TaskTracker,
    observer: Arc<dyn Observer>,
    max_tasks: Option<i64>,
}

/// One who hears of every commit.
pub(super) trait Observer: Any + Send + Sync {
    /// `user` has come to the change of this number.
    fn committed(&self, user: &UserId, number: i64);
}

impl Store {
    /// Wraps an open database. `observer` hears of every commit.
    pub(super) fn with_observer(db: DatabaseConnection, clock: Clock, observer: Arc<dyn Observer>) -> Self {
        Self { database: Database::new(db), clock, writes: TaskTracker::new(), observer, max_tasks: None }
    }

    /// Lets each user have at most so many tasks; 0 is no limit.
    #[must_use]
    pub fn with_max_tasks(self, most: u32) -> Self {
        Self { max_tasks: (most > 0).then_some(i64::from(most)), ..self }
    }

    /// How many tasks a user may have; no limit where absent.
    pub(super) fn max_tasks(&self) -> Option<i64> {
        self.max_tasks
    }

    /// Sends a statement that reads, and returns its rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Internal`].
    pub(super) async fn read(&self, sql: Sql) -> Result<Vec<QueryResult>, Error> {
        Ok(self.database.reader().await?.query(sql, Effect::Reads).await?)
    }

    /// Does a write in a task of its own, which goes on when nobody waits for it any more: a caller that goes away neither
    /// cuts it in half nor leaves a transaction open in the pool.
    ///
    /// # Errors
    /// What `write` returns; [`Error::Internal`] where it panics.
    pub(super) async fn detached<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let task = self.writes.spawn(statements::carried(statements::counter(), write).in_current_span());
        task.await.unwrap_or_else(|panic| Err(Error::Internal(panic.to_string().into())))
    }

    /// The present instant.
    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The database itself.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// The one who hears of every commit.
    pub(super) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.database.backend()
    }

    /// How the connections are used at this moment.
    #[must_use]
    pub fn pool(&self) -> PoolStatus {
        self.database.status()
    }

    /// Whether the database answers. One statement.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.read(Sql::new("select 1")).await.map(|_| ())
    }

    /// Closes connections that nobody uses, for as long as it is awaited.
    pub async fn keep_connections_fresh(&self) {
        self.database.keep_fresh().await;
    }

    /// Waits until no write is under way, and gives all connections back. Called once, when no further request is taken.
    pub async fn finish(&self) {
        self.writes.close();
        self.writes.wait().await;
        if let Err(error) = self.database.close().await {
            tracing::warn!(%error, "the connection of the writes was not closed");
        }
    }
}
