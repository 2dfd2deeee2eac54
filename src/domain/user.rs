//! Users: a row made by the first write, whose number orders the user's changes.

use super::{Error, Store, UserId};
use crate::database::{Cell, ColumnKind, Sql, cell};

/// What the tokens of a user have said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The address, where one was told.
    pub email: Option<String>,
    /// The name, where one was told.
    pub name: Option<String>,
}

/// Looks up what is kept of a user: nothing before the first write. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn claims(store: &Store, id: &UserId) -> Result<Claims, Error> {
    let mut sql = Sql::new("select email, name from users where id = ");
    sql.bind(id.as_str());
    let rows = store.read(sql).await?;
    let Some(row) = rows.first() else { return Ok(Claims::default()) };
    let text = |place| {
        Ok::<_, Error>(match cell(row, place, ColumnKind::Text)? {
            Cell::Text(text) => Some(text.to_owned()),
            _ => None,
        })
    };
    Ok(Claims { email: text(0)?, name: text(1)? })
}

/// How many tasks a user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskCounts {
    pub(super) all: u64,
    pub(super) completed: u64,
}

/// Looks up how many tasks a user has; nothing where nobody has counted yet. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub(super) async fn task_counts(store: &Store, id: &UserId) -> Result<Option<TaskCounts>, Error> {
    let mut sql = Sql::new("select task_count, completed_count from users where id = ");
    sql.bind(id.as_str());
    let rows = store.read(sql).await?;
    let Some(row) = rows.first() else { return Ok(Some(TaskCounts::default())) };
    Ok(match (cell(row, 0, ColumnKind::BigInt)?, cell(row, 1, ColumnKind::BigInt)?) {
        (Cell::Int(all), Cell::Int(completed)) => {
            Some(TaskCounts { all: all.unsigned_abs(), completed: completed.unsigned_abs() })
        }
        _ => None,
    })
}
