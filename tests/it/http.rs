//! Methods, media types, statuses, headers and CORS.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, token};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;

struct Case<'c> {
    method: &'c str,
    path: &'c str,
    headers: &'c [(&'c str, &'c str)],
    body: &'c str,
}

async fn send(app: &TestApp, case: Case<'_>) -> Answer {
    let method: Method = case.method.parse().expect("a method");
    let mut request = Request::builder().method(method).uri(case.path);
    for (name, value) in case.headers {
        request = request.header(*name, *value);
    }
    Answer::of(app.send(request.body(Body::from(case.body.to_owned())).expect("a request")).await).await
}

async fn post(app: &TestApp, headers: &[(&str, &str)], body: &str) -> Answer {
    send(app, Case { method: "POST", path: "/graphql", headers, body }).await
}

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(app, Case { method: "GET", path, headers, body: "" }).await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const MODERN: (&str, &str) = ("accept", "application/graphql-response+json");

#[tokio::test]
async fn the_media_type_is_the_one_that_the_client_takes() {
    let app = TestApp::new().await;
    let plain = "application/json; charset=utf-8";
    let modern = "application/graphql-response+json; charset=utf-8";
    for (accept, expected) in [
        (None, plain),
        (Some("*/*"), plain),
        (Some("application/json"), plain),
        (Some("application/graphql-response+json"), modern),
        (Some("application/graphql-response+json, application/json;q=0.9"), modern),
    ] {
        let headers: Vec<_> = [JSON].into_iter().chain(accept.map(|accept| ("accept", accept))).collect();
        let answer = post(&app, &headers, QUERY).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some(expected)), "{accept:?}");
        assert_eq!(answer.body, json!({"data": {"__typename": "Query"}}));
    }
    let refused = post(&app, &[JSON, MODERN, ("authorization", "Bearer x")], QUERY).await;
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (401, Some(modern)));
    assert_eq!(post(&app, &[JSON, MODERN], "{}").await.header("content-type"), Some(modern));
    let answer = post(&app, &[JSON, ("accept", "text/plain")], QUERY).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (406, Some("NOT_ACCEPTABLE")));
    assert_eq!(answer.header("content-type"), Some(plain));
}

#[tokio::test]
async fn plain_json_keeps_200_for_what_is_wrong_with_a_document() {
    let app = TestApp::new().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a { b { c { d { e { f { g { h { i { j { k { l { m } } } } } } } } } } } } }", "QUERY_TOO_COMPLEX"),
    ] {
        let body = json!({ "query": query }).to_string();
        for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
            let answer = post(&app, &[JSON, ("accept", accept)], &body).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (status, Some(code)), "{query} as {accept}");
            assert_eq!(answer.body.get("data"), None);
        }
    }
    for accept in ["application/json", "application/graphql-response+json"] {
        let answer = post(&app, &[JSON, ("accept", accept)], "{}").await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_REQUEST")));
        let answer = post(&app, &[JSON, ("accept", accept)], r#"{"query":"{ viewer { id } }"}"#).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, Some("UNAUTHENTICATED")));
    }
}

#[tokio::test]
async fn a_body_must_be_json_of_the_right_shape_and_size() {
    let app = TestApp::new().await;
    for body in [
        "",
        "{",
        "[]",
        r#"[{"query":"{ __typename }"}]"#,
        r#"{"query":1}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
    ] {
        let answer = post(&app, &[JSON, MODERN], body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_REQUEST")), "{body}");
    }
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql"]
    {
        let answer = post(&app, &[("content-type", content_type)], QUERY).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (415, Some("UNSUPPORTED_MEDIA_TYPE")));
    }
    assert_eq!(post(&app, &[], QUERY).await.status, 415);
    assert_eq!(post(&app, &[JSON, ("content-encoding", "gzip")], QUERY).await.status, 415);
    let sized = |bytes: usize| {
        let empty = json!({"query": "{ __typename }", "extensions": {"x": ""}}).to_string();
        empty.replace(r#""x":"""#, &format!(r#""x":"{}""#, "y".repeat(bytes - empty.len())))
    };
    assert_eq!(post(&app, &[JSON], &sized(256 * 1024)).await.status, 200);
    let answer = post(&app, &[JSON], &sized(256 * 1024 + 1)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, Some("PAYLOAD_TOO_LARGE")));
}

#[tokio::test]
async fn get_asks_and_does_not_change() {
    let app = TestApp::new().await;
    let authorization = format!("Bearer {}", token("ada"));
    let headers = [("authorization", authorization.as_str()), MODERN];
    let path = "/graphql?query=query%20A(%24n%3AInt)%7Btasks(first%3A%24n)%7BtotalCount%7D%7D%20query%20B%7B__typename%7D&operationName=A&variables=%7B%22n%22%3A1%7D";
    assert_eq!(get(&app, path, &headers).await.body, json!({"data": {"tasks": {"totalCount": 0}}}));
    let mutation = "/graphql?query=mutation%7BtoggleTask(id%3A1)%7Btask%7Bid%7D%7D%7D";
    let answer = get(&app, mutation, &headers).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code(), answer.header("allow")),
        (405, Some("METHOD_NOT_ALLOWED"), Some("POST"))
    );
    for path in ["/graphql", "/graphql?query=", "/graphql?query=%7B__typename%7D&variables=x"] {
        assert_eq!(get(&app, path, &headers).await.code(), Some("BAD_REQUEST"), "{path}");
    }
    let unnamed = "/graphql?query=%7B__typename%7D&operationName=";
    assert_eq!(get(&app, unnamed, &headers).await.body, json!({"data": {"__typename": "Query"}}));
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let answer = send(&app, Case { method, path: "/graphql", headers: &[JSON], body: QUERY }).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, POST")), "{method}");
    }
    // A token is never taken from the URL.
    let path = format!("/graphql?query=%7Bviewer%7Bid%7D%7D&access_token={}", token("ada"));
    assert_eq!(get(&app, &path, &[]).await.status, 401);
}

