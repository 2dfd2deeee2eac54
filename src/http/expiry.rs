//! The end of a token's life, for connections that outlast it.

use std::time::Duration;

use crate::auth::Verified;

/// How long to wait before looking at the clock again, which somebody may have set meanwhile.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// When a token stops to hold.
pub(super) struct Expiry(Verified);

impl Expiry {
    pub(super) fn of(verified: &Verified) -> Self {
        Self(verified.clone())
    }

    /// Waits for it. Nothing is lost where this is dropped and called again.
    pub(super) async fn wait(&self) {
        loop {
            let remaining = self.0.remaining();
            if remaining.is_zero() {
                return;
            }
            tokio::time::sleep(remaining.min(LOOK_EVERY)).await;
        }
    }
}
