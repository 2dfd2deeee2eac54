//! The rules, as verbs: create, update, toggle, delete, get, list. Every verb takes the viewer, and every query starts
//! from that viewer's rows. Nothing here knows of GraphQL or HTTP.

mod at_hand;
mod clock;
pub mod connect;
mod cursor;
mod error;
pub mod feed;
pub mod migrate;
pub mod page;
mod sql;
pub mod statements;
mod store;
pub mod sweep;
pub mod task;
mod text;
pub mod user;
mod viewer;

pub use clock::Clock;
pub use error::{Conflict, Error, Problem, Problems};
pub use store::{PoolStatus, Store, Write};
pub use viewer::{UserId, Viewer};

/// An instant as it is stored: UTC, whole microseconds, of the years 0001 to 9999.
pub type Instant = chrono::DateTime<chrono::Utc>;