#[tokio::test]
async fn two_authorization_headers_are_one_too_many() {
    let app = TestApp::new().await;
    let good = format!("Bearer {}", token("ada"));
    let answer = post(&app, &[JSON, ("authorization", &good), ("authorization", &good)], QUERY).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, Some("UNAUTHENTICATED")));
    assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.contains("invalid_token")));
}

#[tokio::test]
async fn probes_and_other_paths_answer() {
    let app = TestApp::new().await;
    let answer = get(&app, "/health", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({"status": "healthy"})));
    assert_eq!(get(&app, "/ready", &[]).await.status, 200);
    for path in ["/nowhere", "/graphql/", "/graphiql/page.js", "/"] {
        let answer = get(&app, path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, Some("NOT_FOUND")), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let app = TestApp::new().await;
    let id = async |path| get(&app, path, &[]).await.header("x-request-id").map(str::to_owned);
    let (first, second) = (id("/health").await, id("/graphql").await);
    assert!(first.is_some() && second.is_some() && first != second);
}

#[tokio::test]
async fn browsers_may_call_from_listed_origins_only() {
    let app = TestApp::new().await;
    let preflight =
        [("access-control-request-method", "POST"), ("access-control-request-headers", "authorization,content-type")];
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://APP.example.com", true),
        ("http://app.example.com", false),
        ("https://app.example.com.evil.com", false),
        ("http://localhost:3000", false),
        ("null", false),
    ] {
        let headers: Vec<_> = preflight.into_iter().chain([("origin", origin)]).collect();
        let answer = send(&app, Case { method: "OPTIONS", path: "/graphql", headers: &headers, body: "" }).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin), "{origin}");
        // Errors too can be read by those who may call.
        let answer = post(&app, &[JSON, ("origin", origin)], r#"{"query":"{ viewer { id } }"}"#).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin), "{origin}");
        let exposed = answer.header("access-control-expose-headers").expect("what may be read");
        assert!(exposed.contains("retry-after") && exposed.contains("www-authenticate"));
    }
}

#[tokio::test]
async fn development_mode_answers_this_machine_only() {
    let app = TestApp::with(|app| app.is_development = true).await;
    let refused = async |headers: &[(&str, &str)]| {
        let answer = get(&app, "/health", headers).await;
        let preflight = send(&app, Case { method: "OPTIONS", path: "/graphql", headers, body: "" }).await;
        assert_eq!(answer.status, preflight.status);
        assert!(answer.status == 200 || answer.code() == Some("FORBIDDEN"), "{answer:?}");
        answer.status == 403
    };
    for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
        assert!(!refused(&[("host", host)]).await, "{host}");
    }
    for host in ["example.com", "rebound.example.com:8000", "192.168.0.1", "localhost.evil.com", ""] {
        assert!(refused(&[("host", host)]).await, "{host}");
    }
    assert!(refused(&[]).await);
    for header in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "X-Forwarded-Anything"] {
        assert!(refused(&[("host", "localhost"), (header, "1.2.3.4")]).await, "{header}");
    }
    let origin = async |origin| {
        let answer = post(&app, &[JSON, ("host", "localhost"), ("origin", origin)], QUERY).await;
        answer.header("access-control-allow-origin").is_some()
    };
    assert!(
        origin("http://localhost:3000").await
            && origin("https://127.0.0.1:5173").await
            && origin("http://[::1]:1").await
    );
    assert!(!origin("http://evil.com").await && !origin("null").await);
}

#[tokio::test]
async fn the_page_is_served_where_it_is_on() {
    let page = || taskql::http::Page { token: Some("the.dev.token".into()) };
    let app = TestApp::with(|app| app.graphiql = Some(page())).await;
    let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let answer = get(&app, "/graphql", &[browser]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("script-src 'self'")
            && !policy.contains("unsafe-eval")
    );
    assert!(
        answer.body.as_str().is_some_and(|html| html.contains(r#"{"token":"the.dev.token"}"#) && !html.contains("{{"))
    );
    let lead = get(&app, "/", &[browser]).await;
    assert_eq!((lead.status.as_u16(), lead.header("location")), (307, Some("/graphql")));
    assert_eq!(get(&app, "/graphql?query=%7B__typename%7D", &[("accept", "*/*")]).await["data"]["__typename"], "Query");
    assert_eq!(
        get(&app, "/graphiql/page.js", &[]).await.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(get(&app, "/graphiql/nothing.js", &[]).await.status, 404);
    let with_tasks = TestApp::with(|app| app.task_app = Some(page())).await;
    let answer = get(&with_tasks, "/app", &[browser]).await;
    let html = answer.body.as_str().expect("a page");
    assert!(html.contains(r#"{"token":"the.dev.token"}"#) && html.contains("/app/app.js") && !html.contains("{{"));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
    if taskql::http::HAS_TASK_APP {
        let script = get(&with_tasks, "/app/app.js", &[("accept-encoding", "gzip")]).await;
        assert_eq!((script.status.as_u16(), script.header("content-encoding")), (200, Some("gzip")));
    }
    let off = TestApp::new().await;
    assert_eq!(get(&off, "/app", &[browser]).await.status, 404);
    assert_eq!(get(&off, "/graphql?query=%7B__typename%7D", &[browser]).await["data"]["__typename"], "Query");
    assert_eq!(get(&off, "/graphql", &[("accept", "text/html")]).await.body["data"], Value::Null);
}
