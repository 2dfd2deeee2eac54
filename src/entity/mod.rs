//! SeaORM entities, one file a table. They mirror the columns and hold no rules.

pub mod deleted_task;
pub mod task;
pub mod user;
