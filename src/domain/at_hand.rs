//! Connections that are kept at hand. sqlx tests a connection whenever it goes back to the pool, which is a round trip to
//! the database and a task for every statement, a quarter of what a small read costs. One that has just answered needs no
//! test, so it waits here for the next statement; one that failed, was cut short, or has not been used for a second goes
//! back to the pool and its tests. There are never more of them than nobody has a right to
//! ([`Store`](super::Store) sees to that), so that who asks the pool itself finds a connection there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::Values;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Executor, Postgres, Sqlite};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::interval;

use super::statements;

/// How long a connection may lie here unused.
const IDLE: Duration = Duration::from_secs(1);
/// How long one may stay before the pool sees it again, which replaces old ones.
const KEPT: Duration = Duration::from_mins(5);

/// Connections at hand; clones share them.
#[derive(Clone, Default)]
pub(super) struct AtHand(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    kept: Vec<Kept>,
    /// Whether nothing is kept any more.
    is_closed: bool,
}

struct Kept {
    connection: Connection,
    taken_at: Instant,
    used_at: Instant,
}

enum Connection {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// What a statement does, which decides whether it can be sent again when its connection was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Reads,
    /// It is a transaction by itself.
    Writes,
}

impl AtHand {
    /// Gives all but `most` of them back to the pool. How many that is, is asked when nobody can take one meanwhile.
    pub(super) fn shrink(&self, most: impl FnOnce() -> usize) {
        let mut held = self.lock();
        let surplus = held.kept.len().saturating_sub(most());
        held.kept.drain(..surplus);
    }

    /// Gives back what has lain here for too long, for as long as it is awaited.
    pub(super) async fn keep_fresh(&self) {
        let mut ticks = interval(IDLE);
        loop {
            ticks.tick().await;
            self.lock().kept.retain(Kept::is_fresh);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().kept.len()
    }

    /// Gives all of them back, and whatever comes later.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.shrink(|| 0);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Kept> {
        self.lock().kept.pop().filter(Kept::is_fresh)
    }

    fn put(&self, mut kept: Kept) {
        kept.used_at = Instant::now();
        let mut held = self.lock();
        if !held.is_closed {
            held.kept.push(kept);
        }
    }
}

impl Kept {
    fn is_fresh(&self) -> bool {
        self.used_at.elapsed() < IDLE && self.taken_at.elapsed() < KEPT
    }
}

impl Connection {
    async fn acquire(db: &DatabaseConnection) -> Result<Self, sqlx::Error> {
        Ok(match db.get_database_backend() {
            DbBackend::Postgres => Self::Postgres(db.get_postgres_connection_pool().acquire().await?),
            _ => Self::Sqlite(db.get_sqlite_connection_pool().acquire().await?),
        })
    }

    async fn query(&mut self, sql: &str, values: Values) -> Result<Vec<QueryResult>, sqlx::Error> {
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
}

/// The right to one of them, one statement at a time.
pub(super) struct Lease<'s> {
    pub(super) db: &'s DatabaseConnection,
    pub(super) at_hand: &'s AtHand,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Lease<'_> {
    /// Runs a statement and gives its rows; its connection is at hand again where that went well. Where the connection had
    /// been at hand and was cut meanwhile, by a restart of the database most likely, the statement is sent a second time
    /// if that can do no harm.
    pub(super) async fn query(&self, statement: Statement, effect: Effect) -> Result<Vec<QueryResult>, DbErr> {
        let failed = |error: sqlx::Error| DbErr::Query(RuntimeErr::SqlxError(error.into()));
        let values = statement.values.unwrap_or(Values(Vec::new()));
        statements::count_one();
        if let Some(mut kept) = self.at_hand.take() {
            match kept.connection.query(&statement.sql, values.clone()).await {
                Ok(rows) => {
                    self.at_hand.put(kept);
                    return Ok(rows);
                }
                Err(error) if is_cut(&error) => {
                    // The others were cut with it.
                    self.at_hand.shrink(|| 0);
                    if effect == Effect::Writes && !is_undone(&error) {
                        return Err(failed(error));
                    }
                }
                Err(error) => return Err(failed(error)),
            }
        }
        let connection =
            Connection::acquire(self.db).await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        let mut fresh = Kept { connection, taken_at: Instant::now(), used_at: Instant::now() };
        let outcome = fresh.connection.query(&statement.sql, values).await;
        if outcome.is_ok() {
            self.at_hand.put(fresh);
        }
        outcome.map_err(failed)
    }
}

/// For SeaORM's reads.
#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Lease<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(only_reads())
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(only_reads())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query(statement, Effect::Reads).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.query(statement, Effect::Reads).await
    }
}

fn only_reads() -> DbErr {
    DbErr::Custom("a lease only reads through SeaORM".into())
}

/// Whether the connection ended under a statement.
fn is_cut(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_)) || is_undone(error)
}

/// Whether PostgreSQL itself ended the connection, and says so in place of an answer: 57P01 to 57P05 (appendix A). Then
/// nothing was committed.
fn is_undone(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("57P")))
}
