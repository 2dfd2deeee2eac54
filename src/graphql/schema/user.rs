//! Users, as far as the viewer may know of them: themselves.

use async_graphql::{Context, ID, Object};

use super::context::ContextExt;
use crate::domain::UserId;
use crate::graphql::error::ApiResult;

/// A person who has tasks.
pub(in crate::graphql) struct User(pub(in crate::graphql) UserId);

/// A person who has tasks. Users need no sign-up: a valid token makes them.
#[Object]
impl User {
    /// The `sub` claim of the user's token.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.0.as_str().into()
    }

    /// The token's `email` claim, else what an earlier token said when it was used to change something.
    async fn email(&self, ctx: &Context<'_>) -> Option<ApiResult<String>> {
        match ctx.viewer().map(|viewer| viewer.email.as_deref().map(str::to_owned)) {
            Ok(None) => ctx.claims().await.map(|claims| claims.email).transpose(),
            told => told.transpose(),
        }
    }

    /// The token's `name` claim, else what an earlier token said when it was used to change something.
    async fn name(&self, ctx: &Context<'_>) -> Option<ApiResult<String>> {
        match ctx.viewer().map(|viewer| viewer.name.as_deref().map(str::to_owned)) {
            Ok(None) => ctx.claims().await.map(|claims| claims.name).transpose(),
            told => told.transpose(),
        }
    }
}
