//! Checks a bearer token and says who its user is (RFC 7519; RFC 6750; RFC 8725).

mod error;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Map, Value};

pub use error::{InvalidToken, TokenError};

use super::key_set::KeySet;
use crate::domain::{UserId, Viewer};

/// How far the clocks of two machines may differ.
const LEEWAY_S: u64 = 30;
/// Most bytes of a token: far above what providers issue.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How long a token that was verified is believed without looking again. A key that its provider takes back is at most
/// this much longer in use.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);
/// Most bytes of remembered tokens.
const MAX_REMEMBERED_BYTES: u64 = 4 * 1024 * 1024;

/// Whose signatures count.
#[derive(Default)]
pub struct Trust {
    /// The secret of HS256 tokens.
    pub secret: Option<Vec<u8>>,
    /// The keys of an identity provider.
    pub key_set: Option<Arc<KeySet>>,
    /// The `iss` that each token must have.
    pub issuer: Option<String>,
    /// The `aud` that each token must have.
    pub audience: Option<String>,
}

/// Checks tokens. The algorithm is the key's, whatever the token says.
pub struct Authenticator {
    secret: Option<DecodingKey>,
    key_set: Option<Arc<KeySet>>,
    validation: Validation,
    remembered: Cache<Box<str>, Remembered, ByLength>,
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its user.
    pub viewer: Viewer,
    /// When it expires, as the time since 1970, with the leeway that the authenticator gives.
    expires_at: Duration,
}

impl Verified {
    /// How long it is still valid.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires_at.saturating_sub(now)
    }
}

#[derive(Clone)]
struct Remembered {
    verified: Verified,
    until: Instant,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Box<str>, Remembered> for ByLength {
    fn weight(&self, token: &Box<str>, _: &Remembered) -> u64 {
        token.len() as u64 + 256
    }
}

/// What is read of a token. `exp`, `nbf`, `iss` and `aud` are checked by jsonwebtoken.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    name: Value,
}

impl Authenticator {
    /// One that believes `trust`.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        // A claim that is set here is checked where the token has it; only this list makes the token have it.
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &trust.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &trust.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        let items = usize::try_from(MAX_REMEMBERED_BYTES / 512).unwrap_or(usize::MAX);
        Self {
            secret: trust.secret.as_deref().map(DecodingKey::from_secret),
            key_set: trust.key_set,
            validation,
            remembered: Cache::with_weighter(items, MAX_REMEMBERED_BYTES, ByLength),
        }
    }

    /// Who is asking: nobody where there is no Authorization header.
    ///
    /// # Errors
    /// An invalid or expired token, or one that cannot be checked.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Option<Verified>, TokenError> {
        let Some(authorization) = authorization else { return Ok(None) };
        let (scheme, token) = authorization.split_once(' ').ok_or(InvalidToken::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(InvalidToken::NotBearer.into());
        }
        self.verify(token.trim_matches(' ')).await.map(Some)
    }

    /// Who the user of `token` is.
    ///
    /// # Errors
    /// An invalid or expired token, or one that cannot be checked.
    pub async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::Malformed.into());
        }
        if let Some(known) = self.remembered.get(token)
            && Instant::now() < known.until
        {
            return Ok(known.verified);
        }
        let header = decode_header(token).map_err(|error| reason(error.kind()))?;
        check_header(token)?;
        let key = self.key(&header).await?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| reason(error.kind()))?.claims;
        if !(claims.iss.is_null() || claims.iss.is_string()) {
            return Err(InvalidToken::Claim("iss").into());
        }
        let id = UserId::new(&claims.sub).ok_or(InvalidToken::Claim("sub"))?;
        let text = |value: &Value| value.as_str().filter(|text| !text.contains('\0')).map(Into::into);
        let viewer = Viewer { id, email: text(&claims.email), name: text(&claims.name) };
        let verified = Verified { viewer, expires_at: with_leeway(claims.exp) };
        let until = Instant::now() + REMEMBERED_FOR.min(verified.remaining());
        self.remembered.insert(token.into(), Remembered { verified: verified.clone(), until });
        Ok(verified)
    }

    /// The key that a token's header names, if it is one for the algorithm that the header names.
    async fn key(&self, header: &Header) -> Result<DecodingKey, TokenError> {
        if header.alg == Algorithm::HS256 {
            return self.secret.clone().ok_or_else(|| InvalidToken::Unsupported.into());
        }
        match &self.key_set {
            Some(keys) => keys.find(header.kid.as_deref(), header.alg).await,
            None => Err(InvalidToken::Unsupported.into()),
        }
    }
}

/// When a token expires whose `exp` this is.
fn with_leeway(exp: f64) -> Duration {
    Duration::try_from_secs_f64(exp).unwrap_or(Duration::MAX).saturating_add(Duration::from_secs(LEEWAY_S))
}

/// The type, where there is one, is a plain or an access token's (RFC 9068); extensions that must be understood are
/// not (RFC 7515, section 4.1.11). Read from the token itself, since the library takes null for absent.
fn check_header(token: &str) -> Result<(), InvalidToken> {
    let encoded = token.split('.').next().unwrap_or_default();
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| InvalidToken::Malformed)?;
    let header: Map<String, Value> = serde_json::from_slice(&json).map_err(|_| InvalidToken::Malformed)?;
    let is_token = match header.get("typ") {
        None => true,
        Some(Value::String(typ)) => typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("at+jwt"),
        Some(_) => false,
    };
    if is_token && !header.contains_key("crit") { Ok(()) } else { Err(InvalidToken::Unsupported) }
}

fn reason(error: &ErrorKind) -> InvalidToken {
    match error {
        ErrorKind::InvalidSignature => InvalidToken::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => InvalidToken::Unsupported,
        ErrorKind::ExpiredSignature => InvalidToken::Expired,
        ErrorKind::ImmatureSignature => InvalidToken::NotYetValid,
        ErrorKind::InvalidIssuer => InvalidToken::Claim("iss"),
        ErrorKind::InvalidAudience => InvalidToken::Claim("aud"),
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            let known = ["exp", "sub", "iss", "aud", "nbf"].into_iter().find(|known| known == claim);
            known.map_or(InvalidToken::Malformed, InvalidToken::Claim)
        }
        _ => InvalidToken::Malformed,
    }
}

#[cfg(test)]
mod tests;
