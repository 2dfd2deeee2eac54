//! Figures for Prometheus (text format of OpenMetrics 1.0).

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::App;
use super::request_log::Note;
use crate::graphql::{Code, OperationKind};

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 15.0];

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<KindLabels, Histogram, fn() -> Histogram>,
    statements: Counter,
    refusals: Family<LimitLabels, Counter>,
    connections: Family<StateLabels, Gauge>,
    waiting: Gauge,
    in_flight: Gauge,
    streams: Gauge,
    followed_users: Gauge,
    followers: Gauge,
    feed_reads: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// query, mutation, subscription; none where it did not come to that.
    kind: &'static str,
    status: u16,
    /// The gravest error's code; none where there was no error.
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// A limit that a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The body's size.
    Body,
    /// The document's size, depth or cost.
    Document,
    /// Requests in flight.
    InFlight,
    /// Operations a minute.
    Rate,
    /// Sockets and streams of a user.
    Streams,
    /// The time for a request.
    Time,
}

impl Limit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Document => "document",
            Self::InFlight => "in_flight",
            Self::Rate => "rate",
            Self::Streams => "streams",
            Self::Time => "time",
        }
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("taskql");
        let durations =
            Family::<KindLabels, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let metrics = Self {
            requests: Family::default(),
            durations,
            statements: Counter::<u64, AtomicU64>::default(),
            refusals: Family::default(),
            connections: Family::default(),
            waiting: Gauge::default(),
            in_flight: Gauge::default(),
            streams: Gauge::default(),
            followed_users: Gauge::default(),
            followers: Gauge::default(),
            feed_reads: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that were answered", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "How long GraphQL operations took",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("statements", "SQL statements that were sent", metrics.statements.clone());
        registry.register("limit_refusals", "Requests that a limit refused", metrics.refusals.clone());
        registry.register("pool_connections", "Database connections", metrics.connections.clone());
        registry.register("pool_waiting", "Operations that wait for a database connection", metrics.waiting.clone());
        registry.register("requests_in_flight", "GraphQL requests that are worked on", metrics.in_flight.clone());
        registry.register("streams_open", "Sockets and event streams that are open", metrics.streams.clone());
        registry.register("followed_users", "Users whose changes somebody follows", metrics.followed_users.clone());
        registry.register("followers", "Subscriptions to changes", metrics.followers.clone());
        registry.register(
            "feed_reads",
            "SQL statements that looked for changes to hand on",
            metrics.feed_reads.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts a request that was refused before anything was done for it.
    pub(super) fn count_shed(&self) {
        let code = Code::ServiceUnavailable.as_str();
        self.requests.get_or_create(&RequestLabels { kind: "none", status: 503, code }).inc();
        self.refusals.get_or_create(&LimitLabels { limit: Limit::InFlight.as_str() }).inc();
    }

    /// Counts a request that was answered.
    pub(super) fn count(&self, note: &Note, status: u16, took: Duration, statements: u64) {
        let kind = note.kind.map_or("none", OperationKind::as_str);
        let code = note.code.map_or("none", Code::as_str);
        self.requests.get_or_create(&RequestLabels { kind, status, code }).inc();
        // How long somebody listened is no matter of speed.
        if note.kind.is_some_and(|kind| kind != OperationKind::Subscription) {
            self.durations.get_or_create(&KindLabels { kind }).observe(took.as_secs_f64());
        }
        self.statements.inc_by(statements);
        if let Some(limit) = note.limit {
            self.refusals.get_or_create(&LimitLabels { limit: limit.as_str() }).inc();
        }
    }
}

/// Answers `/metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>, State(metrics): State<Arc<Metrics>>) -> Response {
    let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let pool = app.store.pool();
    for (state, count) in [("in_use", pool.in_use), ("idle", pool.idle)] {
        metrics.connections.get_or_create(&StateLabels { state }).set(gauge(count));
    }
    metrics.waiting.set(gauge(pool.waiting));
    metrics.in_flight.set(gauge(app.limits.in_flight()));
    metrics.streams.set(gauge(app.streams.count()));
    let feed = app.store.feed();
    metrics.followed_users.set(gauge(feed.users));
    metrics.followers.set(gauge(feed.followers));
    metrics.feed_reads.inc_by(feed.reads.saturating_sub(metrics.feed_reads.get()));
    let mut text = String::new();
    if encode(&mut text, &metrics.registry).is_err() {
        tracing::error!("the metrics could not be written");
    }
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
