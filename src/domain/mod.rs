//! The rules, a folder a noun. Every verb takes the viewer, and every query
//! starts from that viewer's rows. Nothing here knows of GraphQL or HTTP.

mod clock;
mod cursor;
mod error;
pub mod feed;
mod id;
pub mod lookup;
pub mod page;
mod problems;
pub mod purge;
mod store;
pub mod task;
mod text;
pub mod user;
mod viewer;
mod write;

pub use clock::Clock;
pub use error::{Conflict, Error, Problem};
pub use id::Id;
pub use problems::{Given, Problems};
pub use store::Store;
pub use viewer::{UserId, Viewer};

use std::sync::Arc;

use sea_orm::DatabaseConnection;

impl Store {
    /// Wraps an open database. Whoever follows changes in this process hears of what it writes.
    #[must_use]
    pub fn new(db: DatabaseConnection, clock: Clock) -> Self {
        Self::with_observer(db, clock, Arc::new(feed::Hub::default()))
    }
}

/// An instant as it is stored: UTC, whole microseconds, of the years 0001 to 9999.
pub type Instant = chrono::DateTime<chrono::Utc>;
