//! Rows as a statement found them. SeaORM reads a row by the names of its columns, all of them; here they are read by
//! their places, and only when somebody wants them, since a page has hundreds of values.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Value;
use sea_orm::sqlx::{self, ColumnIndex, Database, Decode, ValueRef};
use sea_orm::{ActiveModelTrait, ActiveValue, DbErr, FromQueryResult, QueryResult, RuntimeErr};
use uuid::Uuid;

use super::Error;
use super::columns::{ColumnKind, ColumnRef, Columns};
use crate::entity::Noun;

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'r> {
    /// It is absent.
    Null,
    /// [`ColumnKind::Bool`]
    Bool(bool),
    /// [`ColumnKind::Int`], [`ColumnKind::BigInt`]
    Int(i64),
    /// [`ColumnKind::Text`]
    Text(&'r str),
    /// [`ColumnKind::Uuid`]
    Uuid(Uuid),
    /// [`ColumnKind::Instant`]
    Instant(DateTime<Utc>),
}

/// A row of a noun's, or the columns of it that were read.
#[derive(Debug)]
pub struct Row<N> {
    values: Values,
    columns: Columns<N>,
}

#[derive(Debug)]
enum Values {
    /// As the database sent them, and the place of the first one.
    Sent(QueryResult, usize),
    /// On their own.
    Owned(Box<[OwnedCell]>),
}

/// A [`Cell`] that holds its text itself.
#[derive(Debug)]
enum OwnedCell {
    Text(Box<str>),
    Other(Cell<'static>),
}

impl<N: Noun> Row<N> {
    /// A row in which `columns` begin at the place `start`.
    pub(crate) fn new(result: QueryResult, columns: Columns<N>, start: usize) -> Self {
        Self { values: Values::Sent(result, start), columns }
    }

    /// Rows that hold `columns` and nothing else.
    pub(crate) fn all(results: Vec<QueryResult>, columns: Columns<N>) -> Vec<Self> {
        results.into_iter().map(|result| Self::new(result, columns, 0)).collect()
    }

    /// The same row for several threads at once. SQLite's values change when they are read, so that two threads that read
    /// a row as it was sent find nonsense in it, although sqlx has it that they may.
    ///
    /// # Errors
    /// As [`cell`](Self::cell).
    pub(crate) fn to_owned(&self) -> Result<Self, Error> {
        let cells = self.columns.iter().enumerate().map(|(place, column)| {
            Ok::<_, Error>(match self.cell_at(place, ColumnKind::of(&column))? {
                Cell::Text(text) => OwnedCell::Text(text.into()),
                Cell::Null => OwnedCell::Other(Cell::Null),
                Cell::Bool(value) => OwnedCell::Other(Cell::Bool(value)),
                Cell::Int(value) => OwnedCell::Other(Cell::Int(value)),
                Cell::Uuid(value) => OwnedCell::Other(Cell::Uuid(value)),
                Cell::Instant(value) => OwnedCell::Other(Cell::Instant(value)),
            })
        });
        Ok(Self { values: Values::Owned(cells.collect::<Result<_, _>>()?), columns: self.columns })
    }

    /// What was read of it.
    #[must_use]
    pub fn columns(&self) -> Columns<N> {
        self.columns
    }

    /// The value at a place among its columns.
    ///
    /// # Errors
    /// [`Error::Internal`] where the database holds something else there.
    pub fn cell_at(&self, place: usize, kind: ColumnKind) -> Result<Cell<'_>, Error> {
        match &self.values {
            Values::Sent(result, start) => cell(result, start + place, kind),
            Values::Owned(cells) => match cells.get(place) {
                Some(OwnedCell::Text(text)) => Ok(Cell::Text(text)),
                Some(OwnedCell::Other(cell)) => Ok(*cell),
                None => Err(Error::Internal("a row has fewer columns than it says".into())),
            },
        }
    }

