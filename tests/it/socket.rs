//! The protocol graphql-transport-ws, spoken by a raw client: its messages, each close code, limits, origins, tokens.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};
use taskql::auth::{Authenticator, Trust};
use taskql::http::Limits;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{SECRET, Served, Socket, TestApp, token, token_until};

const CHANGED: &str =
    "subscription($since: String) { taskChanged(since: $since) { kind taskId syncToken task { title } } }";

#[tokio::test]
async fn operations_of_every_kind_go_over_a_socket() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    socket.subscribe("s", CHANGED, app.user("ada").since().await).await;
    let create = "mutation { createTask(input: {title: \"over the socket\"}) { task { title } } }";
    socket.subscribe("m", create, json!({})).await;
    let (mut answer, mut change, mut is_complete) = (Value::Null, Value::Null, false);
    while change.is_null() || !is_complete {
        let heard = socket.hear().await;
        match (heard["id"].as_str(), heard["type"].as_str()) {
            (Some("m"), Some("next")) => answer = heard["payload"].clone(),
            (Some("m"), Some("complete")) => is_complete = true,
            (Some("s"), Some("next")) => change = heard["payload"]["data"]["taskChanged"].clone(),
            _ => panic!("{heard}"),
        }
    }
    assert_eq!(answer, json!({"data": {"createTask": {"task": {"title": "over the socket"}}}}));
    assert_eq!((&change["kind"], &change["task"]["title"]), (&json!("CREATED"), &json!("over the socket")));
    // The id is free again.
    socket.subscribe("m", "{ tasks { totalCount } }", json!({})).await;
    let next = json!({"id": "m", "type": "next", "payload": {"data": {"tasks": {"totalCount": 1}}}});
    assert_eq!(socket.hear().await, next);
    assert_eq!(socket.hear().await, json!({"id": "m", "type": "complete"}));
    // What is completed by the client is heard of no more.
    socket.say(json!({"type": "complete", "id": "s"})).await;
    socket.say(json!({"type": "complete", "id": "unknown"})).await;
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
    app.user("ada").create_titled("unheard").await;
    socket.say(json!({"type": "ping", "payload": {"n": 1}})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong", "payload": {"n": 1}}));
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_an_error_and_what_goes_wrong_later_is_next() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    for (document, code) in [
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { taskChanged { kind } other: taskChanged { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ... on Query { taskChanged { kind } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ...F } fragment F on Task { taskChanged { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { taskChanged { kind } ...Nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { taskChanged { kind } taskChanged }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { taskChanged @skip(if: false) { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { taskChanged(since: 7) { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename @nope }", "GRAPHQL_VALIDATION_FAILED"),
        (&format!("{{ {} }}", "a".repeat(20_000)), "QUERY_TOO_COMPLEX"),
    ] {
        socket.subscribe("x", document, json!({})).await;
        let heard = socket.hear().await;
        assert_eq!((&heard["id"], &heard["type"]), (&json!("x"), &json!("error")), "{document}: {heard}");
        assert_eq!(heard["payload"][0]["extensions"]["code"], code, "{document}: {heard}");
    }
    for (document, code) in [
        ("subscription { taskChanged(since: \"nonsense\") { kind } }", "BAD_USER_INPUT"),
        ("{ task(id: \"nonsense\") { id } }", "NOT_FOUND"),
    ] {
        socket.subscribe("x", document, json!({})).await;
        let heard = socket.hear().await;
        assert_eq!((&heard["id"], &heard["type"]), (&json!("x"), &json!("next")), "{document}: {heard}");
        assert_eq!(heard["payload"]["errors"][0]["extensions"]["code"], code);
        assert_eq!(socket.hear().await, json!({"id": "x", "type": "complete"}));
    }
    // A token of somebody else has expired for this one.
    let other = app.user("bob").run("{ tasks { syncToken } }").await["data"]["tasks"]["syncToken"].clone();
    socket.subscribe("x", CHANGED, json!({"since": other})).await;
    assert_eq!(socket.hear().await["payload"]["errors"][0]["extensions"]["code"], "SYNC_TOKEN_EXPIRED");
    assert_eq!(socket.hear().await["type"], "complete");
}

#[tokio::test]
async fn the_root_of_a_subscription_may_stand_in_fragments() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    let document = "subscription Follow($since: String) { ...A ... { ...B } }
        fragment A on Subscription { taskChanged(since: $since) { kind } ...B }
        fragment B on Subscription { ... on Subscription { taskChanged(since: $since) { task { title } } } }";
    socket.subscribe("f", document, app.user("ada").since().await).await;
    app.user("ada").create_titled("x").await;
    let told = json!({"data": {"taskChanged": {"kind": "CREATED", "task": {"title": "x"}}}});
    assert_eq!(socket.hear().await["payload"], told);
    app.user("ada").create_titled("y").await;
    assert_eq!(socket.hear().await["payload"]["data"]["taskChanged"]["task"]["title"], "y", "each change comes once");
}

/// What a client says, and the code with which it is closed.
async fn close_after(served: &Served, messages: &[&str]) -> u16 {
    let mut socket = Socket::speaking(&served.address).await.expect("it opens");
    for message in messages {
        socket.say_text((*message).to_owned()).await;
    }
    socket.closed().await.0
}

#[tokio::test]
async fn each_fault_of_a_client_has_its_close_code() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", token("ada"))}});
    let init = init.to_string();
    let subscribe = json!({"type": "subscribe", "id": "1", "payload": {"query": CHANGED}}).to_string();
    for bad in
        ["nonsense", "{}", "[]", r#"{"type":"start"}"#, r#"{"type":"connection_ack"}"#, r#"{"type":"subscribe"}"#]
    {
        assert_eq!(close_after(&served, &[bad]).await, 4400, "{bad}");
        assert_eq!(close_after(&served, &[&init, bad]).await, 4400, "{bad}");
    }
    assert_eq!(close_after(&served, &[&subscribe]).await, 4401);
    assert_eq!(close_after(&served, &[&init, &init]).await, 4429);
    assert_eq!(close_after(&served, &[&init, &subscribe, &subscribe]).await, 4409);
    for payload in [
        json!(null),
        json!({}),
        json!({"Authorization": null}),
        json!({"Authorization": 7}),
        json!({"Authorization": ""}),
        json!({"Authorization": token("ada")}),
        json!({"Authorization": "Bearer nonsense"}),
        json!({"Authorization": format!("Bearer {}", token_until("ada", get_current_timestamp() - 31))}),
    ] {
        let init = json!({"type": "connection_init", "payload": payload}).to_string();
        assert_eq!(close_after(&served, &[&init]).await, 4403, "{init}");
    }
    let mut binary = Socket::of(&served.address, &token("ada")).await;
    binary.wire.send(Message::binary(&b"{}"[..])).await.expect("sent");
    assert_eq!(binary.closed().await.0, 4400);
    let largest = format!("{{\"type\":\"ping\",\"payload\":{{\"x\":\"{}\"}}}}", "x".repeat(64 * 1024 - 34));
    let mut large = Socket::of(&served.address, &token("ada")).await;
    assert_eq!(largest.len(), 64 * 1024);
    large.say_text(largest.clone()).await;
    assert_eq!(large.hear().await["type"], "pong");
    for size in [64 * 1024 + 1, 5_000_000] {
        let mut large = Socket::of(&served.address, &token("ada")).await;
        large.say_text(" ".repeat(size)).await;
        assert_eq!(large.closed().await.0, 1009, "{size}");
    }
    // After all of these the server serves.
    assert_eq!(app.user("ada").run("{ viewer { id } }").await.status, 200);
    assert_eq!(app.streams_open().await, 1, "only the one that sent the largest message is left");
}

#[tokio::test]
async fn another_subprotocol_or_none_is_refused_by_4406() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    for headers in [&[][..], &[("sec-websocket-protocol", "graphql-ws")], &[("sec-websocket-protocol", "a, b")]] {
        let mut socket = Socket::open(&served.address, headers).await.expect("it opens");
        assert_eq!(socket.closed().await.0, 4406, "{headers:?}");
    }
    let several = [("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")];
    let mut socket = Socket::open(&served.address, &several).await.expect("it opens");
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn who_does_not_begin_is_closed_and_who_is_silent_is_pinged() {
    let (init, ping) = (Duration::from_millis(700), Duration::from_millis(400));
    let app = TestApp::with(|app| (app.timeouts.socket_init, app.timeouts.socket_ping) = (init, ping)).await;
    let served = Served::start(&app).await;
    let began = Instant::now();
    let mut late = Socket::speaking(&served.address).await.expect("it opens");
    late.say(json!({"type": "ping"})).await;
    let mut idle = Socket::of(&served.address, &token("ada")).await;
    // Who answers pings, as every client does that reads, stays open.
    let pinged = async {
        let mut pings = 0;
        while pings < 5 {
            pings += usize::from(matches!(idle.wire.next().await.expect("open").expect("good"), Message::Ping(_)));
        }
        began.elapsed()
    };
    let closed = async { (late.closed().await, began.elapsed()) };
    let ((closed, after), pinged) = tokio::join!(closed, pinged);
    assert_eq!(closed, (4408, "connection_init did not come within 700ms".into()));
    assert!(after >= init && after < init + Duration::from_secs(3), "{after:?}");
    assert!(pinged >= 5 * ping && pinged < 5 * ping + Duration::from_secs(3), "{pinged:?}");
}

#[tokio::test]
async fn who_answers_no_ping_is_gone() {
    let app = TestApp::with(|app| app.timeouts.socket_ping = Duration::from_millis(200)).await;
    let served = Served::start(&app).await;
    let mut silent = Socket::of(&served.address, &token("ada")).await;
    let began = Instant::now();
    while app.streams_open().await > 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "it is let go");
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() > Duration::from_millis(400), "{:?}", began.elapsed());
    assert_eq!(silent.closed().await, (1013, "No answer to two pings".into()));
}

#[tokio::test]
async fn a_token_that_expires_closes_its_socket() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let began = Instant::now();
    // It holds for two seconds, with the leeway.
    let mut socket = Socket::of(&served.address, &token_until("ada", get_current_timestamp() - 28)).await;
    socket.subscribe("1", CHANGED, json!({})).await;
    assert_eq!(socket.closed().await.0, 4403);
    assert!(began.elapsed() > Duration::from_millis(900) && began.elapsed() < Duration::from_secs(7));
    assert_eq!(app.streams_open().await, 0);
}

#[tokio::test]
async fn the_upgrades_header_serves_where_the_payload_has_no_token() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let open = async |authorization: &str| {
        let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("authorization", authorization)];
        Socket::open(&served.address, &headers).await.expect("it opens")
    };
    let mut socket = open(&format!("Bearer {}", token("ada"))).await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    socket.subscribe("1", "{ viewer { id } }", json!({})).await;
    assert_eq!(socket.hear().await["payload"]["data"]["viewer"]["id"], "ada");
    // What connection_init says goes first.
    let mut socket = open(&format!("Bearer {}", token("ada"))).await;
    socket
        .say(json!({"type": "connection_init", "payload": {"authorization": format!("bearer {}", token("bob"))}}))
        .await;
    socket.hear().await;
    socket.subscribe("1", "{ viewer { id } }", json!({})).await;
    assert_eq!(socket.hear().await["payload"]["data"]["viewer"]["id"], "bob");
    let mut socket = open("Bearer nonsense").await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.closed().await.0, 4403);
}

#[tokio::test]
async fn a_foreign_page_may_not_open_a_socket() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let own = format!("http://{}", served.address);
    for (origin, expected) in [
        ("https://app.example.com", Ok(())),
        (own.as_str(), Ok(())),
        ("https://evil.example.com", Err(403)),
        ("https://app.example.com.evil.com", Err(403)),
        ("http://localhost:3000", Err(403)),
        ("null", Err(403)),
        ("", Err(403)),
    ] {
        let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("origin", origin)];
        assert_eq!(Socket::open(&served.address, &headers).await.map(|_| ()), expected, "{origin}");
    }
    let twice = [("origin", "https://app.example.com"), ("origin", "https://evil.example.com")];
    assert_eq!(Socket::open(&served.address, &twice).await.map(|_| ()), Err(403));
    let development = TestApp::with(|app| app.is_development = true).await;
    let served = Served::start(&development).await;
    for (origin, expected) in [("http://localhost:3000", Ok(())), ("https://app.evil.com", Err(403))] {
        let opened = Socket::open(&served.address, &[("origin", origin)]).await;
        assert_eq!(opened.map(|_| ()), expected, "{origin}");
    }
}

