//! One socket, from its first message to its close. One task reads and writes; each operation has a task of its own, so
//! that none holds a database connection while the socket waits for its client. An operation hands over one answer and
//! goes on when that was taken: where the client does not read, nothing more is kept for it.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message as Wire};

use super::protocol::{self, Close, Message};
use crate::auth::{InvalidToken, TokenError, Verified};
use crate::graphql::{Code, Reply, coded};
use crate::http::expiry::{EXPIRED, expired};
use crate::http::operation::{self, Event};
use crate::http::parameters::Parameters;
use crate::http::request_log::{OperationLog, Transport};
use crate::http::streams::{StreamPlace, TOO_MANY};
use crate::http::{Shared, answer};

/// How long a client may take for `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the client is pinged. One from which nothing came through two of these is gone.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long a client may take to read a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the end of a socket may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Most operations that run at once.
const MAX_OPERATIONS: usize = 50;
/// Longer messages are sent in frames of this size, so that no buffer grows with them.
const FRAME_BYTES: usize = 16 * 1024;

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Outcome<T> = Result<T, End>;

/// Why a session ends.
enum End {
    /// We close it.
    Close(Close),
    /// The client closed it, or is gone.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Speaks with one client until either closes.
pub(super) async fn run(shared: Shared, mut socket: Socket, authorization: Option<HeaderValue>, is_spoken: bool) {
    let stop = shared.app.streams.stop().clone();
    let session = async {
        if !is_spoken {
            return End::Close(Close::new(Close::UNKNOWN_PROTOCOL, "Only graphql-transport-ws is spoken here"));
        }
        match init(&shared, &mut socket, authorization).await {
            Ok(session) => session.run(&shared, &mut socket).await,
            Err(end) => end,
        }
    };
    let fault = |_| End::Close(Close::new(Close::FAULT, "Something went wrong on our side"));
    let end = tokio::select! {
        end = AssertUnwindSafe(session).catch_unwind() => end.unwrap_or_else(fault),
        () = stop.cancelled() => End::Close(Close::new(Close::GOING_AWAY, "The server stops; come again in a moment")),
    };
    if let End::Close(Close { code, reason }) = end {
        tracing::debug!(code, reason, "a socket is closed");
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        // Who reads slowly may still get to hear of it, unless the server stops.
        let wait = if code == Close::TRY_AGAIN_LATER { SEND_TIMEOUT } else { CLOSE_TIMEOUT };
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(CLOSE_TIMEOUT).await;
        };
        tokio::select! {
            _client_may_be_gone = timeout(wait, socket.close(Some(frame))) => {}
            () = stopped => {}
        }
    }
    let _takes_too_long = timeout(CLOSE_TIMEOUT, drain(socket)).await;
}

/// Reads what the client still sends, up to its own close; then the server's end is closed first (RFC 6455, section
/// 7.1.1). A connection that is cut while something is on its way may lose the close frame.
async fn drain(mut socket: Socket) {
    loop {
        match socket.next().await {
            Some(Ok(Wire::Close(_)) | Err(tungstenite::Error::ConnectionClosed)) | None => return,
            Some(Ok(_)) => {}
            Some(Err(_)) => break,
        }
    }
    // After a message that was refused there are no frames to be told apart any more.
    let raw = socket.get_mut();
    let _may_be_shut = raw.shutdown().await;
    let mut rest = [0; 1024];
    while raw.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// What a client sent: a text, or nothing of interest.
fn text(received: Option<Result<Wire, tungstenite::Error>>) -> Outcome<Option<tungstenite::Utf8Bytes>> {
    use tungstenite::Error;
    match received {
        Some(Ok(Wire::Text(text))) => Ok(Some(text)),
        Some(Ok(Wire::Binary(_))) => Err(Close::new(Close::BAD_MESSAGE, "Messages are texts").into()),
        Some(Ok(Wire::Ping(_) | Wire::Pong(_) | Wire::Frame(_))) => Ok(None),
        Some(Err(Error::Capacity(_))) => Err(Close::new(Close::TOO_LARGE, "A message has at most 64 KiB").into()),
        Some(Err(Error::Utf8(_))) => Err(Close::new(Close::NOT_UTF8, "The message is not UTF-8").into()),
        Some(Err(Error::Protocol(error))) => {
            Err(Close::new(Close::PROTOCOL_ERROR, format!("This is not WebSocket: {error}")).into())
        }
        Some(Ok(Wire::Close(_)) | Err(_)) | None => Err(End::Gone),
    }
}

/// Sends a text. A client that does not take it in time is too slow.
async fn send(socket: &mut Socket, text: String) -> Outcome<()> {
    let sent = timeout(SEND_TIMEOUT, async {
        if text.len() <= FRAME_BYTES {
            return socket.send(Wire::text(text)).await;
        }
        let mut rest = Bytes::from(text);
        let mut kind = Data::Text;
        while !rest.is_empty() {
            let part = rest.split_to(rest.len().min(FRAME_BYTES));
            let frame = Frame::message(part, OpCode::Data(kind), rest.is_empty());
            socket.send(Wire::Frame(frame)).await?;
            kind = Data::Continue;
        }
        Ok(())
    });
    match sent.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(Close::new(Close::TRY_AGAIN_LATER, "You read too slowly; go on from the last sync token").into()),
    }
}

