//! Loaders, fresh for each request: look-ups by id from all over a document become one statement, and are kept until
//! the request ends.

use std::collections::HashMap;

use dataloader::BatchFn;
use dataloader::cached::Loader;

use crate::domain::task::{self, Columns, Task, TaskId};
use crate::domain::{Error, Store, UserId, Viewer, user};
use crate::entity;

/// Most ids of one statement: above what a document can ask for.
const MAX_BATCH: usize = 1_000;
/// How often a look-up lets the others of its document go first. Fields that stand side by side are all asked in one
/// pass, so once is enough.
const YIELDS: usize = 1;

type Found<T> = Result<Option<T>, Error>;

/// The loaders of one request.
pub(in crate::graphql) struct Loaders {
    tasks: Loader<TaskId, Found<Task>, Tasks>,
    users: Loader<UserId, Found<entity::user::Model>, Users>,
}

struct Tasks {
    store: Store,
    viewer: Viewer,
}

struct Users {
    store: Store,
}

impl Loaders {
    pub(in crate::graphql) fn new(store: &Store, viewer: &Viewer) -> Self {
        let tasks = Tasks { store: store.clone(), viewer: viewer.clone() };
        let users = Users { store: store.clone() };
        Self {
            tasks: Loader::new(tasks).with_max_batch_size(MAX_BATCH).with_yield_count(YIELDS),
            users: Loader::new(users).with_max_batch_size(MAX_BATCH).with_yield_count(YIELDS),
        }
    }

    /// One of the viewer's tasks.
    pub(in crate::graphql) async fn task(&self, id: TaskId) -> Found<Task> {
        self.tasks.try_load(id).await.unwrap_or_else(|error| Err(Error::Internal(error.to_string().into())))
    }

    /// A user that has written something.
    pub(in crate::graphql) async fn user(&self, id: UserId) -> Found<entity::user::Model> {
        self.users.try_load(id).await.unwrap_or_else(|error| Err(Error::Internal(error.to_string().into())))
    }
}

impl BatchFn<TaskId, Found<Task>> for Tasks {
    async fn load(&mut self, ids: &[TaskId]) -> HashMap<TaskId, Found<Task>> {
        answers(ids, task::by_ids(&self.store, &self.viewer, ids, Columns::ALL).await)
    }
}

impl BatchFn<UserId, Found<entity::user::Model>> for Users {
    async fn load(&mut self, ids: &[UserId]) -> HashMap<UserId, Found<entity::user::Model>> {
        answers(ids, user::by_ids(&self.store, ids).await)
    }
}

/// An answer for every id: what was found, nothing, or the error of the statement.
fn answers<K: Clone + Eq + std::hash::Hash, T>(ids: &[K], found: Result<HashMap<K, T>, Error>) -> HashMap<K, Found<T>> {
    match found {
        Ok(mut found) => ids.iter().map(|id| (id.clone(), Ok(found.remove(id)))).collect(),
        Err(error) => ids.iter().map(|id| (id.clone(), Err(error.clone()))).collect(),
    }
}
