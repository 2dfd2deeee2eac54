//! What resolvers find in their context: the viewer, the store, the loaders, and what this request has done so far.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::Context;
use futures_util::FutureExt;
use tokio::sync::OnceCell;

use super::loader::Loaders;
use crate::domain::user::{self, Claims};
use crate::domain::{Error, Store, Viewer};
use crate::graphql::error::ApiResult;

/// One request's state.
pub(in crate::graphql) struct RequestContext {
    pub(in crate::graphql) store: Store,
    /// Absent for a caller without a token, who gets no further than introspection.
    identity: Option<Identity>,
    has_written: Arc<AtomicBool>,
    /// Why a write failed that was not the client's fault.
    failed: OnceLock<Error>,
}

struct Identity {
    viewer: Viewer,
    loaders: Loaders,
    /// What earlier tokens said, once somebody wants to know.
    claims: OnceCell<Result<Claims, Error>>,
}

impl RequestContext {
    pub(in crate::graphql) fn new(store: Store, viewer: Option<Viewer>, has_written: Arc<AtomicBool>) -> Self {
        let identity =
            viewer.map(|viewer| Identity { loaders: Loaders::new(&store, &viewer), viewer, claims: OnceCell::new() });
        Self { store, identity, has_written, failed: OnceLock::new() }
    }

    /// Documents that select anything of a viewer's are refused before they run where there is none.
    fn identity(&self) -> ApiResult<&Identity> {
        let missing = || Error::Internal("a field was reached without a viewer".into());
        Ok(self.identity.as_ref().ok_or_else(missing)?)
    }
}

/// Shorthands for resolvers.
pub(in crate::graphql) trait ContextExt {
    fn request(&self) -> &RequestContext;

    /// Who is asking.
    fn viewer(&self) -> ApiResult<&Viewer> {
        Ok(&self.request().identity()?.viewer)
    }

    /// This request's loaders.
    fn loaders(&self) -> ApiResult<&Loaders> {
        Ok(&self.request().identity()?.loaders)
    }

    /// What earlier tokens of the viewer said. One statement for a request.
    fn claims(&self) -> impl Future<Output = ApiResult<Claims>> + Send;

    fn store(&self) -> &Store {
        &self.request().store
    }

    /// Does what writes: notes that something was carried out, and a panic stays in its field.
    fn write<'c, T, W>(
        &'c self,
        work: impl FnOnce(&'c Store, &'c Viewer) -> W + Send,
    ) -> impl Future<Output = ApiResult<T>> + Send
    where
        T: Send,
        W: Future<Output = Result<T, Error>> + Send;
}

impl ContextExt for Context<'_> {
    fn request(&self) -> &RequestContext {
        self.data_unchecked()
    }

    async fn claims(&self) -> ApiResult<Claims> {
        let Identity { viewer, claims, .. } = self.request().identity()?;
        Ok(claims.get_or_init(|| user::claims(self.store(), &viewer.id)).await.clone()?)
    }

    async fn write<'c, T, W>(&'c self, work: impl FnOnce(&'c Store, &'c Viewer) -> W + Send) -> ApiResult<T>
    where
        T: Send,
        W: Future<Output = Result<T, Error>> + Send,
    {
        let (request, viewer) = (self.request(), self.viewer()?);
        // The document is given up as a whole where nothing has been done yet; no later field need wait in vain.
        if let (Some(error), false) = (request.failed.get(), request.has_written.load(Ordering::Relaxed)) {
            return Err(error.clone().into());
        }
        let outcome = AssertUnwindSafe(work(self.store(), viewer)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Err(Error::Internal("a write panicked".into())));
        match &outcome {
            Ok(_) => request.has_written.store(true, Ordering::Relaxed),
            Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => _ = request.failed.set(error.clone()),
            Err(_) => {}
        }
        Ok(outcome?)
    }
}
