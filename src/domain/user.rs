//! Users: a row made by the first write, whose number orders the user's changes.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{Error, Instant, Store, UserId, Viewer};
use crate::entity::user::{ActiveModel, Column, Entity, Model};

/// Takes the viewer's row, making it at first sight, and numbers the change. The lock on the row puts the viewer's
/// writes in order, so that revisions rise in commit order. One statement.
pub(super) async fn take_revision(db: &impl ConnectionTrait, viewer: &Viewer, now: Instant) -> Result<i64, Error> {
    let row = ActiveModel {
        id: Set(viewer.id.to_string()),
        email: Set(viewer.email.as_deref().map(str::to_owned)),
        name: Set(viewer.name.as_deref().map(str::to_owned)),
        revision: Set(1),
        swept_revision: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let taken = OnConflict::column(Column::Id)
        .value(Column::Revision, Expr::cust("users.revision + 1"))
        .value(Column::Email, Expr::cust("coalesce(excluded.email, users.email)"))
        .value(Column::Name, Expr::cust("coalesce(excluded.name, users.name)"))
        .update_column(Column::UpdatedAt)
        .to_owned();
    Ok(Entity::insert(row).on_conflict(taken).exec_with_returning(db).await?.revision)
}

/// Finds users by id; one that never wrote is not there. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn by_ids(store: &Store, ids: &[UserId]) -> Result<HashMap<UserId, Model>, Error> {
    let rows =
        Entity::find().filter(Column::Id.is_in(ids.iter().map(UserId::as_str))).all(&store.lease().await?).await?;
    Ok(rows.into_iter().filter_map(|row| Some((UserId::new(&row.id)?, row))).collect())
}
