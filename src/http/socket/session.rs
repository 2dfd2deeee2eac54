//! One socket, from its first message to its close. One task reads and writes; each operation has a task of its own, so
//! that none holds a database connection while the socket waits for its client. An operation hands over one answer and
//! continues once that was sent: nothing more is kept for a client that does not read.

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
use crate::http::answer;
use crate::http::app::Shared;
use crate::http::expiry::{EXPIRED, expired};
use crate::http::operation::{self, Event};
use crate::http::parameters::Parameters;
use crate::http::request_log::{OperationLog, Transport};
use crate::http::streams::{StreamPlace, too_many};
use crate::http::timeouts::Timeouts;

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

/// Speaks with one client until either of them closes.
pub(super) async fn run(shared: Shared, mut socket: Socket, authorization: Option<HeaderValue>, is_spoken: bool) {
    let (stop, timeouts) = (shared.app.streams.stop().clone(), shared.app.timeouts);
    let session = async {
        if !is_spoken {
            return End::Close(Close::new(Close::UNKNOWN_PROTOCOL, "This server only speaks graphql-transport-ws"));
        }
        match init(&shared, &mut socket, authorization).await {
            Ok(session) => session.run(&shared, &mut socket).await,
            Err(end) => end,
        }
    };
    let fault = |_| End::Close(Close::new(Close::FAULT, "Something went wrong on our side"));
    let end = tokio::select! {
        end = AssertUnwindSafe(session).catch_unwind() => end.unwrap_or_else(fault),
        () = stop.cancelled() => End::Close(Close::new(Close::GOING_AWAY, "The server is shutting down; reconnect in a moment")),
    };
    if let End::Close(Close { code, reason }) = end {
        tracing::debug!(code, reason, "a socket is closed");
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        // A client that reads slowly may still see the reason, unless the server shuts down.
        let is_slow = code == Close::TRY_AGAIN_LATER;
        let wait = if is_slow { timeouts.socket_send } else { timeouts.socket_close };
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(timeouts.socket_close).await;
        };
        tokio::select! {
            _client_may_be_gone = timeout(wait, socket.close(Some(frame))) => {}
            () = stopped => {}
        }
    }
    let _takes_too_long = timeout(timeouts.socket_close, drain(socket)).await;
}

