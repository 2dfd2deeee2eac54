//! Each request gets an id, a span, a count of its statements and one line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::{Instrument, Span};

use super::metrics::Metrics;
use super::summary::ResponseSummary;
use super::{answer, request_id};
use crate::database::statements;
use crate::graphql::{Code, FAULT, OperationKind, Way, coded};

/// The status that proxies log for a client that did not wait.
const CLIENT_GONE: u16 = 499;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many SQL statements an answer cost; it travels in the response's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statements(pub u64);

/// Answers, and logs it. A panic on the way is a 500 like any other fault.
pub(super) async fn log(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let id = request_id::random();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let counter = Arc::new(AtomicU64::new(0));
    let trace_id = trace_id(request.headers()).unwrap_or_else(|| id.to_string());
    let span = tracing::info_span!("request", %id, trace_id);
    #[cfg(feature = "otlp")]
    crate::telemetry::continue_trace(&span, request.headers());
    let work = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| answer::refuse(coded(Code::InternalServerError, FAULT, None)))
    };
    let mut gone = Gone { metrics: Some(&metrics), span: &span, began_at };
    let work = request_id::scope(Arc::clone(&id), statements::count(Arc::clone(&counter), work));
    let mut response = work.instrument(span.clone()).await;
    gone.metrics = None;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let summary = std::mem::take(ResponseSummary::of(&mut response));
    let statements = counter.load(Ordering::Relaxed);
    response.extensions_mut().insert(Statements(statements));
    let took = began_at.elapsed();
    metrics.count(&summary, response.status().as_u16(), took, statements);
    let _in_span = span.enter();
    tracing::info!(
        %method,
        path,
        kind = summary.kind.map(OperationKind::as_str),
        operation = summary.operation,
        status = response.status().as_u16(),
        code = summary.code.map(Code::as_str),
        way = summary.kind.and(summary.way).map(Way::as_str),
        duration_ms = milliseconds(took),
        statements,
        "answered"
    );
    response
}

/// What carries an operation that is not a request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// A message of a socket.
    WebSocket,
    /// A request whose answer is a stream: it has its line already, and gets another one when it ends.
    EventStream,
}

/// The log of an operation that may take long. It writes its line when it is dropped.
pub(super) struct OperationLog {
    pub(super) summary: ResponseSummary,
    transport: Transport,
    id: Arc<str>,
    span: Span,
    began_at: Instant,
    statements: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl OperationLog {
    /// Of an operation that begins now. It has the id of its request, if it belongs to one.
    pub(super) fn new(metrics: Arc<Metrics>, transport: Transport) -> Self {
        let id = request_id::current().unwrap_or_else(request_id::random);
        let span = match transport {
            Transport::WebSocket => tracing::info_span!(parent: None, "operation", %id),
            Transport::EventStream => Span::current(),
        };
        let (began_at, statements) = (Instant::now(), Arc::default());
        Self { summary: ResponseSummary::default(), transport, id, span, began_at, statements, metrics }
    }

    /// Does a part of its work.
    pub(super) async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        let work = statements::count(Arc::clone(&self.statements), work);
        request_id::scope(Arc::clone(&self.id), work).instrument(self.span.clone()).await
    }
}

impl Drop for OperationLog {
    fn drop(&mut self) {
        let (took, statements) = (self.began_at.elapsed(), self.statements.load(Ordering::Relaxed));
        if self.transport == Transport::WebSocket {
            self.metrics.count(&self.summary, StatusCode::OK.as_u16(), took, statements);
        }
        let _in_span = self.span.enter();
        tracing::info!(
            kind = self.summary.kind.map(OperationKind::as_str),
            operation = self.summary.operation,
            transport = self.transport.as_str(),
            code = self.summary.code.map(Code::as_str),
            way = self.summary.way.map(Way::as_str),
            duration_ms = milliseconds(took),
            statements,
            "ended"
        );
    }
}

impl Transport {
    fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::EventStream => "event_stream",
        }
    }
}

/// Logs a client that went away before it was answered: its request ends there, except for writes that had begun.
struct Gone<'l> {
    /// None once there is an answer.
    metrics: Option<&'l Metrics>,
    span: &'l Span,
    began_at: Instant,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.metrics {
            let took = self.began_at.elapsed();
            metrics.count(&ResponseSummary::default(), CLIENT_GONE, took, 0);
            let _in_span = self.span.enter();
            tracing::info!(status = CLIENT_GONE, duration_ms = milliseconds(took), "the client went away");
        }
    }
}

/// With three digits after the point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The trace that a request belongs to (W3C Trace Context, section 3.2): `00-TRACE-PARENT-FLAGS` in hexadecimal digits.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_trace = trace.len() == 32 && is_hex(trace) && trace.bytes().any(|digit| digit != b'0');
    (version.len() == 2 && is_hex(version) && version != "ff" && is_trace).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_trace_is_honoured() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(value));
            trace_id(&headers)
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(), Some(trace));
        for bad in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
