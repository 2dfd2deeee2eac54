//! Reading what has changed: one statement for tasks, traces of deleted ones and where the user stands.

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement};
use uuid::Uuid;

use super::changes::{Change, ChangeKind};
use super::sync_token::{Owner, SyncToken};
use crate::domain::task::{Task, TaskId};
use crate::domain::{Error, Store, UserId};

/// How far a reader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The change up to which it has everything.
    pub(super) revision: i64,
    /// Where its load from nothing began; absent while it has nothing.
    pub(super) head: Option<i64>,
}

impl Place {
    /// Before everything.
    pub(super) const START: Self = Self { revision: 0, head: None };
}

/// Where a user's changes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) owner: Owner,
    /// The number of the last change.
    pub(super) revision: i64,
    swept_revision: i64,
}

/// What a statement found, oldest change first, each task once.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) position: Position,
    pub(super) changed: Vec<Changed>,
    /// Whether there were more changes than were asked for.
    pub(super) has_more: bool,
}

/// The last change of one task.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) revision: i64,
    pub(super) task_id: TaskId,
    /// The task as it is now; nothing where it was deleted.
    task: Option<Task>,
}

impl Reading {
    /// How far a reader has come with it. Where nothing was left out, that is as far as the user's last change, of
    /// whichever kind it was.
    pub(super) fn reached(&self) -> i64 {
        self.changed.last().filter(|_| self.has_more).map_or(self.position.revision, |last| last.revision)
    }
}

impl Changed {
    /// The change for a reader that went on from `from`.
    pub(super) fn since(&self, from: i64, sync_token: String) -> Change {
        let kind = match &self.task {
            None => ChangeKind::Deleted,
            Some(task) if task.created_revision > from => ChangeKind::Created,
            Some(_) => ChangeKind::Updated,
        };
        Change { kind, task_id: self.task_id, task: self.task.clone(), sync_token }
    }

    fn read(row: &QueryResult, revision: i64) -> Result<Self, Error> {
        let task_id = TaskId(row.try_get::<Uuid>("", "id")?);
        let is_there = row.try_get::<Option<i32>>("", "version")?.is_some();
        let task = if is_there { Some(Task::from_query_result(row, "")?) } else { None };
        Ok(Self { revision, task_id, task })
    }
}

impl Position {
    fn read(row: &QueryResult, user: &UserId) -> Result<Self, Error> {
        let epoch: String = row.try_get("", "epoch")?;
        Ok(Self {
            owner: Owner::new(user, &epoch),
            // A user that never wrote has no row.
            revision: row.try_get::<Option<i64>>("", "user_revision")?.unwrap_or(0),
            swept_revision: row.try_get::<Option<i64>>("", "swept_revision")?.unwrap_or(0),
        })
    }

    /// A token for who has everything.
    pub(super) fn token(&self) -> SyncToken {
        SyncToken { of: self.owner, revision: self.revision, head: self.revision }
    }

    /// A token of another user or epoch, from the future, or from before traces were swept has expired.
    pub(super) fn check(&self, token: SyncToken) -> Result<(), Error> {
        let is_good = token.of == self.owner
            && token.revision.max(token.head) <= self.revision
            && token.revision.max(token.head) >= self.swept_revision;
        if is_good { Ok(()) } else { Err(Error::SyncTokenExpired) }
    }
}

/// The epoch of the database. One statement.
pub(super) async fn epoch(store: &Store) -> Result<String, Error> {
    let statement = Statement::from_string(store.backend(), "select value from epoch");
    let row = store.reader().await?.query_one_raw(statement).await?.ok_or_else(no_epoch)?;
    Ok(row.try_get("", "value")?)
}

const POSITION: &str = "epoch.value as epoch, users.revision as user_revision, users.swept_revision as swept_revision";

/// Where a user's changes stand. One statement.
pub(super) async fn position(store: &Store, user: &UserId) -> Result<Position, Error> {
    let statement = format!("select {POSITION} from epoch left join users on users.id = $1");
    let statement = Statement::from_sql_and_values(store.backend(), statement, [user.as_str().into()]);
    let row = store.reader().await?.query_one_raw(statement).await?.ok_or_else(no_epoch)?;
    Position::read(&row, user)
}

/// Reads at most `size` changes after `place`. One statement, for one row more than that, which tells whether more
/// follow; each row has the user's position beside it.
pub(super) async fn read(store: &Store, user: &UserId, place: Place, size: usize) -> Result<Reading, Error> {
    let no = |kind: &str| match store.backend() {
        DbBackend::Postgres => format!("null::{kind}"),
        _ => "null".to_owned(),
    };
    let (text, boolean, instant, number) = (no("text"), no("boolean"), no("timestamptz"), no("integer"));
    let statement = format!(
        "select {POSITION}, changed.*
         from epoch left join users on users.id = $1 left join (
             select * from (
                 select user_id, id, title, title_key, description, completed, completed_at, priority, due_date,
                     created_at, updated_at, version, revision, created_revision
                 from tasks where user_id = $1 and revision > $2 order by revision limit $4
             ) as present
             union all
             select * from (
                 select user_id, id, {text} as title, {text} as title_key, {text} as description,
                     {boolean} as completed, {instant} as completed_at, {text} as priority, {instant} as due_date,
                     {instant} as created_at, {instant} as updated_at, {number} as version, revision,
                     revision as created_revision
                 from deleted_tasks where user_id = $1 and revision > $3 order by revision limit $4
             ) as gone
             order by revision limit $4
         ) as changed on true
         order by changed.revision"
    );
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    // A load from nothing needs no traces: it begins with the state.
    let traces_after = place.head.map_or(i64::MAX, |head| head.max(place.revision));
    let values: [Value; 4] = [user.as_str().into(), place.revision.into(), traces_after.into(), limit.into()];
    let statement = Statement::from_sql_and_values(store.backend(), statement, values);
    let rows = store.reader().await?.query_all_raw(statement).await?;
    let position = Position::read(rows.first().ok_or_else(no_epoch)?, user)?;
    let mut changed = Vec::new();
    for row in &rows {
        // One row without a change where there is none.
        if let Some(revision) = row.try_get("", "revision")? {
            changed.push(Changed::read(row, revision)?);
        }
    }
    let has_more = changed.len() > size;
    changed.truncate(size);
    Ok(Reading { position, changed, has_more })
}

fn no_epoch() -> Error {
    Error::Internal("the database has no epoch".into())
}