/// Reads what the client still sends, up to its own close; then the server closes its end first (RFC 6455, section 7.1.1).
/// A connection that is cut while bytes are on their way may lose the close frame.
async fn drain(mut socket: Socket) {
    loop {
        match socket.next().await {
            Some(Ok(Wire::Close(_)) | Err(tungstenite::Error::ConnectionClosed)) | None => return,
            Some(Ok(_)) => {}
            Some(Err(_)) => break,
        }
    }
    // After a message that was too large, frames cannot be told apart any more.
    let raw = socket.get_mut();
    let _may_be_shut = raw.shutdown().await;
    let mut rest = [0; 1024];
    while raw.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// What a client sent: a text, or nothing that matters here.
fn text(received: Option<Result<Wire, tungstenite::Error>>) -> Outcome<Option<tungstenite::Utf8Bytes>> {
    use tungstenite::Error;
    match received {
        Some(Ok(Wire::Text(text))) => Ok(Some(text)),
        Some(Ok(Wire::Binary(_))) => Err(Close::new(Close::BAD_MESSAGE, "Messages must be text").into()),
        Some(Ok(Wire::Ping(_) | Wire::Pong(_) | Wire::Frame(_))) => Ok(None),
        Some(Err(Error::Capacity(_))) => Err(Close::new(Close::TOO_LARGE, "Messages must be at most 64 KiB").into()),
        Some(Err(Error::Utf8(_))) => Err(Close::new(Close::NOT_UTF8, "The message is not UTF-8").into()),
        Some(Err(Error::Protocol(error))) => {
            Err(Close::new(Close::PROTOCOL_ERROR, format!("This is not valid WebSocket: {error}")).into())
        }
        Some(Ok(Wire::Close(_)) | Err(_)) | None => Err(End::Gone),
    }
}

/// Sends a text. A client that does not read it `within` this time is too slow.
async fn send(socket: &mut Socket, text: String, within: Duration) -> Outcome<()> {
    let sent = timeout(within, async {
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
        Err(_) => {
            Err(Close::new(Close::TRY_AGAIN_LATER, "You read too slowly; continue from the last sync token").into())
        }
    }
}

/// Waits for `connection_init` and checks its token; without one there, that of the upgrade's header.
async fn init(shared: &Shared, socket: &mut Socket, authorization: Option<HeaderValue>) -> Outcome<Session> {
    let timeouts = shared.app.timeouts;
    let deadline = Instant::now() + timeouts.socket_init;
    let given = loop {
        let received = tokio::time::timeout_at(deadline, socket.next()).await;
        let late = |_| {
            let what = format!("connection_init did not come within {:?}", timeouts.socket_init);
            Close::new(Close::INIT_TOO_LATE, what)
        };
        let Some(text) = text(received.map_err(late)?)? else { continue };
        match Message::read(&text)? {
            Message::Init(given) => break given,
            Message::Ping(payload) => send(socket, protocol::pong(payload), timeouts.socket_send).await?,
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
        return Err(Close::new(Close::TRY_AGAIN_LATER, too_many()).into());
    };
    send(socket, protocol::ack(), timeouts.socket_send).await?;
    let (tell, told) = mpsc::channel(1);
    let operations = JoinSet::new();
    Ok(Session { verified, timeouts, operations, running: HashMap::new(), tell, told, _place: place })
}

/// A client that said who it is.
struct Session {
    verified: Verified,
    timeouts: Timeouts,
    /// The tasks of operations; they end with the session.
    operations: JoinSet<()>,
    running: HashMap<Arc<str>, AbortHandle>,
    tell: mpsc::Sender<Step>,
    told: mpsc::Receiver<Step>,
    _place: StreamPlace,
}

/// What comes of an operation; no event if there are no more.
struct Step {
    id: Arc<str>,
    event: Option<Event>,
}

impl Session {
    async fn run(mut self, shared: &Shared, socket: &mut Socket) -> End {
        let (verified, check_every) = (self.verified.clone(), self.timeouts.expiry_check);
        tokio::select! {
            spoken = self.speak(shared, socket) => match spoken {
                Ok(never) => match never {},
                Err(end) => end,
            },
            // Also if the client does not read.
            () = expired(&verified, check_every) => End::Close(Close::new(Close::FORBIDDEN, EXPIRED)),
        }
    }

    async fn speak(&mut self, shared: &Shared, socket: &mut Socket) -> Outcome<std::convert::Infallible> {
        let (ping_every, send_within) = (self.timeouts.socket_ping, self.timeouts.socket_send);
        let mut pings = interval_at(Instant::now() + ping_every, ping_every);
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
                    if heard_at.elapsed() > 2 * ping_every {
                        return Err(Close::new(Close::TRY_AGAIN_LATER, "No answer to two pings").into());
                    }
                    let ping = timeout(send_within, socket.send(Wire::Ping(Bytes::new()))).await;
                    if !matches!(ping, Ok(Ok(()))) {
                        return Err(End::Gone);
                    }
                }
            }
        }
    }

    async fn take(&mut self, shared: &Shared, socket: &mut Socket, message: Message) -> Outcome<()> {
        match message {
            Message::Init(_) => Err(Close::new(Close::INIT_TWICE, "connection_init was sent twice").into()),
            Message::Ping(payload) => send(socket, protocol::pong(payload), self.timeouts.socket_send).await,
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
            Some("You have sent too many operations in a minute. Wait a moment.".to_owned())
        } else if self.running.len() >= MAX_OPERATIONS {
            let message =
                format!("This socket runs {MAX_OPERATIONS} operations, which is the limit. Complete one first.");
            Some(message)
        } else {
            None
        };
        if let Some(message) = refusal {
            return send(socket, protocol::error(&id, &refused(&message)), self.timeouts.socket_send).await;
        }
        let log = OperationLog::new(Arc::clone(&shared.metrics), Transport::WebSocket);
        let viewer = self.verified.viewer.clone();
        let mut events = operation::start(Arc::clone(&shared.app), parameters, Some(viewer), log);
        let (tell, key) = (self.tell.clone(), Arc::clone(&id));
        let operation = self.operations.spawn(async move {
            // Nobody receives them once the session has ended.
            while let Some(event) = events.next().await
                && tell.send(Step { id: Arc::clone(&id), event: Some(event) }).await.is_ok()
            {}
            drop(events);
            let _session_has_ended = tell.send(Step { id, event: None }).await;
        });
        self.running.insert(key, operation);
        Ok(())
    }

    /// Sends what came of an operation, unless the client wants nothing more of it.
    async fn tell(&mut self, socket: &mut Socket, Step { id, event }: Step) -> Outcome<()> {
        // An id that was freed may belong to another operation by now.
        let is_running = self.running.get_key_value(&id).is_some_and(|(running, _)| Arc::ptr_eq(running, &id));
        if !is_running {
            return Ok(());
        }
        match event {
            Some(Event { json, is_refusal: false }) => {
                send(socket, protocol::next(&id, &json), self.timeouts.socket_send).await
            }
            Some(Event { json, is_refusal: true }) => {
                // An error is the last message of an operation.
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                send(socket, protocol::error(&id, &json), self.timeouts.socket_send).await
            }
            None => {
                self.running.remove(&id);
                send(socket, protocol::complete(&id), self.timeouts.socket_send).await
            }
        }
    }
}

/// A refusal that comes before the operation is read.
fn refused(message: &str) -> String {
    answer::to_json(Reply::refusal(coded(Code::RateLimited, message, None))).unwrap_or_default()
}
