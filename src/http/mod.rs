//! The door: paths, the GraphQL handler, what stands before it, and the loop that accepts connections. Nothing here knows
//! of SQL. What several modules share has a module of its own, so that no two of them name each other: the parts of a
//! server, limits of number and of time, the summary of a response, the id of a request.

mod accept;
mod answer;
mod app;
mod body;
mod bundle;
mod cors;
mod development;
mod event_stream;
mod expiry;
mod graphiql;
mod graphql;
mod limits;
mod metrics;
mod operation;
mod parameters;
mod probes;
mod request_id;
mod request_log;
pub mod server;
mod shed;
mod socket;
mod streams;
mod summary;
mod task_app;
mod timeouts;

use std::sync::Arc;

pub use app::{App, Page};
pub use limits::Limits;
pub use request_log::Statements;
pub use streams::Streams;
pub use task_app::IS_BUNDLED as HAS_TASK_APP;
pub use timeouts::Timeouts;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};

use app::Shared;
use metrics::Metrics;

use crate::config::Origin;

/// All paths, with what stands before them.
pub fn router(app: App) -> Router {
    let cors = cors::layer(&app.cors_origins, app.is_development);
    let (has_page, has_task_app) = (app.graphiql.is_some(), app.task_app.is_some());
    let is_development = app.is_development;
    let origins: Arc<[Origin]> = app.cors_origins.clone().into();
    let shared = Shared { app: Arc::new(app), metrics: Arc::new(Metrics::new()) };
    let mut routes = Router::new()
        .route("/graphql", any(graphql::handle))
        .route("/health", get(probes::health))
        .route("/ready", get(probes::ready))
        .route("/metrics", get(probes::metrics));
    if has_page {
        routes = routes.route("/", get(graphiql::lead_there)).route("/graphiql/{file}", get(graphiql::file));
    }
    if has_task_app {
        routes = routes
            .route("/app", get(task_app::page))
            .route("/app/", get(task_app::page))
            .route("/app/{file}", get(task_app::file));
    }
    let mut routes = routes.fallback(answer::nothing_there).with_state(shared.clone());
    // A layer that is added later comes before those that were added earlier.
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
