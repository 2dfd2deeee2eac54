//! The GraphQL handler: method, media types, size, token, document, in this order, and the answer. Sockets and streams
//! branch off to modules of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_graphql::ServerError;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;

use super::accept::{MediaType, OF_GRAPHQL, OF_STREAMS, negotiate, negotiate_named};
use super::answer::{answer, refuse, refuse_by, refuse_for, refuse_method};
use super::body::{self, Unread};
use super::metrics::Limit;
use super::parameters::{Parameters, check_content_type};
use super::request_log::{Note, OperationLog, Transport};
use super::server::CarriesStream;
use super::{App, Shared, event_stream, graphiql, shed, socket};
use tokio::sync::OwnedSemaphorePermit;

use crate::auth::{InvalidToken, TokenError, Verified};
use crate::graphql::{Call, Code, OperationKind, Reply, UNAUTHENTICATED, coded};

/// How long a request may take.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Answers `/graphql`.
pub(super) async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    if socket::is_asked_for(request.method(), request.headers()) {
        return socket::upgrade(shared, request);
    }
    let app = &shared.app;
    let (parts, body) = request.into_parts();
    let offered = match (&parts.method, &app.graphiql) {
        (&Method::GET, Some(_)) => &[MediaType::Json, MediaType::GraphqlResponse, MediaType::Html][..],
        _ => &OF_GRAPHQL,
    };
    let media = negotiate(&parts.headers, offered);
    let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, respond(&shared, &parts, body, media)).await {
        Ok(response) => response,
        Err(_) => refuse_by(too_slow(), Limit::Time),
    };
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    if media == Some(MediaType::GraphqlResponse) && is_json {
        // Refusals too are what the client takes.
        let content_type = HeaderValue::from_static(MediaType::GraphqlResponse.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

/// What a client hears whose request was given up.
pub(super) fn too_slow() -> ServerError {
    let message = "This took too long. Where it was to change something, that may still happen.";
    coded(Code::ServiceUnavailable, message, None)
}

async fn respond(shared: &Shared, parts: &Parts, body: Body, media: Option<MediaType>) -> Response {
    let app: &App = &shared.app;
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => {
            body::discard(&parts.headers, body);
            return refuse_method(coded(Code::MethodNotAllowed, "Use GET or POST.", None), "GET, POST");
        }
    };
    let stream = negotiate_named(&parts.headers, &OF_STREAMS);
    if media.is_none() && stream.is_none() {
        body::discard(&parts.headers, body);
        let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
        return refuse(coded(Code::NotAcceptable, message, None));
    }
    if let (Some(MediaType::Html), Some(page)) = (media, &app.graphiql) {
        return graphiql::page(page);
    }
    let parameters = if is_get {
        Parameters::from_query(parts.uri.query().unwrap_or_default())
    } else {
        match read_body(&parts.headers, body).await {
            Ok(body) => Parameters::from_body(&body),
            Err(response) => return *response,
        }
    };
    let verified = match authenticate(app, &parts.headers).await {
        Ok(verified) => verified,
        Err(TokenError::Invalid(invalid)) => {
            return app.limits.count(None, parts).map_or_else(too_many, |()| unauthenticated(invalid));
        }
        Err(TokenError::Unavailable(cause)) => {
            tracing::warn!(%cause, "a token could not be checked");
            let message = "Tokens cannot be checked right now. Try again in a moment.";
            return refuse(coded(Code::ServiceUnavailable, message, None));
        }
    };
    if let Err(wait) = app.limits.count(verified.as_ref().map(|verified| &verified.viewer), parts) {
        return too_many(wait);
    }
    let Some(place) = app.limits.enter() else {
        return refuse_by(coded(Code::ServiceUnavailable, shed::FULL, None), Limit::InFlight);
    };
    match parameters {
        Ok(parameters) => {
            let marks = parts.extensions.get().cloned();
            // In a box, since what is here is moved through every layer before it runs.
            Box::pin(run(shared, parameters, verified, Accepted { media, stream, is_get, place, marks })).await
        }
        Err(error) => refuse(error),
    }
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Box<Response>> {
    if let Err(error) = check_content_type(headers) {
        body::discard(headers, body);
        return Err(refuse(error).into());
    }
    body::read(headers, body).await.map_err(|unread| match unread {
        Unread::TooLarge => {
            refuse_by(coded(Code::PayloadTooLarge, "The body has more than 256 KiB.", None), Limit::Body).into()
        }
        Unread::Broken => refuse(coded(Code::BadRequest, "The body ended too early.", None)).into(),
    })
}

fn too_many(wait: Duration) -> Response {
    let message = "That were too many operations in a minute. Retry-After says when to go on.";
    refuse_for(coded(Code::RateLimited, message, None), wait, Limit::Rate)
}

/// Who is asking. A token that does not hold is refused for the whole request.
async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Option<Verified>, TokenError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => {
            let text = one.to_str().map_err(|_| InvalidToken::NotBearer)?;
            app.authenticator.authenticate(Some(text)).await
        }
        (Some(_), Some(_)) => Err(InvalidToken::Repeated.into()),
    }
}

