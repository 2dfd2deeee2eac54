//! The change feed: what has become of a user's tasks since a token. It is read from the state, not from a log: a task has
//! the number of its last change, and a deleted one leaves its number behind. The numbers of a user rise in commit order,
//! since every write holds the user's row, so a reader that goes on from the last number misses nothing.

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement};
use uuid::Uuid;

use super::sync_token::{Owner, SyncToken};
use super::task::{Task, TaskId};
use super::{Error, Problems, Store, Viewer};

/// Changes of a page where the client does not say.
pub const DEFAULT_SIZE: i32 = 100;
/// Most changes of a page.
pub const MAX_SIZE: i32 = 500;

/// A page of changes, oldest first, each task once.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// The changes.
    pub changes: Vec<Change>,
    /// Where the next page begins.
    pub sync_token: String,
    /// Whether there is a next page already.
    pub has_more: bool,
}

/// What has become of one task.
#[derive(Clone, Debug)]
pub struct Change {
    /// What kind of change it is, seen from the token that the page went on from.
    pub kind: ChangeKind,
    /// Which task.
    pub task_id: TaskId,
    /// The task as it is now; nothing where it was deleted.
    pub task: Option<Task>,
    /// Where to go on after this change.
    pub sync_token: String,
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The task is new.
    Created,
    /// It was there already.
    Updated,
    /// It went.
    Deleted,
}

/// Where a user's changes stand.
struct Position {
    owner: Owner,
    revision: i64,
    swept_revision: i64,
}

/// A token from which [`changes`] misses nothing that happens from now on. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn sync_token(store: &Store, viewer: &Viewer) -> Result<String, Error> {
    let statement = format!("select {POSITION} from epoch left join users on users.id = $1");
    let values = [viewer.id.as_str().into()];
    let statement = Statement::from_sql_and_values(store.backend(), statement, values);
    let row = store.connection().await?.query_one_raw(statement).await?.ok_or_else(no_epoch)?;
    let Position { owner, revision, .. } = Position::read(&row, viewer)?;
    Ok(SyncToken { of: owner, revision, head: revision }.encode())
}

/// Reads the changes since a token; without one, all tasks there are. One statement, so that a sweep of old traces
/// cannot come between the traces and the check of the token.
///
/// # Errors
/// [`Error::Invalid`] for a token that is none, or a size out of range; [`Error::SyncTokenExpired`];
/// [`Error::Unavailable`].
pub async fn changes(
    store: &Store,
    viewer: &Viewer,
    since: Option<String>,
    first: Option<i32>,
) -> Result<ChangePage, Error> {
    let (since, size) = check(since, first)?;
    let (from, head) = since.map_or((0, None), |token| (token.revision, Some(token.head)));
    let rows = read(store, viewer, from, head, size).await?;
    let position = Position::read(rows.first().ok_or_else(no_epoch)?, viewer)?;
    if let Some(token) = since {
        position.check(token)?;
    }
    let token_at = |revision| SyncToken { of: position.owner, revision, head: head.unwrap_or(position.revision) };
    let mut changes = Vec::new();
    for row in &rows {
        // One row without a change where there is none.
        if let Some(revision) = row.try_get::<Option<i64>>("", "revision")? {
            changes.push((revision, change(row, from, token_at(revision).encode())?));
        }
    }
    let has_more = changes.len() > size;
    changes.truncate(size);
    let last = changes.last().map(|(revision, _)| *revision);
    // Where nothing is left out, the client is as far as the user's last change, of whichever kind it was.
    let reached = last.filter(|_| has_more).unwrap_or(position.revision);
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    Ok(ChangePage { changes, sync_token: token_at(reached).encode(), has_more })
}

fn check(since: Option<String>, first: Option<i32>) -> Result<(Option<SyncToken>, usize), Error> {
    let mut problems = Problems::default();
    let unreadable = "This is no sync token of ours; give one from taskChanges, or leave it out.";
    let since = since.and_then(|text| problems.check("since", SyncToken::decode(&text).ok_or(unreadable.into())));
    let first = first.unwrap_or(DEFAULT_SIZE);
    if !(1..=MAX_SIZE).contains(&first) {
        problems.add("first", format!("first is a number from 1 to {MAX_SIZE}, not {first}."));
    }
    problems.finish()?;
    Ok((since, usize::try_from(first).unwrap_or_default()))
}

const POSITION: &str = "epoch.value as epoch, users.revision as user_revision, users.swept_revision as swept_revision";

/// One row more than the page has, which tells whether another page follows; each with the user's position.
async fn read(
    store: &Store,
    viewer: &Viewer,
    from: i64,
    head: Option<i64>,
    size: usize,
) -> Result<Vec<QueryResult>, Error> {
    let no = |kind: &str| match store.backend() {
        DbBackend::Postgres => format!("null::{kind}"),
        _ => "null".to_owned(),
    };
    let (text, boolean, instant, number) = (no("text"), no("boolean"), no("timestamptz"), no("integer"));
    // A load from nothing needs no traces: it begins with the state.
    let traces_after = head.map_or(i64::MAX, |head| head.max(from));
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
    let values: [Value; 4] = [viewer.id.as_str().into(), from.into(), traces_after.into(), limit.into()];
    let statement = Statement::from_sql_and_values(store.backend(), statement, values);
    Ok(store.connection().await?.query_all_raw(statement).await?)
}

fn change(row: &QueryResult, from: i64, sync_token: String) -> Result<Change, Error> {
    let task_id = TaskId(row.try_get::<Uuid>("", "id")?);
    let is_there = row.try_get::<Option<i32>>("", "version")?.is_some();
    let task = if is_there { Some(Task::from_query_result(row, "")?) } else { None };
    let kind = match &task {
        None => ChangeKind::Deleted,
        Some(task) if task.created_revision > from => ChangeKind::Created,
        Some(_) => ChangeKind::Updated,
    };
    Ok(Change { kind, task_id, task, sync_token })
}

impl Position {
    fn read(row: &QueryResult, viewer: &Viewer) -> Result<Self, Error> {
        let epoch: String = row.try_get("", "epoch")?;
        Ok(Self {
            owner: Owner::new(&viewer.id, &epoch),
            // A user that never wrote has no row.
            revision: row.try_get::<Option<i64>>("", "user_revision")?.unwrap_or(0),
            swept_revision: row.try_get::<Option<i64>>("", "swept_revision")?.unwrap_or(0),
        })
    }

    /// A token of another user or epoch, from the future, or from before traces were swept has expired.
    fn check(&self, token: SyncToken) -> Result<(), Error> {
        let is_good = token.of == self.owner
            && token.revision.max(token.head) <= self.revision
            && token.revision.max(token.head) >= self.swept_revision;
        if is_good { Ok(()) } else { Err(Error::SyncTokenExpired) }
    }
}

fn no_epoch() -> Error {
    Error::Internal("the database has no epoch".into())
}
