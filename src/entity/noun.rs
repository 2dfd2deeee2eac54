//! What a user owns.

use sea_orm::{DbErr, EntityTrait, IdenStatic, Iterable};

/// A kind of thing that a user owns: it has an id of its own, changes row by row, and the change feed tells of it. Its
/// table has the columns of [`COMMON`].
pub trait Noun: EntityTrait {
    /// Its id.
    const ID: Self::Column;
    /// How often it changed.
    const VERSION: Self::Column;

    /// The row whose values are set, all of them.
    ///
    /// # Errors
    /// Where one is missing.
    fn model(values: Self::ActiveModel) -> Result<Self::Model, DbErr>;

    /// The column of a name; what [`COMMON`] names, every noun has.
    #[must_use]
    fn column(name: &str) -> Option<Self::Column> {
        Self::Column::iter().find(|column| column.as_str() == name)
    }
}

/// The columns that every noun has, with what every write does to them: `database/write.rs` and nobody else sets them.
pub const COMMON: [&str; 7] = ["user_id", "id", "created_at", "updated_at", "version", "revision", "created_revision"];
