//! The one place where a domain error becomes one for the client: a code from the closed list and a sentence. A cause
//! goes to the log, once, in the span of its request.

use async_graphql::{ErrorExtensionValues, Value};

use super::code::Code;
use crate::domain::{Conflict, Error, Problem};

/// What a resolver fails with. It has no `Display`, so that `?` cannot send a cause to the client: async-graphql takes
/// the text of whatever can be displayed.
#[derive(Clone)]
pub(super) struct ApiError(Error);

/// What a resolver returns. Where the field may be null, an `Option` goes around it: async-graphql lets the error of a
/// `Result<Option<_>>` take the whole parent along.
pub(super) type ApiResult<T> = Result<T, ApiError>;

impl From<crate::database::Error> for ApiError {
    fn from(error: crate::database::Error) -> Self {
        Self(error.into())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<ApiError> for async_graphql::Error {
    fn from(ApiError(error): ApiError) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        let (code, message) = match error {
            Error::Invalid(problems) => {
                let message = summary(&problems);
                extensions.set("problems", Value::List(problems.into_iter().map(problem).collect()));
                (Code::BadUserInput, message)
            }
            Error::NotFound => (Code::NotFound, "You have no task with this id.".into()),
            Error::Conflict(Conflict::Version { current }) => {
                extensions.set("currentVersion", current);
                let message = format!("The task has changed: its version is {current} by now. Read it again first.");
                (Code::Conflict, message)
            }
            Error::Conflict(Conflict::Deleted) => {
                let message = "This id belonged to a task that was deleted a short while ago. Choose another one.";
                (Code::Conflict, message.into())
            }
            Error::QuotaExceeded => {
                let message = "You have as many tasks as this server allows. Delete some first.";
                (Code::QuotaExceeded, message.into())
            }
            Error::SyncTokenExpired => {
                let message = "This sync token has expired. Load all again: leave 'since' out.";
                (Code::SyncTokenExpired, message.into())
            }
            Error::Unavailable(cause) => {
                tracing::warn!(%cause, "service unavailable");
                (Code::ServiceUnavailable, UNAVAILABLE.into())
            }
            Error::Internal(cause) => {
                tracing::error!(%cause, "internal error");
                (Code::InternalServerError, FAULT.into())
            }
        };
        extensions.set("code", code.as_str());
        let mut error = async_graphql::Error::new(message);
        error.extensions = Some(extensions);
        error
    }
}

/// What a client hears of a database that is away.
pub(super) const UNAVAILABLE: &str = "The service is not available right now. Try again in a moment.";
/// What a client hears of a fault of ours.
pub const FAULT: &str = "Something went wrong on our side. The request id finds it in the log.";

fn summary(problems: &[Problem]) -> String {
    match problems {
        [problem] => problem.message.clone(),
        _ => format!("{} values are not accepted; extensions.problems lists them.", problems.len()),
    }
}

fn problem(problem: Problem) -> Value {
    let path = problem.path.into_iter().map(Value::from).collect();
    let fields = [("path", Value::List(path)), ("message", Value::from(problem.message))];
    Value::Object(fields.into_iter().map(|(name, value)| (async_graphql::Name::new(name), value)).collect())
}
