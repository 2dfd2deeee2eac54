//! A document in, an answer out, whatever transport carries them.

mod api;
mod collect;
mod convert;
mod cost;
mod document;
mod documents;
mod introspection;
mod merging;
mod plan;
mod position;
mod problems;
mod rows;
mod scalars;
mod syntax;
mod tokens;
mod values;
mod variables;
mod weight;

pub use api::{Api, Call, Data, Reply, UNAUTHENTICATED, Way};
pub use document::{Document, Operation, OperationKind};
pub use documents::{Asked, Documents, UntrustedFile};
