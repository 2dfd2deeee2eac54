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
use super::app::Shared;
use super::expiry::{EXPIRED, expired};
use super::operation::{self, Event};
use super::parameters::Parameters;
use super::request_log::OperationLog;
use super::streams::{StreamPlace, too_many};
use super::summary::Limit;
use crate::auth::Verified;
use crate::graphql::{Code, Reply, coded};

/// Asks nginx to pass each event on as it comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `text/event-stream`
    ServerSentEvents,
    /// `multipart/mixed`
    Multipart,
}

/// Answers with a stream. A subscription without a token was refused before.
pub(super) fn respond(
    shared: &Shared,
    parameters: Parameters,
    verified: Option<Verified>,
    media: MediaType,
    log: OperationLog,
) -> Response {
    let app = &shared.app;
    let place = match &verified {
        Some(Verified { viewer, .. }) => match app.streams.enter(&viewer.id) {
            Some(place) => Some(place),
            None => {
                let message = format!("{}. Close one first.", too_many());
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
        comments: interval_at(Instant::now() + app.timeouts.stream_comment, app.timeouts.stream_comment),
        expiry_check: app.timeouts.expiry_check,
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
    comments: Interval,
    expiry_check: Duration,
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
            // The client, and all proxies in between, see at once that the stream is there.
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
                Some(verified) => expired(verified, self.expiry_check).await,
                None => std::future::pending().await,
            }
        };
        let text = tokio::select! {
            biased;
            // Without an event of completion, so that clients reconnect.
            () = self.stop.cancelled() => {
                self.state = State::Ended;
                return Some((Err(io::Error::other("the server is shutting down")), self));
            }
            () = over => {
                self.state = State::Ended;
                self.form.expired() + &self.form.complete()
            }
            event = self.events.next() => match event {
                Some(event) => {
                    self.comments.reset();
                    self.form.next(&event.json)
                }
                None => {
                    self.state = State::Ended;
                    self.form.complete()
                }
            },
            _ = self.comments.tick() => self.form.comment().to_owned(),
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
            // An error of the transport comes beside the payload.
            Self::Multipart => part(&json.replacen('{', "{\"payload\":null,", 1)),
        }
    }

    /// With data, since `EventSource` ignores an event without any.
    fn complete(self) -> String {
        match self {
            Self::ServerSentEvents => "event: complete\ndata: \n\n".into(),
            Self::Multipart => "--\r\n".into(),
        }
    }

    /// What is sent when nothing happens.
    fn comment(self) -> &'static str {
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
