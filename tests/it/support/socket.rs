//! A server on a port of its own, and raw clients of its sockets and streams.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::TestApp;

/// How long something that comes at once may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An app that listens.
pub(crate) struct Served {
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start(app: &TestApp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _told_or_dropped = stopped.await;
        };
        let (router, streams) = (app.router.clone(), app.streams.clone());
        let server = tokio::spawn(taskql::http::server::serve(listener, router, streams, app.timeouts, stopped));
        Self { address, stop: Some(stop), server }
    }

    /// Stops, and waits for the end.
    pub(crate) async fn stop(mut self) {
        self.stop.take().map(|stop| stop.send(()));
        timeout(PATIENCE, self.server).await.expect("it stops in time").expect("it ends");
    }
}

/// A client of graphql-transport-ws.
pub(crate) struct Socket {
    pub(crate) wire: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens a socket with headers of its own; the status where that is refused.
    pub(crate) async fn open(address: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("a header value"));
        }
        let stream = TcpStream::connect(address).await.map_err(|_| 0_u16)?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((wire, _)) => Ok(Self { wire }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// Opens a socket that speaks the protocol.
    pub(crate) async fn speaking(address: &str) -> Result<Self, u16> {
        Self::open(address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await
    }

    /// Opens a socket and says who it is.
    pub(crate) async fn of(address: &str, token: &str) -> Self {
        let mut socket = Self::speaking(address).await.expect("it opens");
        socket.say(json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {token}")}})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        // A socket that is closed meanwhile is seen by what it says.
        let _may_be_closed = self.wire.send(Message::text(text)).await;
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.say(json!({"type": "subscribe", "id": id, "payload": payload})).await;
    }

    /// The next message; nothing where the connection ended.
    pub(crate) async fn try_hear(&mut self) -> Option<Value> {
        loop {
            match self.wire.next().await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Binary(_) | Message::Close(_)) | Err(_) => return None,
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Value {
        timeout(PATIENCE, self.try_hear()).await.expect("something comes in time").expect("a message")
    }

    /// The code and the reason with which the server closes, after whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let close = async {
            loop {
                match self.wire.next().await.expect("a close frame comes first") {
                    Ok(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                    Ok(_) => {}
                    Err(error) => panic!("no close frame: {error}"),
                }
            }
        };
        timeout(PATIENCE, close).await.expect("it is closed in time")
    }
}

/// A client that reads a stream of answers over HTTP, line by line.
pub(crate) struct EventStream {
    pub(crate) head: String,
    lines: BufReader<TcpStream>,
}

impl EventStream {
    /// Posts a document, with `accept` and more headers.
    pub(crate) async fn post(address: &str, headers: &str, query: &str, variables: Value) -> Self {
        let body = json!({"query": query, "variables": variables}).to_string();
        let head = format!("content-type: application/json\r\ncontent-length: {}\r\n{headers}", body.len());
        Self::send(address, "POST /graphql", &head, &body).await
    }

    pub(crate) async fn send(address: &str, what: &str, headers: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!("{what} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut read = Self { head: String::new(), lines: BufReader::new(stream) };
        while let Some(line) = read.line().await {
            if line.is_empty() {
                break;
            }
            read.head.push_str(&line);
            read.head.push('\n');
        }
        read
    }

    /// The next line, without its end; nothing where the connection ended. Sizes of chunks are passed over, since no
    /// line of ours is a bare hexadecimal number.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.lines.read_line(&mut line)).await.expect("a line comes in time");
            if read.is_err() || line.is_empty() {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if self.head.is_empty() || line.is_empty() || !line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Some(line.to_owned());
            }
        }
    }

    /// The next event: its name and data. Nothing where the stream ended.
    pub(crate) async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let line = self.line().await?;
            if let Some(name) = line.strip_prefix("event: ") {
                let data = self.line().await?;
                let data = data.strip_prefix("data: ").expect("data follows");
                return Some((name.to_owned(), serde_json::from_str(data).unwrap_or_default()));
            }
        }
    }
}
