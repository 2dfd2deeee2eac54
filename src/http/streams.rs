//! What stays open: sockets and event streams. They are not requests in flight; a user has so many of them, and the
//! server waits for their end when it stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::UserId;

/// Most sockets and event streams of a user.
const MAX_OF_USER: usize = 20;
/// What the next one hears.
pub(super) const TOO_MANY: &str = "You have 20 sockets and streams open, which is the limit";

/// What stays open; clones share it.
#[derive(Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    stop: CancellationToken,
    /// Connections, and sockets, which leave theirs.
    pub(super) tasks: TaskTracker,
}

/// One of a user's places, until it is dropped.
pub(super) struct StreamPlace {
    streams: Streams,
    user: UserId,
}

impl Streams {
    /// A place for one more of `user`; none where all are taken.
    pub(super) fn enter(&self, user: &UserId) -> Option<StreamPlace> {
        let mut open = self.open();
        let count = open.entry(user.clone()).or_default();
        (*count < MAX_OF_USER).then(|| {
            *count += 1;
            StreamPlace { streams: self.clone(), user: user.clone() }
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open().values().sum()
    }

    /// Says when the server stops.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Tells all to end and waits for them, but not longer than `wait`; whether they did.
    pub(super) async fn end(&self, wait: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(wait, self.tasks.wait()).await.is_ok()
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}
