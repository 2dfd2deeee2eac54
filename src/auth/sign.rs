//! Signing tokens, for `taskql token` and for development mode.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde::Serialize;

/// What a token says.
#[derive(Clone, Debug)]
pub struct TokenClaims<'a> {
    /// The user.
    pub sub: &'a str,
    /// The user's address.
    pub email: Option<&'a str>,
    /// The user's name.
    pub name: Option<&'a str>,
    /// How long the token is valid.
    pub ttl: Duration,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// An HS256 token.
///
/// # Panics
/// Never: HMAC signs with any secret, and the claims are texts and numbers.
#[must_use]
pub fn sign(secret: &[u8], issuer: Option<&str>, audience: Option<&str>, claims: &TokenClaims<'_>) -> String {
    let iat = get_current_timestamp();
    let claims = Claims {
        sub: claims.sub,
        iat,
        exp: iat.saturating_add(claims.ttl.as_secs()),
        email: claims.email,
        name: claims.name,
        iss: issuer,
        aud: audience,
    };
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret)).expect("HS256 signs texts and numbers")
}
