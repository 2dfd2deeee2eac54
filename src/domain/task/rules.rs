//! What holds for a task's values: each rule once, whichever way a value comes in.

use sea_orm::ActiveValue::{self, Set};

use super::{ActiveModel, Column, TaskId};
use crate::database::{Assignment, Expression};
use crate::domain::{Viewer, text};

/// Most code points of a title.
const MAX_TITLE: usize = 200;
/// Most code points of a description.
const MAX_DESCRIPTION: usize = 10_000;

/// An id of the client's own making. The viewer's own id, where that is a UUID, stays the viewer's.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn own_id(viewer: &Viewer, text: &str) -> Result<TaskId, String> {
    let id = TaskId::parse(text)
        .ok_or("An id is a UUID with hyphens, such as 018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f; or leave it out.")?;
    if viewer.id.as_str().eq_ignore_ascii_case(&id.to_string()) {
        return Err("This id is your own user id; a task needs one of its own.".into());
    }
    Ok(id)
}

/// A title: a line of 1 to 200 code points.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn title(title: &str) -> Result<String, String> {
    text::line(title, "A title", MAX_TITLE)
}

/// A description: up to 10,000 code points, tabs and line breaks among them.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn description(description: String) -> Result<String, String> {
    text::block(description, "A description", MAX_DESCRIPTION)
}

/// Sets the columns that follow from others.
pub(super) fn derive(task: &mut ActiveModel) {
    if let Set(title) = &task.title {
        task.title_key = Set(text::fold(title));
    }
}

/// What becomes of a task's columns by a patch.
pub(super) fn assignments(mut patch: ActiveModel) -> Vec<Assignment> {
    derive(&mut patch);
    let mut assignments = Assignment::of::<super::Entity>(&patch);
    // Completing keeps the instant of a task that is completed already.
    match patch.completed {
        Set(true) => assignments.push(completed_at("coalesce(completed_at, {now})")),
        Set(false) => assignments.push(completed_at("null")),
        ActiveValue::Unchanged(_) | ActiveValue::NotSet => {}
    }
    assignments
}

/// Turns a task over.
pub(super) fn toggled() -> Vec<Assignment> {
    let completed = Assignment::new(Column::Completed, Expression::Sql("not completed"));
    vec![completed, completed_at("case when completed then null else {now} end")]
}

fn completed_at(text: &'static str) -> Assignment {
    Assignment::new(Column::CompletedAt, Expression::Sql(text))
}
