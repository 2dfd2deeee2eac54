//! Pages of what a user owns, in some order: what a client asks for, checked, and what it gets.
//!
//! A page is one statement that starts at its cursor (keyset pagination), so a page in the middle costs what the first
//! one costs. Rows without a key come last in both directions, which no single index order gives; such a list is two
//! ranges of the same index, the rows with a key and the others.

use std::marker::PhantomData;

use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, DbBackend, IdenStatic, Statement};

use super::cursor::{Cursor, Key};
use super::{Error, Problems, Store, Viewer, lookup};
use crate::database::{Cell, ColumnKind, Columns, Row, Sql, cell};
use crate::entity::Noun;

/// Rows of a page where the client does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Most rows of a page.
pub const MAX_SIZE: u64 = 100;

/// An order of a noun's rows. Ties go by id, in the same direction. Rows whose key may be absent come last without one.
#[derive(Clone, Copy, Debug)]
pub struct Order<C> {
    /// Its number in cursors, even, and never used again; one more stands for the other direction.
    pub number: u8,
    /// What is sorted by.
    pub key: C,
    /// Which way, where the client does not say.
    pub direction: Direction,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From small to great, from old to new.
    Ascending,
    /// The other way.
    Descending,
}

/// What a client says of the page that it wants.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    /// How many from the start, or after `after`.
    pub first: Option<i32>,
    /// The cursor to go on from.
    pub after: Option<String>,
    /// How many from the end, or before `before`.
    pub last: Option<i32>,
    /// The cursor to go back from.
    pub before: Option<String>,
}

/// A page that can be read.
#[derive(Clone, Debug)]
pub(super) struct PageRequest<N: Noun> {
    order: Order<N::Column>,
    direction: Direction,
    /// From the end towards the start.
    backward: bool,
    /// Read on from here.
    from: Option<Cursor>,
    /// Most rows, 0 to 100.
    size: u64,
    /// What is read of the rows.
    columns: Columns<N>,
}

/// A page that was read: its rows, in the order of the list.
#[derive(Debug)]
pub struct Page<N: Noun> {
    /// The rows.
    pub rows: Vec<Row<N>>,
    /// Whether more follow; exact in a page towards the end, else whether a cursor was given.
    pub has_next: bool,
    /// Whether some come before; exact in a page towards the start, else whether a cursor was given.
    pub has_previous: bool,
    /// What its cursors belong to.
    order: u8,
    key: N::Column,
}

impl<N: Noun> Page<N> {
    /// The cursor of one of the page's rows.
    ///
    /// # Errors
    /// [`Error::Internal`] where the database holds something else than a key.
    pub fn cursor(&self, row: &Row<N>) -> Result<String, Error> {
        let key = Key::of(row.cell(self.key)?).ok_or_else(|| Error::Internal("a key is none".into()))?;
        Ok(Cursor { order: self.order, key, id: row.id()? }.encode())
    }
}

impl PageArguments {
    /// The page, once its rules hold.
    pub(super) fn request<N: Noun>(
        self,
        order: Order<N::Column>,
        direction: Option<Direction>,
        columns: Columns<N>,
    ) -> Result<PageRequest<N>, Error> {
        let direction = direction.unwrap_or(order.direction);
        let mut problems = Problems::default();
        let forward = self.first.is_some() || self.after.is_some();
        let backward = self.last.is_some() || self.before.is_some();
        if forward && backward {
            let field = if self.last.is_some() { "last" } else { "before" };
            problems.add(field, "Give first and after, or last and before, not a mix of them.");
        }
        let first = self.first.and_then(|n| problems.check("first", size("first", n)));
        let last = self.last.and_then(|n| problems.check("last", size("last", n)));
        let after = self.after.and_then(|text| problems.check("after", order.cursor(&text, direction)));
        let before = self.before.and_then(|text| problems.check("before", order.cursor(&text, direction)));
        problems.finish()?;
        let size = first.or(last).unwrap_or(DEFAULT_SIZE);
        // Cursors need the id and what is sorted by.
        let columns = columns.with(order.key).with(N::ID);
        Ok(PageRequest { order, direction, backward, from: after.or(before), size, columns })
    }
}

fn size(name: &str, n: i32) -> Result<u64, String> {
    u64::try_from(n)
        .ok()
        .filter(|n| *n <= MAX_SIZE)
        .ok_or_else(|| format!("{name} is a number from 0 to {MAX_SIZE}, not {n}."))
}

impl<C: ColumnTrait> Order<C> {
    fn number(&self, direction: Direction) -> u8 {
        self.number + u8::from(direction == Direction::Descending)
    }

    fn may_lack_key(&self) -> bool {
        self.key.def().is_null()
    }

    fn cursor(&self, text: &str, direction: Direction) -> Result<Cursor, String> {
        let unreadable = "This is no cursor of ours; give one from an edge or from pageInfo, or leave it out.";
        let cursor = Cursor::decode(text).ok_or(unreadable)?;
        if cursor.order != self.number(direction) {
            return Err("This cursor belongs to another sort or direction; start over without one.".into());
        }
        let fits = cursor.key.fits(ColumnKind::of(&self.key), self.may_lack_key());
        if fits { Ok(cursor) } else { Err(unreadable.into()) }
    }
}

