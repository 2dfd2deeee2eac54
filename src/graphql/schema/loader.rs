//! Loaders, fresh for each request: look-ups by id from all over a document become one statement a noun, and are kept
//! until the request ends.

use std::collections::HashMap;
use std::marker::PhantomData;

use dataloader::BatchFn;
use dataloader::cached::Loader;

use crate::domain::{Error, Id, Store, Viewer, lookup};
use crate::entity::{Noun, task};

/// Most ids of one statement: above what a document can ask for.
const MAX_BATCH: usize = 1_000;
/// How often a look-up lets the others of its document go first. Fields that stand side by side are all asked in one
/// pass, so once is enough.
const YIELDS: usize = 1;

type Found<T> = Result<Option<T>, Error>;

/// The loaders of one request, one a noun.
pub(in crate::graphql) struct Loaders {
    pub(super) tasks: ById<task::Entity>,
}

impl Loaders {
    pub(super) fn new(store: &Store, viewer: &Viewer) -> Self {
        Self { tasks: ById::new(store, viewer) }
    }
}

/// The viewer's objects of a noun, by their ids.
pub(in crate::graphql) struct ById<N: Noun>(Loader<Id<N>, Found<N::Model>, Lookup<N>>);

struct Lookup<N> {
    store: Store,
    viewer: Viewer,
    noun: PhantomData<fn() -> N>,
}

impl<N: Noun> ById<N> {
    fn new(store: &Store, viewer: &Viewer) -> Self {
        let lookup = Lookup { store: store.clone(), viewer: viewer.clone(), noun: PhantomData };
        Self(Loader::new(lookup).with_max_batch_size(MAX_BATCH).with_yield_count(YIELDS))
    }

    /// One of them.
    pub(super) async fn load(&self, id: Id<N>) -> Found<N::Model> {
        self.0.try_load(id).await.unwrap_or_else(|error| Err(Error::Internal(error.to_string().into())))
    }
}

impl<N: Noun> BatchFn<Id<N>, Found<N::Model>> for Lookup<N> {
    /// An answer for every id: what was found, nothing, or the error of the statement.
    async fn load(&mut self, ids: &[Id<N>]) -> HashMap<Id<N>, Found<N::Model>> {
        match lookup::models(&self.store, &self.viewer, ids).await {
            Ok(mut found) => ids.iter().map(|id| (*id, Ok(found.remove(id)))).collect(),
            Err(error) => ids.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }
}
