//! Metrics for Prometheus (text format of OpenMetrics 1.0).

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::summary::{Limit, ResponseSummary};
use crate::database::PoolStatus;
use crate::domain::feed::FeedStatus;
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
    operations: Family<WayLabels, Counter>,
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
    /// query, mutation or subscription; none if the document was not read.
    kind: &'static str,
    status: u16,
    /// The most severe error's code; none if there was no error.
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabels {
    /// `fast_path`, `executor`, `introspection`; `refused` where it did not run.
    way: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// What is true at the moment, for gauges.
pub(super) struct Snapshot {
    pub(super) pool: PoolStatus,
    pub(super) feed: FeedStatus,
    /// GraphQL requests in progress.
    pub(super) in_flight: usize,
    /// Sockets and event streams that are open.
    pub(super) streams: usize,
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
            operations: Family::default(),
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
        registry.register("operations", "Operations, by who answered them", metrics.operations.clone());
        registry.register("limit_refusals", "Requests refused by a limit", metrics.refusals.clone());
        registry.register("pool_connections", "Database connections", metrics.connections.clone());
        registry.register("pool_waiting", "Operations waiting for a database connection", metrics.waiting.clone());
        registry.register("requests_in_flight", "GraphQL requests in progress", metrics.in_flight.clone());
        registry.register("streams_open", "Open sockets and event streams", metrics.streams.clone());
        registry.register("followed_users", "Users whose changes are followed", metrics.followed_users.clone());
        registry.register("followers", "Subscriptions to changes", metrics.followers.clone());
        registry.register(
            "feed_reads",
            "SQL statements that looked for changes to deliver",
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
    pub(super) fn count(&self, summary: &ResponseSummary, status: u16, took: Duration, statements: u64) {
        let kind = summary.kind.map_or("none", OperationKind::as_str);
        let code = summary.code.map_or("none", Code::as_str);
        self.requests.get_or_create(&RequestLabels { kind, status, code }).inc();
        // How long somebody listened says nothing about speed.
        if summary.kind.is_some_and(|kind| kind != OperationKind::Subscription) {
            self.durations.get_or_create(&KindLabels { kind }).observe(took.as_secs_f64());
        }
        self.statements.inc_by(statements);
        if let (Some(_), Some(way)) = (summary.kind, summary.way) {
            self.operations.get_or_create(&WayLabels { way: way.as_str() }).inc();
        }
        if let Some(limit) = summary.limit {
            self.refusals.get_or_create(&LimitLabels { limit: limit.as_str() }).inc();
        }
    }

    /// All of it in the text format, with the gauges as they are now.
    pub(super) fn to_text(&self, now: &Snapshot) -> String {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in [("in_use", now.pool.in_use), ("idle", now.pool.idle)] {
            self.connections.get_or_create(&StateLabels { state }).set(gauge(count));
        }
        self.waiting.set(gauge(now.pool.waiting));
        self.in_flight.set(gauge(now.in_flight));
        self.streams.set(gauge(now.streams));
        self.followed_users.set(gauge(now.feed.users));
        self.followers.set(gauge(now.feed.followers));
        self.feed_reads.inc_by(now.feed.reads.saturating_sub(self.feed_reads.get()));
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the metrics could not be written");
        }
        text
    }
}
