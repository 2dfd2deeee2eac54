//! A task.

use sea_orm::TryIntoModel;
use sea_orm::entity::prelude::*;

use super::Noun;

/// A row of `tasks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// Unique for the owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// 1 to 200 code points, trimmed.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// The title case-folded: what TITLE sorts by.
    pub title_key: String,
    /// At most 10,000 code points.
    #[sea_orm(column_type = "String(StringLen::N(10_000))", nullable)]
    pub description: Option<String>,
    /// Whether it is done.
    pub completed: bool,
    /// Since when; present exactly while `completed`.
    pub completed_at: Option<DateTimeUtc>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_date: Option<DateTimeUtc>,
    /// The insert, in microseconds.
    pub created_at: DateTimeUtc,
    /// The last change that altered a value.
    pub updated_at: DateTimeUtc,
    /// 1 at creation, one more with every change.
    pub version: i32,
    /// The owner's revision at the last change.
    pub revision: i64,
    /// The owner's revision at creation.
    pub created_revision: i64,
}

/// How urgent a task is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Priority {
    /// Can wait.
    #[sea_orm(string_value = "LOW")]
    Low,
    /// In between.
    #[sea_orm(string_value = "MEDIUM")]
    Medium,
    /// Before the others.
    #[sea_orm(string_value = "HIGH")]
    High,
}

/// The owner is loaded by its id, never through a join.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Noun for Entity {
    const ID: Column = Column::Id;
    const VERSION: Column = Column::Version;

    fn model(values: ActiveModel) -> Result<Model, DbErr> {
        values.try_into_model()
    }
}
