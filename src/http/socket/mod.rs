//! `GET /graphql`, upgraded: the WebSocket handshake (RFC 6455, section 4.2), and then the protocol
//! graphql-transport-ws in a [`session`].

mod protocol;
mod session;

use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::answer::{refusal, refuse};
use super::app::Shared;
use super::cors;
use crate::graphql::{Code, coded};

/// What a client hears whose request asks for a WebSocket in a wrong way.
const NO_HANDSHAKE: &str = "This is not a WebSocket handshake.";
/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// Most bytes of a message.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// How much a socket reads and writes at once. An idle socket keeps this much memory.
const BUFFER_BYTES: usize = 4 * 1024;

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && has_token(headers, &UPGRADE, "websocket")
}

/// Accepts, and runs the session in a task of its own.
pub(super) fn upgrade(shared: Shared, mut request: Request) -> Response {
    let headers = request.headers();
    let has_body = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    // Upgrades came with HTTP/1.1 (RFC 9110, section 7.8).
    if request.version() != Version::HTTP_11 || has_body {
        return refuse(coded(Code::BadRequest, NO_HANDSHAKE, None));
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|_| has_token(headers, &CONNECTION, "upgrade")) else {
        return refuse(coded(Code::BadRequest, NO_HANDSHAKE, None));
    };
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response = refuse(coded(Code::BadRequest, "This server only speaks version 13 of WebSocket.", None));
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    if !is_origin_allowed(&shared, headers) {
        let message = "Pages of this origin may not open a socket. TASKQL_CORS_ORIGINS lists the origins that may.";
        return refusal(coded(Code::Forbidden, message, None), StatusCode::FORBIDDEN);
    }
    let accept = derive_accept_key(key.as_bytes());
    let offered = protocols(headers);
    let is_spoken = offered.iter().any(|protocol| protocol == PROTOCOL);
    // If no protocol is ours, the first is confirmed all the same: clients give up without one, and would not see the
    // close code that says what is wrong.
    let chosen = if is_spoken { Some(HeaderValue::from_static(PROTOCOL)) } else { offered.into_iter().next() };
    let authorization = headers.get(AUTHORIZATION).cloned();
    let upgrade = hyper::upgrade::on(&mut request);
    let streams = shared.app.streams.clone();
    streams.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        session::run(shared, socket, authorization, is_spoken).await;
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(chosen) = chosen {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    response
}

/// Whether a list header has `token`, in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// The subprotocols that a client offers, in its order.
fn protocols(headers: &HeaderMap) -> Vec<HeaderValue> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let offered = values.flat_map(|value| value.split(',')).map(str::trim).filter(|one| !one.is_empty());
    offered.filter_map(|one| HeaderValue::from_str(one).ok()).collect()
}

/// A browser says which page opens a socket, and lets any page do so: CORS does not apply. A page is one of ours if its
/// origin is the host that was asked.
fn is_origin_allowed(shared: &Shared, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (origin, None) = (origins.next(), origins.next()) else { return false };
    let Some(origin) = origin else { return true };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_own = origin.to_str().is_ok_and(|origin| is_same_host(origin, host));
    is_own || cors::is_allowed(origin, &shared.app.cors_origins, shared.app.is_development)
}

/// Whether an origin is the host that was asked. Which scheme the page had cannot be told behind a proxy.
fn is_same_host(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let bare = |name: &str| name.strip_suffix(default_port).unwrap_or(name).to_ascii_lowercase();
    !host.is_empty() && bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::is_same_host;

    #[test]
    fn a_page_of_the_same_host_is_our_own() {
        for (origin, host) in [
            ("https://tasks.example.com", "tasks.example.com"),
            ("https://tasks.example.com", "tasks.example.com:443"),
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("https://Tasks.example.com", "tasks.EXAMPLE.com"),
        ] {
            assert!(is_same_host(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("null", "null"),
            ("https://evil.example.com", "tasks.example.com"),
            ("https://tasks.example.com.evil.com", "tasks.example.com"),
            ("http://127.0.0.1:8001", "127.0.0.1:8000"),
            ("https://tasks.example.com", "tasks.example.com:80"),
            ("file://", ""),
            ("https://", ""),
            ("", ""),
        ] {
            assert!(!is_same_host(origin, host), "{origin} {host}");
        }
    }
}
