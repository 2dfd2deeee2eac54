//! Making a task. With an id of the client's own the call can be sent again.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, EntityTrait, ModelTrait, TryInsertResult};
use uuid::Uuid;

use super::{Column, Priority, Task, TaskId, at_once, by_id};
use crate::domain::{Conflict, Error, Instant, Problems, Store, Viewer, Write, sweep, text};
use crate::entity::deleted_task;
use crate::entity::task::{ActiveModel, Entity, Model};

/// What a task is made of.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// An id of the client's own.
    pub id: Option<String>,
    /// 1 to 200 code points once trimmed, no control characters.
    pub title: String,
    /// At most 10,000 code points.
    pub description: Option<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_date: Option<Instant>,
}

/// The same, once its rules hold.
pub(super) struct Checked {
    id: Option<TaskId>,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) priority: Option<Priority>,
    pub(super) due_date: Option<Instant>,
}

/// Makes a task of the viewer's; where the id is there already, returns what is there and changes nothing. Two
/// statements, four with an id; on PostgreSQL one without an id.
///
/// # Errors
/// [`Error::Invalid`]; [`Conflict::Deleted`] where the id was deleted in the last 30 days; [`Error::Unavailable`].
pub async fn create(store: &Store, viewer: &Viewer, new: NewTask) -> Result<Task, Error> {
    let new = check(viewer, new)?;
    let id = new.id.unwrap_or_else(|| TaskId(Uuid::now_v7()));
    if new.id.is_none()
        && let Some(task) = at_once::create(store, viewer, id, &new).await?
    {
        return Ok(task);
    }
    store
        .write(viewer, async move |write: Write| {
            if new.id.is_some() {
                release_deleted_id(&write, id).await?;
            }
            match insert(&write, id, new).await? {
                Some(task) => write.commit(task.into()).await,
                None => match by_id(&write.transaction, &write.viewer, id).await? {
                    Some(task) => write.abandon(task).await,
                    None => Err(Error::Internal("a task is neither new nor there".into())),
                },
            }
        })
        .await
}

fn check(viewer: &Viewer, new: NewTask) -> Result<Checked, Error> {
    let mut problems = Problems::default();
    let id = new.id.and_then(|id| problems.check("id", own_id(viewer, &id)));
    let title = problems.check("title", text::title(&new.title)).unwrap_or_default();
    let description = new.description.and_then(|text| problems.check("description", text::description(text)));
    problems.finish()?;
    Ok(Checked { id, title, description, priority: new.priority, due_date: new.due_date })
}

/// An id of the client's own making. The viewer's own id, where that is a UUID, stays the viewer's.
fn own_id(viewer: &Viewer, text: &str) -> Result<TaskId, String> {
    let id = TaskId::parse(text)
        .ok_or("An id is a UUID with hyphens, such as 018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f; or leave it out.")?;
    if viewer.id.as_str().eq_ignore_ascii_case(&id.to_string()) {
        return Err("This id is your own user id; a task needs one of its own.".into());
    }
    Ok(id)
}

/// Frees an id whose task was deleted long enough ago.
async fn release_deleted_id(write: &Write, id: TaskId) -> Result<(), Error> {
    let key = (write.viewer.id.to_string(), id.0);
    let Some(deleted) = deleted_task::Entity::find_by_id(key).one(&write.transaction).await? else {
        return Ok(());
    };
    if write.now - deleted.deleted_at < TimeDelta::days(sweep::KEPT_DAYS) {
        return Err(Error::Conflict(Conflict::Deleted));
    }
    deleted.delete(&write.transaction).await?;
    Ok(())
}

/// Inserts the row; `None` where the id is there already.
async fn insert(write: &Write, id: TaskId, new: Checked) -> Result<Option<Model>, Error> {
    let row = ActiveModel {
        user_id: Set(write.viewer.id.to_string()),
        id: Set(id.0),
        title_key: Set(text::title_key(&new.title)),
        title: Set(new.title),
        description: Set(new.description),
        completed: Set(false),
        completed_at: Set(None),
        priority: Set(new.priority),
        due_date: Set(new.due_date),
        created_at: Set(write.now),
        updated_at: Set(write.now),
        version: Set(1),
        revision: Set(write.revision),
        created_revision: Set(write.revision),
    };
    let insert = Entity::insert(row).on_conflict_do_nothing_on([Column::UserId, Column::Id]);
    // Of many, since the library takes a missing row of one for an error.
    Ok(match insert.exec_with_returning_many(&write.transaction).await? {
        TryInsertResult::Inserted(mut tasks) => tasks.pop(),
        TryInsertResult::Conflicted | TryInsertResult::Empty => None,
    })
}
