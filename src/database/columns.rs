//! Which columns of a noun a statement reads, and of what type they are: both follow from the entity.

use std::fmt;
use std::marker::PhantomData;

use sea_orm::sea_query::{ColumnType, StringLen, Value};
use sea_orm::{ColumnTrait, DbBackend, IdenStatic, Iterable};

use crate::entity::Noun;

/// Most code points of what is no text of a user's: an id, an instant, a number, an enum's value.
const SHORT_CHARS: u32 = 40;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// `true` or `false`.
    Bool,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    BigInt,
    /// A text, or an enum's value as its text.
    Text,
    /// A UUID.
    Uuid,
    /// An instant in whole microseconds.
    Instant,
}

impl ColumnKind {
    /// The kind of a noun's column.
    #[must_use]
    pub fn of(column: &impl ColumnTrait) -> Self {
        match column.def().get_column_type() {
            ColumnType::Boolean => Self::Bool,
            ColumnType::Integer => Self::Int,
            ColumnType::BigInteger => Self::BigInt,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::TimestampWithTimeZone => Self::Instant,
            ColumnType::String(_) | ColumnType::Text => Self::Text,
            other => unreachable!("no entity has a column of type {other:?}, a test reads all of them"),
        }
    }

    /// The value that is absent.
    pub(super) fn null(self) -> Value {
        match self {
            Self::Bool => Value::Bool(None),
            Self::Int => Value::Int(None),
            Self::BigInt => Value::BigInt(None),
            Self::Text => Value::String(None),
            Self::Uuid => Value::Uuid(None),
            Self::Instant => Value::ChronoDateTimeUtc(None),
        }
    }

    /// The same as text in a statement, of the type that PostgreSQL has for the column.
    fn null_text(self, backend: DbBackend) -> &'static str {
        match (backend, self) {
            (DbBackend::Sqlite, _) => "null",
            (_, Self::Bool) => "null::boolean",
            (_, Self::Int) => "null::integer",
            (_, Self::BigInt) => "null::bigint",
            (_, Self::Text) => "null::text",
            (_, Self::Uuid) => "null::uuid",
            (_, Self::Instant) => "null::timestamptz",
        }
    }
}

/// A column of a noun, looked up once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnRef {
    /// Its place in the entity.
    index: u8,
    kind: ColumnKind,
    /// Most code points of a text; short where the entity does not say.
    max_chars: u32,
}

impl ColumnRef {
    /// About the most bytes that a value has when it is written as JSON.
    #[must_use]
    pub fn max_json_bytes(self) -> usize {
        // A code point is four bytes at most; where it is escaped, two, since texts have no other control characters
        // than tabs and line breaks.
        self.max_chars as usize * 4 + 2
    }
}

/// Columns of a noun, in the order of the entity.
pub struct Columns<N> {
    /// A bit for each column of the entity, the first one lowest.
    bits: u64,
    noun: PhantomData<fn() -> N>,
}

impl<N: Noun> Columns<N> {
    /// None of them.
    pub const NONE: Self = Self { bits: 0, noun: PhantomData };

    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { bits: (1 << N::Column::iter().count()) - 1, noun: PhantomData }
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, column: N::Column) -> Self {
        Self { bits: self.bits | 1 << index::<N>(column), noun: PhantomData }
    }

    /// These and those.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self { bits: self.bits | others.bits, noun: PhantomData }
    }

    /// Looks a column up.
    #[must_use]
    pub fn locate(column: N::Column) -> ColumnRef {
        let max_chars = match column.def().get_column_type() {
            ColumnType::String(StringLen::N(most)) => *most,
            _ => SHORT_CHARS,
        };
        ColumnRef { index: index::<N>(column), kind: ColumnKind::of(&column), max_chars }
    }

    /// The place of a column among those that are read.
    #[must_use]
    pub fn place(self, column: N::Column) -> Option<usize> {
        self.place_of(index::<N>(column))
    }

    /// The place and kind of a column that was looked up.
    pub(super) fn place_and_kind(self, column: ColumnRef) -> Option<(usize, ColumnKind)> {
        Some((self.place_of(column.index)?, column.kind))
    }

    fn place_of(self, index: u8) -> Option<usize> {
        let bit = 1 << index;
        (self.bits & bit != 0).then(|| (self.bits & (bit - 1)).count_ones() as usize)
    }

    /// The columns that are read, by their places.
    pub fn iter(self) -> impl Iterator<Item = N::Column> {
        N::Column::iter().enumerate().filter(move |(nth, _)| self.bits & 1 << nth != 0).map(|(_, column)| column)
    }

    /// Their names, as a statement selects or returns them.
    pub(crate) fn names(self) -> String {
        let mut names = String::with_capacity(128);
        for column in self.iter() {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(column.as_str());
        }
        names
    }

    /// As many values that are absent, for a union with rows of another table.
    pub(crate) fn nulls(self, backend: DbBackend) -> String {
        self.iter().map(|column| ColumnKind::of(&column).null_text(backend)).collect::<Vec<_>>().join(", ")
    }
}

fn index<N: Noun>(column: N::Column) -> u8 {
    let name = column.as_str();
    let position = (0..).zip(N::Column::iter()).find(|(_, other)| other.as_str() == name);
    position.expect("a column is one of its entity's").0
}

impl<N> Clone for Columns<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Columns<N> {}

impl<N> PartialEq for Columns<N> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<N> fmt::Debug for Columns<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Columns({:b})", self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::task::{Column, Entity};
    use crate::entity::{COMMON, deleted_task, user};

    #[test]
    fn columns_are_named_in_the_order_in_which_they_are_placed() {
        let some = Columns::<Entity>::NONE.with(Column::Version).with(Column::Id).with(Column::DueDate);
        assert_eq!(some.names(), "id, due_date, version");
        let places = [Column::Id, Column::DueDate, Column::Version, Column::Title].map(|column| some.place(column));
        assert_eq!(places, [Some(0), Some(1), Some(2), None]);
        assert_eq!(Columns::<Entity>::all().iter().count(), Column::iter().count());
        assert_eq!(some.nulls(DbBackend::Postgres), "null::uuid, null::timestamptz, null::integer");
    }

    #[test]
    fn every_column_has_a_kind_and_every_noun_the_common_ones() {
        assert!(Column::iter().all(|column| ColumnKind::of(&column) == ColumnKind::of(&column)));
        assert!(user::Column::iter().all(|column| ColumnKind::of(&column) == ColumnKind::of(&column)));
        assert!(deleted_task::Column::iter().all(|column| ColumnKind::of(&column) == ColumnKind::of(&column)));
        assert!(COMMON.iter().all(|name| Entity::column(name).is_some()));
    }
}
