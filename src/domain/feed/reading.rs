//! Reading what has changed: one statement for objects, tombstones of deleted ones, and where the user
//! stands.

use std::sync::Arc;

use sea_orm::QueryResult;
use uuid::Uuid;

use super::sync_token::{Owner, SyncToken};
use crate::database::{Cell, ColumnKind, Columns, Row, Sql, cell};
use crate::domain::{Error, Store, UserId};
use crate::entity::task;

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

/// What a statement found, oldest change first, each object once.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) position: Position,
    pub(super) changed: Vec<Changed>,
    /// Whether there were more changes than were asked for.
    pub(super) has_more: bool,
}

/// The last change of one object.
#[derive(Debug)]
pub struct Changed {
    pub(super) revision: i64,
    /// The change that made it; nothing where it was deleted.
    created_revision: Option<i64>,
    /// Which object.
    pub id: Uuid,
    /// The object as it is now; nothing where it was deleted.
    pub object: Option<Object>,
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The object is new.
    Created,
    /// It was there already.
    Updated,
    /// It went.
    Deleted,
}

/// An object of which the feed tells.
#[derive(Debug)]
pub enum Object {
    /// A task.
    Task(Row<task::Entity>),
}

impl Reading {
    /// Leaves out what does not fit into `most` bytes of text; the first change is always there.
    pub(super) fn cut(&mut self, most: usize) -> Result<(), Error> {
        let mut bytes = 0;
        for (nth, changed) in self.changed.iter().enumerate() {
            bytes += match &changed.object {
                Some(Object::Task(row)) => row.text_bytes()?,
                None => 0,
            };
            if bytes > most && nth > 0 {
                self.changed.truncate(nth);
                self.has_more = true;
                break;
            }
        }
        Ok(())
    }

    /// How far a reader has come with it. Where nothing was left out, that is as far as the user's last change, of
    /// whichever kind it was.
    pub(super) fn reached(&self) -> i64 {
        self.changed.last().filter(|_| self.has_more).map_or(self.position.revision, |last| last.revision)
    }
}

impl Changed {
    /// What kind of change it is for a reader that went on from `from`.
    pub(super) fn kind_since(&self, from: i64) -> ChangeKind {
        match self.created_revision {
            None => ChangeKind::Deleted,
            Some(revision) if revision > from => ChangeKind::Created,
            Some(_) => ChangeKind::Updated,
        }
    }

    /// The same for several followers at once.
    pub(super) fn shared(self) -> Result<Arc<Self>, Error> {
        let object = self.object.map(|Object::Task(row)| row.to_owned().map(Object::Task)).transpose()?;
        Ok(Arc::new(Self { object, ..self }))
    }

    /// Reads a row; nothing where it has no change.
    fn read(row: QueryResult) -> Result<Option<Self>, Error> {
        let [number, created, id] = [3, 4, 5];
        let Some(revision) = big_int(&row, number)? else { return Ok(None) };
        let created_revision = big_int(&row, created)?;
        let Cell::Uuid(id) = cell(&row, id, ColumnKind::Uuid)? else {
            return Err(Error::Internal("a change is of nothing".into()));
        };
        let object = created_revision.map(|_| Object::Task(Row::new(row, Columns::all(), OBJECT_STARTS_AT)));
        Ok(Some(Self { revision, created_revision, id, object }))
    }
}

fn big_int(row: &QueryResult, place: usize) -> Result<Option<i64>, Error> {
    Ok(match cell(row, place, ColumnKind::BigInt)? {
        Cell::Int(value) => Some(value),
        _ => None,
    })
}

impl Position {
    fn read(row: &QueryResult, user: &UserId) -> Result<Self, Error> {
        Ok(Self {
            owner: Owner::new(user, epoch_of(row)?),
            // A user that never wrote has no row.
            revision: big_int(row, 1)?.unwrap_or(0),
            swept_revision: big_int(row, 2)?.unwrap_or(0),
        })
    }

    /// A token for who has everything.
    pub(super) fn token(&self) -> SyncToken {
        SyncToken { of: self.owner, revision: self.revision, head: self.revision }
    }

    /// A token of another user or epoch, from the future, or from before tombstones were purged has expired.
    pub(super) fn check(&self, token: SyncToken) -> Result<(), Error> {
        let is_good = token.of == self.owner
            && token.revision.max(token.head) <= self.revision
            && token.revision.max(token.head) >= self.swept_revision;
        if is_good { Ok(()) } else { Err(Error::SyncTokenExpired) }
    }
}

/// The epoch of the database. One statement.
pub(super) async fn epoch(store: &Store) -> Result<String, Error> {
    let rows = store.read(Sql::new("select value from epoch")).await?;
    Ok(epoch_of(rows.first().ok_or_else(no_epoch)?)?.to_owned())
}

fn epoch_of(row: &QueryResult) -> Result<&str, Error> {
    match cell(row, 0, ColumnKind::Text)? {
        Cell::Text(epoch) => Ok(epoch),
        _ => Err(no_epoch()),
    }
}

/// What [`Position`] reads, in this order. No column has the name of one of an object's.
const POSITION: &str = "epoch.value as epoch, users.revision as last_revision, users.swept_revision as purged_revision";

/// The place of an object's columns in a row: after the position, and what every change has.
const OBJECT_STARTS_AT: usize = 6;

/// Where a user's changes stand. One statement.
pub(super) async fn position(store: &Store, user: &UserId) -> Result<Position, Error> {
    let mut sql = Sql::new("select ");
    sql.push(POSITION).push(" from epoch left join users on users.id = ").bind(user.as_str());
    Position::read(store.read(sql).await?.first().ok_or_else(no_epoch)?, user)
}

/// Reads at most `size` changes after `place`. One statement, for one row more than that, which tells whether more
/// follow; each row has the user's position beside it.
pub(super) async fn read(store: &Store, user: &UserId, place: Place, size: usize) -> Result<Reading, Error> {
    let mut sql = Sql::default();
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    // A load from nothing needs no tombstones: it begins with the state.
    let deleted_after = place.head.map_or(i64::MAX, |head| head.max(place.revision));
    let (user_id, limit) = (sql.parameter(user.as_str()), sql.parameter(limit));
    let (after, deleted_after) = (sql.parameter(place.revision), sql.parameter(deleted_after));
    let columns = Columns::<task::Entity>::all();
    let (names, nulls) = (columns.names(), columns.nulls(store.backend()));
    sql.push(&format!(
        "select {POSITION}, changed.*
         from epoch left join users on users.id = {user_id} left join (
             select * from (
                 select revision as number, created_revision as created, id as object, {names}
                 from tasks where user_id = {user_id} and revision > {after} order by number limit {limit}
             ) as present
             union all
             select * from (
                 select revision as number, cast(null as bigint) as created, id as object, {nulls}
                 from deleted_tasks where user_id = {user_id} and revision > {deleted_after} order by number limit {limit}
             ) as deleted
             order by number limit {limit}
         ) as changed on true
         order by changed.number"
    ));
    let rows = store.read(sql).await?;
    let position = Position::read(rows.first().ok_or_else(no_epoch)?, user)?;
    // One row without a change where there is none.
    let changed = rows.into_iter().filter_map(|row| Changed::read(row).transpose());
    let mut changed = changed.collect::<Result<Vec<_>, _>>()?;
    let has_more = changed.len() > size;
    changed.truncate(size);
    Ok(Reading { position, changed, has_more })
}

fn no_epoch() -> Error {
    Error::Internal("the database has no epoch".into())
}
