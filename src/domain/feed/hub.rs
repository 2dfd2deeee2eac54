//! Who is followed in this process, and waking those who follow. A wake-up says only who and how far; it may come twice,
//! or late, and a poll finds what one that was lost would have told ([`replicas`](super::replicas)).
//!
//! All who follow one user share a reader: a wake-up costs one statement, however many they are. The last few changes
//! are kept for all of them together, and nothing is kept for who is slow: whoever fell behind these reads on from its
//! own place.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::reading::{self, Changed, Place, Position};
use super::sync_token::Owner;
use crate::domain::store::Observer;
use crate::domain::{Error, Store, UserId};

/// Most changes that a reader reads at once.
const PAGE: usize = 100;
/// How many of the last changes are kept for those who are a little behind.
const KEPT: usize = 32;
/// A revision that no change has.
const NEVER: i64 = -1;
/// How long to wait before reading again from a database that is away.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The last changes that a reader found, in order.
#[derive(Debug)]
pub(super) struct Batch {
    /// The change after which it begins.
    pub(super) from: i64,
    /// The change up to which it leaves nothing out.
    pub(super) to: i64,
    pub(super) changed: Vec<Arc<Changed>>,
}

/// How much is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// Users that are followed.
    pub users: usize,
    /// Those who follow them.
    pub followers: usize,
    /// Statements that readers have sent since the start.
    pub reads: u64,
}

/// The users that are followed in this process; clones share them.
#[derive(Clone, Default)]
pub(in crate::domain) struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared {
    followed: Mutex<HashMap<UserId, Followed>>,
    reads: AtomicU64,
    /// Where wake-ups go for other processes, if anybody takes them there.
    outgoing: OnceLock<mpsc::Sender<(UserId, i64)>>,
}

/// A user that somebody follows.
struct Followed {
    owner: Owner,
    followers: usize,
    /// The last change that is known of.
    known: Arc<watch::Sender<i64>>,
    batches: watch::Receiver<Arc<Batch>>,
    reader: AbortHandle,
}

/// One who follows a user, until it is dropped.
pub(super) struct Membership {
    hub: Hub,
    user: UserId,
    /// Of the reader that it belongs to.
    known: Arc<watch::Sender<i64>>,
    batches: watch::Receiver<Arc<Batch>>,
}

impl Hub {
    /// The hub of a store.
    pub(super) fn of(store: &Store) -> &Self {
        let observer: &dyn Any = store.observer();
        observer.downcast_ref().expect("a store is made with a hub")
    }

    /// Wakes those who follow `user`, unless they are as far as `revision` already.
    pub(super) fn wake(&self, user: &UserId, revision: i64) {
        if let Some(followed) = self.followed().get(user) {
            followed.known.send_if_modified(|known| {
                let is_news = revision > *known;
                *known = revision.max(*known);
                is_news
            });
        }
    }

    /// The same for a revision that was looked up, in the epoch of that time. One that is lower than what is known, in a
    /// database that was put back to an earlier state, is news too, and so is another epoch.
    pub(super) fn correct(&self, user: &UserId, revision: i64, epoch: &str) {
        if let Some(followed) = self.followed().get(user) {
            let revision = if followed.owner == Owner::new(user, epoch) { revision } else { NEVER };
            followed.known.send_if_modified(|known| std::mem::replace(known, revision) != revision);
        }
    }

