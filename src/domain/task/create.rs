//! Making a task. With an id of the client's own the call is idempotent.

use sea_orm::ActiveValue::Set;

use super::{ActiveModel, Entity, TaskId, TaskRow, rules};
use crate::database::Write;
use crate::domain::{Error, Store, Viewer};

/// Makes a task of the viewer's from the values of a patch. Where the client's own `id` is there already, returns what is
/// there and changes nothing.
///
/// # Errors
/// [`Conflict::Deleted`](crate::domain::Conflict::Deleted) where the id was deleted in the last 30 days;
/// [`Error::QuotaExceeded`]; [`Error::Unavailable`].
pub async fn create(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    mut task: ActiveModel,
) -> Result<TaskRow, Error> {
    rules::derive(&mut task);
    task.completed = Set(false);
    let uuid = id.unwrap_or_else(TaskId::random).uuid;
    let write = Write::insert::<Entity>(uuid, &task, id.is_some(), store.max_tasks());
    store.write(viewer, write).await
}
