//! Removing a task for good. What stays is that it went.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{TaskId, at_once, refusal};
use crate::domain::{Error, Store, Viewer, Write};
use crate::entity::{deleted_task, task};

/// Deletes one of the viewer's tasks and returns its id. Three statements; on PostgreSQL one, four where it is refused.
///
/// # Errors
/// [`Error::NotFound`]; [`Conflict::Version`](crate::domain::Conflict::Version) unless the task has `expected_version`,
/// where one is given; [`Error::Unavailable`].
pub async fn delete(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    expected_version: Option<i32>,
) -> Result<TaskId, Error> {
    let id = id.ok_or(Error::NotFound)?;
    if let Some(id) = at_once::delete(store, viewer, id, expected_version).await? {
        return Ok(id);
    }
    store
        .write(viewer, async move |write: Write| {
            let mut statement = task::Entity::delete_many()
                .filter(task::Column::UserId.eq(write.viewer.id.as_str()))
                .filter(task::Column::Id.eq(id.0));
            if let Some(version) = expected_version {
                statement = statement.filter(task::Column::Version.eq(version));
            }
            if statement.exec(&write.transaction).await?.rows_affected == 0 {
                return Err(refusal(&write.transaction, &write.viewer, id).await?);
            }
            leave_trace(&write, id).await?;
            write.commit(id).await
        })
        .await
}

async fn leave_trace(write: &Write, id: TaskId) -> Result<(), Error> {
    use deleted_task::{ActiveModel, Column, Entity};
    let row = ActiveModel {
        user_id: Set(write.viewer.id.to_string()),
        id: Set(id.0),
        revision: Set(write.revision),
        deleted_at: Set(write.now),
    };
    let renewed = OnConflict::columns([Column::UserId, Column::Id])
        .update_columns([Column::Revision, Column::DeletedAt])
        .to_owned();
    Entity::insert(row).on_conflict(renewed).exec_without_returning(&write.transaction).await?;
    Ok(())
}
