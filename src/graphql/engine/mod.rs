//! A document in, an answer out, whatever transport carries them.

mod api;
mod document;
mod documents;
mod prepared;
mod rows;
mod validation;

pub use api::{Api, Call, Data, Reply, UNAUTHENTICATED};
pub use document::{Document, Operation, OperationKind};
pub use documents::{Asked, Documents, UntrustedFile};
