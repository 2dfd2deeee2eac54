//! Attacks with a real socket, most of them on the binary: each has its answer, the process lives, and others notice
//! nothing.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Process, SECRET, Served, TestApp, alone, folder, request, token};

async fn start() -> Process {
    let secret = std::str::from_utf8(SECRET).expect("text");
    Process::start(
        &folder(),
        &[("DATABASE_URL", "sqlite::memory:"), ("TASKQL_JWT_SECRET", secret), ("TASKQL_RATE_LIMIT", "0")],
    )
    .await
}

/// Sends bytes and reads until the server closes or `patience` is over.
async fn raw(address: &str, bytes: &[u8], patience: Duration) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let _may_be_refused = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let is_closed = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await.is_ok();
    (answer, is_closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_attack_by_body_has_its_answer_and_its_time() {
    let process = start().await;
    let json_type = "content-type: application/json\r\n";
    let nested = |n: usize| {
        format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"x\":{}{}}}}}", "[".repeat(n), "]".repeat(n))
    };
    let document = |query: &str| json!({ "query": query }).to_string();
    let title = |title: &str| {
        json!({"query": "mutation($t: String!) { createTask(input: {title: $t}) { task { id } } }", "variables": {"t": title}}).to_string()
    };
    let repeated = |field: &str| {
        format!(
            "{{ {} }} fragment B on Query {{ {} }} fragment A on Query {{ {field} }}",
            "...B ".repeat(45),
            "...A ".repeat(44)
        )
    };
    let list = format!("[{}]", "1 ".repeat(1_700));
    // What a normal request takes is no attack's.
    process.run(&token("ada"), "{ tasks { totalCount } }", json!({})).await.expect("an answer");
    let before_kb = peak_memory_kb(&process);
    for (what, headers, body, status, code) in [
        ("brackets in the document", json_type, document(&"[".repeat(3_500)), 200, "QUERY_TOO_COMPLEX"),
        ("brackets in the variables", json_type, nested(3_500), 400, "BAD_REQUEST"),
        ("brackets for a body", json_type, "[".repeat(200_000), 400, "BAD_REQUEST"),
        (
            "aliases",
            json_type,
            document(&format!("{{ {} }}", (0..1_000).map(|i| format!("a{i}:__typename ")).collect::<String>())),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a long string",
            json_type,
            document(&format!("{{ task(id: \"{}\") {{ id }} }}", "x".repeat(200_000))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a string without end",
            json_type,
            document(&format!("{{ task(id: \"{}", "\\".repeat(9_000))),
            200,
            "GRAPHQL_PARSE_FAILED",
        ),
        (
            "a block string without end",
            json_type,
            document(&format!("{{ task(id: \"\"\"{}", "\"".repeat(9_000))),
            200,
            "GRAPHQL_PARSE_FAILED",
        ),
        ("comments", json_type, document(&"#\n".repeat(8_000)), 200, "GRAPHQL_PARSE_FAILED"),
        ("spreads", json_type, document(&format!("{{ {} }}", "...".repeat(1_900))), 200, "GRAPHQL_PARSE_FAILED"),
        (
            "variables by the thousand",
            json_type,
            document(&format!("query({}) {{ __typename }}", "$a:Int ".repeat(600))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "wrong variables by the thousand",
            json_type,
            format!(
                "{{\"query\":\"query($v: [ID!]!) {{ nodes(ids: $v) {{ id }} }}\",\"variables\":{{\"v\":[{}{{}}]}}}}",
                "{},".repeat(30_000)
            ),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "types within types",
            json_type,
            document(&format!(
                "{{ {} }}",
                (0..11).fold("x".to_owned(), |inner, _| {
                    format!(
                        "...on Node{{x{{{inner}}}}}{}",
                        (0..20).map(|n| format!("...on A{n}{{x}}")).collect::<String>()
                    )
                })
            )),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "operations by the hundred",
            json_type,
            document(&format!(
                "fragment F on Query {{ {} }} {}",
                "a ".repeat(200),
                (0..150).map(|n| format!("query q{n} {{ ...F }} ")).collect::<String>()
            )),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a list that fragments repeat",
            json_type,
            document(&repeated(&format!("nodes(ids: {list}) {{ id }}"))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a list of a field that there is not",
            json_type,
            document(&repeated(&format!("z(i: {list})"))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a list in an operation that is not run",
            json_type,
            json!({"query": format!("query Q {{ __typename }} query R {}", repeated(&format!("z(i: {list})"))), "operationName": "Q"})
                .to_string(),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a list in a condition",
            json_type,
            document(&repeated(&format!("viewer @skip(if: {list}) {{ id }}"))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "a list of wrong values under each of many operations",
            json_type,
            document(&format!(
                "{} fragment F on Query {{ nodes(ids: [{}]) {{ id }} }}",
                (0..80).map(|n| format!("query Q{n} {{ ...F }} ")).collect::<String>(),
                "{} ".repeat(270)
            )),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "lists that differ",
            json_type,
            document(&format!(
                "{{ nodes(ids: [{}]) {{ id }} {} }}",
                "1 ".repeat(500),
                "nodes(ids: [2]) { id } ".repeat(130)
            )),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "fragments within fragments under each of many operations",
            json_type,
            document(&format!(
                "{} {} fragment F40 on Query {{ __typename }}",
                (0..200).map(|n| format!("query Q{n}{{...F0}}")).collect::<String>(),
                (0..40).map(|n| format!("fragment F{n} on Query{{...F{}}}", n + 1)).collect::<String>()
            )),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        ("a NUL in a title", json_type, title("a\u{0}b"), 200, "BAD_USER_INPUT"),
        ("a title of 200 kB", json_type, title(&"x".repeat(200_000)), 200, "BAD_USER_INPUT"),
        ("half a surrogate", json_type, "{\"query\":\"{ a(b: \\\"\\ud800\\\") }\"}".into(), 400, "BAD_REQUEST"),
        ("a batch", json_type, format!("[{}]", vec![document("{ __typename }"); 1_000].join(",")), 400, "BAD_REQUEST"),
        ("the same key twice", json_type, "{\"query\":\"{ __typename }\",\"query\":1}".into(), 400, "BAD_REQUEST"),
        (
            "a form",
            "content-type: application/x-www-form-urlencoded\r\n",
            "query={__typename}".into(),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("five megabytes", json_type, " ".repeat(5_000_000), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let headers = format!("{headers}authorization: Bearer {}\r\n", token("eve"));
        let before = cpu_time(&process);
        let (found, answer) = process.request("POST", "/graphql", &headers, body.as_bytes()).await.expect(what);
        // Its own time, whatever else this machine does.
        let took = cpu_time(&process).saturating_sub(before);
        assert_eq!(
            (found, answer["errors"][0]["extensions"]["code"].as_str()),
            (status, Some(code)),
            "{what}: {answer}"
        );
        assert!(took < Duration::from_millis(100), "{what}: {took:?}");
    }
    assert_eq!(process.run(&token("ada"), "{ viewer { id } }", json!({})).await.expect("an answer").0, 200);
    let grown_kb = peak_memory_kb(&process).saturating_sub(before_kb);
    assert!(grown_kb < 50_000, "{grown_kb} kB");
}

/// The processor time that a server has had: fields 14 and 15 of its stat, in hundredths of a second (proc(5)).
fn cpu_time(process: &Process) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number"));
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// The most memory that a process has had; 0 where the system does not say.
fn peak_memory_kb(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attack_by_token_is_a_401() {
    let process = start().await;
    let good = token("ada");
    let (message, signature) = good.rsplit_once('.').expect("a token");
    let header = |header: &str| {
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header);
        format!("{encoded}.{}.{signature}", message.split_once('.').expect("a token").1)
    };
    for (what, headers) in [
        ("none", format!("authorization: Bearer {}\r\n", header(r#"{"alg":"none"}"#))),
        ("no signature", format!("authorization: Bearer {message}.\r\n")),
        ("another algorithm", format!("authorization: Bearer {}\r\n", header(r#"{"alg":"RS256","kid":"x"}"#))),
        (
            "critical extensions",
            format!("authorization: Bearer {}\r\n", header(r#"{"alg":"HS256","crit":["x"],"x":1}"#)),
        ),
        ("another type", format!("authorization: Bearer {}\r\n", header(r#"{"alg":"HS256","typ":"dpop+jwt"}"#))),
        ("20 kB", format!("authorization: Bearer {message}.{}\r\n", "A".repeat(20_000))),
        ("two headers", format!("authorization: Bearer {good}\r\nauthorization: Bearer {good}\r\n")),
        ("two tokens", format!("authorization: Bearer {good}, Bearer {good}\r\n")),
        ("another scheme", format!("authorization: Token {good}\r\n")),
        ("binary", "authorization: Bearer \u{e9}\u{e9}\r\n".into()),
    ] {
        let headers = format!("{headers}content-type: application/json\r\n");
        let body = json!({"query": "{ viewer { id } }"}).to_string();
        let (status, answer) = process.request("POST", "/graphql", &headers, body.as_bytes()).await.expect(what);
        assert_eq!(
            (status, answer["errors"][0]["extensions"]["code"].as_str()),
            (401, Some("UNAUTHENTICATED")),
            "{what}"
        );
    }
    let path = format!("/graphql?query=%7Bviewer%7Bid%7D%7D&access_token={good}");
    assert_eq!(process.request("GET", &path, "", b"").await.expect("an answer").0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attack_by_http_is_refused_and_nothing_hangs() {
    let process = start().await;
    let patience = Duration::from_secs(3);
    for (what, bytes, expected) in [
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), "400"),
        ("a huge head", [b"GET /health HTTP/1.1\r\nx: ".to_vec(), vec![b'a'; 200_000]].concat(), "431"),
        ("headers by the thousand", [b"GET /health HTTP/1.1\r\n".to_vec(), b"a: b\r\n".repeat(500), b"\r\n".to_vec()].concat(), "431"),
        ("a bad length", b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(), "400"),
        ("two lengths", b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(), "400"),
        ("a bad chunk", b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(), "400"),
    ] {
        let (answer, is_closed) = raw(&process.address, &bytes, patience).await;
        assert!(is_closed, "{what}: the connection stays");
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with(&format!("HTTP/1.1 {expected}")), "{what}: {text}");
    }
    assert_eq!(process.request("GET", "/health", "", b"").await.expect("an answer").0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_closed_in_time_and_others_notice_nothing() {
    let _alone = alone().await;
    let (head_within, request_within) = (Duration::from_secs(2), Duration::from_secs(3));
    let app = TestApp::with(|app| (app.timeouts.head, app.timeouts.request) = (head_within, request_within)).await;
    let served = Served::start(&app).await;
    let address = served.address.as_str();
    let began = Instant::now();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n",
        token("eve")
    );
    // Half a head; a head and a body that come byte by byte: more of them than there are places.
    let half =
        join_all((0..100).map(|_| raw(address, b"POST /graphql HTTP/1.1\r\nhost: x\r\n", Duration::from_secs(8))));
    let slow_heads = join_all((0..100).map(|_| drip(address, b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ", b'a')));
    let slow_bodies = join_all((0..300).map(|_| drip(address, head.as_bytes(), b' ')));
    let normal = join_all((0..100).map(|client| normal_client(address, client, began + request_within)));
    let (half, slow_heads, slow_bodies, slowest) = tokio::join!(half, slow_heads, slow_bodies, normal);
    assert!(half.iter().all(|(_, is_closed)| *is_closed), "half a head is closed");
    assert!(slow_heads.iter().all(|took| *took < head_within + Duration::from_secs(3)), "{slow_heads:?}");
    assert!(slow_bodies.iter().all(|took| *took < request_within + Duration::from_secs(3)), "{slow_bodies:?}");
    let slowest = slowest.into_iter().max().unwrap_or_default();
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
}

/// Asks a few times a second until `end`; the longest that an answer took.
async fn normal_client(address: &str, client: u32, end: Instant) -> Duration {
    let token = token(&format!("user-{client}"));
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    let mut slowest = Duration::ZERO;
    tokio::time::sleep(Duration::from_millis(u64::from(client) * 5)).await;
    while Instant::now() < end {
        let asked = Instant::now();
        let body = json!({ "query": "{ viewer { id } tasks { totalCount } }" }).to_string();
        let (status, body) = request(address, "POST", "/graphql", &headers, body.as_bytes()).await.expect("an answer");
        assert_eq!((status, &body["errors"]), (200, &Value::Null));
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    slowest
}

/// Sends `start`, then byte after byte; how long the server bore it.
async fn drip(address: &str, start: &[u8], byte: u8) -> Duration {
    let began = Instant::now();
    let stream = TcpStream::connect(address).await.expect("connects");
    let (mut read, mut write) = stream.into_split();
    write.write_all(start).await.expect("written");
    let dripping = tokio::spawn(async move {
        while write.write_all(&[byte]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = [0; 16];
    let _closed_or_answered = tokio::time::timeout(Duration::from_secs(9), read.read(&mut answer)).await;
    dripping.abort();
    began.elapsed()
}
