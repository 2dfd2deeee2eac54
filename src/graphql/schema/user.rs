//! Users, as far as the viewer may know of them: themselves.

use async_graphql::{Context, ID, Object};

use super::context::ContextExt;
use crate::domain::{UserId, Viewer};
use crate::entity;
use crate::graphql::error::ApiResult;

/// A person who has tasks.
pub(in crate::graphql) struct User(pub(super) UserId);

/// A person who has tasks. Users need no sign-up: a valid token makes them.
#[Object]
impl User {
    /// The `sub` claim of the user's token.
    pub(in crate::graphql) async fn id(&self) -> ID {
        self.0.as_str().into()
    }

    /// The token's `email` claim, else what an earlier token said when it was used to change something.
    async fn email(&self, ctx: &Context<'_>) -> Option<ApiResult<String>> {
        self.claim_or_row(ctx, |viewer| viewer.email.as_deref(), |row| row.email).await.transpose()
    }

    /// The token's `name` claim, else what an earlier token said when it was used to change something.
    async fn name(&self, ctx: &Context<'_>) -> Option<ApiResult<String>> {
        self.claim_or_row(ctx, |viewer| viewer.name.as_deref(), |row| row.name).await.transpose()
    }
}

impl User {
    /// What the token says, else what is kept of the user: nothing before the first write.
    async fn claim_or_row(
        &self,
        ctx: &Context<'_>,
        claim: impl FnOnce(&Viewer) -> Option<&str>,
        column: impl FnOnce(entity::user::Model) -> Option<String>,
    ) -> ApiResult<Option<String>> {
        match claim(ctx.viewer()?) {
            Some(claim) => Ok(Some(claim.to_owned())),
            None => Ok(ctx.loaders()?.user(self.0.clone()).await?.and_then(column)),
        }
    }
}
