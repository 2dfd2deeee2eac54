//! Lists: the viewer's tasks of a status, in one of three orders, a page at a time.
//!
//! A page is one statement that starts at its cursor (keyset pagination), so a page in the middle costs what the first
//! one costs. Tasks without a due date come last in both directions, which no single index order gives; that list is
//! two stretches, the dated tasks and the others, each of them a run of the same index.

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, NullOrdering, Order, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    Statement,
};

use super::of;
use crate::domain::cursor::{Cursor, Key};
use crate::domain::page::{Page, PageArguments, Window};
use crate::domain::{Error, Store, Viewer};
use crate::entity::task::{Column, Entity};

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
}

/// Reads a page. One statement.
///
/// # Errors
/// [`Error::Invalid`] for a page that cannot be; [`Error::Unavailable`].
pub async fn list(store: &Store, viewer: &Viewer, list: List) -> Result<Page, Error> {
    let order = list.order();
    let window = list.page.clone().window(order.0, order.1)?;
    let statement = list.statement(store.backend(), viewer, &window);
    let mut tasks = Entity::find().from_raw_sql(statement).all(&store.reader().await?).await?;
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
    Ok(of_status(viewer, status).count(&store.reader().await?).await?)
}

fn of_status(viewer: &Viewer, status: Status) -> Select<Entity> {
    let tasks = of(viewer);
    match status {
        Status::All => tasks,
        Status::Pending => tasks.filter(Column::Completed.eq(false)),
        Status::Completed => tasks.filter(Column::Completed.eq(true)),
    }
}

/// Tasks that follow each other in one run of an index.
#[derive(Clone, Copy)]
enum Stretch {
    /// By a column that every task has.
    Whole(Column),
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
        let limit = window.size + 1;
        let mut selects = self.stretches(window).into_iter().map(|(stretch, from)| {
            stretch.select(of_status(viewer, self.status), from, ascends).limit(limit).into_query()
        });
        let first = selects.next().unwrap_or_default();
        match selects.next() {
            None => backend.build(&first),
            Some(second) => backend.build(&joined(first, second, ascends, window)),
        }
    }

    /// The stretches that the page may touch, in the order of reading, the first one from the cursor on.
    fn stretches<'a>(&self, window: &'a Window) -> Vec<(Stretch, Option<&'a Cursor>)> {
        let all: &[Stretch] = match (self.sort, window.backward) {
            (Sort::Created, _) => &[Stretch::Whole(Column::CreatedAt)],
            (Sort::Title, _) => &[Stretch::Whole(Column::TitleKey)],
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
            Self::Whole(_) => true,
            Self::Dated => *key != Key::Absent,
            Self::Undated => *key == Key::Absent,
        }
    }

    fn select(self, tasks: Select<Entity>, from: Option<&Cursor>, ascends: bool) -> Select<Entity> {
        let (column, tasks) = match self {
            Self::Whole(column) => (column, tasks),
            Self::Dated => (Column::DueDate, tasks.filter(Column::DueDate.is_not_null())),
            Self::Undated => (Column::DueDate, tasks.filter(Column::DueDate.is_null())),
        };
        let order = if ascends { Order::Asc } else { Order::Desc };
        let tasks = tasks.order_by(column, order.clone()).order_by(Column::Id, order);
        let Some(cursor) = from else { return tasks };
        let (place, limit) = match &cursor.key {
            Key::Absent => (Column::Id.into_expr(), Expr::from(cursor.id)),
            Key::Instant(instant) => (pair(column), Expr::tuple([(*instant).into(), cursor.id.into()])),
            Key::Text(text) => (pair(column), Expr::tuple([text.as_str().into(), cursor.id.into()])),
        };
        tasks.filter(if ascends { place.gt(limit) } else { place.lt(limit) })
    }
}

/// The place of a row in an order: the key, then the id.
fn pair(column: Column) -> Expr {
    Expr::tuple([column.into_expr(), Column::Id.into_expr()])
}

/// Two stretches as one list: dated tasks before the others, or the other way round when reading backward.
fn joined(first: SelectStatement, second: SelectStatement, ascends: bool, window: &Window) -> SelectStatement {
    let (order, nulls) = (
        if ascends { Order::Asc } else { Order::Desc },
        if window.backward { NullOrdering::First } else { NullOrdering::Last },
    );
    Query::select()
        .column(Asterisk)
        .from_subquery(first, "first_stretch")
        .union(UnionType::All, Query::select().column(Asterisk).from_subquery(second, "second_stretch").to_owned())
        .order_by_with_nulls(Column::DueDate, order.clone(), nulls)
        .order_by(Column::Id, order)
        .limit(window.size + 1)
        .to_owned()
}
