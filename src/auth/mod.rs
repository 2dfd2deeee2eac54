//! Tokens to viewers: what a token must have in [`authenticator`], an identity provider's keys in [`key_set`], development
//! mode's secret in [`development`]. Nothing here knows of GraphQL.

mod authenticator;
pub mod development;
mod error;
mod key;
mod key_set;
mod sign;

pub use authenticator::{Authenticator, Trust, Verified};
pub use error::{InvalidToken, TokenError};
pub use key_set::{KeySet, Patience};
pub use sign::{TokenClaims, sign};
