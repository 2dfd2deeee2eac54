//! Looking up what a user owns, by ids.

use std::collections::HashMap;

use super::{Error, Id, Store, Viewer};
use crate::database::{Columns, Row, Sql};
use crate::entity::Noun;

/// Selects `what` of the user's rows: where every statement that reads a noun starts.
pub(super) fn select<'s, N: Noun>(sql: &'s mut Sql, what: &str, user_id: &str) -> &'s mut Sql {
    sql.push("select ").push(what).push(" from ").push(N::default().table_name());
    sql.push(" where user_id = ").bind(user_id)
}

/// Finds several of the viewer's rows; those that the viewer has not are not there. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn by_ids<N: Noun>(
    store: &Store,
    viewer: &Viewer,
    ids: &[Id<N>],
    columns: Columns<N>,
) -> Result<HashMap<Id<N>, Row<N>>, Error> {
    let columns = columns.with(N::ID);
    let Some(last) = ids.last() else { return Ok(HashMap::new()) };
    let mut sql = Sql::default();
    select::<N>(&mut sql, &columns.names(), viewer.id.as_str()).push(" and id in (");
    // Some more of the last one, so that there are few forms of the statement to be prepared.
    let padded = ids.iter().chain(std::iter::repeat(last)).take(ids.len().next_power_of_two());
    sql.bind_all(padded.map(|id| id.uuid)).push(")");
    let rows = Row::all(store.read(sql).await?, columns);
    rows.into_iter().map(|row| Ok((row.id()?.into(), row))).collect()
}

/// The same, whole. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn models<N: Noun>(store: &Store, viewer: &Viewer, ids: &[Id<N>]) -> Result<HashMap<Id<N>, N::Model>, Error> {
    let rows = by_ids(store, viewer, ids, Columns::all()).await?;
    rows.into_iter().map(|(id, row)| Ok((id, row.model()?))).collect()
}
