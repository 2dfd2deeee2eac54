//! The closed list of codes that an error can carry in `extensions.code`.

use async_graphql::{Pos, ServerError};

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is not one: not JSON, no query, wrong shape, a batch.
    BadRequest,
    /// The document's syntax.
    ParseFailed,
    /// The document against the schema, its variables, or which operation to run.
    ValidationFailed,
    /// A limit on documents.
    QueryTooComplex,
    /// A rule on well-typed values.
    BadUserInput,
    /// No document of that hash is known: send the text too.
    PersistedQueryNotFound,
    /// Only trusted documents are run.
    DocumentNotTrusted,
    /// Nothing there for this viewer.
    NotFound,
    /// The state of the object forbids it.
    Conflict,
    /// As many tasks as a user may have.
    QuotaExceeded,
    /// The sync token is too old: load all again.
    SyncTokenExpired,
    /// No token, or an invalid or expired one.
    Unauthenticated,
    /// Development mode asked from outside.
    Forbidden,
    /// Neither GET nor POST, or a mutation by GET.
    MethodNotAllowed,
    /// No media type that the client takes.
    NotAcceptable,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON by its type.
    UnsupportedMediaType,
    /// Too many operations in a minute.
    RateLimited,
    /// A fault of ours.
    InternalServerError,
    /// The database is away, or the server full.
    ServiceUnavailable,
}

impl Code {
    /// The code as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The code that clients see as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        CODES.iter().find(|(_, name)| *name == text).map(|(code, _)| *code)
    }

    /// Whether an operation that meets it is given up as a whole.
    pub(in crate::graphql) fn gives_up(self) -> bool {
        matches!(self, Self::InternalServerError | Self::ServiceUnavailable)
    }

    fn row(self) -> &'static (Self, &'static str) {
        CODES.iter().find(|(code, _)| *code == self).expect("every code is in the table, a test sees to it")
    }
}

/// The codes, the most severe first.
const CODES: [(Code, &str); 20] = [
    (Code::InternalServerError, "INTERNAL_SERVER_ERROR"),
    (Code::ServiceUnavailable, "SERVICE_UNAVAILABLE"),
    (Code::RateLimited, "RATE_LIMITED"),
    (Code::Unauthenticated, "UNAUTHENTICATED"),
    (Code::Forbidden, "FORBIDDEN"),
    (Code::MethodNotAllowed, "METHOD_NOT_ALLOWED"),
    (Code::NotAcceptable, "NOT_ACCEPTABLE"),
    (Code::PayloadTooLarge, "PAYLOAD_TOO_LARGE"),
    (Code::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE"),
    (Code::BadRequest, "BAD_REQUEST"),
    (Code::ParseFailed, "GRAPHQL_PARSE_FAILED"),
    (Code::ValidationFailed, "GRAPHQL_VALIDATION_FAILED"),
    (Code::QueryTooComplex, "QUERY_TOO_COMPLEX"),
    (Code::DocumentNotTrusted, "DOCUMENT_NOT_TRUSTED"),
    (Code::PersistedQueryNotFound, "PERSISTED_QUERY_NOT_FOUND"),
    (Code::BadUserInput, "BAD_USER_INPUT"),
    (Code::NotFound, "NOT_FOUND"),
    (Code::Conflict, "CONFLICT"),
    (Code::QuotaExceeded, "QUOTA_EXCEEDED"),
    (Code::SyncTokenExpired, "SYNC_TOKEN_EXPIRED"),
];

/// An error for the client.
#[must_use]
pub fn coded(code: Code, message: impl Into<String>, pos: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, pos);
    error.extensions.get_or_insert_default().set("code", code.as_str());
    error
}

/// The code of an error; none where the library made it.
#[must_use]
pub fn code_of(error: &ServerError) -> Option<Code> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(text) => Code::parse(text),
        _ => None,
    }
}

/// The most severe code of several.
pub(in crate::graphql) fn most_severe(codes: impl Iterator<Item = Code>) -> Option<Code> {
    codes.min_by_key(|code| CODES.iter().position(|(other, _)| other == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_table_once() {
        for (code, name) in CODES {
            assert_eq!((code.as_str(), Code::parse(name)), (name, Some(code)));
        }
        // The match makes a new code fail to compile here until it is counted.
        let counted = |code| match code {
            Code::BadRequest
            | Code::ParseFailed
            | Code::ValidationFailed
            | Code::QueryTooComplex
            | Code::BadUserInput
            | Code::PersistedQueryNotFound
            | Code::DocumentNotTrusted
            | Code::NotFound
            | Code::Conflict
            | Code::QuotaExceeded
            | Code::SyncTokenExpired
            | Code::Unauthenticated
            | Code::Forbidden
            | Code::MethodNotAllowed
            | Code::NotAcceptable
            | Code::PayloadTooLarge
            | Code::UnsupportedMediaType
            | Code::RateLimited
            | Code::InternalServerError
            | Code::ServiceUnavailable => 20,
        };
        assert_eq!(CODES.len(), counted(Code::BadRequest));
    }
}
