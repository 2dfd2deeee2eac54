//! The one error type of the domain. It has no `Display` on purpose: async-graphql turns whatever can be displayed into
//! an error for the client, and a cause must never get there.

use std::sync::Arc;

use sea_orm::DbErr;

use crate::database;

/// Why a verb did not do what it was asked to.
#[derive(Clone, Debug)]
pub enum Error {
    /// Rules on the input that do not hold, all of them.
    Invalid(Vec<Problem>),
    /// Nothing of that id belongs to the viewer.
    NotFound,
    /// The state of the object forbids it.
    Conflict(Conflict),
    /// The user has as many tasks as may be.
    QuotaExceeded,
    /// The sync token is too old, from the future, or of another user or database.
    SyncTokenExpired,
    /// The database is away, full or too slow: the same call may succeed later. The cause is for the log.
    Unavailable(Arc<str>),
    /// A fault of ours. The cause is for the log.
    Internal(Arc<str>),
}

/// What stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The object has another version than the caller expected.
    Version {
        /// The version that it has.
        current: i32,
    },
    /// The id was used, and its object deleted a short while ago.
    Deleted,
}

/// A rule that one field of the input breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The way to the field from the arguments inward.
    pub path: Vec<&'static str>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Error {
    /// The same error with `outer` before the path of every problem.
    #[must_use]
    pub fn within(mut self, outer: &'static str) -> Self {
        if let Self::Invalid(problems) = &mut self {
            for problem in problems {
                problem.path.insert(0, outer);
            }
        }
        self
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        match error {
            database::Error::Unavailable(cause) => Self::Unavailable(cause),
            database::Error::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        database::Error::from(error).into()
    }
}
