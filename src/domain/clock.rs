//! The time as a value, so that tests can hold it still.

use std::sync::Arc;

use chrono::{SubsecRound, Utc};

use super::Instant;

/// Says what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(Utc::now)
    }

    /// A clock that asks `now`.
    pub fn from_fn(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present instant, cut to the microseconds that both databases keep.
    #[must_use]
    pub fn now(&self) -> Instant {
        (self.0)().trunc_subsecs(6)
    }
}
