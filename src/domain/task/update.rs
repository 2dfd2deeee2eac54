//! Changing a task. What alters no value changes nothing.

use super::{ActiveModel, Entity, TaskId, TaskRow, rules};
use crate::database::{Verb, Write};
use crate::domain::{Error, Store, Viewer};

/// Sets the values of a patch in one of the viewer's tasks and returns it as it is then.
///
/// # Errors
/// [`Error::NotFound`]; [`Conflict::Version`](crate::domain::Conflict::Version) unless the task has `expected_version`,
/// where one is given; [`Error::Unavailable`].
pub async fn update(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    patch: ActiveModel,
    expected_version: Option<i32>,
) -> Result<TaskRow, Error> {
    let verb = Verb::Update { assignments: rules::assignments(patch), expected_version };
    store.write(viewer, Write::new::<Entity>(id.ok_or(Error::NotFound)?.uuid, verb)).await
}
