//! Why a statement failed: the database is away or too slow, which passes, or it is a fault of ours.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// A failure of the database. The causes are for the log.
#[derive(Clone, Debug)]
pub enum Error {
    /// It is away, full or too slow: the same call may succeed later.
    Unavailable(Arc<str>),
    /// A fault of ours.
    Internal(Arc<str>),
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
        // Connection, resources, operator intervention and time-outs, system; then a standby, serialization, deadlock, lock.
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