fn unauthenticated(invalid: InvalidToken) -> Response {
    let message = invalid.message();
    let mut response = refuse(coded(Code::Unauthenticated, message.as_str(), None));
    // No message has a quote or a backslash. Who sent no token of ours hears of none (section 3.1).
    let challenge = match invalid {
        InvalidToken::NotBearer => "Bearer".into(),
        _ => format!("Bearer error=\"invalid_token\", error_description=\"{message}\""),
    };
    challenge_with(&mut response, challenge.parse().unwrap_or(HeaderValue::from_static("Bearer")));
    response
}

/// Says how to authenticate (RFC 6750, section 3).
fn challenge_with(response: &mut Response, challenge: HeaderValue) {
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
}

/// What the client takes.
struct Accepted {
    /// An answer, where it takes one.
    media: Option<MediaType>,
    /// A stream of answers, where it takes one.
    stream: Option<MediaType>,
    is_get: bool,
    /// Its place among those in flight.
    place: OwnedSemaphorePermit,
    /// Where to note that the connection carries a stream.
    marks: Option<CarriesStream>,
}

async fn run(
    shared: &Shared,
    parameters: Parameters,
    verified: Option<Verified>,
    Accepted { media, stream, is_get, place, marks }: Accepted,
) -> Response {
    let app: &App = &shared.app;
    let found = app.documents.find(&app.api, &parameters.asked);
    let operation = found.as_ref().map_err(Clone::clone);
    let operation = operation.and_then(|document| document.operation(parameters.operation_name.as_deref()));
    let kind = operation.as_ref().ok().map(|operation| operation.kind);
    let name = operation.as_ref().ok().and_then(|operation| operation.name).map(str::to_owned);
    let mut response = match (kind, media, stream) {
        (Some(OperationKind::Mutation), ..) if is_get => {
            refuse_method(coded(Code::MethodNotAllowed, "Send mutations by POST.", None), "POST")
        }
        (Some(OperationKind::Subscription), _, None) => {
            let message = "Subscriptions are streams: accept text/event-stream, or open a WebSocket.";
            refuse(coded(Code::NotAcceptable, message, None))
        }
        (Some(OperationKind::Subscription), ..) if verified.is_none() => {
            let mut response = refuse(coded(Code::Unauthenticated, UNAUTHENTICATED, None));
            challenge_with(&mut response, HeaderValue::from_static("Bearer"));
            response
        }
        (Some(OperationKind::Subscription), _, Some(stream)) | (_, None, Some(stream)) => {
            // A stream is not in flight; a query in it takes a place of its own.
            drop(place);
            if let Some(CarriesStream(carries)) = marks {
                carries.store(true, Ordering::Relaxed);
            }
            let log = OperationLog::new(Arc::clone(&shared.metrics), Transport::EventStream);
            event_stream::respond(shared, parameters, verified, stream, log)
        }
        (_, media, _) => {
            let reply = match operation {
                Ok(operation) => {
                    let (variables, viewer) = (parameters.variables, verified.map(|verified| verified.viewer));
                    app.api.execute(Call { operation, variables, viewer }).await
                }
                Err(error) => Reply::refusal(error),
            };
            let is_unauthenticated = reply.gravest() == Some(Code::Unauthenticated);
            let mut response = answer(reply, media.unwrap_or(MediaType::Json));
            if is_unauthenticated {
                challenge_with(&mut response, HeaderValue::from_static("Bearer"));
            }
            response
        }
    };
    let note = Note::of(&mut response);
    (note.kind, note.operation) = (kind, name);
    response
}