/// Waits for `connection_init` and checks its token; the header of the upgrade serves where it has none.
async fn init(shared: &Shared, socket: &mut Socket, authorization: Option<HeaderValue>) -> Outcome<Session> {
    let deadline = Instant::now() + INIT_TIMEOUT;
    let given = loop {
        let received = tokio::time::timeout_at(deadline, socket.next()).await;
        let late = |_| Close::new(Close::INIT_TOO_LATE, "connection_init did not come within 10 seconds");
        let Some(text) = text(received.map_err(late)?)? else { continue };
        match Message::read(&text)? {
            Message::Init(given) => break given,
            Message::Ping(payload) => send(socket, protocol::pong(payload)).await?,
            Message::Pong | Message::Complete(_) => {}
            Message::Subscribe(..) => {
                return Err(Close::new(Close::NOT_INITIALISED, "Send connection_init first").into());
            }
        }
    };
    let header = || authorization.map(|value| value.to_str().unwrap_or_default().to_owned());
    let forbidden = |invalid: InvalidToken| Close::new(Close::FORBIDDEN, invalid.message());
    let verified = match shared.app.authenticator.authenticate(given.or_else(header).as_deref()).await {
        Ok(Some(verified)) => verified,
        Ok(None) => {
            let what = "Send a token: connection_init with the payload {\"Authorization\": \"Bearer TOKEN\"}";
            return Err(Close::new(Close::FORBIDDEN, what).into());
        }
        Err(TokenError::Invalid(invalid)) => return Err(forbidden(invalid).into()),
        Err(TokenError::Unavailable(cause)) => {
            tracing::warn!(%cause, "a token could not be checked");
            return Err(Close::new(Close::TRY_AGAIN_LATER, "Tokens cannot be checked right now").into());
        }
    };
    let Some(place) = shared.app.streams.enter(&verified.viewer.id) else {
        return Err(Close::new(Close::TRY_AGAIN_LATER, TOO_MANY).into());
    };
    send(socket, protocol::ack()).await?;
    let (tell, told) = mpsc::channel(1);
    Ok(Session { verified, operations: JoinSet::new(), running: HashMap::new(), tell, told, _place: place })
}

/// A client that said who it is.
struct Session {
    verified: Verified,
    /// The tasks of operations; they end with the session.
    operations: JoinSet<()>,
    running: HashMap<Arc<str>, AbortHandle>,
    tell: mpsc::Sender<Step>,
    told: mpsc::Receiver<Step>,
    _place: StreamPlace,
}

/// What comes of an operation; nothing where there is no more.
struct Step {
    id: Arc<str>,
    event: Option<Event>,
}

impl Session {
    async fn run(mut self, shared: &Shared, socket: &mut Socket) -> End {
        let verified = self.verified.clone();
        tokio::select! {
            spoken = self.speak(shared, socket) => match spoken {
                Ok(never) => match never {},
                Err(end) => end,
            },
            // Also where the client does not read.
            () = expired(&verified) => End::Close(Close::new(Close::FORBIDDEN, EXPIRED)),
        }
    }

