//! The guard: checks a bearer token and says for whom it speaks (RFC 7519; RFC 6750; RFC 8725).

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

use super::key_set::{KeySet, KeysUnavailable};
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
pub struct Guard {
    secret: Option<DecodingKey>,
    key_set: Option<Arc<KeySet>>,
    validation: Validation,
    remembered: Cache<Box<str>, Remembered, ByLength>,
}

#[derive(Clone)]
struct Remembered {
    viewer: Viewer,
    until: Instant,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Box<str>, Remembered> for ByLength {
    fn weight(&self, token: &Box<str>, _: &Remembered) -> u64 {
        token.len() as u64 + 256
    }
}

/// Why nobody was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The token does not hold.
    Invalid(InvalidToken),
    /// It cannot be told: the provider's keys are not to be had. The cause is for the log.
    Unavailable(Arc<str>),
}

impl From<InvalidToken> for TokenError {
    fn from(invalid: InvalidToken) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<KeysUnavailable> for TokenError {
    fn from(KeysUnavailable(cause): KeysUnavailable) -> Self {
        Self::Unavailable(cause)
    }
}

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidToken {
    /// The header is not `Bearer` and a token.
    NotBearer,
    /// The header comes twice.
    Repeated,
    /// It is no JSON Web Token, or longer than any.
    Malformed,
    /// Its header asks for what we do not do: another algorithm, another type, critical extensions.
    Unsupported,
    /// It names a key that there is not.
    UnknownKey,
    /// Somebody else signed it, or it was changed.
    Signature,
    /// `exp` has passed.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// A claim is missing or not what it must be.
    Claim(&'static str),
}

impl InvalidToken {
    /// A sentence for the one who sent it.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::NotBearer => "Send the Authorization header as 'Bearer' and a token.".into(),
            Self::Repeated => "Send one Authorization header, not several.".into(),
            Self::Malformed => "The token is not a JSON Web Token.".into(),
            Self::Unsupported => "The token's header asks for an algorithm or a feature that is not accepted.".into(),
            Self::UnknownKey => "The token is signed with a key that is not known here.".into(),
            Self::Signature => "The token's signature does not match.".into(),
            Self::Expired => "The token has expired; get a fresh one.".into(),
            Self::NotYetValid => "The token is not valid yet.".into(),
            Self::Claim(claim) => format!("The token's '{claim}' claim is missing or not accepted."),
        }
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

impl Guard {
    /// A guard that believes `trust`.
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
    /// Where there is one that does not hold, or of which that cannot be told.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Option<Viewer>, TokenError> {
        let Some(authorization) = authorization else { return Ok(None) };
        let (scheme, token) = authorization.split_once(' ').ok_or(InvalidToken::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(InvalidToken::NotBearer.into());
        }
        self.verify(token.trim_matches(' ')).await.map(Some)
    }

    /// For whom `token` speaks.
    ///
    /// # Errors
    /// Where it does not hold, or where that cannot be told.
    pub async fn verify(&self, token: &str) -> Result<Viewer, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::Malformed.into());
        }
        if let Some(known) = self.remembered.get(token)
            && Instant::now() < known.until
        {
            return Ok(known.viewer);
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
        let until = Instant::now() + REMEMBERED_FOR.min(remaining(claims.exp));
        self.remembered.insert(token.into(), Remembered { viewer: viewer.clone(), until });
        Ok(viewer)
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

/// How long a token still holds.
fn remaining(exp: f64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let end = Duration::try_from_secs_f64(exp).unwrap_or(Duration::MAX).saturating_add(Duration::from_secs(LEEWAY_S));
    end.saturating_sub(now)
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
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use futures_util::FutureExt;
    use jsonwebtoken::crypto::sign;
    use jsonwebtoken::{EncodingKey, get_current_timestamp};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn token_with(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let key = EncodingKey::from_secret(secret);
        let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("HS256 signs anything");
        format!("{message}.{signature}")
    }

    fn token(claims: &Value) -> String {
        token_with(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
    }

    fn guard(issuer: Option<&str>, audience: Option<&str>) -> Guard {
        Guard::new(Trust {
            secret: Some(SECRET.to_vec()),
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
            ..Trust::default()
        })
    }

    /// A secret's tokens are verified without waiting for anything.
    fn at_once<T>(work: impl Future<Output = Result<T, TokenError>>) -> Result<T, InvalidToken> {
        work.now_or_never().expect("nothing to wait for").map_err(|error| match error {
            TokenError::Invalid(invalid) => invalid,
            TokenError::Unavailable(cause) => panic!("{cause}"),
        })
    }

    fn verify(token: &str) -> Result<Viewer, InvalidToken> {
        at_once(guard(None, None).verify(token))
    }

    fn now() -> u64 {
        get_current_timestamp()
    }

    #[test]
    fn a_good_token_names_the_viewer() {
        let viewer =
            verify(&token(&json!({"sub": "ada", "exp": now() + 60, "email": "a@b.c", "name": 7}))).expect("good");
        assert_eq!((viewer.id.as_str(), viewer.email.as_deref(), viewer.name), ("ada", Some("a@b.c"), None));
        let fraction = json!({"sub": "ada", "exp": 4_102_444_800.5, "aud": "anyone"});
        assert!(verify(&token(&fraction)).is_ok());
        for typ in ["jwt", "at+jwt", "AT+JWT"] {
            let header = json!({"alg": "HS256", "typ": typ});
            assert!(verify(&token_with(&header, &json!({"sub": "ada", "exp": now() + 60}), SECRET)).is_ok());
        }
        assert!(verify(&token_with(&json!({"alg": "HS256"}), &json!({"sub": "a", "exp": now() + 60}), SECRET)).is_ok());
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute() {
        assert!(verify(&token(&json!({"sub": "a", "exp": now() - 20}))).is_ok());
        assert_eq!(verify(&token(&json!({"sub": "a", "exp": now() - 40}))), Err(InvalidToken::Expired));
        assert!(verify(&token(&json!({"sub": "a", "exp": now() + 99, "nbf": now() + 20}))).is_ok());
        let early = json!({"sub": "a", "exp": now() + 99, "nbf": now() + 40});
        assert_eq!(verify(&token(&early)), Err(InvalidToken::NotYetValid));
    }

    #[test]
    fn claims_are_required_in_their_form() {
        let exp = now() + 60;
        for claims in [
            json!({"sub": "a"}),
            json!({"sub": "a", "exp": exp.to_string()}),
            json!({"sub": "a", "exp": null}),
            json!({"sub": "a", "exp": -1}),
            json!({"exp": exp}),
            json!({"sub": "", "exp": exp}),
            json!({"sub": 7, "exp": exp}),
            json!({"sub": "a\u{0}b", "exp": exp}),
            json!({"sub": "x".repeat(256), "exp": exp}),
            json!({"sub": "a", "exp": exp, "nbf": "soon"}),
            json!([]),
            json!("sub"),
        ] {
            assert!(verify(&token(&claims)).is_err(), "{claims}");
        }
        assert!(verify(&token(&json!({"sub": "x".repeat(255), "exp": exp}))).is_ok());
    }

    #[test]
    fn headers_that_ask_for_more_are_refused() {
        let claims = json!({"sub": "a", "exp": now() + 60});
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS512"}),
            json!({"alg": "RS256"}),
            json!({"alg": "hs256"}),
            json!({"alg": "HS256", "typ": "logout+jwt"}),
            json!({"alg": "HS256", "crit": ["exp"], "exp": 1}),
            json!({"alg": "HS256", "crit": []}),
            json!({"alg": "HS256", "crit": null}),
            json!({"alg": "HS256", "typ": null}),
            json!({}),
        ] {
            assert!(verify(&token_with(&header, &claims, SECRET)).is_err(), "{header}");
        }
    }

    #[test]
    fn somebody_elses_signature_is_refused() {
        let claims = json!({"sub": "a", "exp": now() + 60});
        let other = token_with(&json!({"alg": "HS256"}), &claims, b"another secret of thirty-two byte");
        assert_eq!(verify(&other), Err(InvalidToken::Signature));
        let good = token(&claims);
        let unsigned = good.rsplit_once('.').expect("three parts").0;
        assert!(verify(&format!("{unsigned}.")).is_err() && verify(unsigned).is_err());
    }

    #[test]
    fn issuer_and_audience_are_required_where_configured() {
        let guard = guard(Some("https://issuer"), Some("tasks"));
        let exp = now() + 60;
        let check = |claims: Value| at_once(guard.verify(&token(&claims)));
        assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x", "tasks"]})).is_ok());
        assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": "tasks"})).is_ok());
        for (claims, claim) in [
            (json!({"sub": "a", "exp": exp, "aud": "tasks"}), "iss"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer"}), "aud"),
            (json!({"sub": "a", "exp": exp, "iss": ["https://issuer"], "aud": "tasks"}), "iss"),
            (json!({"sub": "a", "exp": exp, "iss": "https://other", "aud": "tasks"}), "iss"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x"]}), "aud"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": []}), "aud"),
        ] {
            assert_eq!(check(claims), Err(InvalidToken::Claim(claim)));
        }
    }

    #[test]
    fn the_header_is_bearer_and_a_token() {
        let guard = guard(None, None);
        let token = token(&json!({"sub": "a", "exp": now() + 60}));
        assert_eq!(at_once(guard.authenticate(None)), Ok(None));
        for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
            assert!(matches!(at_once(guard.authenticate(Some(&good))), Ok(Some(_))));
        }
        for bad in ["", "Bearer", "Bearer ", "Basic YTpi", &token, &format!("Bearer {token} {token}")] {
            assert!(at_once(guard.authenticate(Some(bad))).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_remembered_token_still_expires() {
        let guard = guard(None, None);
        let good = token(&json!({"sub": "a", "exp": now() + 60}));
        for _ in 0..2 {
            assert!(at_once(guard.verify(&good)).is_ok());
        }
        assert_eq!(guard.remembered.len(), 1);
        // Within the leeway, and gone when that is over.
        assert!(remaining(f64::from(u32::try_from(now()).expect("this century")) - 29.0) <= Duration::from_secs(1));
        assert_eq!(remaining(f64::from(u32::try_from(now()).expect("this century")) - 31.0), Duration::ZERO);
        assert_eq!(remaining(f64::MAX).min(REMEMBERED_FOR), REMEMBERED_FOR);
        assert!(at_once(guard.verify(&good[..good.len() - 1])).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_guard(text in ".{0,200}") {
            prop_assert!(verify(&text).is_err());
        }

        #[test]
        fn a_token_with_one_character_changed_is_refused(at in 0_usize..100, to in "[A-Za-z0-9_-]") {
            let good = token(&json!({"sub": "ada", "exp": 4_102_444_800_u64}));
            let at = at % good.len();
            let mut bad = good.clone();
            bad.replace_range(at..=at, &to);
            prop_assume!(bad != good);
            prop_assert!(verify(&bad).is_err());
        }
    }
}
