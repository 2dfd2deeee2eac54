//! Streams of answers over HTTP: server-sent events, as the "distinct connections" mode of graphql-sse has them, and the
//! multipart form of Apollo's subscriptions over HTTP. One operation a stream.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{BoxStream, StreamExt, unfold};
use tokio::time::{Instant, Interval, interval_at};
use tokio_util::sync::CancellationToken;

use super::accept::MediaType;
use super::answer;
use super::expiry::{EXPIRED, expired};
use super::metrics::Limit;
use super::operation::{self, Event};
use super::parameters::Parameters;
use super::request_log::OperationLog;
use super::streams::{StreamPlace, TOO_MANY};
use super::{App, Shared};
use crate::auth::Verified;
use crate::graphql::{Code, Reply, coded};

/// How often something is sent where nothing happens, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(12);
/// Asks nginx to hand each event on as it comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `text/event-stream`
    ServerSentEvents,
    /// `multipart/mixed`
    Multipart,
}

/// Answers with a stream. Who has no token has no subscription either; that was refused before.
pub(super) fn respond(
    shared: &Shared,
    parameters: Parameters,
    verified: Option<Verified>,
    media: MediaType,
    log: OperationLog,
) -> Response {
    let app: &Arc<App> = &shared.app;
    let place = match &verified {
        Some(Verified { viewer, .. }) => match app.streams.enter(&viewer.id) {
            Some(place) => Some(place),
            None => {
                let message = format!("{TOO_MANY}. Close one first.");
                let error = coded(Code::RateLimited, message, None);
                return answer::refuse_for(error, Duration::ZERO, Limit::Streams);
            }
        },
        None => None,
    };
    let form = if media == MediaType::Multipart { Form::Multipart } else { Form::ServerSentEvents };
    let viewer = verified.as_ref().map(|verified| verified.viewer.clone());
    let stream = EventStream {
        form,
        events: operation::start(Arc::clone(app), parameters, viewer, log),
        verified,
        keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
        stop: app.streams.stop().clone(),
        state: State::Beginning,
        _place: place,
    };
    let headers =
        [(CONTENT_TYPE, media.content_type()), (CACHE_CONTROL, "no-store, no-transform"), (X_ACCEL_BUFFERING, "no")];
    (headers, Body::from_stream(unfold(stream, EventStream::next))).into_response()
}

struct EventStream {
    form: Form,
    events: BoxStream<'static, Event>,
    keep_alive: Interval,
    verified: Option<Verified>,
    stop: CancellationToken,
    state: State,
    _place: Option<StreamPlace>,
}

enum State {
    Beginning,
    Open,
    Ended,
}

impl EventStream {
    /// The next bytes.
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        match self.state {
            // The client, and all in between, hear at once that the stream is there.
            State::Beginning => {
                self.state = State::Open;
                let text = self.form.beginning().to_owned();
                return Some((Ok(text.into()), self));
            }
            State::Open => {}
            State::Ended => return None,
        }
        let over = async {
            match &self.verified {
                Some(verified) => expired(verified).await,
                None => std::future::pending().await,
            }
        };
        let text = tokio::select! {
            biased;
            // Without a word of completion, so that clients come again.
            () = self.stop.cancelled() => {
                self.state = State::Ended;
                return Some((Err(io::Error::other("the server stops")), self));
            }
            () = over => {
                self.state = State::Ended;
                self.form.expired() + &self.form.complete()
            }
            event = self.events.next() => match event {
                Some(event) => {
                    self.keep_alive.reset();
                    self.form.next(&event.json)
                }
                None => {
                    self.state = State::Ended;
                    self.form.complete()
                }
            },
            _ = self.keep_alive.tick() => self.form.keep_alive().to_owned(),
        };
        Some((Ok(text.into()), self))
    }
}

impl Form {
    fn beginning(self) -> &'static str {
        match self {
            Self::ServerSentEvents => ":\n\n",
            Self::Multipart => "--graphql",
        }
    }

    fn next(self, json: &str) -> String {
        match self {
            Self::ServerSentEvents => format!("event: next\ndata: {json}\n\n"),
            Self::Multipart => part(&format!("{{\"payload\":{json}}}")),
        }
    }

    fn expired(self) -> String {
        let error = coded(Code::Unauthenticated, format!("{EXPIRED}."), None);
        let json = answer::to_json(Reply::refusal(error)).unwrap_or_default();
        match self {
            Self::ServerSentEvents => self.next(&json),
            // An error of the transport stands beside the payload.
            Self::Multipart => part(&json.replacen('{', "{\"payload\":null,", 1)),
        }
    }

    /// `EventSource` passes over an event without data.
    fn complete(self) -> String {
        match self {
            Self::ServerSentEvents => "event: complete\ndata: \n\n".into(),
            Self::Multipart => "--\r\n".into(),
        }
    }

    fn keep_alive(self) -> &'static str {
        match self {
            Self::ServerSentEvents => ":\n\n",
            Self::Multipart => "\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql",
        }
    }
}

/// A part, with the boundary that tells its reader that it is complete.
fn part(json: &str) -> String {
    format!("\r\ncontent-type: application/json\r\n\r\n{json}\r\n--graphql")
}
