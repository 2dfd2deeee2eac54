//! That a task went, and none of its content.

use sea_orm::entity::prelude::*;

/// A row of `deleted_tasks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deleted_tasks")]
pub struct Model {
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// The task's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The owner's revision at the deletion.
    pub revision: i64,
    /// When it went.
    pub deleted_at: DateTimeUtc,
}

/// The owner is loaded by its id, never through a join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
