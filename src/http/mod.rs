//! The door: paths, the GraphQL handler, what stands before it, and the loop that takes connections. Nothing here knows
//! of SQL.

mod accept;
mod answer;
mod body;
mod bundle;
mod cors;
mod development;
mod event_stream;
mod expiry;
mod graphiql;
mod graphql;
mod health;
mod limits;
mod metrics;
mod operation;
mod parameters;
mod request_log;
pub mod server;
mod shed;
mod socket;
mod streams;
mod task_app;

use std::sync::Arc;

pub use limits::Limits;
pub use request_log::Statements;
pub use streams::Streams;
pub use task_app::IS_BUNDLED as HAS_TASK_APP;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get};

use metrics::Metrics;

use crate::auth::Authenticator;
use crate::config::Origin;
use crate::domain::Store;
use crate::graphql::{Api, Code, Documents, coded};

/// What the handlers share.
pub struct App {
    /// The API.
    pub api: Api,
    /// The documents that it knows.
    pub documents: Documents,
    /// How much it does at once, and for whom.
    pub limits: Limits,
    /// Its sockets and event streams.
    pub streams: Streams,
    /// Tokens to viewers.
    pub authenticator: Authenticator,
    /// For the readiness probe.
    pub store: Store,
    /// Where the page is served: how it gets its token.
    pub graphiql: Option<Page>,
    /// Where the task application is served: the same.
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
struct Shared {
    app: Arc<App>,
    metrics: Arc<Metrics>,
}

/// All paths, with what stands before them.
pub fn router(app: App) -> Router {
    let cors = cors::layer(&app.cors_origins, app.is_development);
    let (has_page, has_task_app) = (app.graphiql.is_some(), app.task_app.is_some());
    let is_development = app.is_development;
    let origins: Arc<[Origin]> = app.cors_origins.clone().into();
    let shared = Shared { app: Arc::new(app), metrics: Arc::new(Metrics::new()) };
    let mut routes = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics));
    if has_page {
        routes = routes.route("/", get(graphiql::lead_there)).route("/graphiql/{file}", get(graphiql::file));
    }
    if has_task_app {
        routes = routes
            .route("/app", get(task_app::page))
            .route("/app/", get(task_app::page))
            .route("/app/{file}", get(task_app::file));
    }
    let mut routes = routes.fallback(nothing_there).with_state(shared.clone());
    // What is added later stands before what was added earlier.
    if is_development {
        routes = routes.layer(from_fn_with_state(Arc::clone(&origins), development::admit));
    }
    routes = routes.layer(from_fn_with_state(Arc::clone(&shared.metrics), request_log::log));
    routes = routes.layer(from_fn_with_state(shared, shed::shed)).layer(cors);
    if is_development {
        // The layer above answers preflights itself, and only for those who would be admitted.
        routes = routes.layer(from_fn_with_state(origins, development::admit_preflight));
    }
    routes
}

async fn nothing_there() -> Response {
    let message = "There is nothing at this path; the API is at /graphql.";
    answer::refusal(coded(Code::NotFound, message, None), axum::http::StatusCode::NOT_FOUND)
}
