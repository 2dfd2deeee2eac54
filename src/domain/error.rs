//! The one error type of the domain. It has no `Display` on purpose: async-graphql turns whatever can be displayed into
//! an error for the client, and a cause must never get there.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why a verb did not do what it was asked to.
#[derive(Clone, Debug)]
pub enum Error {
    /// Rules on the input that do not hold, all of them.
    Invalid(Vec<Problem>),
    /// Nothing of that id belongs to the viewer.
    NotFound,
    /// The state of the object forbids it.
    Conflict(Conflict),
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

/// Collects problems, so that a caller hears of all of them at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes that `field` breaks a rule.
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Problem { path: vec![field], message: message.into() });
    }

    /// Keeps the value, or notes what is wrong with `field`.
    pub fn check<T>(&mut self, field: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(field, message)).ok()
    }

    /// Succeeds where nothing was noted.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all that was noted.
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
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

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let cause: Arc<str> = error.to_string().into();
        if is_unavailability(&error) { Self::Unavailable(cause) } else { Self::Internal(cause) }
    }
}

fn is_unavailability(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match &**error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a database's error code tells of a state that passes. PostgreSQL's have five characters (appendix A of its
/// manual), SQLite's are numbers whose low byte is the primary code (sqlite.org/rescode.html).
fn is_passing(code: &str) -> bool {
    match code.parse::<u32>() {
        // BUSY, LOCKED, IOERR, FULL, CANTOPEN; five digits are PostgreSQL's.
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 14),
        // Connection, resources, operator's hand and time-outs, system; then a standby, serialization, deadlock, lock.
        _ => {
            ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || matches!(code, "25006" | "40001" | "40P01" | "55P03")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_states_are_told_from_faults() {
        for code in ["5", "261", "517", "6", "13", "57014", "57P01", "08006", "53300", "40P01", "25006"] {
            assert!(is_passing(code), "{code}");
        }
        for code in ["1", "19", "787", "1555", "2067", "23505", "42P01", "22021", "42501"] {
            assert!(!is_passing(code), "{code}");
        }
    }
}
