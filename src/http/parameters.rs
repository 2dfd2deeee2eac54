//! What a request asks to run: from the query string or from a body (GraphQL over HTTP, sections 5.3 and 5.4).

use async_graphql::ServerError;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value};

use crate::graphql::{Asked, Code, coded};

/// A GraphQL request.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parameters {
    /// The document, or what stands for it.
    pub(super) asked: Asked,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
}

type Result<T> = std::result::Result<T, ServerError>;

impl Parameters {
    /// Reads a body.
    pub(super) fn from_body(body: &[u8]) -> Result<Self> {
        let json = serde_json::from_slice(body).map_err(|error| bad(format!("The body is not JSON: {error}.")))?;
        match json {
            Value::Object(fields) => Self::from_object(fields),
            Value::Array(_) => Err(bad("The body is a batch; send one operation per request.")),
            _ => Err(bad("The body is not a JSON object with a query.")),
        }
    }

    /// Reads an object, as a body or a message of a socket has it.
    pub(super) fn from_object(mut fields: Map<String, Value>) -> Result<Self> {
        Self::checked(NAMES.map(|name| fields.remove(name).unwrap_or_default()))
    }

    /// Reads a query string.
    pub(super) fn from_query(query: &str) -> Result<Self> {
        let mut parameters = [const { Value::Null }; NAMES.len()];
        for (name, text) in form_urlencoded(query) {
            let Some(nth) = NAMES.iter().position(|known| *known == name) else { continue };
            if parameters[nth] != Value::Null {
                return Err(bad(format!("'{name}' is given twice.")));
            }
            let is_json = matches!(name.as_str(), "variables" | "extensions");
            parameters[nth] = match is_json {
                true if text.is_empty() => Value::Null,
                true => serde_json::from_str(&text).map_err(|error| bad(format!("'{name}' is not JSON: {error}.")))?,
                false => Value::String(text),
            };
        }
        Self::checked(parameters)
    }

    fn checked([query, document_id, operation_name, variables, extensions]: [Value; NAMES.len()]) -> Result<Self> {
        let hash = persisted_hash(&object("extensions", extensions)?)?;
        let asked = Asked { query: text("query", query)?, id: text("documentId", document_id)?, hash };
        if asked.id.is_none() && asked.hash.is_none() {
            match asked.query.as_deref().map(str::trim) {
                None => return Err(bad("There is no query. Send {\"query\": \"{ viewer { id } }\"}.")),
                Some("") => return Err(bad("The query is empty.")),
                Some(_) => {}
            }
        }
        // An empty name counts as none (GraphQL over HTTP, section 5.1).
        let operation_name = text("operationName", operation_name)?.filter(|name| !name.is_empty());
        Ok(Self { asked, operation_name, variables: object("variables", variables)? })
    }
}

/// The parameters that are read; others are ignored.
const NAMES: [&str; 5] = ["query", "documentId", "operationName", "variables", "extensions"];

/// The hash of an automatic persisted query, as Apollo Client sends it.
fn persisted_hash(extensions: &Map<String, Value>) -> Result<Option<String>> {
    let wrong =
        || bad("'extensions.persistedQuery' must be {\"version\": 1, \"sha256Hash\": \"64 hexadecimal digits\"}.");
    match extensions.get("persistedQuery") {
        None | Some(Value::Null) => Ok(None),
        Some(persisted) => match (&persisted["version"], &persisted["sha256Hash"]) {
            (Value::Number(version), Value::String(hash)) if version.as_u64() == Some(1) => Ok(Some(hash.clone())),
            _ => Err(wrong()),
        },
    }
}

fn text(name: &str, value: Value) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(bad(format!("'{name}' is not a string."))),
    }
}

/// Checks by its headers that a body is JSON in UTF-8.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<()> {
    let unsupported = |message: &str| Err(coded(Code::UnsupportedMediaType, message, None));
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    if !is_plain {
        return unsupported("Send the body without a Content-Encoding.");
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        Ok(())
    } else {
        unsupported("Send the body as 'Content-Type: application/json', in UTF-8.")
    }
}

fn object(name: &str, value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(fields) => Ok(fields),
        _ => Err(bad(format!("'{name}' is not an object."))),
    }
}

fn bad(message: impl Into<String>) -> ServerError {
    coded(Code::BadRequest, message, None)
}

fn form_urlencoded(query: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, text)| (name.into_owned(), text.into_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_an_object_with_a_query() {
        let full = br#"{"query":"{ a }","operationName":null,"variables":{"x":1},"extensions":{},"other":[]}"#;
        let parameters = Parameters::from_body(full).expect("good");
        assert_eq!(parameters.variables.get("x"), Some(&json!(1)));
        for bad in [
            "",
            "{",
            "[]",
            "[{\"query\":\"{ a }\"}]",
            "1",
            "null",
            "{}",
            "{\"query\":null}",
            "{\"query\":\"\"}",
            "{\"query\":1}",
            "{\"query\":\"{ a }\",\"variables\":[]}",
            "{\"query\":\"{ a }\",\"variables\":\"{}\"}",
            "{\"query\":\"{ a }\",\"operationName\":1}",
            "{\"query\":\"{ a }\",\"extensions\":\"x\"}",
        ] {
            assert!(Parameters::from_body(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Parameters::from_body(&[b'[', 0xff]).is_err());
        assert!(Parameters::from_body("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_query_string_holds_the_same() {
        let parameters = Parameters::from_query("query=%7B%20a%20%7D&variables=%7B%22x%22%3A1%7D&operationName=A&b=c");
        let parameters = parameters.expect("good");
        assert_eq!(
            (parameters.asked.query.as_deref().unwrap_or_default(), parameters.operation_name.as_deref()),
            ("{ a }", Some("A"))
        );
        assert_eq!(parameters.variables.get("x"), Some(&json!(1)));
        for bad in
            ["", "variables={}", "query=", "query={a}&variables=x", "query={a}&variables=[]", "query={a}&query={b}"]
        {
            assert!(Parameters::from_query(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_taken() {
        let check = |content_type: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            check_content_type(&headers).is_ok()
        };
        assert!(check("application/json") && check("Application/JSON; charset=\"UTF-8\""));
        assert!(check("application/json;charset=utf-8;x=y"));
        for bad in ["", "text/plain", "application/graphql", "application/json; charset=latin1", "application/jsonp"] {
            assert!(!check(bad), "{bad}");
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
    }
}
