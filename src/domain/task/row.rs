//! Tasks as rows hold them. SeaORM reads a row by the names of its columns, all of them; here they are read by their
//! places, and only those that somebody asked for, since a page has hundreds of values.

use chrono::{DateTime, Utc};
use sea_orm::sqlx::{self, ColumnIndex, Decode, Row, Type};
use sea_orm::{ActiveEnum, DbErr, IdenStatic, Iterable, QueryResult, RuntimeErr};
use uuid::Uuid;

use crate::domain::Instant;
use crate::entity::task::Model;
pub use crate::entity::task::{Column, Priority};

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Unique for the owner.
    pub id: Uuid,
    /// 1 to 200 code points, trimmed.
    pub title: String,
    /// The title case-folded: what TITLE sorts by.
    pub title_key: String,
    /// At most 10,000 code points.
    pub description: Option<String>,
    /// Whether it is done.
    pub completed: bool,
    /// Since when; present exactly while `completed`.
    pub completed_at: Option<Instant>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_date: Option<Instant>,
    /// The insert, in microseconds.
    pub created_at: Instant,
    /// The last change that altered a value.
    pub updated_at: Instant,
    /// 1 at creation, one more with every change.
    pub version: i32,
}

/// Which columns of tasks a statement reads, in the order of the table. What is not read is empty in the [`Task`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u16);

impl Columns {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All that a [`Task`] has.
    pub const ALL: Self = Self::NONE
        .with(Column::Id)
        .with(Column::Title)
        .with(Column::TitleKey)
        .with(Column::Description)
        .with(Column::Completed)
        .with(Column::CompletedAt)
        .with(Column::Priority)
        .with(Column::DueDate)
        .with(Column::CreatedAt)
        .with(Column::UpdatedAt)
        .with(Column::Version);

    /// These and one more.
    #[must_use]
    pub const fn with(self, column: Column) -> Self {
        Self(self.0 | 1 << column as u16)
    }

    /// The place of a column among those that are read.
    fn place(self, column: Column) -> Option<usize> {
        let bit = 1 << column as u16;
        (self.0 & bit != 0).then(|| (self.0 & (bit - 1)).count_ones() as usize)
    }

    /// Their names, as a statement selects or returns them.
    pub(in crate::domain) fn names(self) -> String {
        let mut names = String::with_capacity(128);
        for column in Column::iter().filter(|column| self.place(*column).is_some()) {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(column.as_str());
        }
        names
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self::ALL
    }
}

impl Task {
    /// Reads a row in which `columns` begin at the place `start`.
    pub(in crate::domain) fn read(row: &QueryResult, columns: Columns, start: usize) -> Result<Self, DbErr> {
        let read = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => decode(row, columns, start),
            (_, Some(row)) => decode(row, columns, start),
            (None, None) => Err(sqlx::Error::RowNotFound),
        };
        read.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}

fn decode<'r, R: Row>(row: &'r R, columns: Columns, start: usize) -> Result<Task, sqlx::Error>
where
    usize: ColumnIndex<R>,
    String: Value<'r, R>,
    Uuid: Value<'r, R>,
    bool: Value<'r, R>,
    i32: Value<'r, R>,
    DateTime<Utc>: Value<'r, R>,
    Option<String>: Value<'r, R>,
    Option<DateTime<Utc>>: Value<'r, R>,
{
    let at = |column| columns.place(column).map(|place| start + place);
    let priority: Option<String> = value(row, at(Column::Priority))?;
    let priority = priority.map(|text| Priority::try_from_value(&text)).transpose();
    Ok(Task {
        id: value(row, at(Column::Id))?,
        title: value(row, at(Column::Title))?,
        title_key: value(row, at(Column::TitleKey))?,
        description: value(row, at(Column::Description))?,
        completed: value(row, at(Column::Completed))?,
        completed_at: value(row, at(Column::CompletedAt))?,
        priority: priority.map_err(|error| sqlx::Error::Decode(error.into()))?,
        due_date: value(row, at(Column::DueDate))?,
        created_at: value(row, at(Column::CreatedAt))?,
        updated_at: value(row, at(Column::UpdatedAt))?,
        version: value(row, at(Column::Version))?,
    })
}

/// What a row of this kind can hold.
trait Value<'r, R: Row>: Decode<'r, R::Database> + Type<R::Database> {}

impl<'r, R: Row, T: Decode<'r, R::Database> + Type<R::Database>> Value<'r, R> for T {}

/// A value; the empty one where it is not read.
fn value<'r, R: Row, T: Value<'r, R> + Default>(row: &'r R, place: Option<usize>) -> Result<T, sqlx::Error>
where
    usize: ColumnIndex<R>,
{
    place.map_or_else(|| Ok(T::default()), |place| row.try_get(place))
}

impl From<Model> for Task {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            title: row.title,
            title_key: row.title_key,
            description: row.description,
            completed: row.completed,
            completed_at: row.completed_at,
            priority: row.priority,
            due_date: row.due_date,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_in_the_order_in_which_they_are_placed() {
        let some = Columns::NONE.with(Column::Version).with(Column::Id).with(Column::DueDate);
        assert_eq!(some.names(), "id, due_date, version");
        let places = [Column::Id, Column::DueDate, Column::Version, Column::Title].map(|column| some.place(column));
        assert_eq!(places, [Some(0), Some(1), Some(2), None]);
        assert_eq!(Columns::ALL.names().split(", ").count(), 11);
    }
}
