//! What can be followed. A subscription is executed once to begin, which checks it and finds where to follow from, and
//! then once for each change. So between changes it holds no more than its document, its variables and its place, and
//! nothing that one change looked up is seen by the next.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, Response, Subscription};
use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt, iter, unfold};

use super::change::TaskChange;
use super::context::ContextExt;
use crate::domain::Error;
use crate::domain::feed::{self, Change, Follower};
use crate::graphql::error::{ApiError, ApiResult};

/// The root of subscriptions.
pub(in crate::graphql) struct Subscription;

/// What an execution is for; it rides on the request.
pub(in crate::graphql) enum Purpose {
    /// To begin.
    Begin(Arc<Mutex<Option<Follower>>>),
    /// To tell a change, or why there will be no more.
    Tell(Box<Mutex<Option<Result<Change, Error>>>>),
}

/// What can be followed.
#[Subscription]
impl Subscription {
    /// Everything that has changed since `since`, then what changes from then on, in one stream. Without `since`: from
    /// now on. Changes of one task in quick succession may arrive as one, with its latest state; none is ever missed.
    async fn task_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "A sync token: of the last change, from taskChanges, or from a list. SYNC_TOKEN_EXPIRED: load all \
                    again."
        )]
        since: Option<String>,
    ) -> Result<impl Stream<Item = ApiResult<TaskChange>> + use<>, ApiError> {
        let change = match ctx.data_unchecked() {
            Purpose::Begin(begun) => {
                let follower = feed::follow(ctx.store(), ctx.viewer()?, since).await?;
                *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(follower);
                None
            }
            Purpose::Tell(change) => change.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        let told = |change: Result<Change, Error>| TaskChange::read(&change?);
        Ok(iter(change.map(told)))
    }
}

/// The responses to a subscription, of which `execute` does one execution. The last one is an error.
pub(in crate::graphql) fn responses<E>(execute: E) -> BoxStream<'static, Response>
where
    E: Fn(Purpose) -> BoxStream<'static, Response> + Send + Sync + 'static,
{
    unfold(Following::New(execute), Following::next).boxed()
}

enum Following<E> {
    New(E),
    Open(E, Box<Follower>),
    Ended,
}

impl<E: Fn(Purpose) -> BoxStream<'static, Response> + Sync> Following<E> {
    async fn next(self) -> Option<(Response, Self)> {
        let (execute, mut follower) = match self {
            Self::New(execute) => {
                let begun = Arc::default();
                let refusal = execute(Purpose::Begin(Arc::clone(&begun))).next().await;
                let follower = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
                match (refusal, follower) {
                    (Some(refusal), _) => return Some((refusal, Self::Ended)),
                    // Nothing is selected, so nothing is told.
                    (None, None) => return None,
                    (None, Some(follower)) => (execute, Box::new(follower)),
                }
            }
            Self::Open(execute, follower) => (execute, follower),
            Self::Ended => return None,
        };
        let change = follower.next().await;
        let is_last = change.is_err();
        let response = execute(Purpose::Tell(Box::new(Mutex::new(Some(change))))).next().await?;
        Some((response, if is_last { Self::Ended } else { Self::Open(execute, follower) }))
    }
}
