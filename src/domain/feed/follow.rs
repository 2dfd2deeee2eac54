//! Following a user's changes: first what has happened since a token, then what happens, in one stream.

use std::sync::Arc;

use super::changes::{self, Change};
use super::hub::{Batch, Hub, Membership, RETRY_AFTER};
use super::reading::{self, Changed, Place, Position};
use super::sync_token::SyncToken;
use crate::domain::{Error, Problems, Store, Viewer};

/// Most changes that one follower reads at once by itself.
const PAGE: usize = 20;

/// One who follows a user's changes.
pub struct Follower {
    store: Store,
    viewer: Viewer,
    /// How far it has told.
    token: SyncToken,
    state: State,
    /// Changes that it is telling.
    telling: Option<Telling>,
}

enum State {
    /// There may be changes that it has to read by itself.
    Behind,
    /// It has read everything up to a position, and joins those who wait.
    CaughtUp(Position),
    /// It is woken where something happens.
    Waiting(Membership),
}

/// A batch, and how far it has been told.
struct Telling {
    batch: Arc<Batch>,
    next: usize,
    /// Where the follower was when it began with the batch.
    from: i64,
}

/// Follows the viewer's changes since a token; without one, from now on. One statement.
///
/// # Errors
/// [`Error::Invalid`] for a token that is none; [`Error::SyncTokenExpired`]; [`Error::Unavailable`].
pub async fn follow(store: &Store, viewer: &Viewer, since: Option<String>) -> Result<Follower, Error> {
    let mut problems = Problems::default();
    let since = since.and_then(|text| problems.check("since", changes::parse(&text)));
    problems.finish()?;
    let follower =
        |token, state| Follower { store: store.clone(), viewer: viewer.clone(), token, state, telling: None };
    match since {
        None => {
            let position = reading::position(store, &viewer.id).await?;
            Ok(follower(position.token(), State::CaughtUp(position)))
        }
        Some(token) => {
            let mut follower = follower(token, State::Behind);
            follower.read().await?;
            Ok(follower)
        }
    }
}

impl Follower {
    /// The next change. A task that changes several times meanwhile may come once, with its latest state.
    ///
    /// # Errors
    /// [`Error::SyncTokenExpired`] where the database was restored meanwhile, or tombstones were purged that had not been
    /// told; [`Error::Internal`]. A database that is away is waited for.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.tell() {
                return Ok(change);
            }
            match &mut self.state {
                // In a box: who waits need not hold the room that a statement takes.
                State::Behind => match Box::pin(self.read()).await {
                    Err(Error::Unavailable(cause)) => {
                        tracing::warn!(%cause, "changes could not be read; it is tried again");
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                    outcome => outcome?,
                },
                State::CaughtUp(position) => {
                    let membership = Hub::of(&self.store).join(&self.store, &self.viewer.id, *position);
                    self.state = State::Waiting(membership);
                }
                State::Waiting(membership) => {
                    let batch = membership.next().await?;
                    self.take(batch);
                }
            }
        }
    }

    /// The next change of the batch that is being told.
    fn tell(&mut self) -> Option<Change> {
        let telling = self.telling.as_mut()?;
        while let Some(changed) = telling.batch.changed.get(telling.next) {
            telling.next += 1;
            if changed.revision > self.token.revision {
                self.token.revision = changed.revision;
                let (kind, changed) = (changed.kind_since(telling.from), Arc::clone(changed));
                return Some(Change { kind, changed, sync_token: self.token.encode() });
            }
        }
        self.token.revision = self.token.revision.max(telling.batch.to);
        self.telling = None;
        None
    }

    /// Reads on by itself.
    async fn read(&mut self) -> Result<(), Error> {
        let place = Place { revision: self.token.revision, head: Some(self.token.head) };
        Hub::of(&self.store).count_read();
        let reading = reading::read(&self.store, &self.viewer.id, place, PAGE).await?;
        let (to, position) = (reading.reached(), reading.position);
        position.check(self.token)?;
        if !reading.has_more {
            self.state = State::CaughtUp(position);
        }
        let from = place.revision;
        let changed = reading.changed.into_iter().map(Changed::shared).collect::<Result<_, _>>()?;
        let batch = Arc::new(Batch { from, to, changed });
        self.telling = Some(Telling { batch, next: 0, from });
        Ok(())
    }

    /// Begins with a batch of the shared reader, unless it has missed one before it.
    fn take(&mut self, batch: Arc<Batch>) {
        let from = self.token.revision;
        if batch.to > from && batch.from <= from {
            self.telling = Some(Telling { batch, next: 0, from });
        } else if batch.to > from {
            self.state = State::Behind;
        }
    }
}
