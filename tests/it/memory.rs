//! What remembered documents take in memory: what is said of them is what the process grows by.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::{Process, SECRET, folder, token};

/// What remembered documents may take, by `engine/documents.rs`.
const BUDGET_KB: u64 = 16 * 1024;
/// What reading them takes besides, and what an allocator leaves unused between blocks of many sizes.
const SLACK_KB: u64 = 24 * 1024;

const DOCUMENTS: usize = 4_000;

/// A connection that is kept open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(process: &Process) -> Self {
        Self(BufReader::new(TcpStream::connect(&process.address).await.expect("connects")))
    }

    /// Sends a document and reads the answer, however it went.
    async fn send(&mut self, query: &str, operation: Option<&str>) -> String {
        let body = json!({"query": query, "operationName": operation}).to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            token("ada"),
            body.len()
        );
        self.0.write_all((head + &body).as_bytes()).await.expect("written");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("a line");
            if let Some((_, value)) = line.to_ascii_lowercase().split_once("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).await.expect("an answer");
        String::from_utf8(answer).expect("a text")
    }
}

/// A document that is like no other one, of one of ten shapes, and the operation to run.
fn document(n: usize) -> (String, Option<&'static str>) {
    let task = "id title description completed priority dueDate createdAt updatedAt";
    let page = || format!("query P{n} {{ tasks(first: 1) {{ nodes {{ {task} }} pageInfo {{ hasNextPage }} }} }}");
    match n % 20 {
        0 => (format!("{{ viewer {{ id }} }} #{n}{}", "x".repeat(16_000)), None),
        1 => (format!("{{ task(id: \"{n}{}\") {{ id }} }}", "x".repeat(15_000)), None),
        2 => (format!("{{ nodes(ids: [{n} {}]) {{ id }} }}", "1 ".repeat(450)), None),
        3 => (format!("{{ v{n}: viewer {{ {} }} }}", "id ".repeat(400)), None),
        4 => {
            let (a, b) = ("...A ".repeat(30), "...B ".repeat(30));
            (
                format!("{{ v{n}: viewer {{ {a} }} }} fragment A on User {{ {b} }} fragment B on User {{ id name }}"),
                None,
            )
        }
        5 => {
            let operations: String = (0..12).map(|i| format!("query Q{i} {{ ...F }} ")).collect();
            let fragment = format!("fragment F on Query {{ t{n}: tasks(first: 1) {{ nodes {{ {task} }} }} }}");
            (operations + &fragment, Some("Q0"))
        }
        6 => {
            let unknown = (0..20).map(|i| format!("a{n}x{i}{} ", "y".repeat(500))).collect::<String>();
            (format!("{{ {unknown} }}"), None)
        }
        7 => {
            let input =
                format!("{{title: \"{n}\", description: \"{}\", bad: [{}]}}", "d".repeat(1_000), "1 ".repeat(100));
            let fields: String =
                (0..5).map(|i| format!("a{i}: createTask(input: {input}) {{ task {{ id }} }} ")).collect();
            (format!("mutation {{ {fields} }}"), None)
        }
        8 => (format!("{{ task(id: \"{n}\") {{ id }} }} #{}", "😀".repeat(4_000)), None),
        // What nobody remembers: a list that fragments spread out, in an operation that is not run.
        9 if n % 400 == 9 => {
            let spread = "...B ".repeat(45) + "} fragment B on Query {" + &"...A ".repeat(44);
            let list = "1 ".repeat(1_700);
            (
                format!(
                    "query Q0 {{ viewer {{ id }} }} query R {{ {spread} }} fragment A on Query {{ z{n}(i: [{list}]) }}"
                ),
                Some("Q0"),
            )
        }
        _ => (page(), None),
    }
}

fn resident_kb(process: &Process) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().strip_suffix(" kB")?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn remembered_documents_take_no_more_memory_than_they_may() {
    let secret = std::str::from_utf8(SECRET).expect("text");
    let settings = [("DATABASE_URL", "sqlite::memory:"), ("TASKQL_JWT_SECRET", secret), ("TASKQL_RATE_LIMIT", "0")];
    let process = Process::start(&folder(), &settings).await;
    let mut connection = Connection::open(&process).await;
    // What every request takes is not the documents'.
    for n in 0..20 {
        let (query, operation) = document(n);
        let answer = connection.send(&query, operation).await;
        let is_refused = answer.contains("GRAPHQL_VALIDATION_FAILED") || answer.contains("QUERY_TOO_COMPLEX");
        assert_eq!(is_refused, matches!(n, 6 | 7 | 9), "{n}: {answer}");
    }
    let before = resident_kb(&process);
    let half = async |first: usize| {
        let mut connection = Connection::open(&process).await;
        let mut most = 0;
        for n in (first..DOCUMENTS).step_by(2) {
            let (query, operation) = document(n);
            connection.send(&query, operation).await;
            if n % 100 < 2 {
                most = most.max(resident_kb(&process).unwrap_or_default());
            }
        }
        most
    };
    let (one, other) = tokio::join!(half(20), half(21));
    let most = one.max(other);
    let Some(before) = before else {
        // Only Linux tells.
        return;
    };
    let grown = most.saturating_sub(before);
    assert!(grown <= BUDGET_KB + SLACK_KB, "{grown} kB more than {before}");
    // They are remembered, which takes memory too.
    assert!(grown >= BUDGET_KB / 4, "{grown} kB more than {before}");
    tokio::time::timeout(Duration::from_secs(10), connection.send("{ viewer { id } }", None)).await.expect("it lives");
}
