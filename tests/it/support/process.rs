//! The real binary, with a real socket.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A server that was started as users start it. It ends with its handle.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// What it printed to stdout until it listened, in development mode.
    pub(crate) printed: Vec<String>,
    _log: tokio::task::JoinHandle<()>,
}

/// A folder of the test's own.
pub(crate) fn folder() -> PathBuf {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("run-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The binary, in `folder` and with nothing in the environment but `variables`.
pub(crate) fn taskql(folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskql"));
    command.current_dir(folder).env_clear().envs(variables.iter().copied()).kill_on_drop(true);
    command
}

impl Process {
    /// Starts a server on a free port and waits until it listens.
    pub(crate) async fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = taskql(folder, variables);
        command.env("TASKQL_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut seen = Vec::new();
        let address = loop {
            let line = log.next_line().await.expect("the log is text");
            let Some(line) = line else { panic!("the server ended: {seen:#?}") };
            if let Some((_, rest)) = line.split_once("listening address=") {
                break rest.split(' ').next().expect("an address").to_owned();
            }
            seen.push(line);
        };
        // The pipe must not fill up.
        let log = tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let mut printed = Vec::new();
        if !variables.iter().any(|(name, _)| *name == "TASKQL_JWT_SECRET") {
            let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
            while let Ok(Some(line)) = out.next_line().await {
                let is_token = line.starts_with("eyJ");
                printed.push(line);
                if is_token {
                    break;
                }
            }
        }
        Self { child, address, printed, _log: log }
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal by name.
    pub(crate) async fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// Posts a document; the status and the JSON of the answer.
    pub(crate) async fn run(&self, token: &str, query: &str, variables: Value) -> std::io::Result<(u16, Value)> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        self.request("POST", "/graphql", &headers, body.as_bytes()).await
    }

    /// Sends one request on a connection of its own.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<(u16, Value)> {
        request(&self.address, method, path, headers, body).await
    }
}

/// Sends one request to `address` on a connection of its own.
pub(crate) async fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> std::io::Result<(u16, Value)> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    let text = request_raw(address, &[head.as_bytes(), body].concat()).await?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok());
    let status = status.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    Ok((status, serde_json::from_str(body).unwrap_or_else(|_| body.into())))
}

/// Sends one request as it is, on a connection of its own that is closed with the answer. The answer as it is.
pub(crate) async fn request_raw(address: &str, request: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