    async fn speak(&mut self, shared: &Shared, socket: &mut Socket) -> Outcome<std::convert::Infallible> {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut heard_at = Instant::now();
        loop {
            tokio::select! {
                received = socket.next() => {
                    heard_at = Instant::now();
                    if let Some(text) = text(received)? {
                        self.take(shared, socket, Message::read(&text)?).await?;
                    }
                }
                Some(step) = self.told.recv() => self.tell(socket, step).await?,
                Some(_) = self.operations.join_next() => {}
                _ = pings.tick() => {
                    if heard_at.elapsed() > 2 * PING_EVERY {
                        return Err(Close::new(Close::TRY_AGAIN_LATER, "No answer to two pings").into());
                    }
                    let ping = timeout(SEND_TIMEOUT, socket.send(Wire::Ping(Bytes::new()))).await;
                    if !matches!(ping, Ok(Ok(()))) {
                        return Err(End::Gone);
                    }
                }
            }
        }
    }

    async fn take(&mut self, shared: &Shared, socket: &mut Socket, message: Message) -> Outcome<()> {
        match message {
            Message::Init(_) => Err(Close::new(Close::INIT_TWICE, "connection_init came twice").into()),
            Message::Ping(payload) => send(socket, protocol::pong(payload)).await,
            Message::Pong => Ok(()),
            Message::Complete(id) => {
                if let Some(operation) = self.running.remove(id.as_str()) {
                    operation.abort();
                }
                Ok(())
            }
            Message::Subscribe(id, parameters) => {
                if self.running.contains_key(id.as_str()) {
                    return Err(Close::new(Close::ID_IN_USE, format!("The id '{id}' is in use")).into());
                }
                self.start(shared, socket, id.into(), *parameters).await
            }
        }
    }

    async fn start(
        &mut self,
        shared: &Shared,
        socket: &mut Socket,
        id: Arc<str>,
        parameters: Parameters,
    ) -> Outcome<()> {
        let refusal = if shared.app.limits.count_user(&self.verified.viewer.id).is_err() {
            Some("That were too many operations in a minute. Wait a little.")
        } else if self.running.len() >= MAX_OPERATIONS {
            Some("50 operations run on this socket, which is the limit. Complete one first.")
        } else {
            None
        };
        if let Some(message) = refusal {
            return send(socket, protocol::error(&id, &refused(message))).await;
        }
        let log = OperationLog::new(Arc::clone(&shared.metrics), Transport::WebSocket);
        let viewer = self.verified.viewer.clone();
        let mut events = operation::start(Arc::clone(&shared.app), parameters, Some(viewer), log);
        let (tell, key) = (self.tell.clone(), Arc::clone(&id));
        let operation = self.operations.spawn(async move {
            // Nobody takes them where the session has ended.
            while let Some(event) = events.next().await
                && tell.send(Step { id: Arc::clone(&id), event: Some(event) }).await.is_ok()
            {}
            drop(events);
            let _session_has_ended = tell.send(Step { id, event: None }).await;
        });
        self.running.insert(key, operation);
        Ok(())
    }

    /// Hands on what an operation told, unless the client wants no more of it.
    async fn tell(&mut self, socket: &mut Socket, Step { id, event }: Step) -> Outcome<()> {
        // An id that was freed may belong to another operation by now.
        let is_running = self.running.get_key_value(&id).is_some_and(|(running, _)| Arc::ptr_eq(running, &id));
        if !is_running {
            return Ok(());
        }
        match event {
            Some(Event { json, is_refusal: false }) => send(socket, protocol::next(&id, &json)).await,
            Some(Event { json, is_refusal: true }) => {
                // An error is the last that is said of an operation.
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                send(socket, protocol::error(&id, &json)).await
            }
            None => {
                self.running.remove(&id);
                send(socket, protocol::complete(&id)).await
            }
        }
    }
}

/// A refusal that comes before the operation is looked at.
fn refused(message: &str) -> String {
    answer::to_json(Reply::refusal(coded(Code::RateLimited, message, None))).unwrap_or_default()
}
