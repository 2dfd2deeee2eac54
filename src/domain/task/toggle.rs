//! Turning a task over, in one conditional statement.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Column, Task, TaskId, at_once, refusal, touched};
use crate::domain::{Error, Instant, Store, Viewer, Write};
use crate::entity::task::Entity;

/// Makes a pending task completed and a completed one pending. Two statements, three where it is refused; on PostgreSQL
/// one, and four.
///
/// # Errors
/// [`Error::NotFound`]; [`Conflict::Version`](crate::domain::Conflict::Version) unless the task has `expected_version`,
/// where one is given; [`Error::Unavailable`].
pub async fn toggle(
    store: &Store,
    viewer: &Viewer,
    id: Option<TaskId>,
    expected_version: Option<i32>,
) -> Result<Task, Error> {
    let id = id.ok_or(Error::NotFound)?;
    if let Some(task) = at_once::toggle(store, viewer, id, expected_version).await? {
        return Ok(task);
    }
    store
        .write(viewer, async move |write: Write| {
            let completed_at =
                Expr::case(Expr::col(Column::Completed), Expr::value(None::<Instant>)).finally(write.now);
            let mut statement = touched(Entity::update_many(), &write)
                .col_expr(Column::Completed, Expr::col(Column::Completed).not())
                .col_expr(Column::CompletedAt, completed_at.into())
                .filter(Column::Id.eq(id.0));
            if let Some(version) = expected_version {
                statement = statement.filter(Column::Version.eq(version));
            }
            match statement.exec_with_returning(&write.transaction).await?.pop() {
                Some(task) => write.commit(task.into()).await,
                None => Err(refusal(&write.transaction, &write.viewer, id).await?),
            }
        })
        .await
}
