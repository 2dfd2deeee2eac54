//! Reading on connections that are kept at hand. sqlx tests a connection whenever it goes back to the pool, which is a
//! round trip to PostgreSQL and a task for every statement, a quarter of what a small read costs. One that has just
//! answered needs no test, so it waits here for the next statement; one that failed, was cut short, or has not been
//! used for a while goes back to the pool and its tests. There are never more of them than nobody has a right to
//! ([`Store`](super::Store) sees to that), so that who asks the pool itself finds a connection there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sea_query::Values;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Executor, Postgres};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use tokio::sync::OwnedSemaphorePermit;

use super::statements;

/// How long a connection may lie here unused.
const IDLE: Duration = Duration::from_secs(1);
/// How long one may stay before the pool sees it again, which replaces old ones.
const KEPT: Duration = Duration::from_mins(5);

/// Connections at hand; clones share them.
#[derive(Clone, Default)]
pub(super) struct AtHand(Arc<Mutex<Vec<Kept>>>);

struct Kept {
    connection: PoolConnection<Postgres>,
    taken_at: Instant,
    used_at: Instant,
}

impl AtHand {
    /// Gives all but `most` of them back to the pool.
    pub(super) fn shrink(&self, most: usize) {
        let mut kept = self.kept();
        let surplus = kept.len().saturating_sub(most);
        kept.drain(..surplus);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Kept> {
        let kept = self.kept().pop()?;
        (kept.used_at.elapsed() < IDLE && kept.taken_at.elapsed() < KEPT).then_some(kept)
    }

    fn put(&self, mut kept: Kept) {
        kept.used_at = Instant::now();
        self.kept().push(kept);
    }
}

/// The right to read, one statement at a time.
pub(super) struct Reader<'s> {
    pub(super) db: &'s DatabaseConnection,
    pub(super) at_hand: &'s AtHand,
    pub(super) _permit: OwnedSemaphorePermit,
}

type Query<'q> = sqlx::query::Query<'q, Postgres, SqlxValues>;

impl Reader<'_> {
    /// Runs `work` on a connection of PostgreSQL's, which is at hand again where that went well. One that was at hand and
    /// was cut meanwhile, by a restart of the database most likely, costs a second try.
    async fn on_postgres<T>(
        &self,
        statement: Statement,
        work: impl AsyncFn(Query<'_>, &mut sqlx::PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let failed = |error: sqlx::Error| DbErr::Query(RuntimeErr::SqlxError(error.into()));
        let values = statement.values.unwrap_or(Values(Vec::new()));
        let query = || sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), SqlxValues(values.clone()));
        statements::count_one();
        if let Some(mut kept) = self.at_hand.take() {
            match work(query(), &mut kept.connection).await {
                Ok(value) => {
                    self.at_hand.put(kept);
                    return Ok(value);
                }
                Err(error) if !is_cut(&error) => return Err(failed(error)),
                // The others were cut with it.
                Err(_) => self.at_hand.shrink(0),
            }
        }
        let connection = self.db.get_postgres_connection_pool().acquire().await.map_err(failed)?;
        let mut fresh = Kept { connection, taken_at: Instant::now(), used_at: Instant::now() };
        let outcome = work(query(), &mut fresh.connection).await;
        if outcome.is_ok() {
            self.at_hand.put(fresh);
        }
        outcome.map_err(failed)
    }

    fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Reader<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.db.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if !self.is_postgres() {
            return self.db.query_one_raw(statement).await;
        }
        let row = self.on_postgres(statement, async |query, connection| connection.fetch_optional(query).await);
        Ok(row.await?.map(QueryResult::from))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if !self.is_postgres() {
            return self.db.query_all_raw(statement).await;
        }
        let rows = self.on_postgres(statement, async |query, connection| connection.fetch_all(query).await);
        Ok(rows.await?.into_iter().map(QueryResult::from).collect())
    }
}

/// Whether the connection ended under a statement. PostgreSQL says why it ends one: 57P01 to 57P05 (appendix A).
fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
