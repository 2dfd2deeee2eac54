//! The binary as users start it: commands, development mode, signals, kills, and a PostgreSQL that goes and comes back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taskql::auth::{TokenClaims, sign};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::{Process, TestDatabase, folder, server, taskql};

const SECRET: &str = "a secret of the tests, 32 bytes and more";
const CREATE: &str = "mutation($title: String!) { createTask(input: {title: $title}) { task { id } } }";
const COUNT: &str = "{ tasks(first: 0) { totalCount } }";

fn token(sub: &str) -> String {
    sign(SECRET.as_bytes(), &TokenClaims { sub, ttl: Duration::from_mins(10), ..TokenClaims::default() })
}

#[tokio::test]
async fn development_mode_prints_what_a_developer_needs() {
    let folder = folder();
    let process = Process::start(&folder, &[]).await;
    let page = process.printed.iter().find(|line| line.contains(&format!("http://{}/graphql", process.address)));
    assert!(page.is_some(), "{:?}", process.printed);
    let token = process.printed.last().expect("a token").clone();
    let (status, body) = process.run(&token, "{ viewer { id } }", json!({})).await.expect("an answer");
    assert_eq!((status, &body["data"]["viewer"]["id"]), (200, &json!("dev")));
    let secret = folder.join(".taskql-dev-secret");
    let permissions = std::os::unix::fs::PermissionsExt::mode(&secret.metadata().expect("the secret").permissions());
    assert_eq!(permissions & 0o777, 0o600);
    drop(process);
    // The token outlives a restart, and taskql token signs with the same secret.
    let process = Process::start(&folder, &[]).await;
    assert_eq!(process.run(&token, "{ viewer { id } }", json!({})).await.expect("an answer").0, 200);
    let made = taskql(&folder, &[])
        .args(["token", "--sub", "eve", "--email", "e@x", "--ttl", "5m"])
        .output()
        .await
        .expect("runs");
    let made = String::from_utf8(made.stdout).expect("text");
    assert_eq!(made.lines().count(), 1);
    let (_, body) = process.run(made.trim(), "{ viewer { id email } }", json!({})).await.expect("an answer");
    assert_eq!(body["data"]["viewer"], json!({"id": "eve", "email": "e@x"}));
}

#[tokio::test]
async fn a_bad_setting_ends_the_start_in_one_line() {
    let folder = folder();
    let long = "x".repeat(32);
    for (variables, arguments, setting) in [
        (vec![("TASKQL_MIGRATE", "false"), ("TASKQL_JWT_SECRET", long.as_str())], vec![], "TASKQL_MIGRATE"),
        (vec![("TASKQL_LISTEN", "0.0.0.0:0")], vec![], "TASKQL_JWT_SECRET"),
        (vec![("TASKQL_DEV", "false")], vec![], "TASKQL_JWT_SECRET"),
        (vec![("TASKQL_JWT_SECRET", "short")], vec![], "TASKQL_JWT_SECRET"),
        (vec![("TASKQL_LISTEN", "nowhere")], vec![], "TASKQL_LISTEN"),
        (vec![], vec!["--listen", "nowhere"], "TASKQL_LISTEN"),
        (vec![], vec!["serve", "--pool-size", "0"], "TASKQL_POOL_SIZE"),
        (vec![("DATABASE_URL", "mongodb://x")], vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "sqlite:")], vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "sqlite:")], vec!["migrate"], "DATABASE_URL"),
        (vec![("DATABASE_URL", "sqlite:x.db?mode=ro")], vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "postgres://u:7?hunter2@host/db"), ("TASKQL_LOG", "trace")], vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "sqlite:nowhere/x.db")], vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "postgres://127.0.0.1:1/x")], vec![], "DATABASE_URL"),
        (vec![("TASKQL_DEV", "false")], vec!["token", "--sub", "ada"], "TASKQL_JWT_SECRET"),
        (vec![("TASKQL_TRUSTED_DOCUMENTS", "nowhere.json")], vec!["--log", "error"], "TASKQL_TRUSTED_DOCUMENTS"),
        (vec![("TASKQL_JWKS_URL", "http://issuer.example/")], vec![], "TASKQL_JWKS_URL"),
        (vec![("TASKQL_LOG_FORMAT", "xml")], vec![], "TASKQL_LOG_FORMAT"),
        (vec![("TASKQL_LOG", "warning")], vec![], "TASKQL_LOG"),
    ] {
        let ended = taskql(&folder, &variables).args(&arguments).output();
        let ended = tokio::time::timeout(Duration::from_secs(9), ended).await;
        let output = ended.unwrap_or_else(|_| panic!("{variables:?} is served")).expect("runs");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{variables:?}: {text}");
        assert!(text.lines().count() == 1 && text.starts_with(&format!("taskql: {setting}: ")), "{text}");
    }
}

