//! Streams of answers over HTTP: server-sent events as graphql-sse has them, and Apollo's multipart form.

use std::time::{Duration, Instant};

use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};

use crate::support::{EventStream, Served, TestApp, token, token_until};

const CHANGED: &str = "subscription($since: String) { taskChanged(since: $since) { kind syncToken task { title } } }";

fn accepting(accept: &str, token: &str) -> String {
    format!("accept: {accept}\r\nauthorization: Bearer {token}\r\n")
}

async fn follow(served: &Served, token: &str, since: Value) -> EventStream {
    EventStream::post(&served.address, &accepting("text/event-stream", token), CHANGED, json!({"since": since})).await
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_events_by_post_and_by_get() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let ada = app.user("ada");
    let since = ada.since().await["since"].clone();
    let query: String = url::form_urlencoded::byte_serialize(CHANGED.as_bytes()).collect();
    let variables = json!({ "since": since }).to_string();
    let variables: String = url::form_urlencoded::byte_serialize(variables.as_bytes()).collect();
    let what = format!("GET /graphql?query={query}&variables={variables}");
    let mut by_get =
        EventStream::send(&served.address, &what, &accepting("text/event-stream", &token("ada")), "").await;
    let mut by_post = follow(&served, &token("ada"), since.clone()).await;
    for stream in [&mut by_get, &mut by_post] {
        assert!(stream.head.starts_with("HTTP/1.1 200"), "{}", stream.head);
        assert!(stream.head.contains("content-type: text/event-stream; charset=utf-8"), "{}", stream.head);
        assert_eq!(stream.line().await.as_deref(), Some(":"), "something comes at once");
    }
    ada.create_titled("x").await;
    let mut told = Value::Null;
    for stream in [&mut by_get, &mut by_post] {
        let (name, data) = stream.event().await.expect("an event");
        assert_eq!((name.as_str(), &data["data"]["taskChanged"]["task"]["title"]), ("next", &json!("x")));
        told = data["data"]["taskChanged"]["syncToken"].clone();
    }
    // From an earlier token the same comes again; from its own it does not.
    assert_eq!(follow(&served, &token("ada"), since).await.event().await.expect("an event").0, "next");
    let mut later = follow(&served, &token("ada"), told).await;
    later.line().await;
    ada.create_titled("y").await;
    assert_eq!(later.event().await.expect("an event").1["data"]["taskChanged"]["task"]["title"], "y");
    drop((by_get, by_post, later));
    while app.streams_open().await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_query_and_what_is_wrong_with_a_document_have_one_event_and_an_end() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    for (document, expected) in [
        ("{ viewer { id } }", json!({"data": {"viewer": {"id": "ada"}}})),
        ("subscription { nope }", json!("GRAPHQL_VALIDATION_FAILED")),
        ("{ syntax", json!("GRAPHQL_PARSE_FAILED")),
        ("subscription { taskChanged(since: \"nonsense\") { kind } }", json!("BAD_USER_INPUT")),
    ] {
        let headers = accepting("text/event-stream", &token("ada"));
        let mut stream = EventStream::post(&served.address, &headers, document, json!({})).await;
        let (name, data) = stream.event().await.expect("an event");
        let told = if expected.is_string() { &data["errors"][0]["extensions"]["code"] } else { &data };
        assert_eq!((name.as_str(), told), ("next", &expected), "{document}");
        assert_eq!(stream.event().await, Some(("complete".into(), Value::Null)), "{document}");
    }
}

