//! Users, as far as the viewer may know of them: themselves.

use async_graphql::{Context, ID, Object};

use super::context::ContextExt;
use super::error::ApiResult;
use crate::domain::UserId;
use crate::entity;

/// A person who has tasks.
pub(super) struct User(pub(super) UserId);

/// A person who has tasks. Users need no sign-up: a valid token makes them.
#[Object]
impl User {
    /// The `sub` claim of the user's token.
    pub(super) async fn id(&self) -> ID {
        self.0.as_str().into()
    }

    /// The token's `email` claim, else what an earlier token said when it was used to change something.
    async fn email(&self, ctx: &Context<'_>) -> ApiResult<Option<String>> {
        match &ctx.viewer()?.email {
            Some(email) => Ok(Some(email.to_string())),
            None => Ok(self.row(ctx).await?.and_then(|row| row.email)),
        }
    }

    /// The token's `name` claim, else what an earlier token said when it was used to change something.
    async fn name(&self, ctx: &Context<'_>) -> ApiResult<Option<String>> {
        match &ctx.viewer()?.name {
            Some(name) => Ok(Some(name.to_string())),
            None => Ok(self.row(ctx).await?.and_then(|row| row.name)),
        }
    }
}

impl User {
    /// What is kept of the user; nothing before the first write.
    async fn row(&self, ctx: &Context<'_>) -> ApiResult<Option<entity::user::Model>> {
        Ok(ctx.loaders()?.user(self.0.clone()).await?)
    }
}
