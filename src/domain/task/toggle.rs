//! Turning a task over, in one conditional statement.

use super::{Entity, TaskId, TaskRow, rules};
use crate::database::{Verb, Write};
use crate::domain::{Error, Store, Viewer};

/// Makes a pending task completed and a completed one pending.
///
/// # Errors
/// [`Error::NotFound`]; [`Conflict::Version`](crate::domain::Conflict::Version) unless the task has `expected_version`,
/// where one is given; [`Error::Unavailable`].
pub async fn toggle(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    expected_version: Option<i32>,
) -> Result<TaskRow, Error> {
    let verb = Verb::Update { assignments: rules::toggled(), expected_version };
    store.write(viewer, Write::new::<Entity>(id.ok_or(Error::NotFound)?.uuid, verb)).await
}
