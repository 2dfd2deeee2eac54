//! The end of a token's life, for connections that outlast it.

use std::time::Duration;

use crate::auth::Verified;

/// What the client hears then.
pub(super) const EXPIRED: &str = "The token has expired; come again with a fresh one";

/// How long to wait before looking at the clock again, which somebody may have set meanwhile.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Waits until a token stops to hold. Nothing is lost where this is dropped and called again.
pub(super) async fn expired(verified: &Verified) {
    loop {
        let remaining = verified.remaining();
        if remaining.is_zero() {
            return;
        }
        tokio::time::sleep(remaining.min(LOOK_EVERY)).await;
    }
}
