//! SeaORM entities, one file a table. An entity describes its rows; everything else is derived from it. They hold no rules.

pub mod deleted_task;
mod noun;
pub mod task;
pub mod user;

pub use noun::{COMMON, Noun};
