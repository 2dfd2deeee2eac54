//! The GraphQL handler: method, media types, size, token, document, in this order, and the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;

use super::accept::{MediaType, OF_GRAPHQL, negotiate};
use super::answer::{answer, refuse, refuse_by, refuse_for, refuse_method};
use super::body::{self, Unread};
use super::metrics::Limit;
use super::parameters::{Parameters, check_content_type};
use super::request_log::Note;
use super::{App, graphiql, shed};
use crate::auth::{InvalidToken, TokenError};
use crate::domain::Viewer;
use crate::graphql::{Call, Code, OperationKind, Reply, coded};

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Answers `/graphql`.
pub(super) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let offered = match (&parts.method, &app.graphiql) {
        (&Method::GET, Some(_)) => &[MediaType::Json, MediaType::GraphqlResponse, MediaType::Html][..],
        _ => &OF_GRAPHQL,
    };
    let media = negotiate(&parts.headers, offered);
    let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, respond(&app, &parts, body, media)).await {
        Ok(response) => response,
        Err(_) => {
            let message = "This took too long. Where it was to change something, that may still happen.";
            refuse_by(coded(Code::ServiceUnavailable, message, None), Limit::Time)
        }
    };
    if media == Some(MediaType::GraphqlResponse) {
        // Refusals too are what the client takes.
        let content_type = HeaderValue::from_static(MediaType::GraphqlResponse.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

async fn respond(app: &App, parts: &Parts, body: Body, media: Option<MediaType>) -> Response {
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => {
            body::discard(&parts.headers, body);
            return refuse_method(coded(Code::MethodNotAllowed, "Use GET or POST.", None), "GET, POST");
        }
    };
    let Some(media) = media else {
        body::discard(&parts.headers, body);
        let message = "Accept application/graphql-response+json or application/json.";
        return refuse(coded(Code::NotAcceptable, message, None));
    };
    if let (MediaType::Html, Some(page)) = (media, &app.graphiql) {
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
    let viewer = match authenticate(app, &parts.headers).await {
        Ok(viewer) => viewer,
        Err(TokenError::Invalid(invalid)) => {
            return app.limits.count(None, parts).map_or_else(too_many, |()| unauthenticated(invalid));
        }
        Err(TokenError::Unavailable(cause)) => {
            tracing::warn!(%cause, "a token could not be checked");
            let message = "Tokens cannot be checked right now. Try again in a moment.";
            return refuse(coded(Code::ServiceUnavailable, message, None));
        }
    };
    if let Err(wait) = app.limits.count(viewer.as_ref(), parts) {
        return too_many(wait);
    }
    let Some(_place) = app.limits.enter() else {
        return refuse_by(coded(Code::ServiceUnavailable, shed::FULL, None), Limit::InFlight);
    };
    match parameters {
        Ok(parameters) => run(app, parameters, viewer, media, is_get).await,
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
async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Option<Viewer>, TokenError> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => {
            let text = one.to_str().map_err(|_| InvalidToken::NotBearer)?;
            app.guard.authenticate(Some(text)).await
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

async fn run(app: &App, parameters: Parameters, viewer: Option<Viewer>, media: MediaType, is_get: bool) -> Response {
    let Parameters { asked, operation_name, variables } = parameters;
    let refused = |error| answer(Reply { data: None, errors: vec![error] }, media);
    let document = match app.documents.find(&app.api, &asked) {
        Ok(document) => document,
        Err(error) => return refused(error),
    };
    let operation = match document.operation(operation_name.as_deref()) {
        Ok(operation) => operation,
        Err(error) => return refused(error),
    };
    let (kind, name) = (operation.kind, operation.name.map(str::to_owned));
    let mut response = match kind {
        OperationKind::Mutation if is_get => {
            refuse_method(coded(Code::MethodNotAllowed, "Send mutations by POST.", None), "POST")
        }
        OperationKind::Subscription => {
            let message = "Subscriptions are not answered as JSON.";
            refuse(coded(Code::NotAcceptable, message, None))
        }
        OperationKind::Query | OperationKind::Mutation => {
            let reply = app.api.execute(Call { document: &document, operation, variables, viewer }).await;
            let is_unauthenticated = reply.gravest() == Some(Code::Unauthenticated);
            let mut response = answer(reply, media);
            if is_unauthenticated {
                challenge_with(&mut response, HeaderValue::from_static("Bearer"));
            }
            response
        }
    };
    let note = Note::of(&mut response);
    (note.kind, note.operation) = (Some(kind), name);
    response
}