#[tokio::test]
async fn refusals_are_json_with_a_status() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let refused = async |headers: &str, query: &str| {
        let mut stream =
            EventStream::post(&served.address, &format!("{headers}connection: close\r\n"), query, json!({})).await;
        let body = stream.line().await.expect("a body");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let code = body["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned();
        (stream.head[9..12].to_owned(), code, stream.head.contains("\nwww-authenticate: "))
    };
    let sse = "accept: text/event-stream\r\n";
    assert_eq!(refused(sse, CHANGED).await, ("401".into(), "UNAUTHENTICATED".into(), true));
    let bad = format!("{sse}authorization: Bearer nonsense\r\n");
    assert_eq!(refused(&bad, CHANGED).await, ("401".into(), "UNAUTHENTICATED".into(), true));
    for accept in ["application/json", "*/*", "application/graphql-response+json", "text/*"] {
        let headers = accepting(accept, &token("ada"));
        assert_eq!(refused(&headers, CHANGED).await, ("406".into(), "NOT_ACCEPTABLE".into(), false), "{accept}");
    }
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(follow(&served, &token("ada"), Value::Null).await);
    }
    let headers = accepting("text/event-stream", &token("ada"));
    assert_eq!(refused(&headers, CHANGED).await, ("429".into(), "RATE_LIMITED".into(), false));
    let mutation: String =
        url::form_urlencoded::byte_serialize(b"mutation { toggleTask(id: \"x\") { task { id } } }").collect();
    let get = EventStream::send(&served.address, &format!("GET /graphql?query={mutation}"), &headers, "").await;
    assert!(get.head.starts_with("HTTP/1.1 405"), "{}", get.head);
}

#[tokio::test]
async fn a_token_that_expires_ends_its_stream_with_an_error() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let began = Instant::now();
    let mut stream = follow(&served, &token_until("ada", get_current_timestamp() - 28), Value::Null).await;
    let (name, data) = stream.event().await.expect("an event");
    assert_eq!((name.as_str(), &data["errors"][0]["extensions"]["code"]), ("next", &json!("UNAUTHENTICATED")));
    assert_eq!(stream.event().await.expect("an end").0, "complete");
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_idle_stream_has_comments_and_a_stop_cuts_it_without_completion() {
    let app = TestApp::with(|app| app.timeouts.stream_comment = Duration::from_millis(300)).await;
    let served = Served::start(&app).await;
    let mut stream = follow(&served, &token("ada"), Value::Null).await;
    assert_eq!(stream.line().await.as_deref(), Some(":"));
    let began = Instant::now();
    let mut comments = 0;
    while comments < 3 {
        comments += usize::from(stream.line().await.expect("open") == ":");
    }
    assert!(began.elapsed() > Duration::from_millis(800), "{:?}", began.elapsed());
    let ((), ended) = tokio::join!(served.stop(), stream.event());
    assert_eq!(ended, None, "a client that was not told of an end reconnects");
}

#[tokio::test]
async fn a_query_in_a_stream_takes_one_place_in_flight() {
    let app = TestApp::with(|app| app.limits = taskql::http::Limits::new(1, 0, Vec::new())).await;
    let served = Served::start(&app).await;
    let headers = accepting("text/event-stream", &token("ada"));
    let mut stream = EventStream::post(&served.address, &headers, "{ viewer { id } }", json!({})).await;
    assert_eq!(stream.event().await.expect("an event").1, json!({"data": {"viewer": {"id": "ada"}}}));
}

#[tokio::test]
async fn apollos_multipart_form_is_spoken() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let accept = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\",application/json";
    let headers = accepting(accept, &token("ada"));
    let mut stream = EventStream::post(&served.address, &headers, CHANGED, app.user("ada").since().await).await;
    assert!(stream.head.contains("content-type: multipart/mixed; boundary=\"graphql\""), "{}", stream.head);
    app.user("ada").create_titled("x").await;
    let mut lines = Vec::new();
    while lines.iter().filter(|line: &&String| line.starts_with("--graphql")).count() < 2 {
        lines.extend(stream.line().await);
    }
    lines.retain(|line| !line.is_empty());
    let payload: Value = serde_json::from_str(&lines[2]).expect("JSON");
    assert_eq!((lines[0].as_str(), lines[1].as_str()), ("--graphql", "content-type: application/json"));
    assert_eq!(payload["payload"]["data"]["taskChanged"]["task"]["title"], "x");
    // A query of the same client is plain JSON.
    let query = EventStream::post(&served.address, &headers, "{ viewer { id } }", json!({})).await;
    assert!(query.head.contains("content-type: application/json"), "{}", query.head);
}
