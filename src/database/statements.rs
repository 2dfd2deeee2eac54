//! Counts the SQL statements that belong to one request, for its log line and for tests. A count follows the work into
//! the task that a write runs in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static COUNTER: Arc<AtomicU64>;
}

/// Runs `work` and adds the statements that it sends to `counter`.
pub async fn count<F: Future>(counter: Arc<AtomicU64>, work: F) -> F::Output {
    COUNTER.scope(counter, work).await
}

/// `work`, still counted where it is spawned as a task of its own.
pub(crate) async fn carried<F: Future>(counter: Option<Arc<AtomicU64>>, work: F) -> F::Output {
    match counter {
        Some(counter) => count(counter, work).await,
        None => work.await,
    }
}

/// The counter of the request that is being worked on.
pub(crate) fn counter() -> Option<Arc<AtomicU64>> {
    COUNTER.try_with(Arc::clone).ok()
}

/// Counts a statement.
pub(super) fn count_one() {
    let _outside_of_a_request = COUNTER.try_with(|counter| counter.fetch_add(1, Ordering::Relaxed));
}