#[tokio::test]
async fn commands_say_what_they_do() {
    let database = TestDatabase::empty().await;
    let folder = folder();
    let run = async |arguments: &[&str]| {
        let output = taskql(&folder, &[("DATABASE_URL", &database.url)]).args(arguments).output().await.expect("runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    if let Some(path) = database.url.strip_prefix("sqlite:") {
        // To look is not to make.
        let look = taskql(&folder, &[("DATABASE_URL", &database.url)]).args(["migrate", "--status"]).output().await;
        assert_eq!(look.expect("runs").status.code(), Some(2));
        assert!(!std::path::Path::new(path).exists());
        std::fs::write(path, "").expect("an empty file is an empty database");
    }
    assert!(run(&["migrate", "--status"]).await.starts_with("pending  m20261120_000001_create_tasks"));
    assert!(run(&["migrate"]).await.starts_with("applied  m20261120_000001_create_tasks"));
    assert_eq!(run(&["migrate"]).await, "The schema is up to date.\n");
    assert!(run(&["migrate", "--new-epoch"]).await.contains("a new epoch"));
    assert!(run(&["migrate", "--status"]).await.starts_with("applied  m20261120_000001_create_tasks"));
    assert_eq!(run(&["schema"]).await, include_str!("../../schema.graphql"));
    let help = run(&["--help"]).await;
    for word in ["DATABASE_URL", "TASKQL_JWT_SECRET", "--listen", "TASKQL_CORS_ORIGINS", "migrate", "token", "schema"] {
        assert!(help.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_end() {
    let database = TestDatabase::empty().await;
    let mut process =
        Process::start(&folder(), &[("DATABASE_URL", &database.url), ("TASKQL_JWT_SECRET", SECRET)]).await;
    // A request whose body is still on its way when the signal comes.
    let body = json!({"query": CREATE, "variables": {"title": "x"}}).to_string();
    let mut stream = TcpStream::connect(&process.address).await.expect("connects");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        token("ada"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(&body.as_bytes()[..10]).await.expect("written");
    // The server has taken the connection once it answers another one that came later.
    process.run(&token("ada"), COUNT, json!({})).await.expect("an answer");
    process.signal("TERM").await;
    while TcpStream::connect(&process.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(&body.as_bytes()[10..]).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("createTask"), "{answer}");
    assert_eq!(process.child.wait().await.expect("it ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_acknowledged_write() {
    let database = TestDatabase::empty().await;
    let folder = folder();
    let variables = [("DATABASE_URL", database.url.as_str()), ("TASKQL_JWT_SECRET", SECRET)];
    let mut acknowledged = 0;
    for round in 0_u64..4 {
        let mut process = Process::start(&folder, &variables).await;
        let (_, body) = process.run(&token("ada"), COUNT, json!({})).await.expect("an answer");
        let there = body["data"]["tasks"]["totalCount"].as_u64().expect("a count");
        // What was under way at the kill may be there or not; what was acknowledged must.
        assert!(there >= acknowledged && there <= acknowledged + 4 * round, "{there} of {acknowledged}");
        acknowledged = there;
        let counts = (0..4).map(|_| {
            let address = process.address.clone();
            tokio::spawn(async move {
                let mut made = 0;
                while create(&address).await {
                    made += 1;
                }
                made
            })
        });
        let counts: Vec<_> = counts.collect();
        tokio::time::sleep(Duration::from_millis(150 + 70 * round)).await;
        process.signal("KILL").await;
        process.child.wait().await.expect("it ends");
        for count in counts {
            acknowledged += count.await.expect("ends");
        }
    }
    assert!(acknowledged > 0);
}

async fn create(address: &str) -> bool {
    let send = async {
        let body = json!({"query": CREATE, "variables": {"title": "x"}}).to_string();
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            token("ada"),
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    send.await.is_ok_and(|answer| answer.contains("\"id\""))
}

#[tokio::test]
async fn a_body_far_too_large_is_refused_and_the_answer_arrives() {
    let folder = folder();
    let process = Process::start(&folder, &[("DATABASE_URL", "sqlite::memory:"), ("TASKQL_JWT_SECRET", SECRET)]).await;
    let began = Instant::now();
    let body = vec![b' '; 5_000_000];
    let (status, answer) =
        process.request("POST", "/graphql", "content-type: application/json\r\n", &body).await.expect("an answer");
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(process.run(&token("ada"), COUNT, json!({})).await.expect("an answer").0, 200);
}

/// A PostgreSQL cluster that this test may stop. Made by scripts/postgres, as the one that the suite runs on is.
struct Cluster {
    folder: std::path::PathBuf,
    url: String,
}

impl Cluster {
    async fn act(folder: &std::path::Path, what: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres");
        let output = Command::new(script).arg(what).arg(folder).output().await.expect("scripts/postgres runs");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("taskql-cluster-{}", std::process::id()));
        let url = Self::act(&folder, "start").await;
        Self { folder, url }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres");
        let _best_effort = std::process::Command::new(script).arg("remove").arg(&self.folder).output();
    }
}

#[tokio::test]
async fn a_postgresql_that_goes_is_a_503_and_one_that_comes_back_is_served() {
    if server().is_none() {
        return;
    }
    let cluster = Cluster::start().await;
    // Fewer connections than requests that fail: none of these keeps one.
    let variables = [("DATABASE_URL", cluster.url.as_str()), ("TASKQL_JWT_SECRET", SECRET), ("TASKQL_POOL_SIZE", "2")];
    let process = Process::start(&folder(), &variables).await;
    let ada = token("ada");
    let create = async || process.run(&ada, CREATE, json!({"title": "x"})).await.expect("an answer");
    let count = async || process.run(&ada, COUNT, json!({})).await.expect("an answer");
    assert_eq!(create().await.0, 200);
    Cluster::act(&cluster.folder, "stop").await;
    for _ in 0..2 {
        let began = Instant::now();
        for (status, body) in [create().await, count().await] {
            assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (503, &json!("SERVICE_UNAVAILABLE")));
        }
        assert!(began.elapsed() < Duration::from_secs(4), "each within two seconds: {:?}", began.elapsed());
    }
    let probe = async |path: &str| process.request("GET", path, "", b"").await.expect("an answer").0;
    assert_eq!((probe("/health").await, probe("/ready").await), (200, 503));
    Cluster::act(&cluster.folder, "restart").await;
    let began = Instant::now();
    while count().await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "served again within ten seconds");
    }
    assert_eq!(probe("/ready").await, 200);
    // A restart that no request noticed.
    Cluster::act(&cluster.folder, "stop").await;
    Cluster::act(&cluster.folder, "restart").await;
    let began = Instant::now();
    while create().await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "served again within ten seconds");
    }
    let (_, body) = count().await;
    assert_eq!(body["data"]["tasks"]["totalCount"].as_u64(), Some(2), "{body}");
    let _: Value = body;
}
