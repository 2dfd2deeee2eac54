//! The change feed. It is read from the state, not from a log: a task has the number of its last change, and a deleted
//! one leaves its number behind. The numbers of a user rise in commit order, since every write holds the user's row, so
//! a reader that goes on from the last number misses nothing.
//!
//! [`changes`] reads a page; [`follow`] reads on as changes happen. What has been read up to is told by a
//! [`sync_token`]. Who follows is woken by the [`hub`], and by [`replicas`] where another process wrote.

mod changes;
mod follow;
mod hub;
mod reading;
mod replicas;
mod sync_token;

pub use changes::{Change, ChangePage, DEFAULT_SIZE, MAX_SIZE, changes, sync_token};
pub use follow::{Follower, follow};
pub use hub::FeedStatus;
pub(super) use hub::Hub;
pub use reading::{ChangeKind, Changed, Object};
pub use replicas::keep_woken;

use super::Store;

/// How much is followed in this process at this moment.
#[must_use]
pub fn status(store: &Store) -> FeedStatus {
    Hub::of(store).status()
}
