//! Tokens to viewers. What is required of a token stands in [`guard`]; who signs in development mode, in
//! [`development`]. Nothing here knows of GraphQL.

pub mod development;
mod guard;
mod sign;

pub use guard::{Guard, InvalidToken};
pub use sign::{Grant, sign};
