//! The end of a token's life, for connections that outlast it.

use std::time::Duration;

use crate::auth::Verified;

/// What clients hear then.
pub(super) const EXPIRED: &str = "The token has expired; reconnect with a fresh one";

/// Waits until a token has expired, by a look at the clock at least each `check_every`. Nothing is lost if this is dropped
/// and called again.
pub(super) async fn expired(verified: &Verified, check_every: Duration) {
    loop {
        let remaining = verified.remaining();
        if remaining.is_zero() {
            return;
        }
        tokio::time::sleep(remaining.min(check_every)).await;
    }
}
