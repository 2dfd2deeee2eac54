//! Tasks: the object over the row, its enums, and the inputs that make and change one.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object};

use super::context::ContextExt;
use super::date_time::DateTime;
use super::user::User;
use crate::domain::page::{self, Order};
use crate::domain::task::{self, ActiveModel, Column, Model, ORDERS, TaskId, TaskRow};
use crate::domain::{Error, Given, Problems, Store, Viewer};
use crate::graphql::error::ApiResult;

/// A task of the viewer's.
pub(in crate::graphql) struct Task(Model);

impl Task {
    /// The task of a row, all of whose columns were read.
    pub(super) fn read(row: &TaskRow) -> ApiResult<Self> {
        Ok(Self(row.model()?))
    }
}

impl From<Model> for Task {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// Something to be done. Only its owner sees it.
#[Object]
impl Task {
    /// A UUID, lower case.
    pub(in crate::graphql) async fn id(&self) -> ID {
        TaskId::from(self.0.id).to_string().into()
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
pub(in crate::graphql) enum TaskSort {
    /// By `createdAt`.
    Created,
    /// Letter case aside.
    Title,
    /// Tasks without a due date come last, in either direction.
    DueDate,
}

impl TaskSort {
    /// What is sorted by; the orders stand there as they do here.
    pub(in crate::graphql) fn order(self) -> Order<Column> {
        ORDERS[self as usize]
    }
}

/// Which way a list is sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "page::Direction")]
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
    /// A UUID of the client's own making, which makes a create idempotent: where the task exists already it is
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

/// Both inputs become a patch by the same rules: a line for each field.
macro_rules! patch {
    ($input:ident, $problems:ident) => {
        ActiveModel {
            title: $problems.required("title", $input.title, |title: String| task::title(&title)),
            description: $problems.optional("description", $input.description, task::description),
            priority: $problems.optional("priority", $input.priority, |priority: TaskPriority| Ok(priority.into())),
            due_date: $problems.optional("dueDate", $input.due_date, |due: DateTime| Ok(due.0)),
            ..Default::default()
        }
    };
}

impl CreateTaskInput {
    /// The task's id, where the client gives one, and its values.
    fn patch(self, viewer: &Viewer) -> Result<(Option<TaskId>, ActiveModel), Error> {
        let mut problems = Problems::default();
        let id = self.id.as_ref().and_then(|id| problems.check("id", task::own_id(viewer, id)));
        let input = self;
        let patch = patch!(input, problems);
        problems.finish().map(|()| (id, patch))
    }
}

impl UpdateTaskInput {
    /// The values to change.
    fn patch(self) -> Result<ActiveModel, Error> {
        let (input, mut problems) = (self, Problems::default());
        let mut patch = patch!(input, problems);
        patch.completed = problems.required("completed", input.completed, Ok);
        problems.finish().map(|()| patch)
    }
}

impl<T> From<MaybeUndefined<T>> for Given<T> {
    fn from(field: MaybeUndefined<T>) -> Self {
        match field {
            MaybeUndefined::Undefined => Self::Nothing,
            MaybeUndefined::Null => Self::Null,
            MaybeUndefined::Value(value) => Self::Value(value),
        }
    }
}

/// `createTask`.
pub(in crate::graphql) async fn create(
    store: &Store,
    viewer: &Viewer,
    input: CreateTaskInput,
) -> Result<TaskRow, Error> {
    let (id, patch) = input.patch(viewer).map_err(|error| error.within("input"))?;
    task::create(store, viewer, id, patch).await
}

/// `updateTask`.
pub(in crate::graphql) async fn update(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    input: UpdateTaskInput,
    expected_version: Option<i32>,
) -> Result<TaskRow, Error> {
    let patch = input.patch().map_err(|error| error.within("input"))?;
    task::update(store, viewer, id, patch, expected_version).await
}
