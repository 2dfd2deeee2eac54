//! Tasks: one verb a file. Every statement starts from the viewer's rows.

mod at_once;
mod create;
mod delete;
mod list;
mod row;
mod toggle;
mod update;

use std::collections::HashMap;
use std::fmt;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, UpdateMany};
use uuid::Uuid;

pub use create::{NewTask, create};
pub use delete::delete;
pub use list::{Direction, List, Sort, Status, count, list};
pub use row::{Column, Columns, Priority, Task};
pub use toggle::toggle;
pub use update::{Change, TaskUpdate, update};

use super::sql::Sql;
use super::{Conflict, Error, Store, Viewer, Write};
use crate::entity::task::Entity;

/// A task's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub Uuid);

impl TaskId {
    /// Reads a UUID in its form with hyphens (RFC 9562, section 4), in either case; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let has_hyphens = text.len() == 36 && !text.starts_with(['{', 'u', 'U']);
        has_hyphens.then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Selects `what` of the viewer's tasks: where every statement that reads tasks starts.
fn of<'s>(sql: &'s mut Sql, what: &str, viewer: &Viewer) -> &'s mut Sql {
    sql.push("select ").push(what).push(" from tasks where user_id = ").bind(viewer.id.as_str())
}

/// Finds several of the viewer's tasks; those that the viewer has not are not there. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn by_ids(
    store: &Store,
    viewer: &Viewer,
    ids: &[TaskId],
    columns: Columns,
) -> Result<HashMap<TaskId, Task>, Error> {
    find(&store.lease().await?, viewer, ids, columns).await
}

async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[TaskId],
    columns: Columns,
) -> Result<HashMap<TaskId, Task>, Error> {
    let columns = columns.with(Column::Id);
    let mut sql = Sql::default();
    of(&mut sql, &columns.names(), viewer);
    for (nth, id) in ids.iter().enumerate() {
        sql.push(if nth == 0 { " and id in (" } else { ", " }).bind(id.0);
    }
    sql.push(if ids.is_empty() { " and false" } else { ")" });
    let rows = db.query_all_raw(sql.finish(db.get_database_backend())).await?;
    let tasks = rows.iter().map(|row| Task::read(row, columns, 0).map(|task| (TaskId(task.id), task)));
    Ok(tasks.collect::<Result<_, _>>()?)
}

async fn by_id(db: &impl ConnectionTrait, viewer: &Viewer, id: TaskId) -> Result<Option<Task>, Error> {
    Ok(find(db, viewer, &[id], Columns::ALL).await?.remove(&id))
}

/// Why a statement on `id` that asked for `expected_version` found no row. One statement.
async fn refusal(db: &impl ConnectionTrait, viewer: &Viewer, id: TaskId) -> Result<Error, Error> {
    Ok(match by_id(db, viewer, id).await? {
        Some(task) => Error::Conflict(Conflict::Version { current: task.version }),
        None => Error::NotFound,
    })
}

/// `statement` on the viewer's tasks, with what every change of a row brings: one version more, the number of the
/// change and its time.
fn touched(statement: UpdateMany<Entity>, write: &Write) -> UpdateMany<Entity> {
    statement
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .col_expr(Column::Revision, write.revision.into())
        .col_expr(Column::UpdatedAt, write.now.into())
        .filter(Column::UserId.eq(write.viewer.id.as_str()))
}
