//! The id of the request that is being worked on. It is in the log, in `x-request-id`, and beside a fault of ours.

use std::sync::Arc;

use uuid::Uuid;

tokio::task_local! {
    static ID: Arc<str>;
}

/// A new id.
pub(super) fn random() -> Arc<str> {
    Uuid::new_v4().simple().to_string().into()
}

/// The id of the request that is being worked on, where there is one.
pub(super) fn current() -> Option<Arc<str>> {
    ID.try_with(Arc::clone).ok()
}

/// Does `work` for the request of this id.
pub(super) async fn scope<T>(id: Arc<str>, work: impl Future<Output = T>) -> T {
    ID.scope(id, work).await
}
