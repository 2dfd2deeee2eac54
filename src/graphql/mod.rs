//! The API's words: objects over domain values, inputs, payloads, connections. One file a noun. What a client sends is
//! read in [`document`], checked in [`validation`], run in [`api`]; a domain error becomes a coded one in [`error`] and nowhere
//! else. Nothing here knows of HTTP or SQL.

mod api;
mod change;
mod code;
mod connection;
mod context;
mod date_time;
mod document;
mod documents;
mod error;
mod loader;
mod mutation;
mod node;
mod prepared;
mod query;
mod rows;
mod subscription;
mod task;
mod user;
mod validation;

pub use api::{Api, Call, Data, Reply, UNAUTHENTICATED};
pub use code::{Code, code_of, coded};
pub use document::{Document, Operation, OperationKind};
pub use documents::{Asked, Documents, UntrustedFile};
pub use error::FAULT;
