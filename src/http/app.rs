//! What the handlers share: the parts of a server, and its metrics.

use std::sync::Arc;

use axum::extract::FromRef;

use super::limits::Limits;
use super::metrics::Metrics;
use super::streams::Streams;
use super::timeouts::Timeouts;
use crate::auth::Authenticator;
use crate::config::Origin;
use crate::domain::Store;
use crate::graphql::{Api, Documents};

/// The parts of a server.
pub struct App {
    /// The API.
    pub api: Api,
    /// The documents that it knows.
    pub documents: Documents,
    /// How much it does at once, and for whom.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Its sockets and event streams.
    pub streams: Streams,
    /// Tokens to viewers.
    pub authenticator: Authenticator,
    /// For the readiness probe.
    pub store: Store,
    /// How the GraphiQL page gets its token, where the page is served.
    pub graphiql: Option<Page>,
    /// The same for the task application.
    pub task_app: Option<Page>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<Origin>,
    /// Whether only this machine is served.
    pub is_development: bool,
}

/// A web page.
#[derive(Default)]
pub struct Page {
    /// The token that it comes filled in with, in development mode.
    pub token: Option<String>,
}

/// The handlers' state.
#[derive(Clone, FromRef)]
pub(super) struct Shared {
    pub(super) app: Arc<App>,
    pub(super) metrics: Arc<Metrics>,
}
