//! Signing tokens, for `taskql token` and for development mode.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Map, Value};

/// What a token says.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenClaims<'a> {
    /// The user.
    pub sub: &'a str,
    /// The claim that says who the user is, where that is not `sub`.
    pub user_claim: Option<&'a str>,
    /// The user's email address.
    pub email: Option<&'a str>,
    /// The user's name.
    pub name: Option<&'a str>,
    /// Who issues it.
    pub issuer: Option<&'a str>,
    /// Whom it is for.
    pub audience: Option<&'a str>,
    /// How long it is valid.
    pub ttl: Duration,
}

/// An HS256 token.
///
/// # Panics
/// Never: HMAC signs with any secret, and the claims are texts and numbers.
#[must_use]
pub fn sign(secret: &[u8], claims: &TokenClaims<'_>) -> String {
    let iat = get_current_timestamp();
    let texts = [
        ("email", claims.email),
        ("name", claims.name),
        ("iss", claims.issuer),
        ("aud", claims.audience),
        ("sub", Some(claims.sub)),
        // The user's claim may be one of those above, and counts.
        (claims.user_claim.unwrap_or("sub"), Some(claims.sub)),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    let mut all: Map<String, Value> = texts.collect();
    all.insert("iat".into(), iat.into());
    all.insert("exp".into(), iat.saturating_add(claims.ttl.as_secs()).into());
    encode(&Header::default(), &all, &EncodingKey::from_secret(secret)).expect("HS256 signs texts and numbers")
}
