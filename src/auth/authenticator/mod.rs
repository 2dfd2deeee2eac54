//! Checks a bearer token and says who its user is (RFC 7519; RFC 6750; RFC 8725).

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use super::error::{InvalidToken, TokenError};
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

/// What is required of a token.
pub struct Trust {
    /// The secrets of HS256 tokens: each verifies them.
    pub secrets: Vec<Vec<u8>>,
    /// The keys of an identity provider.
    pub key_set: Option<Arc<KeySet>>,
    /// Where there are any, each token must have one of them as its `iss`.
    pub issuers: Vec<String>,
    /// Where there are any, each token must have one of them in its `aud`.
    pub audiences: Vec<String>,
    /// The claim that says who the user is.
    pub user_claim: String,
}

impl Default for Trust {
    fn default() -> Self {
        let user_claim = "sub".to_owned();
        Self { secrets: Vec::new(), key_set: None, issuers: Vec::new(), audiences: Vec::new(), user_claim }
    }
}

/// Checks tokens. The algorithm is the key's, whatever the token says.
pub struct Authenticator {
    secrets: Vec<DecodingKey>,
    key_set: Option<Arc<KeySet>>,
    validation: Validation,
    user_claim: String,
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

impl Authenticator {
    /// One that believes `trust`.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        // A claim that is set here is checked where the token has it; only this list makes the token have it.
        let mut required = vec!["exp"];
        if !trust.issuers.is_empty() {
            validation.set_issuer(&trust.issuers);
            required.push("iss");
        }
        if trust.audiences.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&trust.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        let items = usize::try_from(MAX_REMEMBERED_BYTES / 512).unwrap_or(usize::MAX);
        Self {
            secrets: trust.secrets.iter().map(|secret| DecodingKey::from_secret(secret)).collect(),
            key_set: trust.key_set,
            validation,
            user_claim: trust.user_claim,
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
        let keys = self.keys(&header).await?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        // Which of the keys that fit has signed it shows only when they are tried.
        let decode = |key| decode::<Map<String, Value>>(token, key, &validation).map_err(|error| reason(error.kind()));
        let signed = keys.iter().map(decode).find(|decoded| !matches!(decoded, Err(InvalidToken::Signature)));
        let verified = self.read(&signed.unwrap_or(Err(InvalidToken::Signature))?.claims)?;
        let until = Instant::now() + REMEMBERED_FOR.min(verified.remaining());
        self.remembered.insert(token.into(), Remembered { verified: verified.clone(), until });
        Ok(verified)
    }

    /// The keys that may have signed a token with this header.
    async fn keys(&self, header: &Header) -> Result<Vec<DecodingKey>, TokenError> {
        if header.alg == Algorithm::HS256 && !self.secrets.is_empty() {
            return Ok(self.secrets.clone());
        }
        match &self.key_set {
            Some(keys) if header.alg != Algorithm::HS256 => keys.find(header.kid.as_deref(), header.alg).await,
            _ => Err(InvalidToken::Unsupported.into()),
        }
    }

    /// Who the user is, by claims of which `exp`, `nbf`, `iss` and `aud` have been checked.
    fn read(&self, claims: &Map<String, Value>) -> Result<Verified, InvalidToken> {
        // The library takes a list of issuers too.
        if claims.get("iss").is_some_and(|issuer| !issuer.is_null() && !issuer.is_string()) {
            return Err(InvalidToken::Claim("iss"));
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let wrong = if self.user_claim == "sub" { InvalidToken::Claim("sub") } else { InvalidToken::UserClaim };
        let id = text(&self.user_claim).and_then(UserId::new).ok_or(wrong)?;
        let exp = claims.get("exp").and_then(Value::as_f64).ok_or(InvalidToken::Claim("exp"))?;
        let shown = |name| text(name).filter(|text| !text.contains('\0')).map(Into::into);
        let viewer = Viewer { id, email: shown("email"), name: shown("name") };
        Ok(Verified { viewer, expires_at: with_leeway(exp) })
    }
}

/// When a token expires whose `exp` this is.
fn with_leeway(exp: f64) -> Duration {
    Duration::try_from_secs_f64(exp).unwrap_or(Duration::MAX).saturating_add(Duration::from_secs(LEEWAY_S))
}

/// The type, where there is one, is a plain or an access token's (RFC 9068, section 4), as a media type in any letter
/// case and with `application/` or without it (RFC 7515, section 4.1.9); extensions that must be understood are not
/// (section 4.1.11). Read from the token itself, since the library takes null for absent.
fn check_header(token: &str) -> Result<(), InvalidToken> {
    let encoded = token.split('.').next().unwrap_or_default();
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| InvalidToken::Malformed)?;
    let header: Map<String, Value> = serde_json::from_slice(&json).map_err(|_| InvalidToken::Malformed)?;
    let is_token = match header.get("typ") {
        None => true,
        Some(Value::String(typ)) => {
            let typ = typ.to_ascii_lowercase();
            matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
        }
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
