//! How long things may take. A server is given these, so that tests can have shorter ones.

use std::time::Duration;

/// Time limits of a server. The default ones are those of README.md, section "Limits", or ours where it names none.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// How long a client may take to send the head of a request: 10 seconds (README.md).
    pub head: Duration,
    /// How long a request may take, from its head to its answer: 15 seconds (README.md).
    pub request: Duration,
    /// How long a client may accept no byte of an answer or a stream: 60 seconds (ours).
    pub write: Duration,
    /// How long the rest of a refused body is read, since a connection that is closed before its client has sent
    /// everything loses the answer as well: 2 seconds (ours).
    pub discard: Duration,
    /// How long the database may take to answer a readiness probe: 1.5 seconds (ours).
    pub readiness: Duration,
    /// How long a client of a socket may take to send `connection_init`: 10 seconds (README.md).
    pub socket_init: Duration,
    /// How often the client of a socket is pinged: every 20 seconds (README.md). A client that sends nothing during two
    /// of these is gone.
    pub socket_ping: Duration,
    /// How long the client of a socket may take to read a message: 30 seconds (README.md).
    pub socket_send: Duration,
    /// How long closing a socket may take: 2 seconds (ours), so that one whose token has expired is gone within 5.
    pub socket_close: Duration,
    /// How often a comment is sent over an idle event stream, so that no proxy takes its connection for dead: every 12
    /// seconds (npm's graphql-sse).
    pub stream_comment: Duration,
    /// How often the clock is compared with the end of a token: every minute (ours), since somebody may set it.
    pub expiry_check: Duration,
    /// How long requests in flight may take to end when the server shuts down: 20 seconds (ours), more than `request`.
    pub shutdown: Duration,
    /// How long event streams may take to end then: 2 seconds (ours), since their clients may not be reading.
    pub stream_shutdown: Duration,
    /// How long to wait when no connection can be accepted, most likely for want of file descriptors: 50 milliseconds
    /// (ours).
    pub accept_pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            request: Duration::from_secs(15),
            write: Duration::from_mins(1),
            discard: Duration::from_secs(2),
            readiness: Duration::from_millis(1_500),
            socket_init: Duration::from_secs(10),
            socket_ping: Duration::from_secs(20),
            socket_send: Duration::from_secs(30),
            socket_close: Duration::from_secs(2),
            stream_comment: Duration::from_secs(12),
            expiry_check: Duration::from_mins(1),
            shutdown: Duration::from_secs(20),
            stream_shutdown: Duration::from_secs(2),
            accept_pause: Duration::from_millis(50),
        }
    }
}
