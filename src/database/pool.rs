//! Connections. Whoever needs one waits here, in order and where it can be seen. sqlx tests a connection whenever it goes
//! back to its pool, which is a round trip to the database and a task for every statement, a quarter of what a small
//! read costs. A connection that has just answered needs no test, so it stays here, idle, for the next statement; one
//! that failed or was cut short, or that nobody has used for a second, goes back to sqlx and its tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::Values;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Executor, Postgres, Sqlite};
use sea_orm::{DatabaseConnection, DbBackend, QueryResult};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, timeout};

use super::Error;

/// How long a connection may be idle here.
const IDLE: Duration = Duration::from_secs(1);
/// How long one may stay before sqlx sees it again, which replaces old ones.
const KEPT: Duration = Duration::from_mins(5);

/// A number of connections; clones share them.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    db: DatabaseConnection,
    size: usize,
    /// How long to wait for one.
    wait: Duration,
    /// As many as there may be connections.
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Held>,
    /// Whether nothing is kept any more.
    is_closed: bool,
}

pub(super) enum SqlxConnection {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// A connection that was taken from sqlx's pool.
pub(super) struct Held {
    pub(super) connection: SqlxConnection,
    taken_at: Instant,
    used_at: Instant,
}

impl Held {
    pub(super) fn new(connection: SqlxConnection) -> Self {
        Self { connection, taken_at: Instant::now(), used_at: Instant::now() }
    }

    fn is_fresh(&self) -> bool {
        self.used_at.elapsed() < IDLE && self.taken_at.elapsed() < KEPT
    }
}

/// How connections are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that work for somebody.
    pub in_use: usize,
    /// Open connections that do not.
    pub idle: usize,
    /// Operations that wait for one.
    pub waiting: usize,
}

impl Pool {
    /// The connections of `db`; whoever finds none free waits for `wait`.
    pub(super) fn new(db: DatabaseConnection, wait: Duration) -> Self {
        let size = match db.get_database_backend() {
            DbBackend::Postgres => db.get_postgres_connection_pool().options().get_max_connections(),
            _ => db.get_sqlite_connection_pool().options().get_max_connections(),
        } as usize;
        let permits = Arc::new(Semaphore::new(size));
        Self(Arc::new(Shared { db, size, wait, permits, waiting: AtomicUsize::new(0), idle: Mutex::default() }))
    }

    /// The right to one of the connections.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        let permits = || Arc::clone(&self.0.permits);
        if let Ok(permit) = permits().try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.0.waiting);
        let permit = timeout(self.0.wait, permits().acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| Error::Unavailable("no database connection is free".into()))
    }

    pub(super) fn db(&self) -> &DatabaseConnection {
        &self.0.db
    }

    pub(super) fn status(&self) -> PoolStatus {
        let kept_by_sqlx = match self.0.db.get_database_backend() {
            DbBackend::Postgres => self.0.db.get_postgres_connection_pool().num_idle(),
            _ => self.0.db.get_sqlite_connection_pool().num_idle(),
        };
        PoolStatus {
            in_use: self.0.size - self.0.permits.available_permits(),
            idle: kept_by_sqlx + self.idle().connections.len(),
            waiting: self.0.waiting.load(Ordering::Relaxed),
        }
    }

    /// Opens a connection, or takes one that sqlx has.
    pub(super) async fn acquire(&self) -> Result<Held, sqlx::Error> {
        Ok(Held::new(match self.0.db.get_database_backend() {
            DbBackend::Postgres => SqlxConnection::Postgres(self.0.db.get_postgres_connection_pool().acquire().await?),
            _ => SqlxConnection::Sqlite(self.0.db.get_sqlite_connection_pool().acquire().await?),
        }))
    }

    pub(super) fn take_idle(&self) -> Option<Held> {
        self.idle().connections.pop().filter(Held::is_fresh)
    }

    pub(super) fn put_idle(&self, mut held: Held) {
        held.used_at = Instant::now();
        let mut idle = self.idle();
        if !idle.is_closed {
            idle.connections.push(held);
        }
    }

    /// Gives all idle connections back to sqlx.
    pub(super) fn release_idle(&self) {
        self.idle().connections.clear();
    }

    /// Gives idle connections back to sqlx that nobody uses, for as long as it is awaited.
    pub(super) async fn keep_fresh(&self) {
        let mut ticks = interval(IDLE);
        loop {
            ticks.tick().await;
            self.idle().connections.retain(Held::is_fresh);
        }
    }

    /// Keeps no connection from now on.
    pub(super) fn close(&self) {
        let mut idle = self.idle();
        idle.is_closed = true;
        idle.connections.clear();
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one that waits, for as long as it does.
struct Waiting<'p>(&'p AtomicUsize);

impl<'p> Waiting<'p> {
    fn new(count: &'p AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl SqlxConnection {
    pub(super) async fn query(&mut self, sql: &str, values: Values) -> Result<Vec<QueryResult>, sqlx::Error> {
        let (sql, values) = (AssertSqlSafe(sql), SqlxValues(values));
        Ok(match self {
            Self::Postgres(connection) => {
                let rows = connection.fetch_all(sqlx::query_with(sql, values)).await?;
                rows.into_iter().map(QueryResult::from).collect()
            }
            Self::Sqlite(connection) => {
                let rows = connection.fetch_all(sqlx::query_with(sql, values)).await?;
                rows.into_iter().map(QueryResult::from).collect()
            }
        })
    }

    pub(super) fn close_on_drop(&mut self) {
        match self {
            Self::Postgres(connection) => connection.close_on_drop(),
            Self::Sqlite(connection) => connection.close_on_drop(),
        }
    }
}
