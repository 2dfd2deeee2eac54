//! Tokens to viewers. What is required of a token stands in [`guard`], an identity provider's keys in [`key_set`], who
//! signs in development mode in [`development`]. Nothing here knows of GraphQL.

pub mod development;
mod guard;
mod key_set;
mod sign;

pub use guard::{Guard, InvalidToken, TokenError, Trust, Verified};
pub use key_set::{KeySet, Patience};
pub use sign::{Grant, sign};
