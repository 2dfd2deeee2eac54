//! Answers under /graphql: JSON whose errors carry a code, with the status that code stands for.

use std::time::Duration;

use async_graphql::{ServerError, Value};
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::accept::MediaType;
use super::request_id;
use super::summary::{Limit, ResponseSummary};
use crate::graphql::{Code, Data, Reply, code_of, coded};

/// What clients hear when all places are taken.
pub(super) const FULL: &str = "The server is full. Try again in a moment.";
/// After how many seconds to try again what was not available.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

#[derive(Serialize)]
struct Body<'r> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'r [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'r Value>,
}

/// An answer as JSON: `{"errors": …, "data": …}`. None if it cannot be written.
pub(super) fn to_json(reply: Reply) -> Option<String> {
    let Reply { data, mut errors, .. } = reply;
    errors.iter_mut().for_each(add_request_id);
    let data = match data {
        Some(Data::Written(text)) if errors.is_empty() => return Some(text),
        Some(Data::Written(text)) => {
            // What is written begins with its own bracket.
            let errors = serde_json::to_string(&errors).ok()?;
            return Some(format!("{{\"errors\":{errors},{}", text.get(1..)?));
        }
        Some(Data::Tree(data)) => Some(data),
        None => None,
    };
    let written = serde_json::to_string(&Body { errors: &errors, data: data.as_ref() });
    written.inspect_err(|error| tracing::error!(%error, "an answer could not be written as JSON")).ok()
}

/// The status that an error stands for.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::BadRequest
        | Code::ParseFailed
        | Code::ValidationFailed
        | Code::QueryTooComplex
        | Code::DocumentNotTrusted => StatusCode::BAD_REQUEST,
        Code::BadUserInput
        | Code::NotFound
        | Code::Conflict
        | Code::QuotaExceeded
        | Code::SyncTokenExpired
        | Code::PersistedQueryNotFound => StatusCode::OK,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The status of an answer. `application/json` keeps 200 for what is wrong with a document, since a proxy in between
/// might answer with that type as well (GraphQL over HTTP, section 6.4.1).
fn status(reply: &Reply, media: MediaType) -> StatusCode {
    if reply.data.as_ref().is_some_and(|data| !matches!(data, Data::Tree(Value::Null))) {
        return StatusCode::OK;
    }
    let Some(code) = reply.most_severe_code() else { return StatusCode::OK };
    let is_of_the_document =
        matches!(code, Code::ParseFailed | Code::ValidationFailed | Code::QueryTooComplex | Code::DocumentNotTrusted);
    if media == MediaType::Json && is_of_the_document { StatusCode::OK } else { status_of(code) }
}

/// What a client gets for its request.
pub(super) fn answer(reply: Reply, media: MediaType) -> Response {
    let status = status(&reply, media);
    respond(reply, status, media)
}

/// A refusal that has nothing to do with a document, as plain JSON; the handler changes the type for clients that accept
/// the other one.
pub(super) fn refuse(error: ServerError) -> Response {
    let status = code_of(&error).map_or(StatusCode::INTERNAL_SERVER_ERROR, status_of);
    refusal(error, status)
}

/// As [`refuse`], with a status of its own.
pub(super) fn refusal(error: ServerError, status: StatusCode) -> Response {
    respond(Reply::refusal(error), status, MediaType::Json)
}

/// A refusal of the method, with those that are allowed.
pub(super) fn refuse_method(error: ServerError, allowed: &'static str) -> Response {
    let mut response = refuse(error);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A refusal by a limit that passes, with the seconds to wait for it.
pub(super) fn refuse_for(error: ServerError, wait: Duration, limit: Limit) -> Response {
    let mut response = refuse_by(error, limit);
    let seconds = wait.as_secs() + 1;
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

/// A refusal by a limit.
pub(super) fn refuse_by(error: ServerError, limit: Limit) -> Response {
    let mut response = refuse(error);
    ResponseSummary::of(&mut response).limit = Some(limit);
    response
}

fn respond(reply: Reply, status: StatusCode, media: MediaType) -> Response {
    let (code, way) = (reply.most_severe_code(), reply.way);
    let Some(json) = to_json(reply) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, [(CONTENT_TYPE, media.content_type())], json).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_S);
    }
    let summary = ResponseSummary::of(&mut response);
    summary.way = Some(way);
    if let Some(code) = code {
        summary.code = Some(code);
        summary.limit = (code == Code::QueryTooComplex).then_some(Limit::Document);
    }
    response
}

/// What a client hears whose request was given up.
pub(super) fn too_slow() -> ServerError {
    let message = "This took too long. If it was meant to change something, that may still happen.";
    coded(Code::ServiceUnavailable, message, None)
}

/// Answers paths that do not exist.
pub(super) async fn nothing_there() -> Response {
    let message = "There is nothing at this path; the API is at /graphql.";
    refusal(coded(Code::NotFound, message, None), StatusCode::NOT_FOUND)
}

/// A fault of ours can be found in the log by the id of its request.
fn add_request_id(error: &mut ServerError) {
    if code_of(error) == Some(Code::InternalServerError)
        && let Some(extensions) = &mut error.extensions
        && let Some(id) = request_id::current()
    {
        extensions.set("requestId", id.as_ref());
    }
}
