//! What can be asked.

use async_graphql::{Context, ID, Object};
use futures_util::future::try_join_all;

use super::change::TaskChangePage;
use super::connection::{TaskConnection, list, read};
use super::context::ContextExt;
use super::node::{Node, node};
use super::task::{SortDirection, Task, TaskSort, TaskStatusFilter};
use super::user::User;
use crate::database::Columns;
use crate::domain::page::PageArguments;
use crate::domain::task::TaskId;
use crate::domain::{Error, Problems, feed};
use crate::graphql::error::ApiResult;

/// Most ids of a `nodes` field.
const MAX_NODES: usize = 100;

/// The root of queries.
pub(in crate::graphql) struct Query;

/// Checks how many ids `nodes` gets.
pub(in crate::graphql) fn check_ids(ids: &[ID]) -> Result<(), Error> {
    let mut problems = Problems::default();
    if ids.len() > MAX_NODES {
        problems.add("ids", format!("At most {MAX_NODES} ids at once; these are {}.", ids.len()));
    }
    problems.finish()
}

/// What can be asked. All of it is about the viewer: the user for whom the token speaks.
#[Object]
impl Query {
    /// Who the token speaks for.
    async fn viewer(&self, ctx: &Context<'_>) -> ApiResult<User> {
        Ok(User(ctx.viewer()?.id.clone()))
    }

    /// One of the viewer's tasks. Absent, someone else's, or no UUID: null, with an error of code NOT_FOUND.
    async fn task(&self, ctx: &Context<'_>, #[graphql(desc = "The task's id.")] id: ID) -> Option<ApiResult<Task>> {
        let find = async {
            let id = TaskId::parse(&id).ok_or(Error::NotFound)?;
            Ok(ctx.loaders()?.tasks.load(id).await?.ok_or(Error::NotFound)?.into())
        };
        Some(find.await)
    }

    /// The viewer's tasks, a page at a time. Give `first`/`after` or `last`/`before`, not a mix; 50 without either, 0 to
    /// 100. A cursor belongs to its sort and direction; `status` may change between pages.
    #[expect(clippy::too_many_arguments, reason = "the arguments of the field, in the order in which it lists them")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tasks.", default_with = "Some(TaskStatusFilter::All)")] status: Option<
            TaskStatusFilter,
        >,
        #[graphql(desc = "By what they are sorted.", default_with = "Some(TaskSort::Created)")] sort_by: Option<
            TaskSort,
        >,
        #[graphql(desc = "DESC for CREATED and ASC for the others, unless said otherwise.")] direction: Option<
            SortDirection,
        >,
        #[graphql(desc = "How many from the start, or after the cursor `after`: 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, or before the cursor `before`: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only tasks before this cursor.")] before: Option<String>,
    ) -> ApiResult<TaskConnection> {
        let list = list(status, sort_by, direction, PageArguments { first, after, last, before }, Columns::all());
        let (status, needs_sync_token) = (list.status, ctx.look_ahead().field("syncToken").exists());
        let (page, sync_token) = read(ctx.store(), ctx.viewer()?, list, needs_sync_token).await?;
        Ok(TaskConnection { status, page, sync_token })
    }

    /// Any object by its id; null when there is none that the viewer can see. The viewer's own id comes first.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of a task or of the viewer.")] id: ID,
    ) -> Option<ApiResult<Node>> {
        node(ctx, &id).await.transpose()
    }

    /// Several objects in the order asked, null where there is none; more than 100 ids: BAD_USER_INPUT.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 ids.")] ids: Vec<ID>,
    ) -> ApiResult<Vec<Option<Node>>> {
        check_ids(&ids)?;
        try_join_all(ids.iter().map(|id| node(ctx, id))).await
    }

    /// What has changed since `since`, oldest change first, each task once a page; `first` is 1 to 500. Without `since`:
    /// all there is, and nothing DELETED. A task that changes while you page comes again; one created and deleted since
    /// may be left out.
    async fn task_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A sync token: from the page before, or from a list. SYNC_TOKEN_EXPIRED: load all again.")]
        since: Option<String>,
        #[graphql(desc = "How many changes: 1 to 500.", default_with = "Some(feed::DEFAULT_SIZE)")] first: Option<i32>,
    ) -> ApiResult<TaskChangePage> {
        Ok(TaskChangePage(feed::changes(ctx.store(), ctx.viewer()?, since, first).await?))
    }
}