/// Reads a page of the viewer's rows that meet a condition, which `filter` adds to the statement. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub(super) async fn read<N: Noun>(
    store: &Store,
    viewer: &Viewer,
    request: PageRequest<N>,
    filter: impl Fn(&mut Sql),
) -> Result<Page<N>, Error> {
    let rows = store.read(statement(viewer, &request, filter)).await?;
    let PageRequest { order, direction, backward, from, size, columns } = request;
    let has_more = rows.len() as u64 > size;
    let mut rows = Row::all(rows, columns);
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    if backward {
        rows.reverse();
    }
    let (has_next, has_previous) = if backward { (from.is_some(), has_more) } else { (has_more, from.is_some()) };
    Ok(Page { rows, has_next, has_previous, order: order.number(direction), key: order.key })
}

/// Counts the viewer's rows that meet a condition, which `filter` adds to the statement. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub(super) async fn count<N: Noun>(store: &Store, viewer: &Viewer, filter: impl Fn(&mut Sql)) -> Result<u64, Error> {
    let mut sql = Sql::default();
    filter(lookup::select::<N>(&mut sql, "count(*)", viewer.id.as_str()));
    match store.read(sql).await?.first().map(|row| cell(row, 0, ColumnKind::BigInt)) {
        Some(Ok(Cell::Int(count))) => Ok(count.unsigned_abs()),
        Some(Err(error)) => Err(error.into()),
        _ => Err(Error::Internal("a count has no row".into())),
    }
}

/// The statement that reads a page, with its database, for tests that look at its plan.
pub(super) fn plan<N: Noun>(
    backend: DbBackend,
    viewer: &Viewer,
    request: &PageRequest<N>,
    filter: impl Fn(&mut Sql),
) -> Statement {
    let (text, values) = statement(viewer, request, filter).into_parts();
    Statement::from_sql_and_values(backend, text, values)
}

/// Rows that follow each other in one run of an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IndexRange {
    All,
    WithKey,
    WithoutKey,
}

impl IndexRange {
    fn holds(self, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::WithKey => *key != Key::Absent,
            Self::WithoutKey => *key == Key::Absent,
        }
    }
}

/// Reads one row more than the page has, which tells whether another page follows.
fn statement<N: Noun>(viewer: &Viewer, request: &PageRequest<N>, filter: impl Fn(&mut Sql)) -> Sql {
    let ascends = (request.direction == Direction::Ascending) != request.backward;
    let limit = i64::try_from(request.size + 1).unwrap_or(i64::MAX);
    let select = Select { viewer, request, filter, ascends, noun: PhantomData::<N> };
    let mut sql = Sql::default();
    match select.ranges().as_slice() {
        [(only, from)] => select.push_range(&mut sql, *only, *from),
        // Rows with a key before the others, or the other way round when reading backward.
        ranges => {
            for (nth, (range, from)) in ranges.iter().enumerate() {
                sql.push(if nth == 0 { "select * from (" } else { " union all select * from (" });
                select.push_range(&mut sql, *range, *from);
                sql.push(" limit ").bind(limit).push(if nth == 0 { ") as first" } else { ") as second" });
            }
            let nulls = if request.backward { " nulls first, id" } else { " nulls last, id" };
            sql.push(" order by ").push(request.order.key.as_str()).push(way(ascends)).push(nulls).push(way(ascends));
        }
    }
    sql.push(" limit ").bind(limit);
    sql
}

struct Select<'r, N: Noun, F> {
    viewer: &'r Viewer,
    request: &'r PageRequest<N>,
    filter: F,
    ascends: bool,
    noun: PhantomData<N>,
}

impl<'r, N: Noun, F: Fn(&mut Sql)> Select<'r, N, F> {
    /// A range of the viewer's rows, in its order, but for the limit.
    fn push_range(&self, sql: &mut Sql, range: IndexRange, from: Option<&Cursor>) {
        let PageRequest { order, columns, .. } = self.request;
        let (key, ascends) = (order.key.as_str(), self.ascends);
        (self.filter)(lookup::select::<N>(sql, &columns.names(), self.viewer.id.as_str()));
        match range {
            IndexRange::All => {}
            IndexRange::WithKey => _ = sql.push(" and ").push(key).push(" is not null"),
            IndexRange::WithoutKey => _ = sql.push(" and ").push(key).push(" is null"),
        }
        if let Some(cursor) = from {
            let beyond = if ascends { " > " } else { " < " };
            let of_key: Option<Value> = match &cursor.key {
                Key::Absent => None,
                Key::Instant(instant) => Some((*instant).into()),
                Key::Text(text) => Some(text.as_str().into()),
            };
            match of_key {
                None => sql.push(" and id").push(beyond).bind(cursor.id),
                Some(value) => {
                    sql.push(" and (").push(key).push(", id)").push(beyond).push("(").bind(value).push(", ");
                    sql.bind(cursor.id).push(")")
                }
            };
        }
        sql.push(" order by ").push(key).push(way(ascends)).push(", id").push(way(ascends));
    }

    /// The ranges that the page may touch, in the order of reading, the first one from the cursor on.
    fn ranges(&self) -> Vec<(IndexRange, Option<&'r Cursor>)> {
        let all: &[IndexRange] = match (self.request.order.may_lack_key(), self.request.backward) {
            (false, _) => &[IndexRange::All],
            (true, false) => &[IndexRange::WithKey, IndexRange::WithoutKey],
            (true, true) => &[IndexRange::WithoutKey, IndexRange::WithKey],
        };
        let from = self.request.from.as_ref();
        let starts_at = from.and_then(|cursor| all.iter().position(|range| range.holds(&cursor.key)));
        let rest = all.iter().skip(starts_at.unwrap_or(0));
        rest.enumerate().map(|(nth, range)| (*range, from.filter(|_| nth == 0))).collect()
    }
}

fn way(ascends: bool) -> &'static str {
    if ascends { " asc" } else { " desc" }
}
