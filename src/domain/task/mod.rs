//! Tasks: their rules, and one verb a file. Every statement starts from the viewer's rows.

mod create;
mod delete;
mod list;
mod rules;
mod toggle;
mod update;

pub use create::create;
pub use delete::delete;
pub use list::{List, ORDERS, Status, count, list};
pub use rules::{description, own_id, title};
pub use toggle::toggle;
pub use update::update;

use super::Id;
pub use crate::entity::task::{ActiveModel, Column, Entity, Model, Priority};

/// A task's id.
pub type TaskId = Id<Entity>;
/// A task, or the columns of it that were read.
pub type TaskRow = crate::database::Row<Entity>;
/// A page of tasks.
pub type TaskPage = super::page::Page<Entity>;