#[tokio::test]
async fn twenty_sockets_of_a_user_and_fifty_operations_of_a_socket() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(Socket::of(&served.address, &token("ada")).await);
    }
    let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", token("ada"))}});
    assert_eq!(close_after(&served, &[&init.to_string()]).await, 1013);
    let mut other = Socket::of(&served.address, &token("bob")).await;
    let since = app.user("bob").since().await;
    for n in 0..50 {
        other.subscribe(&n.to_string(), CHANGED, since.clone()).await;
    }
    other.subscribe("one more", CHANGED, since.clone()).await;
    let heard = other.hear().await;
    assert_eq!((&heard["id"], &heard["type"]), (&json!("one more"), &json!("error")), "{heard}");
    assert_eq!(heard["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    other.say(json!({"type": "complete", "id": "7"})).await;
    other.subscribe("one more", CHANGED, since).await;
    other.say(json!({"type": "ping"})).await;
    assert_eq!(other.hear().await["type"], "pong");
    app.user("bob").create_titled("x").await;
    for _ in 0..50 {
        assert_eq!(other.hear().await["type"], "next");
    }
    // A place is free again when its socket is closed.
    sockets.pop().expect("one").wire.close(None).await.expect("closed");
    while app.streams_open().await > 20 {
        tokio::task::yield_now().await;
    }
    Socket::of(&served.address, &token("ada")).await;
}

#[tokio::test]
async fn operations_are_rate_limited_and_sockets_are_not() {
    let app = TestApp::with(|app| app.limits = Limits::new(256, 3, Vec::new())).await;
    let served = Served::start(&app).await;
    for _ in 0..5 {
        Socket::of(&served.address, &token("ada")).await;
    }
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    for n in 0..5 {
        socket.subscribe(&n.to_string(), "{ __typename }", json!({})).await;
        let heard = socket.hear().await;
        if n < 3 {
            assert_eq!(heard["type"], "next", "{heard}");
            assert_eq!(socket.hear().await["type"], "complete");
        } else {
            assert_eq!(heard["payload"][0]["extensions"]["code"], "RATE_LIMITED", "{heard}");
        }
    }
}

#[tokio::test]
async fn a_stop_says_goodbye_to_sockets() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    socket.subscribe("1", CHANGED, json!({})).await;
    let ((), closed) = tokio::join!(served.stop(), socket.closed());
    assert_eq!(closed.0, 1001);
}

