//! A page of tasks, as the Relay cursor connections specification has it.

use async_graphql::{Context, Object, SimpleObject};

use super::context::ContextExt;
use super::task::{SortDirection, Task, TaskSort, TaskStatusFilter};
use crate::database::Columns;
use crate::domain::page::PageArguments;
use crate::domain::task::{self, List, Status, TaskPage, TaskRow};
use crate::domain::{Error, Store, Viewer, feed};
use crate::graphql::error::ApiResult;

/// The list that the arguments of `tasks` ask for.
pub(in crate::graphql) fn list(
    status: Option<TaskStatusFilter>,
    sort_by: Option<TaskSort>,
    direction: Option<SortDirection>,
    page: PageArguments,
    columns: Columns<task::Entity>,
) -> List {
    List {
        status: status.map(Into::into).unwrap_or_default(),
        order: sort_by.unwrap_or(TaskSort::Created).order(),
        direction: direction.map(Into::into),
        page,
        columns,
    }
}

/// Reads a page of it, and the sync token where that is wanted: before the rows, so that it can only be early.
pub(in crate::graphql) async fn read(
    store: &Store,
    viewer: &Viewer,
    list: List,
    needs_sync_token: bool,
) -> Result<(TaskPage, Option<String>), Error> {
    let sync_token = if needs_sync_token { Some(feed::sync_token(store, viewer).await?) } else { None };
    Ok((task::list(store, viewer, list).await?, sync_token))
}

/// Counts its tasks on all pages, as far as an `Int` goes.
pub(in crate::graphql) async fn count(store: &Store, viewer: &Viewer, status: Status) -> Result<i32, Error> {
    Ok(i32::try_from(task::count(store, viewer, status).await?).unwrap_or(i32::MAX))
}

/// A page of a list.
pub(in crate::graphql) struct TaskConnection {
    pub(in crate::graphql) status: Status,
    pub(in crate::graphql) page: TaskPage,
    /// It was read before the page, where it is selected.
    pub(in crate::graphql) sync_token: Option<String>,
}

/// A page of the viewer's tasks.
#[Object]
impl TaskConnection {
    /// The tasks, each with its cursor.
    async fn edges(&self) -> ApiResult<Vec<TaskEdge>> {
        let edge = |row| Ok(TaskEdge { cursor: self.page.cursor(row)?, node: Task::read(row)? });
        self.page.rows.iter().map(edge).collect()
    }

    /// The tasks.
    async fn nodes(&self) -> ApiResult<Vec<Task>> {
        self.page.rows.iter().map(Task::read).collect()
    }

    /// Where this page ends, and whether there are more.
    async fn page_info(&self) -> ApiResult<PageInfo> {
        let cursor = |row: Option<&TaskRow>| row.map(|row| self.page.cursor(row)).transpose();
        Ok(PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: cursor(self.page.rows.first())?,
            end_cursor: cursor(self.page.rows.last())?,
        })
    }

    /// How many tasks match, on all pages together. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> ApiResult<i32> {
        Ok(count(ctx.store(), ctx.viewer()?, self.status).await?)
    }

    /// A `since` that misses nothing that happened after this page was read (of several pages keep the first's). Looked
    /// up only when asked for.
    async fn sync_token(&self) -> ApiResult<&str> {
        let missing = || Error::Internal("a sync token was selected and not read".into());
        Ok(self.sync_token.as_deref().ok_or_else(missing)?)
    }
}

/// A task and its place in the list.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaskEdge {
    /// Give it as `after` or `before` to go on from this task. It stays good when the task changes or goes.
    cursor: String,
    /// The task.
    node: Task,
}

/// Where a page ends. Exact in the direction of paging; in the other, true where a cursor was given.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PageInfo {
    /// Whether more tasks follow.
    has_next_page: bool,
    /// Whether there are tasks before.
    has_previous_page: bool,
    /// The first task's cursor; null on an empty page.
    start_cursor: Option<String>,
    /// The last task's cursor; null on an empty page.
    end_cursor: Option<String>,
}
