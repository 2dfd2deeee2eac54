//! Lists: the viewer's tasks of a status, in some order, a page at a time.

use sea_orm::{DbBackend, Statement};

use super::{Column, Entity, TaskPage};
use crate::database::{Columns, Sql};
use crate::domain::page::{self, Direction, Order, PageArguments, PageRequest};
use crate::domain::user::{self, TaskCounts};
use crate::domain::{Error, Store, Viewer};

/// The orders of tasks. Each has two indexes, one of them with the status before the key. The numbers are even: the odd
/// one after each stands for the other direction.
pub const ORDERS: [Order<Column>; 3] = [
    Order { number: 0, key: Column::CreatedAt, direction: Direction::Descending },
    Order { number: 2, key: Column::TitleKey, direction: Direction::Ascending },
    Order { number: 4, key: Column::DueDate, direction: Direction::Ascending },
];

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

/// What a client says of the list that it wants.
#[derive(Clone, Debug)]
pub struct List {
    /// Which tasks.
    pub status: Status,
    /// By what they are sorted.
    pub order: Order<Column>,
    /// Which way; the order's own where nothing is said.
    pub direction: Option<Direction>,
    /// Which page.
    pub page: PageArguments,
    /// What of each task.
    pub columns: Columns<Entity>,
}

/// Reads a page. One statement.
///
/// # Errors
/// [`Error::Invalid`] for a page that cannot be; [`Error::Unavailable`].
pub async fn list(store: &Store, viewer: &Viewer, list: List) -> Result<TaskPage, Error> {
    let status = list.status;
    page::read(store, viewer, list.request()?, |sql| of_status(sql, status)).await
}

/// Counts the viewer's tasks of a status, which the user's row knows. One statement; two for a user of the first version,
/// until a create has counted.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn count(store: &Store, viewer: &Viewer, status: Status) -> Result<u64, Error> {
    let Some(TaskCounts { all, completed }) = user::task_counts(store, &viewer.id).await? else {
        return page::count::<Entity>(store, viewer, |sql| of_status(sql, status)).await;
    };
    Ok(match status {
        Status::All => all,
        Status::Pending => all.saturating_sub(completed),
        Status::Completed => completed,
    })
}

impl Default for List {
    fn default() -> Self {
        Self {
            status: Status::All,
            order: ORDERS[0],
            direction: None,
            page: PageArguments::default(),
            columns: Columns::all(),
        }
    }
}

impl List {
    fn request(self) -> Result<PageRequest<Entity>, Error> {
        self.page.request(self.order, self.direction, self.columns)
    }

    /// The statement that reads this page of the list, for tests that look at its plan.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a page that cannot be.
    pub fn plan(self, backend: DbBackend, viewer: &Viewer) -> Result<Statement, Error> {
        let status = self.status;
        Ok(page::plan(backend, viewer, &self.request()?, |sql| of_status(sql, status)))
    }
}

fn of_status(sql: &mut Sql, status: Status) {
    match status {
        Status::All => {}
        Status::Pending => _ = sql.push(" and completed = ").bind(false),
        Status::Completed => _ = sql.push(" and completed = ").bind(true),
    }
}
