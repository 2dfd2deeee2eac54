//! Whatever can be fetched again by its id.

use async_graphql::{Context, ID, Interface};

use super::context::ContextExt;
use super::task::Task;
use super::user::User;
use crate::domain::task::TaskId;
use crate::graphql::error::ApiResult;

/// Something the viewer can fetch again by its id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Unique within what the viewer can see, and stable for ever."))]
pub(in crate::graphql) enum Node {
    User(User),
    Task(Task),
}

/// What the viewer can see under `id`; their own id comes first.
pub(in crate::graphql) async fn node(ctx: &Context<'_>, id: &str) -> ApiResult<Option<Node>> {
    let viewer = ctx.viewer()?;
    if viewer.id.as_str() == id {
        return Ok(Some(Node::User(User(viewer.id.clone()))));
    }
    match TaskId::parse(id) {
        Some(id) => Ok(ctx.loaders()?.tasks.load(id).await?.map(|task| Node::Task(task.into()))),
        None => Ok(None),
    }
}
