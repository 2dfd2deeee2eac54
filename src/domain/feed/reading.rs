//! Reading what has changed: one statement for tasks, traces of deleted ones and where the user stands.

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

use super::changes::{Change, ChangeKind};
use super::sync_token::{Owner, SyncToken};
use crate::domain::task::{Columns, Task, TaskId};
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
    /// The change that made it; nothing where it was deleted.
    created_revision: Option<i64>,
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
        let kind = match self.created_revision {
            None => ChangeKind::Deleted,
            Some(revision) if revision > from => ChangeKind::Created,
            Some(_) => ChangeKind::Updated,
        };
        Change { kind, task_id: self.task_id, task: self.task.clone(), sync_token }
    }

    /// Reads a row; nothing where it has no change.
    fn read(row: &QueryResult) -> Result<Option<Self>, Error> {
        let Some(revision) = row.try_get_by_index(3)? else { return Ok(None) };
        let created_revision: Option<i64> = row.try_get_by_index(4)?;
        let task_id = TaskId(row.try_get_by_index(TASK_STARTS_AT)?);
        let task = created_revision.map(|_| Task::read(row, Columns::ALL, TASK_STARTS_AT)).transpose()?;
        Ok(Some(Self { revision, task_id, task, created_revision }))
    }
}

impl Position {
    fn read(row: &QueryResult, user: &UserId) -> Result<Self, Error> {
        let epoch: String = row.try_get_by_index(0)?;
        Ok(Self {
            owner: Owner::new(user, &epoch),
            // A user that never wrote has no row.
            revision: row.try_get_by_index::<Option<i64>>(1)?.unwrap_or(0),
            swept_revision: row.try_get_by_index::<Option<i64>>(2)?.unwrap_or(0),
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
    let row = store.lease().await?.query_one_raw(statement).await?.ok_or_else(no_epoch)?;
    Ok(row.try_get("", "value")?)
}

/// What [`Position`] reads, in this order.
const POSITION: &str = "epoch.value, users.revision, users.swept_revision";

/// The place of a task's columns in a row: after the position, the change's revision and the task's first one.
const TASK_STARTS_AT: usize = 5;

/// Where a user's changes stand. One statement.
pub(super) async fn position(store: &Store, user: &UserId) -> Result<Position, Error> {
    let statement = format!("select {POSITION} from epoch left join users on users.id = $1");
    let statement = Statement::from_sql_and_values(store.backend(), statement, [user.as_str().into()]);
    let row = store.lease().await?.query_one_raw(statement).await?.ok_or_else(no_epoch)?;
    Position::read(&row, user)
}

/// Reads at most `size` changes after `place`. One statement, for one row more than that, which tells whether more
/// follow; each row has the user's position beside it.
pub(super) async fn read(store: &Store, user: &UserId, place: Place, size: usize) -> Result<Reading, Error> {
    let columns = Columns::ALL.names();
    // The columns of a task that went, of the types that PostgreSQL has for them.
    let nothing = match store.backend() {
        DbBackend::Postgres => {
            "null::text, null::text, null::text, null::boolean, null::timestamptz, null::text, null::timestamptz,
             null::timestamptz, null::timestamptz, null::integer"
        }
        _ => "null, null, null, null, null, null, null, null, null, null",
    };
    let statement = format!(
        "select {POSITION}, changed.*
         from epoch left join users on users.id = $1 left join (
             select * from (
                 select revision, created_revision, {columns}
                 from tasks where user_id = $1 and revision > $2 order by revision limit $4
             ) as present
             union all
             select * from (
                 select revision, cast(null as bigint), id, {nothing}
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
    let rows = store.lease().await?.query_all_raw(statement).await?;
    let position = Position::read(rows.first().ok_or_else(no_epoch)?, user)?;
    // One row without a change where there is none.
    let changed = rows.iter().filter_map(|row| Changed::read(row).transpose());
    let mut changed = changed.collect::<Result<Vec<_>, _>>()?;
    let has_more = changed.len() > size;
    changed.truncate(size);
    Ok(Reading { position, changed, has_more })
}

fn no_epoch() -> Error {
    Error::Internal("the database has no epoch".into())
}
