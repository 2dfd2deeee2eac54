//! Rates, requests in flight and the figures that tell of them.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures_util::future::join_all;
use sea_orm::DbBackend;
use serde_json::json;
use taskql::http::{Limits, Timeouts};

use crate::support::{Answer, TestApp, token};

#[tokio::test]
async fn each_user_has_a_rate_of_their_own() {
    let app = TestApp::with(|app| app.limits = Limits::new(256, 5, Vec::new())).await;
    let (ada, bob, nobody) = (app.user("ada"), app.user("bob"), app.anonymous());
    for client in [&ada, &bob, &nobody] {
        for _ in 0..5 {
            assert_eq!(client.run("{ __typename }").await.code(), None);
        }
        let refused = client.run("{ __typename }").await;
        assert_eq!((refused.status.as_u16(), refused.code()), (429, Some("RATE_LIMITED")));
        let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
        assert!((1..=13).contains(&wait), "{wait}");
        assert_eq!(refused.body.get("data"), None);
    }
    // Tokens that do not hold count for their address, and so cannot be tried without end.
    let mut guessing = app.anonymous();
    guessing.authorization = Some("Bearer guess".into());
    assert_eq!(guessing.run("{ __typename }").await.code(), Some("RATE_LIMITED"));
    // Neither preflights nor probes are limited.
    let preflight = Request::options("/graphql")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST");
    let answer = Answer::of(app.send(preflight.body(Body::empty()).expect("a request")).await).await;
    assert_eq!(answer.status, 200);
    assert_eq!(app.anonymous().get("/health").await.status, 200);
}

#[tokio::test]
async fn no_rate_is_no_limit() {
    let app = TestApp::with(|app| app.limits = Limits::new(256, 0, Vec::new())).await;
    for _ in 0..1_000 {
        assert_eq!(app.user("ada").run("{ __typename }").await.code(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_more_than_fit_is_refused_at_once() {
    let app = TestApp::with(|app| app.limits = Limits::new(1, 0, Vec::new())).await;
    let ada = app.user("ada");
    let query = "{ a: tasks { totalCount } b: tasks(status: PENDING) { totalCount } c: tasks(status: COMPLETED) { totalCount } }";
    let answers = join_all((0..64).map(|_| {
        let ada = ada.clone();
        tokio::spawn(async move { ada.run(query).await })
    }))
    .await;
    let (mut answered, mut refused) = (0, 0);
    for answer in answers {
        let answer = answer.expect("ends");
        match (answer.status.as_u16(), answer.code()) {
            (200, None) => answered += 1,
            (503, Some("SERVICE_UNAVAILABLE")) => {
                assert_eq!(answer.header("retry-after"), Some("1"));
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    assert_eq!(ada.run(query).await.code(), None);
}

#[tokio::test]
async fn a_body_that_never_comes_takes_no_place() {
    let app = TestApp::with(|app| app.limits = Limits::new(1, 0, Vec::new())).await;
    let slow = tokio::spawn({
        let router = app.router.clone();
        async move { tower::ServiceExt::oneshot(router, without_its_body()).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(app.user("ada").run("{ viewer { id } }").await.code(), None);
    slow.abort();
}

/// A request whose body never comes.
fn without_its_body() -> Request<Body> {
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", token("ada")));
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    request.body(Body::from_stream(never)).expect("a request")
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let app = TestApp::with(|app| app.timeouts.request = Duration::from_millis(50)).await;
    let answer = Answer::of(app.send(without_its_body()).await).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, Some("SERVICE_UNAVAILABLE")));
    assert_eq!(answer.header("retry-after"), Some("1"));
    let metrics = app.anonymous().get("/metrics").await;
    let text = metrics.body.as_str().expect("a text");
    assert!(text.contains("taskql_limit_refusals_total{limit=\"time\"} 1\n"), "{text}");
}

#[test]
fn time_limits_are_those_that_are_promised() {
    let timeouts = Timeouts::default();
    assert_eq!(timeouts.head, Duration::from_secs(10));
    assert_eq!(timeouts.request, Duration::from_secs(15));
    assert_eq!(timeouts.socket_init, Duration::from_secs(10));
    assert_eq!(timeouts.socket_ping, Duration::from_secs(20));
    assert_eq!(timeouts.socket_send, Duration::from_secs(30));
    assert!(2 * timeouts.socket_close < Duration::from_secs(5), "a socket is closed within 5 s of its token's end");
    assert!(timeouts.shutdown > timeouts.request, "requests in flight may end");
}

#[tokio::test]
async fn metrics_tell_what_was_answered_and_refused() {
    let app = TestApp::with(|app| app.limits = Limits::new(256, 5, Vec::new())).await;
    let ada = app.user("ada");
    ada.create_titled("x").await;
    ada.run("{ tasks { totalCount } }").await;
    ada.run("{ nope }").await;
    ada.run(&"{".repeat(40)).await;
    ada.run("{ viewer { id } }").await;
    ada.run("{ viewer { id } }").await;
    ada.post(json!({"query": "x".repeat(300_000)})).await;
    let text = app.anonymous().get("/metrics").await;
    assert!(text.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")));
    let text = text.body.as_str().expect("text").to_owned();
    let statements = if app.db.get_database_backend() == DbBackend::Postgres { 3 } else { 4 };
    let statements = format!("taskql_statements_total {statements}");
    for line in [
        "taskql_requests_total{kind=\"mutation\",status=\"200\",code=\"none\"} 1",
        "taskql_requests_total{kind=\"query\",status=\"200\",code=\"none\"} 2",
        "taskql_requests_total{kind=\"query\",status=\"400\",code=\"GRAPHQL_VALIDATION_FAILED\"} 1",
        "taskql_requests_total{kind=\"none\",status=\"400\",code=\"QUERY_TOO_COMPLEX\"} 1",
        "taskql_requests_total{kind=\"none\",status=\"429\",code=\"RATE_LIMITED\"} 1",
        "taskql_operations_total{way=\"fast_path\"} 3",
        "taskql_operations_total{way=\"refused\"} 1",
        "taskql_limit_refusals_total{limit=\"document\"} 1",
        "taskql_limit_refusals_total{limit=\"rate\"} 1",
        "taskql_limit_refusals_total{limit=\"body\"} 1",
        "taskql_request_duration_seconds_count{kind=\"mutation\"} 1",
        &statements,
        "taskql_pool_connections{state=\"in_use\"} 0",
        "taskql_pool_waiting 0",
        "taskql_requests_in_flight 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("ada"), "nobody is named");
}
