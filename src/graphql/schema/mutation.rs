//! What can be changed.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::context::ContextExt;
use super::task::{self, CreateTaskInput, Task, UpdateTaskInput};
use crate::domain::task::{Model, TaskId, TaskRow};
use crate::domain::{self, Error};
use crate::graphql::error::ApiResult;

/// The root of mutations.
pub(in crate::graphql) struct Mutation;

/// What can be changed. Null, with an error, where refused; what earlier fields of the same document did stays done.
#[Object]
impl Mutation {
    /// Makes a task of the viewer's.
    async fn create_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is made of.")] input: CreateTaskInput,
    ) -> Option<ApiResult<CreateTaskPayload>> {
        let created = ctx.write(|store, viewer| whole(task::create(store, viewer, input)));
        Some(created.await.map(|task| CreateTaskPayload { task: task.into() }))
    }

    /// A field that is left out stays; null clears it (`title` and `completed` can't be null). What alters no value
    /// changes nothing: version and updatedAt stay. With `expectedVersion`, CONFLICT unless the task still has it.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "The fields to change.")] input: UpdateTaskInput,
        #[graphql(desc = "The version that the task must have.")] expected_version: Option<i32>,
    ) -> Option<ApiResult<UpdateTaskPayload>> {
        let id = TaskId::parse(&id);
        let updated = ctx.write(|store, viewer| whole(task::update(store, viewer, id, input, expected_version)));
        Some(updated.await.map(|task| UpdateTaskPayload { task: task.into() }))
    }

    /// Pending becomes completed and back. For a call that is safe to repeat, use updateTask with `completed`.
    async fn toggle_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "The version that the task must have.")] expected_version: Option<i32>,
    ) -> Option<ApiResult<ToggleTaskPayload>> {
        let id = TaskId::parse(&id);
        let toggled = ctx.write(|store, viewer| whole(domain::task::toggle(store, viewer, id, expected_version)));
        Some(toggled.await.map(|task| ToggleTaskPayload { task: task.into() }))
    }

    /// Removes the task for good. A second time: NOT_FOUND.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "The version that the task must have.")] expected_version: Option<i32>,
    ) -> Option<ApiResult<DeleteTaskPayload>> {
        let id = TaskId::parse(&id);
        let deleted = ctx.write(|store, viewer| domain::task::delete(store, viewer, id, expected_version));
        Some(deleted.await.map(|id| DeleteTaskPayload { deleted_task_id: id.to_string().into() }))
    }
}

/// The task that a write returned.
async fn whole(written: impl Future<Output = Result<TaskRow, Error>>) -> Result<Model, Error> {
    Ok(written.await?.model()?)
}

/// What became of `createTask`.
#[derive(SimpleObject)]
struct CreateTaskPayload {
    /// The task; where its id was there already, as it was.
    task: Task,
}

/// What became of `updateTask`.
#[derive(SimpleObject)]
struct UpdateTaskPayload {
    /// The task as it is now.
    task: Task,
}

/// What became of `toggleTask`.
#[derive(SimpleObject)]
struct ToggleTaskPayload {
    /// The task as it is now.
    task: Task,
}

/// What became of `deleteTask`.
#[derive(SimpleObject)]
struct DeleteTaskPayload {
    /// The id of the task that went.
    deleted_task_id: ID,
}
