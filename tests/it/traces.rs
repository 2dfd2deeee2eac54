//! With the feature `otlp`: a request's span arrives at a collector, as a part of the trace that the request names.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Process, SECRET, folder, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_arrives_in_the_trace_of_its_request() {
    let received: Arc<Mutex<Vec<u8>>> = Arc::default();
    let shared = Arc::clone(&received);
    let take = move |body: Bytes| async move { shared.lock().expect("not poisoned").extend_from_slice(&body) };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(taskql::http::server::serve(
        listener,
        router,
        taskql::http::Streams::default(),
        taskql::http::Timeouts::default(),
        std::future::pending(),
    ));

    let secret = std::str::from_utf8(SECRET).expect("text");
    let variables = [
        ("DATABASE_URL", "sqlite::memory:"),
        ("TASKQL_JWT_SECRET", secret),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ];
    let mut process = Process::start(&folder(), &variables).await;
    let trace: [u8; 16] = *b"\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36";
    let headers = format!(
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        token("ada")
    );
    let body = json!({"query": "{ viewer { id } }"}).to_string();
    assert_eq!(process.request("POST", "/graphql", &headers, body.as_bytes()).await.expect("an answer").0, 200);
    // What is under way to the collector is sent when the server ends.
    process.signal("TERM").await;
    assert_eq!(process.child.wait().await.expect("it ends").code(), Some(0));
    let received = received.lock().expect("not poisoned");
    let holds = |bytes: &[u8]| received.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&trace) && holds(b"request") && holds(b"taskql"), "{} bytes", received.len());
    assert!(!holds(token("ada").as_bytes()));
}