    /// All users that are followed.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.followed().keys().cloned().collect()
    }

    /// Where wake-ups for other processes come out. Can be had once.
    pub(super) fn take_outgoing(&self, capacity: usize) -> Option<mpsc::Receiver<(UserId, i64)>> {
        let (sender, receiver) = mpsc::channel(capacity);
        self.0.outgoing.set(sender).ok().map(|()| receiver)
    }

    pub(super) fn status(&self) -> FeedStatus {
        let followed = self.followed();
        let followers = followed.values().map(|followed| followed.followers).sum();
        FeedStatus { users: followed.len(), followers, reads: self.0.reads.load(Ordering::Relaxed) }
    }

    /// Follows `user` from `position`, which was just read.
    pub(super) fn join(&self, store: &Store, user: &UserId, position: Position) -> Membership {
        let mut all = self.followed();
        if all.get(user).is_some_and(|followed| followed.owner != position.owner) {
            // Those who still follow in an epoch that is over hear of it when their reader ends.
            all.remove(user).inspect(|followed| followed.reader.abort());
        }
        let followed = all.entry(user.clone()).or_insert_with(|| Followed::new(store, user, position));
        followed.followers += 1;
        let mut batches = followed.batches.clone();
        // The last batch may be news for this one.
        batches.mark_changed();
        Membership { hub: self.clone(), user: user.clone(), known: Arc::clone(&followed.known), batches }
    }

    /// Takes out the followers of a reader that ends.
    fn end(&self, user: &UserId, known: &Arc<watch::Sender<i64>>) {
        let mut all = self.followed();
        if all.get(user).is_some_and(|followed| Arc::ptr_eq(&followed.known, known)) {
            all.remove(user);
        }
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<UserId, Followed>> {
        self.0.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_read(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
    }
}

impl Observer for Hub {
    fn committed(&self, user: &UserId, number: i64) {
        self.wake(user, number);
        if let Some(outgoing) = self.0.outgoing.get() {
            // Where there are too many to tell of, others find out when they next poll.
            let _may_be_full = outgoing.try_send((user.clone(), number));
        }
    }
}

impl Followed {
    /// A user, with a reader that begins at `position`.
    fn new(store: &Store, user: &UserId, position: Position) -> Self {
        let (owner, at) = (position.owner, position.revision);
        let known = Arc::new(watch::Sender::new(at));
        let (batches, receiver) = watch::channel(Arc::new(Batch { from: at, to: at, changed: Vec::new() }));
        let reader = Reader {
            store: store.clone(),
            user: user.clone(),
            owner,
            at,
            kept: VecDeque::new(),
            kept_from: at,
            known: Arc::clone(&known),
            batches,
        };
        Self { owner, followers: 0, known, batches: receiver, reader: tokio::spawn(reader.run()).abort_handle() }
    }
}

impl Membership {
    /// The next batch. Some may be passed over.
    ///
    /// # Errors
    /// [`Error::SyncTokenExpired`] where the reader has ended: what it had read no longer holds.
    pub(super) async fn next(&mut self) -> Result<Arc<Batch>, Error> {
        self.batches.changed().await.map_err(|_| Error::SyncTokenExpired)?;
        Ok(Arc::clone(&self.batches.borrow_and_update()))
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut all = self.hub.followed();
        let Some(followed) = all.get_mut(&self.user) else { return };
        if !Arc::ptr_eq(&followed.known, &self.known) {
            return;
        }
        followed.followers -= 1;
        if followed.followers == 0 {
            followed.reader.abort();
            all.remove(&self.user);
        }
    }
}

/// Reads for all who follow one user.
struct Reader {
    store: Store,
    user: UserId,
    owner: Owner,
    /// The change up to which everything was read.
    at: i64,
    /// The last changes, each task once, and the change before them.
    kept: VecDeque<Arc<Changed>>,
    kept_from: i64,
    known: Arc<watch::Sender<i64>>,
    batches: watch::Sender<Arc<Batch>>,
}

/// What a reader found.
enum Found {
    /// There is more.
    More,
    /// That is all.
    All,
    /// The database was put back to an earlier state, or has a new epoch.
    SetBack,
}

impl Reader {
    async fn run(mut self) {
        let mut heard = self.known.subscribe();
        // At the start too: something may have been written since the position was read.
        loop {
            match self.read().await {
                Found::More => continue,
                Found::All => {}
                Found::SetBack => return Hub::of(&self.store).end(&self.user, &self.known),
            }
            while heard.changed().await.is_ok() {
                if *heard.borrow_and_update() != self.at {
                    break;
                }
            }
        }
    }

    /// Reads once and hands on what is new.
    async fn read(&mut self) -> Found {
        let place = Place { revision: self.at, head: Some(self.at) };
        Hub::of(&self.store).count_read();
        let (to, changed, has_more) = match self.read_shared(place).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(?error, "changes could not be read; it is tried again");
                tokio::time::sleep(RETRY_AFTER).await;
                return Found::More;
            }
        };
        if to < self.at {
            return Found::SetBack;
        }
        if to != self.at {
            self.keep(changed);
            self.at = to;
            let changed = self.kept.iter().cloned().collect();
            self.batches.send_replace(Arc::new(Batch { from: self.kept_from, to, changed }));
        }
        // What was read is known of, and needs no wake-up.
        self.known.send_if_modified(|known| {
            *known = self.at.max(*known);
            false
        });
        if has_more { Found::More } else { Found::All }
    }

    /// What is new, for several at once: how far it reaches, before everything where the owner is another one now; the
    /// changes; whether there are more.
    async fn read_shared(&self, place: Place) -> Result<(i64, Vec<Arc<Changed>>, bool), Error> {
        let reading = reading::read(&self.store, &self.user, place, PAGE).await?;
        let to = if reading.position.owner == self.owner { reading.reached() } else { NEVER };
        let changed = reading.changed.into_iter().map(Changed::shared).collect::<Result<_, _>>()?;
        Ok((to, changed, reading.has_more))
    }

    /// Keeps what is new, and of what was before it only a little.
    fn keep(&mut self, changed: Vec<Arc<Changed>>) {
        let most = KEPT.max(changed.len());
        self.kept.retain(|kept| changed.iter().all(|new| new.id != kept.id));
        self.kept.extend(changed);
        while self.kept.len() > most {
            self.kept_from = self.kept.pop_front().map_or(self.kept_from, |gone| gone.revision);
        }
    }
}
