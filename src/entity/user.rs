//! A person as the tokens name them, made by their first write.

use sea_orm::entity::prelude::*;

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The token's `sub`, 1 to 255 bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// What the last token that wrote said, where one has said anything.
    pub email: Option<String>,
    /// As `email`.
    pub name: Option<String>,
    /// The number of the user's last change. Rises in commit order.
    pub revision: i64,
    /// Up to here tombstones of deleted objects may be gone.
    pub swept_revision: i64,
    /// How many tasks there are. The database keeps it; absent for a user of the first version until somebody counts.
    pub task_count: Option<i64>,
    /// How many of them are completed; likewise.
    pub completed_count: Option<i64>,
    /// The first write.
    pub created_at: DateTimeUtc,
    /// The last write.
    pub updated_at: DateTimeUtc,
}

/// A user owns tasks; they are read through [`super::task`], never through a join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
