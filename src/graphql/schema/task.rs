//! Tasks: the object over the row, its enums, and the inputs that make and change one.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object};

use super::context::ContextExt;
use super::date_time::DateTime;
use super::user::User;
use crate::domain::task::{self, Change, NewTask, TaskId, TaskUpdate};
use crate::graphql::error::ApiResult;

/// A task of the viewer's.
#[derive(Clone)]
pub(in crate::graphql) struct Task(pub(super) task::Task);

/// Something to be done. Only its owner sees it.
#[Object]
impl Task {
    /// A UUID, lower case.
    pub(in crate::graphql) async fn id(&self) -> ID {
        TaskId(self.0.id).into()
    }

    /// 1 to 200 code points after white space at the ends is taken off; no control characters.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// 10,000 code points at most; no control characters but tab and line breaks.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Whether it is done.
    async fn completed(&self) -> bool {
        self.0.completed
    }

    /// When it was last completed; null while it is pending.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(DateTime)
    }

    /// How urgent it is; null where nobody has said.
    async fn priority(&self) -> Option<TaskPriority> {
        self.0.priority.map(Into::into)
    }

    /// When it is due; null where it is due at no certain time.
    async fn due_date(&self) -> Option<DateTime> {
        self.0.due_date.map(DateTime)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When a value of it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// 1 at creation, one more with every change. Give it as `expectedVersion` to change only what you have seen.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whose it is: always the viewer.
    async fn owner(&self, ctx: &Context<'_>) -> ApiResult<User> {
        Ok(User(ctx.viewer()?.id.clone()))
    }
}

/// How urgent a task is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "task::Priority")]
pub(in crate::graphql) enum TaskPriority {
    /// It can wait.
    Low,
    /// In between.
    Medium,
    /// Before the others.
    High,
}

/// Which tasks a list holds.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "task::Status")]
pub(in crate::graphql) enum TaskStatusFilter {
    /// Pending and completed ones.
    All,
    /// Those still to be done.
    Pending,
    /// Those that are done.
    Completed,
}

/// Ties are broken by id, in the same direction, so that a page never repeats or skips a task.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "task::Sort")]
pub(in crate::graphql) enum TaskSort {
    /// By `createdAt`.
    Created,
    /// Letter case aside.
    Title,
    /// Tasks without a due date come last, in either direction.
    DueDate,
}

/// Which way a list is sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "task::Direction")]
pub(in crate::graphql) enum SortDirection {
    /// From A to Z, from old to new, from early to late.
    #[graphql(name = "ASC")]
    Ascending,
    /// From Z to A, from new to old, from late to early.
    #[graphql(name = "DESC")]
    Descending,
}

/// What a new task is made of.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateTaskInput {
    /// A UUID of the client's own making, so that a create can be sent again: where the task exists already it is
    /// returned as it is, unchanged. CONFLICT where it was deleted in the last 30 days. With hyphens, in either case;
    /// any other form, or the viewer's own id: BAD_USER_INPUT.
    id: Option<ID>,
    /// 1 to 200 code points after white space at the ends is taken off; no control characters.
    title: String,
    /// 10,000 code points at most; no control characters but tab and line breaks.
    description: Option<String>,
    /// How urgent it is.
    priority: Option<TaskPriority>,
    /// When it is due.
    due_date: Option<DateTime>,
}

/// The fields to change. One that is left out stays; null clears it.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateTaskInput {
    /// 1 to 200 code points after white space at the ends is taken off; no control characters. Can't be null.
    title: MaybeUndefined<String>,
    /// 10,000 code points at most; no control characters but tab and line breaks.
    description: MaybeUndefined<String>,
    /// Whether it is done. Can't be null. Safe to repeat, unlike `toggleTask`.
    completed: MaybeUndefined<bool>,
    /// How urgent it is.
    priority: MaybeUndefined<TaskPriority>,
    /// When it is due.
    due_date: MaybeUndefined<DateTime>,
}

impl From<CreateTaskInput> for NewTask {
    fn from(input: CreateTaskInput) -> Self {
        Self {
            id: input.id.map(Into::into),
            title: input.title,
            description: input.description,
            priority: input.priority.map(Into::into),
            due_date: input.due_date.map(|due| due.0),
        }
    }
}

impl From<UpdateTaskInput> for TaskUpdate {
    fn from(input: UpdateTaskInput) -> Self {
        Self {
            title: change(input.title),
            description: change(input.description),
            completed: change(input.completed),
            priority: change(input.priority.map_value(Into::into)),
            due_date: change(input.due_date.map_value(|due| due.0)),
        }
    }
}

fn change<T>(field: MaybeUndefined<T>) -> Change<T> {
    match field {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::Set(value),
    }
}
