//! Carrying a write out, of whichever noun: as one statement where the database is a round trip away, else in a
//! transaction. What is refused changes nothing; the transaction finds out why.

use chrono::TimeDelta;
use sea_orm::QueryResult;
use uuid::Uuid;

use super::{Conflict, Error, Instant, Store, Viewer, lookup, purge};
use crate::database::{Author, Cell, ColumnKind, Columns, Connection, Effect, End, Row, Sql, Verb, Write, cell};
use crate::entity::Noun;

impl Store {
    /// Carries a write out and returns the row as it is then; of a row that was deleted, nothing is read. A write that
    /// would alter no value changes nothing and returns the row; so does an insert whose row is there already. On
    /// PostgreSQL one statement, and three or four more where it is refused or changes nothing. On SQLite two, three for a
    /// delete, and one more where it is refused or changes nothing. One more of an insert with the client's own id.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Conflict::Version`] unless the row has the expected version, where one is given;
    /// [`Conflict::Deleted`] for an insert of an id that was deleted in the last 30 days; [`Error::QuotaExceeded`];
    /// [`Error::Unavailable`].
    pub(super) async fn write<N: Noun>(&self, viewer: &Viewer, write: Write) -> Result<Row<N>, Error> {
        let (store, viewer) = (self.clone(), viewer.clone());
        let columns = match write.verb {
            Verb::Delete { .. } => Columns::NONE,
            Verb::Insert { .. } | Verb::Update { .. } => Columns::all(),
        };
        let row = self.detached(async move { store.carry_out::<N>(&viewer, &write).await }).await?;
        Ok(Row::new(row, columns, 1))
    }

    async fn carry_out<N: Noun>(&self, viewer: &Viewer, write: &Write) -> Result<QueryResult, Error> {
        let author = viewer.author(self.now());
        let may_exist = matches!(write.verb, Verb::Insert { may_exist: true, .. });
        // A row that may be there already has to be looked for under the lock.
        if self.backend() == sea_orm::DbBackend::Postgres && !may_exist && !write.is_empty() {
            let rows = self.database().writer().await?.query(write.single(&author), Effect::Writes).await?;
            if let Some(row) = rows.into_iter().next() {
                self.observer().committed(&viewer.id, number(&row)?);
                return Ok(row);
            }
        }
        let mut connection = self.database().writer().await?;
        connection.begin().await?;
        let outcome = in_transaction::<N>(&mut connection, &author, write).await;
        let is_committed = matches!(outcome, Ok(End::Commit(_)));
        let row = connection.end(outcome).await?;
        if is_committed {
            self.observer().committed(&viewer.id, number(&row)?);
        }
        Ok(row)
    }
}

async fn in_transaction<N: Noun>(
    connection: &mut Connection,
    author: &Author<'_>,
    write: &Write,
) -> Result<End<QueryResult>, Error> {
    let owner = connection.query(Write::owner(author), Effect::Writes).await?;
    let owner = owner.first().ok_or_else(|| Error::Internal("the user's row is missing".into()))?;
    let number = number(owner)?;
    let is_full = match write.verb {
        Verb::Insert { quota, .. } => {
            let count = task_count(connection, author, owner).await?;
            quota.is_some_and(|quota| count >= quota)
        }
        Verb::Update { .. } | Verb::Delete { .. } => false,
    };
    if matches!(write.verb, Verb::Insert { may_exist: true, .. }) {
        release_deleted_id(connection, author, write.id).await?;
    }
    if !write.is_empty()
        && !is_full
        && let Some(row) = connection.query(write.row(author, number), Effect::Writes).await?.pop()
    {
        if let Verb::Delete { .. } = write.verb {
            return match connection.query(write.tombstone(author, number), Effect::Writes).await?.pop() {
                Some(tombstone) => Ok(End::Commit(tombstone)),
                None => Err(Error::Internal("a tombstone was not left".into())),
            };
        }
        return Ok(End::Commit(row));
    }
    let mut current = Sql::default();
    let all = Columns::<N>::all();
    lookup::select::<N>(&mut current, &format!("revision, {}", all.names()), author.id);
    current.push(" and id = ").bind(write.id);
    let Some(row) = connection.query(current, Effect::Reads).await?.pop() else {
        return Err(if is_full { Error::QuotaExceeded } else { Error::NotFound });
    };
    let version = all.place(N::VERSION).expect("all columns are read");
    match (write.expected_version(), cell(&row, 1 + version, ColumnKind::Int)?) {
        (Some(expected), Cell::Int(current)) if i64::from(expected) != current => {
            let current = i32::try_from(current).unwrap_or(i32::MAX);
            Err(Error::Conflict(Conflict::Version { current }))
        }
        _ => Ok(End::Rollback(row)),
    }
}

/// How many tasks the user has, by the user's row.
async fn task_count(connection: &mut Connection, author: &Author<'_>, owner: &QueryResult) -> Result<i64, Error> {
    if let Cell::Int(count) = cell(owner, 1, ColumnKind::BigInt)? {
        return Ok(count);
    }
    let counted = connection.query(Write::count_tasks(author), Effect::Writes).await?;
    number(counted.first().ok_or_else(|| Error::Internal("the user's row is missing".into()))?)
}

/// Frees an id whose row was deleted long enough ago.
async fn release_deleted_id(connection: &mut Connection, author: &Author<'_>, id: Uuid) -> Result<(), Error> {
    let of_id = |text: &str| {
        let mut sql = Sql::new(text);
        sql.push(" from deleted_tasks where user_id = ").bind(author.id).push(" and id = ").bind(id);
        sql
    };
    let Some(tombstone) = connection.query(of_id("select deleted_at"), Effect::Reads).await?.pop() else {
        return Ok(());
    };
    let kept_since: Instant = author.now - TimeDelta::days(purge::KEPT_DAYS);
    match cell(&tombstone, 0, ColumnKind::Instant)? {
        Cell::Instant(deleted_at) if deleted_at <= kept_since => {
            connection.query(of_id("delete"), Effect::Writes).await?;
            Ok(())
        }
        _ => Err(Error::Conflict(Conflict::Deleted)),
    }
}

/// What stands first in what a write returns: the number of a change, or of tasks.
fn number(row: &QueryResult) -> Result<i64, Error> {
    match cell(row, 0, ColumnKind::BigInt)? {
        Cell::Int(number) => Ok(number),
        _ => Err(Error::Internal("a write returned no number".into())),
    }
}
