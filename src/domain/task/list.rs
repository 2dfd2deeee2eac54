//! Lists: the viewer's tasks of a status, in one of three orders, a page at a time.
//!
//! A page is one statement that starts at its cursor (keyset pagination), so a page in the middle costs what the first
//! one costs. Tasks without a due date come last in both directions, which no single index order gives; that list is
//! two stretches, the dated tasks and the others, each of them a run of the same index.

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Column, Columns, Task, of};
use crate::domain::cursor::{Cursor, Key};
use crate::domain::page::{Page, PageArguments, Window};
use crate::domain::sql::Sql;
use crate::domain::{Error, Store, Viewer};

/// Which tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// All of them.
    #[default]
    All,
    /// Those still to be done.
    Pending,
    /// Those that are done.
    Completed,
}

/// By what they are sorted. Ties go by id, in the same direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// When they were made.
    #[default]
    Created,
    /// Their title, letter case aside.
    Title,
    /// When they are due; those without a date last.
    DueDate,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From small to great, from old to new.
    Ascending,
    /// The other way.
    Descending,
}

/// What a client says of the list that it wants.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Which tasks.
    pub status: Status,
    /// By what they are sorted.
    pub sort: Sort,
    /// Which way; the newest first, and titles and due dates ascending, where nothing is said.
    pub direction: Option<Direction>,
    /// Which page.
    pub page: PageArguments,
    /// What of each task.
    pub columns: Columns,
}

/// Reads a page. One statement.
///
/// # Errors
/// [`Error::Invalid`] for a page that cannot be; [`Error::Unavailable`].
pub async fn list(store: &Store, viewer: &Viewer, list: List) -> Result<Page, Error> {
    let order = list.order();
    let window = list.page.clone().window(order.0, order.1)?;
    let statement = list.statement(store.backend(), viewer, &window);
    let rows = store.lease().await?.query_all_raw(statement).await?;
    let columns = list.columns();
    let tasks = rows.iter().map(|row| Task::read(row, columns, 0));
    let mut tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    let has_more = tasks.len() as u64 > window.size;
    tasks.truncate(usize::try_from(window.size).unwrap_or(usize::MAX));
    if window.backward {
        tasks.reverse();
    }
    let came_from = window.from.is_some();
    let (has_next, has_previous) = if window.backward { (came_from, has_more) } else { (has_more, came_from) };
    Ok(Page { tasks, has_next, has_previous, order })
}

/// Counts the viewer's tasks of a status. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn count(store: &Store, viewer: &Viewer, status: Status) -> Result<u64, Error> {
    let mut sql = Sql::default();
    of_status(&mut sql, "count(*)", viewer, status);
    let row = store.lease().await?.query_one_raw(sql.finish(store.backend())).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(count.unsigned_abs())
}

fn of_status(sql: &mut Sql, what: &str, viewer: &Viewer, status: Status) {
    of(sql, what, viewer);
    match status {
        Status::All => {}
        Status::Pending => _ = sql.push(" and completed = ").bind(false),
        Status::Completed => _ = sql.push(" and completed = ").bind(true),
    }
}

/// Tasks that follow each other in one run of an index.
#[derive(Clone, Copy)]
enum Stretch {
    Created,
    Titled,
    Dated,
    Undated,
}

impl List {
    fn order(&self) -> (Sort, Direction) {
        let direction = match self.sort {
            Sort::Created => Direction::Descending,
            Sort::Title | Sort::DueDate => Direction::Ascending,
        };
        (self.sort, self.direction.unwrap_or(direction))
    }

    /// The statement that reads this page of the list, for tests that look at its plan.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page that cannot be.
    pub fn plan(&self, backend: DbBackend, viewer: &Viewer) -> Result<Statement, Error> {
        let (sort, direction) = self.order();
        let window = self.page.clone().window(sort, direction)?;
        Ok(self.statement(backend, viewer, &window))
    }

    /// Reads one row more than the page has, which tells whether another page follows.
    fn statement(&self, backend: DbBackend, viewer: &Viewer, window: &Window) -> Statement {
        let ascends = (self.order().1 == Direction::Ascending) != window.backward;
        let limit = i64::try_from(window.size + 1).unwrap_or(i64::MAX);
        let mut sql = Sql::default();
        match self.stretches(window).as_slice() {
            [(only, from)] => self.select(&mut sql, viewer, *only, *from, ascends),
            // Dated tasks before the others, or the other way round when reading backward.
            stretches => {
                for (nth, (stretch, from)) in stretches.iter().enumerate() {
                    sql.push(if nth == 0 { "select * from (" } else { " union all select * from (" });
                    self.select(&mut sql, viewer, *stretch, *from, ascends);
                    sql.push(" limit ").bind(limit).push(if nth == 0 { ") as first" } else { ") as second" });
                }
                let nulls = if window.backward { " nulls first, id" } else { " nulls last, id" };
                sql.push(" order by due_date").push(way(ascends)).push(nulls).push(way(ascends));
            }
        }
        sql.push(" limit ").bind(limit);
        sql.finish(backend)
    }

    /// A stretch of the viewer's tasks, in its order, but for the limit.
    fn select(&self, sql: &mut Sql, viewer: &Viewer, stretch: Stretch, from: Option<&Cursor>, ascends: bool) {
        of_status(sql, &self.columns().names(), viewer, self.status);
        let (key, condition) = match stretch {
            Stretch::Created => ("created_at", ""),
            Stretch::Titled => ("title_key", ""),
            Stretch::Dated => ("due_date", " and due_date is not null"),
            Stretch::Undated => ("due_date", " and due_date is null"),
        };
        sql.push(condition);
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

    /// The columns to read: cursors need the id and what is sorted by.
    fn columns(&self) -> Columns {
        self.columns.with(Column::Id).with(match self.sort {
            Sort::Created => Column::CreatedAt,
            Sort::Title => Column::TitleKey,
            Sort::DueDate => Column::DueDate,
        })
    }

    /// The stretches that the page may touch, in the order of reading, the first one from the cursor on.
    fn stretches<'a>(&self, window: &'a Window) -> Vec<(Stretch, Option<&'a Cursor>)> {
        let all: &[Stretch] = match (self.sort, window.backward) {
            (Sort::Created, _) => &[Stretch::Created],
            (Sort::Title, _) => &[Stretch::Titled],
            (Sort::DueDate, false) => &[Stretch::Dated, Stretch::Undated],
            (Sort::DueDate, true) => &[Stretch::Undated, Stretch::Dated],
        };
        let from = window.from.as_ref();
        let starts_at = from.and_then(|cursor| all.iter().position(|stretch| stretch.holds(&cursor.key)));
        let rest = all.iter().skip(starts_at.unwrap_or(0));
        rest.enumerate().map(|(nth, stretch)| (*stretch, from.filter(|_| nth == 0))).collect()
    }
}

impl Stretch {
    fn holds(self, key: &Key) -> bool {
        match self {
            Self::Created | Self::Titled => true,
            Self::Dated => *key != Key::Absent,
            Self::Undated => *key == Key::Absent,
        }
    }
}

fn way(ascends: bool) -> &'static str {
    if ascends { " asc" } else { " desc" }
}
