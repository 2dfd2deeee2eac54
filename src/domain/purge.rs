//! Purging the tombstones of what was deleted long ago, a few users at a time.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::QueryResult;

use super::{Error, Instant, Store};
use crate::database::{Cell, ColumnKind, Effect, End, Sql, cell};

/// How long a tombstone is kept: as long as a client may come back with what it made offline, or with an old token.
pub(super) const KEPT_DAYS: i64 = 30;
/// Users whose tombstones are purged in one go, each in a transaction of its own.
const BATCH: usize = 100;

/// How often old tombstones are looked for.
const EVERY: Duration = Duration::from_hours(1);

/// Purges old tombstones now and then, for as long as it is awaited. Several servers may do so at once.
pub async fn keep_purging(store: &Store) {
    let mut hours = tokio::time::interval(EVERY);
    loop {
        hours.tick().await;
        loop {
            match purge(store).await {
                Ok(users) if users == BATCH => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(?error, "old tombstones were not purged; it is tried again later");
                    break;
                }
            }
        }
    }
}

/// Purges some users' old tombstones; returns how many users. Sync tokens from before what was purged expire with it.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn purge(store: &Store) -> Result<usize, Error> {
    let cutoff = store.now() - TimeDelta::days(KEPT_DAYS);
    let mut sql = Sql::new("select user_id, max(revision) from deleted_tasks where deleted_at <= ");
    sql.bind(cutoff).push(" group by user_id order by user_id limit ").bind(i64::try_from(BATCH).unwrap_or(i64::MAX));
    let users = store.read(sql).await?;
    for row in &users {
        let (user, revision) = last_of_user(row)?;
        let store = store.clone();
        store.clone().detached(async move { purge_user(&store, &user, revision, cutoff).await }).await?;
    }
    Ok(users.len())
}

async fn purge_user(store: &Store, user: &str, revision: i64, cutoff: Instant) -> Result<(), Error> {
    let mut connection = store.database().writer().await?;
    connection.begin().await?;
    let purged = async {
        let mut sql = Sql::new("update users set swept_revision = ");
        sql.bind(revision).push(" where id = ").bind(user).push(" and swept_revision < ").bind(revision);
        connection.query(sql, Effect::Writes).await?;
        let mut sql = Sql::new("delete from deleted_tasks where user_id = ");
        sql.bind(user).push(" and revision <= ").bind(revision).push(" and deleted_at <= ").bind(cutoff);
        connection.query(sql, Effect::Writes).await
    };
    let outcome: Result<_, Error> = purged.await.map(|_| End::Commit(())).map_err(Error::from);
    connection.end(outcome).await
}

/// A user, and the number of the last change that is to be purged.
fn last_of_user(row: &QueryResult) -> Result<(String, i64), Error> {
    match (cell(row, 0, ColumnKind::Text)?, cell(row, 1, ColumnKind::BigInt)?) {
        (Cell::Text(user), Cell::Int(revision)) => Ok((user.to_owned(), revision)),
        _ => Err(Error::Internal("a tombstone has no owner or number".into())),
    }
}
