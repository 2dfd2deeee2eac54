//! The messages of graphql-transport-ws (the protocol of the package graphql-ws), and the codes with which a socket is
//! closed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::parameters::Parameters;

/// Most bytes of an operation's id.
const MAX_ID_BYTES: usize = 256;
/// Most bytes of a reason (RFC 6455, section 5.5: 125 with the code).
const MAX_REASON_BYTES: usize = 123;

/// Why a socket is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Close {
    pub(super) const GOING_AWAY: u16 = 1001;
    pub(super) const PROTOCOL_ERROR: u16 = 1002;
    pub(super) const NOT_UTF8: u16 = 1007;
    pub(super) const TOO_LARGE: u16 = 1009;
    pub(super) const TRY_AGAIN_LATER: u16 = 1013;
    pub(super) const BAD_MESSAGE: u16 = 4400;
    pub(super) const NOT_INITIALISED: u16 = 4401;
    pub(super) const FORBIDDEN: u16 = 4403;
    pub(super) const UNKNOWN_PROTOCOL: u16 = 4406;
    pub(super) const INIT_TOO_LATE: u16 = 4408;
    pub(super) const ID_IN_USE: u16 = 4409;
    pub(super) const INIT_TWICE: u16 = 4429;
    pub(super) const FAULT: u16 = 4500;

    /// A reason that is too long would make the frame invalid, so it is shortened.
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        Self { code, reason }
    }
}

/// A message of a client's.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// `connection_init`, with the Authorization of its payload.
    Init(Option<String>),
    /// `ping`, with its payload.
    Ping(Option<Value>),
    /// `pong`
    Pong,
    /// `subscribe`, for operations of every kind.
    Subscribe(String, Box<Parameters>),
    /// `complete`: the client wants nothing more of an operation.
    Complete(String),
}

#[derive(Deserialize)]
struct Written {
    r#type: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let bad = |what: String| Close::new(Close::BAD_MESSAGE, what);
        let Written { r#type, id, payload } = serde_json::from_str(text)
            .map_err(|error| bad(format!("This is not a message of the protocol: {error}")))?;
        let named = |id: Option<String>| match id {
            Some(id) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Ok(id),
            _ => Err(bad(format!("'{type}' needs an id of 1 to {MAX_ID_BYTES} bytes"))),
        };
        let object = |payload: Option<Value>| match payload {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(bad(format!("The payload of '{type}' is not an object"))),
        };
        match r#type.as_str() {
            "connection_init" => Ok(Self::Init(object(payload)?.and_then(authorization))),
            "ping" => Ok(Self::Ping(object(payload)?.map(Value::Object))),
            "pong" => object(payload).map(|_| Self::Pong),
            "subscribe" => {
                let id = named(id)?;
                let fields = object(payload)?.ok_or_else(|| bad("'subscribe' needs a payload with a query".into()))?;
                let parameters = Parameters::from_object(fields).map_err(|error| bad(error.message))?;
                Ok(Self::Subscribe(id, Box::new(parameters)))
            }
            "complete" => Ok(Self::Complete(named(id)?)),
            _ => Err(bad(format!("Clients cannot send messages of the type '{type}'"))),
        }
    }
}

/// The Authorization in the payload of `connection_init`, in any letter case. One that is not a string is no token either.
fn authorization(payload: Map<String, Value>) -> Option<String> {
    let mut given = payload.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    given.next().map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
}

/// `connection_ack`
pub(super) fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// `pong`, with the payload of the ping.
pub(super) fn pong(payload: Option<Value>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

/// `next`: an answer, `{"data": …}`.
pub(super) fn next(id: &str, answer: &str) -> String {
    format!("{{\"id\":{},\"type\":\"next\",\"payload\":{answer}}}", json!(id))
}

/// `error`: the operation was refused; its id is free again.
pub(super) fn error(id: &str, answer: &str) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap_or_default();
    json!({ "id": id, "type": "error", "payload": answer["errors"].take() }).to_string()
}

/// `complete`: there is nothing more; the id is free again.
pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        assert_eq!(Message::read(r#"{"type":"connection_init"}"#), Ok(Message::Init(None)));
        let init = r#"{"type":"connection_init","payload":{"authorization":"Bearer x","more":1}}"#;
        assert_eq!(Message::read(init), Ok(Message::Init(Some("Bearer x".into()))));
        let init = r#"{"type":"connection_init","payload":{"Authorization":7}}"#;
        assert_eq!(Message::read(init), Ok(Message::Init(Some(String::new()))));
        assert_eq!(Message::read(r#"{"type":"ping","payload":{"a":1}}"#), Ok(Message::Ping(Some(json!({"a": 1})))));
        assert_eq!(Message::read(r#"{"type":"complete","id":"1"}"#), Ok(Message::Complete("1".into())));
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":null}}"#;
        assert!(matches!(Message::read(subscribe), Ok(Message::Subscribe(id, _)) if id == "1"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"start","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            r#"{"type":"ping","payload":"x"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":7,"payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":[]}}"#,
            r#"{"type":"complete"}"#,
        ] {
            let close = Message::read(text).expect_err(text);
            assert_eq!(close.code, Close::BAD_MESSAGE, "{text}");
            assert!(!close.reason.is_empty() && close.reason.len() <= MAX_REASON_BYTES, "{text}: {close:?}");
        }
        let long = Message::read(&json!({"type": "ü".repeat(500)}).to_string()).expect_err("unknown");
        assert!(long.reason.len() <= MAX_REASON_BYTES);
    }

    #[test]
    fn an_error_carries_the_list_of_errors() {
        let written = error("a\"b", r#"{"errors":[{"message":"no"}]}"#);
        let read: Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(read, json!({"id": "a\"b", "type": "error", "payload": [{"message": "no"}]}));
    }
}