#[tokio::test]
async fn a_close_ends_the_connection_at_once() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::speaking(&served.address).await.expect("it opens");
    socket.say_text("nonsense".into()).await;
    let began = Instant::now();
    assert_eq!(socket.closed().await.0, 4400);
    while socket.wire.next().await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    socket.wire.close(None).await.expect("closed");
    while socket.wire.next().await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn clients_that_read_nothing_hold_up_neither_a_stop_nor_the_end_of_their_token() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let stuck = async |exp: u64| {
        let mut socket = Socket::of(&served.address, &token_until("ada", exp)).await;
        for n in 0..49 {
            socket.subscribe(&n.to_string(), CHANGED, json!({})).await;
        }
        socket
    };
    let in_time = get_current_timestamp() + 60;
    let (_stays, _expires) = (stuck(in_time).await, stuck(get_current_timestamp() - 27).await);
    let headers = format!("accept: text/event-stream\r\nauthorization: Bearer {}\r\n", token("ada"));
    let _stream = crate::support::EventStream::post(&served.address, &headers, CHANGED, json!({})).await;
    for n in 0..60 {
        let title = format!("{n}{}", "x".repeat(190));
        app.user("ada").create(json!({"title": title, "description": "y".repeat(10_000)})).await;
    }
    let began = Instant::now();
    while app.streams_open().await > 2 {
        assert!(began.elapsed() < Duration::from_secs(8), "closed within five seconds of its end");
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    served.stop().await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let app = TestApp::with(|app| {
        app.authenticator = Authenticator::new(Trust { secrets: vec![SECRET.to_vec()], ..Trust::default() });
    })
    .await;
    let served = Served::start(&app).await;
    for (headers, status) in [
        ("upgrade: websocket\r\n", "400"),
        ("upgrade: websocket\r\nconnection: upgrade\r\n", "400"),
        ("upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "400"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&served.address).await.expect("connects");
        let request =
            format!("GET /graphql HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}\r\n", served.address);
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains("BAD_REQUEST"), "{answer}");
    }
}
