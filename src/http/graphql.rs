//! The GraphQL handler: method, media types, size, token, document, in this order, and the answer. Sockets and streams
//! branch off to modules of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;

use super::accept::{MediaType, OF_GRAPHQL, OF_STREAMS, negotiate, negotiate_named};
use super::answer::{FULL, answer, refuse, refuse_by, refuse_for, refuse_method, too_slow};
use super::app::{App, Shared};
use super::body::{self, Unread};
use super::parameters::{Parameters, check_content_type};
use super::request_log::{OperationLog, Transport};
use super::streams::CarriesStream;
use super::summary::{Limit, ResponseSummary};
use super::{event_stream, graphiql, socket};
use crate::auth::{InvalidToken, TokenError, Verified};
use crate::graphql::{Call, Code, OperationKind, Reply, UNAUTHENTICATED, coded};

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
    let answered = tokio::time::timeout(app.timeouts.request, respond(&shared, &parts, body, media));
    let mut response = answered.await.unwrap_or_else(|_| refuse_by(too_slow(), Limit::Time));
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    if media == Some(MediaType::GraphqlResponse) && is_json {
        // Refusals too have the type that the client accepts.
        let content_type = HeaderValue::from_static(MediaType::GraphqlResponse.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

async fn respond(shared: &Shared, parts: &Parts, body: Body, media: Option<MediaType>) -> Response {
    let app: &App = &shared.app;
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => {
            body::discard(&parts.headers, body, app.timeouts.discard);
            return refuse_method(coded(Code::MethodNotAllowed, "Use GET or POST.", None), "GET, POST");
        }
    };
    let stream = negotiate_named(&parts.headers, &OF_STREAMS);
    if media.is_none() && stream.is_none() {
        body::discard(&parts.headers, body, app.timeouts.discard);
        let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
        return refuse(coded(Code::NotAcceptable, message, None));
    }
    if let (Some(MediaType::Html), Some(page)) = (media, &app.graphiql) {
        return graphiql::page(page);
    }
    let parameters = if is_get {
        Parameters::from_query(parts.uri.query().unwrap_or_default())
    } else {
        match read_body(&parts.headers, body, app.timeouts.discard).await {
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
        return refuse_by(coded(Code::ServiceUnavailable, FULL, None), Limit::InFlight);
    };
    match parameters {
        Ok(parameters) => {
            let marks = parts.extensions.get().cloned();
            // In a box, since this future is moved through every layer before it runs.
            Box::pin(run(shared, parameters, verified, Accepted { media, stream, is_get, place, marks })).await
        }
        Err(error) => refuse(error),
    }
}

async fn read_body(headers: &HeaderMap, body: Body, discard_for: Duration) -> Result<Bytes, Box<Response>> {
    if let Err(error) = check_content_type(headers) {
        body::discard(headers, body, discard_for);
        return Err(refuse(error).into());
    }
    body::read(headers, body, discard_for).await.map_err(|unread| match unread {
        Unread::TooLarge => {
            refuse_by(coded(Code::PayloadTooLarge, "The body is larger than 256 KiB.", None), Limit::Body).into()
        }
        Unread::Broken => refuse(coded(Code::BadRequest, "The body ended too early.", None)).into(),
    })
}

fn too_many(wait: Duration) -> Response {
    let message = "You have sent too many operations in a minute. Retry-After says when to try again.";
    refuse_for(coded(Code::RateLimited, message, None), wait, Limit::Rate)
}

/// Who is asking. An invalid token is refused for the whole request.
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
    // No message has a quote or a backslash. Clients that sent no Bearer token hear of no error (section 3.1).
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

/// A request that has a place, and what its client accepts.
struct Accepted {
    /// The type of an answer, if it accepts one.
    media: Option<MediaType>,
    /// The type of a stream of answers, if it accepts one.
    stream: Option<MediaType>,
    is_get: bool,
    /// Its place among those in flight.
    place: OwnedSemaphorePermit,
    /// Tells the connection that it carries a stream.
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
            // A stream is not in flight; a query in one takes a place of its own.
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
            let is_unauthenticated = reply.most_severe_code() == Some(Code::Unauthenticated);
            let mut response = answer(reply, media.unwrap_or(MediaType::Json));
            if is_unauthenticated {
                challenge_with(&mut response, HeaderValue::from_static("Bearer"));
            }
            response
        }
    };
    let summary = ResponseSummary::of(&mut response);
    (summary.kind, summary.operation) = (kind, name);
    response
}
