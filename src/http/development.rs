//! Development mode serves this machine and nobody else. What comes through a proxy, or by a name that somebody else
//! may have pointed here (DNS rebinding), is refused.

use axum::extract::Request;
use axum::http::Method;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::Response;

use super::answer;
use crate::graphql::{Code, coded};

/// Lets through what was sent to this machine by its own names.
pub(super) async fn admit(request: Request, next: Next) -> Response {
    let names = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let names: Vec<&str> = names.chain(request.uri().authority().map(axum::http::uri::Authority::as_str)).collect();
    let is_proxied = |name: &str| name == "forwarded" || name.starts_with("x-forwarded");
    let reason = if names.is_empty() || !names.into_iter().all(is_local) {
        "Development mode answers to localhost, 127.0.0.1 and [::1] only. Set TASKQL_JWT_SECRET to serve other names."
    } else if request.headers().keys().any(|name| is_proxied(name.as_str())) {
        "Development mode does not answer through a proxy. Set TASKQL_JWT_SECRET to serve behind one."
    } else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    super::body::discard(&parts.headers, body, super::Timeouts::default().discard);
    answer::refuse(coded(Code::Forbidden, reason, None))
}

/// The same for preflights, which never come as far as [`admit`].
pub(super) async fn admit_preflight(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS { admit(request, next).await } else { next.run(request).await }
}

/// Whether `host`, with a port or without one, names this machine.
pub(super) fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !host.ends_with(']') => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| name.eq_ignore_ascii_case(local))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "::1",
            "127.0.0.2",
            "[::2]:1",
            "user@localhost",
            "localhost:80:80",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
