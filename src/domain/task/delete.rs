//! Removing a task for good. What stays is a tombstone.

use super::{Entity, TaskId};
use crate::database::{Verb, Write};
use crate::domain::{Error, Store, Viewer};

/// Deletes one of the viewer's tasks and returns its id.
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
    store.write::<Entity>(viewer, Write::new::<Entity>(id.uuid, Verb::Delete { expected_version })).await?;
    Ok(id)
}
