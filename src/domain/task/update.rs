//! Changing a task. What alters no value changes nothing.

use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Value};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::{Column, Priority, Task, TaskId, at_once, by_id};
use crate::domain::{Conflict, Error, Instant, Problems, Store, Viewer, Write, text};
use crate::entity::task::{Entity, Model};

/// What is to become of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is emptied.
    Clear,
    /// It gets a value.
    Set(T),
}

/// The fields to change.
#[derive(Clone, Debug, Default)]
pub struct TaskUpdate {
    /// As in a new task; cannot be cleared.
    pub title: Change<String>,
    /// As in a new task.
    pub description: Change<String>,
    /// Whether it is done; cannot be cleared.
    pub completed: Change<bool>,
    /// How urgent it is.
    pub priority: Change<Priority>,
    /// When it is due.
    pub due_date: Change<Instant>,
}

/// A column and the value that it is to have.
pub(super) type Assignment = (Column, Value);

/// Changes one of the viewer's tasks and returns it as it is then. Two statements, three where nothing is altered; on
/// PostgreSQL one, and four.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`]; [`Conflict::Version`] unless the task has `expected_version`, where one is
/// given; [`Error::Unavailable`].
pub async fn update(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    update: TaskUpdate,
    expected_version: Option<i32>,
) -> Result<Task, Error> {
    let assignments = assignments(update)?;
    let id = id.ok_or(Error::NotFound)?;
    if let Some(task) = at_once::set(store, viewer, id, &assignments, expected_version).await? {
        return Ok(task);
    }
    store
        .write(viewer, async move |write: Write| {
            if let Some(task) = set(&write, id, assignments, expected_version).await? {
                return write.commit(task.into()).await;
            }
            match by_id(&write.transaction, &write.viewer, id).await? {
                None => Err(Error::NotFound),
                Some(task) if expected_version.is_some_and(|version| version != task.version) => {
                    Err(Error::Conflict(Conflict::Version { current: task.version }))
                }
                Some(task) => write.abandon(task).await,
            }
        })
        .await
}

/// The assignments that the update asks for.
fn assignments(update: TaskUpdate) -> Result<Vec<Assignment>, Error> {
    let mut problems = Problems::default();
    let mut assignments = Vec::new();
    match update.title {
        Change::Keep => {}
        Change::Clear => problems.add("title", "A title can't be null; leave it out to keep it."),
        Change::Set(title) => {
            if let Some(title) = problems.check("title", text::title(&title)) {
                assignments.push((Column::TitleKey, text::title_key(&title).into()));
                assignments.push((Column::Title, title.into()));
            }
        }
    }
    match update.description {
        Change::Keep => {}
        Change::Clear => assignments.push((Column::Description, None::<String>.into())),
        Change::Set(text) => {
            if let Some(text) = problems.check("description", text::description(text)) {
                assignments.push((Column::Description, text.into()));
            }
        }
    }
    match update.completed {
        Change::Keep => {}
        Change::Clear => problems.add("completed", "This can't be null; leave it out to keep it."),
        Change::Set(completed) => assignments.push((Column::Completed, completed.into())),
    }
    match update.priority {
        Change::Keep => {}
        Change::Clear => assignments.push((Column::Priority, None::<String>.into())),
        Change::Set(priority) => assignments.push((Column::Priority, priority.into())),
    }
    match update.due_date {
        Change::Keep => {}
        Change::Clear => assignments.push((Column::DueDate, None::<Instant>.into())),
        Change::Set(due_date) => assignments.push((Column::DueDate, due_date.into())),
    }
    problems.finish()?;
    Ok(assignments)
}

/// Writes the values where one of them differs; `None` where the task is not there, has another version, or has them
/// all already.
async fn set(
    write: &Write,
    id: TaskId,
    assignments: Vec<Assignment>,
    expected_version: Option<i32>,
) -> Result<Option<Model>, Error> {
    if assignments.is_empty() {
        return Ok(None);
    }
    let mut differs = Condition::any();
    let mut statement = Entity::update_many();
    for (column, value) in assignments {
        let value = Expr::val(value);
        differs = differs.add(Expr::col(column).binary(BinOper::Custom("is distinct from"), value.clone()));
        if matches!(column, Column::Completed) {
            statement = statement.col_expr(Column::CompletedAt, completed_at(&value, write.now));
        }
        statement = statement.col_expr(column, value);
    }
    let mut statement = super::touched(statement, write).filter(Column::Id.eq(id.0)).filter(differs);
    if let Some(version) = expected_version {
        statement = statement.filter(Column::Version.eq(version));
    }
    Ok(statement.exec_with_returning(&write.transaction).await?.pop())
}

/// When the task was completed, if `completed` is what it is to be: kept where that is so already.
fn completed_at(completed: &Expr, now: Instant) -> Expr {
    Expr::case(Expr::col(Column::Completed).eq(completed.clone()), Expr::col(Column::CompletedAt))
        .case(completed.clone(), Expr::val(now))
        .finally(Expr::value(None::<Instant>))
        .into()
}
