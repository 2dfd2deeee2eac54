//! The API: its words in [`schema`], one file a noun; a document in and an answer out in [`engine`]. A domain error
//! becomes a coded one in [`error`] and nowhere else. Nothing here knows of HTTP or SQL.

mod code;
mod engine;
mod error;
mod schema;

pub use code::{Code, code_of, coded};
pub use engine::{
    Api, Asked, Call, Data, Document, Documents, Operation, OperationKind, Reply, UNAUTHENTICATED, UntrustedFile, Way,
};
pub use error::FAULT;
