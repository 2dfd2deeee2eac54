//! What stays open: sockets and event streams. They are not requests in flight. A user may have 20 of them, and the server
//! waits for their end when it shuts down.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::UserId;

/// Most sockets and event streams of a user.
const MAX_OF_USER: usize = 20;

/// Whether a connection carries a stream, whose client may not be reading.
#[derive(Clone, Default)]
pub(super) struct CarriesStream(pub(super) Arc<AtomicBool>);

/// What stays open; clones share it.
#[derive(Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    stop: CancellationToken,
    /// Connections, and sockets, which leave theirs.
    pub(super) tasks: TaskTracker,
}

/// What a user hears whose places are all taken.
pub(super) fn too_many() -> String {
    format!("You have {MAX_OF_USER} sockets and streams open, which is the limit")
}

/// One of a user's places, until it is dropped.
pub(super) struct StreamPlace {
    streams: Streams,
    user: UserId,
}

impl Streams {
    /// A place for one more of `user`; none if all are taken.
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

    /// Is cancelled when the server shuts down.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Tells all of them to end and waits for that, but not longer than `wait`; returns whether they did.
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