    /// The value of a column.
    ///
    /// # Errors
    /// [`Error::Internal`] where it was not read, or the database holds something else there.
    pub fn cell(&self, column: N::Column) -> Result<Cell<'_>, Error> {
        let place = self.columns.place(column).ok_or_else(|| unread(column))?;
        self.cell_at(place, ColumnKind::of(&column))
    }

    /// The value of a column that was looked up.
    ///
    /// # Errors
    /// As [`cell`](Self::cell).
    pub fn cell_of(&self, column: ColumnRef) -> Result<Cell<'_>, Error> {
        let (place, kind) = self.columns.place_and_kind(column).ok_or_else(|| unread(column))?;
        self.cell_at(place, kind)
    }

    /// How many bytes its texts have when they are written as JSON.
    ///
    /// # Errors
    /// As [`cell`](Self::cell).
    pub fn text_bytes(&self) -> Result<usize, Error> {
        let escaped = |byte: u8| usize::from(byte < 0x20 || byte == b'"' || byte == b'\\');
        let mut bytes = 0;
        for (place, column) in self.columns.iter().enumerate() {
            if let Cell::Text(text) = self.cell_at(place, ColumnKind::of(&column))? {
                bytes += text.len() + text.bytes().map(escaped).sum::<usize>();
            }
        }
        Ok(bytes)
    }

    /// Its id.
    ///
    /// # Errors
    /// As [`cell`](Self::cell).
    pub fn id(&self) -> Result<Uuid, Error> {
        match self.cell(N::ID)? {
            Cell::Uuid(id) => Ok(id),
            _ => Err(unread(N::ID)),
        }
    }

    /// The row as its entity has it.
    ///
    /// # Errors
    /// [`Error::Internal`] where a column was not read, or holds what the entity does not know.
    pub fn model(&self) -> Result<N::Model, Error> {
        // By the names of the columns, which costs less than by a list of values.
        if let Values::Sent(result, _) = &self.values {
            return Ok(N::Model::from_query_result(result, "")?);
        }
        let mut values = <N::ActiveModel as ActiveModelTrait>::default();
        for (place, column) in self.columns.iter().enumerate() {
            let kind = ColumnKind::of(&column);
            values.try_set(column, value(self.cell_at(place, kind)?, kind))?;
        }
        Ok(N::model(values)?)
    }
}

fn unread(column: impl std::fmt::Debug) -> Error {
    Error::Internal(format!("{column:?} was not read").into())
}

/// A cell as SeaORM has it.
fn value(cell: Cell<'_>, kind: ColumnKind) -> Value {
    match (cell, kind) {
        (Cell::Null, kind) => kind.null(),
        (Cell::Bool(value), _) => value.into(),
        (Cell::Int(value), ColumnKind::Int) => i32::try_from(value).ok().into(),
        (Cell::Int(value), _) => value.into(),
        (Cell::Text(value), _) => value.into(),
        (Cell::Uuid(value), _) => value.into(),
        (Cell::Instant(value), _) => value.into(),
    }
}

/// The values of a patch that are set, by the names of their columns.
pub(super) fn set_values<N: Noun>(patch: &N::ActiveModel) -> impl Iterator<Item = (N::Column, Value)> {
    use sea_orm::Iterable;
    N::Column::iter().filter_map(|column| match patch.get(column) {
        ActiveValue::Set(value) => Some((column, value)),
        ActiveValue::Unchanged(_) | ActiveValue::NotSet => None,
    })
}

/// The value at a place of a row.
pub(crate) fn cell(row: &QueryResult, place: usize, kind: ColumnKind) -> Result<Cell<'_>, Error> {
    let read = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
        (Some(row), _) => decode(row, place, kind),
        (_, Some(row)) => decode(row, place, kind),
        (None, None) => Err(sqlx::Error::RowNotFound),
    };
    Ok(read.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?)
}

fn decode<'r, R: sqlx::Row>(row: &'r R, place: usize, kind: ColumnKind) -> Result<Cell<'r>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    bool: Decode<'r, R::Database>,
    i32: Decode<'r, R::Database>,
    i64: Decode<'r, R::Database>,
    &'r str: Decode<'r, R::Database>,
    Uuid: Decode<'r, R::Database>,
    DateTime<Utc>: Decode<'r, R::Database>,
{
    fn read<'r, D: Database, T: Decode<'r, D>>(value: D::ValueRef<'r>) -> Result<T, sqlx::Error> {
        T::decode(value).map_err(sqlx::Error::Decode)
    }
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match kind {
        ColumnKind::Bool => Cell::Bool(read::<R::Database, _>(value)?),
        ColumnKind::Int => Cell::Int(read::<R::Database, i32>(value)?.into()),
        ColumnKind::BigInt => Cell::Int(read::<R::Database, _>(value)?),
        ColumnKind::Text => Cell::Text(read::<R::Database, _>(value)?),
        ColumnKind::Uuid => Cell::Uuid(read::<R::Database, _>(value)?),
        ColumnKind::Instant => Cell::Instant(read::<R::Database, _>(value)?),
    })
}
