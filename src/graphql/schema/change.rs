//! What has changed: the feed of deltas.

use async_graphql::{Enum, ID, Object, SimpleObject};

use super::task::Task;
use crate::domain::feed::{self, ChangePage, Object};
use crate::domain::task::TaskId;
use crate::graphql::error::ApiResult;

/// A page of changes.
pub(in crate::graphql) struct TaskChangePage(pub(super) ChangePage);

/// What has changed since a token, oldest change first, each task once.
#[Object]
impl TaskChangePage {
    /// The changes. Apply them in this order.
    async fn changes(&self) -> ApiResult<Vec<TaskChange>> {
        self.0.changes.iter().map(TaskChange::read).collect()
    }

    /// The `since` of the next call.
    async fn sync_token(&self) -> &str {
        &self.0.sync_token
    }

    /// Whether there are more changes already: call again at once.
    async fn has_more(&self) -> bool {
        self.0.has_more
    }
}

/// What has become of one task.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaskChange {
    /// What kind of change it is.
    kind: TaskChangeKind,
    /// Which task.
    task_id: ID,
    /// The task as it is now; null when it was deleted.
    task: Option<Task>,
    /// The `since` with which to go on after this change.
    sync_token: String,
}

impl TaskChange {
    /// The change, with its task.
    pub(super) fn read(change: &feed::Change) -> ApiResult<Self> {
        let task = change.changed.object.as_ref().map(|Object::Task(row)| Task::read(row)).transpose()?;
        Ok(Self {
            kind: change.kind.into(),
            task_id: TaskId::from(change.changed.id).to_string().into(),
            task,
            sync_token: change.sync_token.clone(),
        })
    }
}

/// Seen from the token that this page or event went on from. Clients treat CREATED and UPDATED alike (put the task), and
/// DELETED as "remove it if you have it".
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "feed::ChangeKind")]
pub(in crate::graphql) enum TaskChangeKind {
    /// The task is new.
    Created,
    /// The task was there already.
    Updated,
    /// The task went.
    Deleted,
}
