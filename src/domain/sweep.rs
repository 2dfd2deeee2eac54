//! Sweeping the traces of tasks that were deleted long ago, a few at a time.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionTrait};

use super::store::immediate;
use super::{Error, Store};
use crate::entity::{deleted_task, user};

/// How long a trace is kept: as long as a client may come back with what it made offline, or with an old token.
pub(super) const KEPT_DAYS: i64 = 30;
/// Users that are swept in one go; each in a transaction of its own.
const BATCH: u32 = 100;

/// How often old traces are looked for.
const EVERY: Duration = Duration::from_hours(1);

/// Sweeps old traces now and then, for as long as it is awaited. Several servers may do so at once.
pub async fn keep_swept(store: &Store) {
    let mut hours = tokio::time::interval(EVERY);
    loop {
        hours.tick().await;
        loop {
            match sweep(store).await {
                Ok(users) if users == BATCH as usize => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(?error, "old traces of deleted tasks were not swept; it is tried again later");
                    break;
                }
            }
        }
    }
}

/// Sweeps some users' old traces; returns how many users. Tokens from before what was swept expire with it.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn sweep(store: &Store) -> Result<usize, Error> {
    use deleted_task::Column;
    let cutoff = store.now() - TimeDelta::days(KEPT_DAYS);
    let users: Vec<(String, i64)> = deleted_task::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column_as(Column::Revision.max(), "swept")
        .filter(Column::DeletedAt.lte(cutoff))
        .group_by(Column::UserId)
        .order_by_asc(Column::UserId)
        .limit(u64::from(BATCH))
        .into_tuple()
        .all(&*store.connection().await?)
        .await?;
    for (user_id, swept) in &users {
        let connection = store.connection().await?;
        let transaction = connection.begin_with_options(immediate()).await?;
        user::Entity::update_many()
            .col_expr(user::Column::SweptRevision, Expr::value(*swept))
            .filter(user::Column::Id.eq(user_id))
            .filter(Expr::col(user::Column::SweptRevision).lt(*swept))
            .exec(&transaction)
            .await?;
        deleted_task::Entity::delete_many()
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Revision.lte(*swept))
            .filter(Column::DeletedAt.lte(cutoff))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(users.len())
}
