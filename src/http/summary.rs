//! What is known of an answer besides its bytes, for the log and the metrics.

use axum::response::Response;

use crate::graphql::{Code, OperationKind, Way};

/// What a handler tells of its response. It travels in the response's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct ResponseSummary {
    pub(super) kind: Option<OperationKind>,
    /// The operation's name.
    pub(super) operation: Option<String>,
    /// The most severe error's code.
    pub(super) code: Option<Code>,
    /// Who answered the operation.
    pub(super) way: Option<Way>,
    /// The limit that refused the request.
    pub(super) limit: Option<Limit>,
}

impl ResponseSummary {
    /// The summary of `response`.
    pub(super) fn of(response: &mut Response) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }
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
    /// Its name in the metrics.
    pub(super) fn as_str(self) -> &'static str {
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
