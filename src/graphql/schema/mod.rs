//! The API's words: objects over rows, inputs, payloads, connections, roots and loaders.

mod change;
pub(super) mod connection;
pub(super) mod context;
pub(super) mod date_time;
mod loader;
pub(super) mod mutation;
mod node;
pub(super) mod query;
pub(super) mod subscription;
pub(super) mod task;
mod user;
