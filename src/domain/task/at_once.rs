//! Writes as one statement, on PostgreSQL: the user's row and the task together, which is a transaction by itself and one
//! round trip in place of four.
//!
//! Each statement does what its verb does in the usual case. Where that is not given (no such task, another version,
//! nothing to alter) it changes nothing, as a rule not the user's row either, and the verb goes on in a transaction, which finds
//! out what there is to say. On SQLite, where a statement is no round trip, it does so from the start.
//!
//! As in a transaction, the user's row is locked first: `owner` has to give its revision before a task can get it. A
//! write of the same user that was faster is waited for there, and PostgreSQL then looks at the task as that one left
//! it (READ COMMITTED, section 13.2.1 of its manual). If the task is gone by then, has another version or has the values
//! already, the user's row stays raised and nothing else is changed: a revision is passed over, which nobody notices.

use sea_orm::{DbBackend, IdenStatic, QueryResult};

use super::create::Checked;
use super::update::Assignment;
use super::{Column, Columns, Task, TaskId};
use crate::domain::sql::Sql;
use crate::domain::{Error, Store, Viewer, text};

/// Inserts a task whose id nobody else has.
pub(super) async fn create(store: &Store, viewer: &Viewer, id: TaskId, new: &Checked) -> Result<Option<Task>, Error> {
    let Some(mut sql) = begin(store, viewer, id) else { return Ok(None) };
    sql.push(
        "with owner as (
            insert into users (id, email, name, revision, swept_revision, created_at, updated_at)
            values ($1, $2, $3, 1, 0, $4, $4)
            on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at,
                email = coalesce(excluded.email, users.email), name = coalesce(excluded.name, users.name)
            returning revision
        )
        insert into tasks (user_id, id, completed, created_at, updated_at, version, revision, created_revision,
            title, title_key, description, priority, due_date)
        select $1, $5, false, $4, $4, 1, revision, revision, ",
    );
    sql.bind(new.title.as_str()).push(", ").bind(text::title_key(&new.title)).push(", ");
    sql.bind(new.description.as_deref()).push(", ").bind(new.priority).push(", ").bind(new.due_date);
    sql.push(" from owner").push(&returning());
    task(run(store, viewer, sql).await?)
}

/// Turns a task over.
pub(super) async fn toggle(
    store: &Store,
    viewer: &Viewer,
    id: TaskId,
    expected_version: Option<i32>,
) -> Result<Option<Task>, Error> {
    let assignments = "completed = not completed, completed_at = case when completed then null else $4 end";
    let Some(mut sql) = begin(store, viewer, id) else { return Ok(None) };
    let is_expected = is_expected(&mut sql, expected_version);
    sql.push(&update(assignments, &is_expected));
    task(run(store, viewer, sql).await?)
}

/// Sets columns of a task, where one of them differs.
pub(super) async fn set(
    store: &Store,
    viewer: &Viewer,
    id: TaskId,
    assignments: &[Assignment],
    expected_version: Option<i32>,
) -> Result<Option<Task>, Error> {
    if assignments.is_empty() {
        return Ok(None);
    }
    let Some(mut sql) = begin(store, viewer, id) else { return Ok(None) };
    let (mut sets, mut differs) = (Vec::new(), Vec::new());
    for (column, value) in assignments {
        let (name, value) = (column.as_str(), sql.parameter(value.clone()));
        sets.push(format!("{name} = {value}"));
        differs.push(format!("{name} is distinct from {value}"));
        if matches!(column, Column::Completed) {
            sets.push(format!(
                "completed_at = case when completed = {value} then completed_at when {value} then $4 else null end"
            ));
        }
    }
    let condition = format!("{} and ({})", is_expected(&mut sql, expected_version), differs.join(" or "));
    sql.push(&update(&sets.join(", "), &condition));
    task(run(store, viewer, sql).await?)
}

/// Deletes a task and leaves its trace.
pub(super) async fn delete(
    store: &Store,
    viewer: &Viewer,
    id: TaskId,
    expected_version: Option<i32>,
) -> Result<Option<TaskId>, Error> {
    let Some(mut sql) = begin(store, viewer, id) else { return Ok(None) };
    let is_expected = is_expected(&mut sql, expected_version);
    sql.push(&format!(
        "with {}, gone as (
            delete from tasks using owner where user_id = $1 and id = $5 and {is_expected} returning id
        )
        insert into deleted_tasks (user_id, id, revision, deleted_at)
        select $1, gone.id, owner.revision, $4 from gone, owner
        on conflict (user_id, id) do update set revision = excluded.revision, deleted_at = excluded.deleted_at
        returning revision",
        owner_if(&is_expected)
    ));
    Ok(run(store, viewer, sql).await?.map(|_| id))
}

/// A statement of a viewer's about a task, with the values that all of them have: `$1` the user, `$2` and `$3` what the
/// token says of them, `$4` the present instant, `$5` the task. Nothing on SQLite.
fn begin(store: &Store, viewer: &Viewer, id: TaskId) -> Option<Sql> {
    if store.backend() != DbBackend::Postgres {
        return None;
    }
    let mut sql = Sql::default();
    sql.parameter(viewer.id.as_str());
    sql.parameter(viewer.email.as_deref());
    sql.parameter(viewer.name.as_deref());
    sql.parameter(store.now());
    sql.parameter(id.0);
    Some(sql)
}

async fn run(store: &Store, viewer: &Viewer, sql: Sql) -> Result<Option<QueryResult>, Error> {
    store.write_at_once(viewer, sql.finish(DbBackend::Postgres)).await
}

/// The condition that the task has the expected version, where one is expected.
fn is_expected(sql: &mut Sql, expected_version: Option<i32>) -> String {
    match expected_version {
        Some(version) => format!("version = {}", sql.parameter(version)),
        None => "true".to_owned(),
    }
}

/// Numbers the change, if the task is there and `condition` holds.
fn owner_if(condition: &str) -> String {
    format!(
        "owner as (
            update users set revision = revision + 1, updated_at = $4, email = coalesce($2, email),
                name = coalesce($3, name)
            where id = $1 and exists (select from tasks where user_id = $1 and id = $5 and {condition})
            returning revision
        )"
    )
}

/// Changes the task, if `condition` holds.
fn update(assignments: &str, condition: &str) -> String {
    format!(
        "with {} update tasks set {assignments}, version = version + 1, revision = owner.revision, updated_at = $4
        from owner where user_id = $1 and id = $5 and {condition}{}",
        owner_if(condition),
        returning()
    )
}

/// What [`Store::write_at_once`] gets: the number of the change, then the task.
fn returning() -> String {
    format!(" returning tasks.revision, {}", Columns::ALL.names())
}

fn task(row: Option<QueryResult>) -> Result<Option<Task>, Error> {
    Ok(row.map(|row| Task::read(&row, Columns::ALL, 1)).transpose()?)
}
