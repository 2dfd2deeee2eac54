//! The guard: checks a bearer token and says for whom it speaks (RFC 7519; RFC 6750; RFC 8725).

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode};
use serde::Deserialize;

use crate::domain::{UserId, Viewer};

/// How far the clocks of two machines may differ.
const LEEWAY_S: u64 = 30;
/// Most bytes of a token: far above what providers issue.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Checks tokens against one secret. The algorithm is the secret's, whatever the token says.
pub struct Guard {
    key: DecodingKey,
    validation: Validation,
}

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidToken {
    /// The header is not `Bearer` and a token, or comes twice.
    NotBearer,
    /// It is no JSON Web Token, or longer than any.
    Malformed,
    /// Its header asks for what we do not do: another algorithm, another type, critical extensions.
    Unsupported,
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
            Self::NotBearer => "Send one Authorization header, as 'Bearer' and a token.".into(),
            Self::Malformed => "The token is not a JSON Web Token.".into(),
            Self::Unsupported => "The token's header asks for an algorithm or a feature that is not accepted.".into(),
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
    #[serde(default)]
    email: serde_json::Value,
    #[serde(default)]
    name: serde_json::Value,
}

impl Guard {
    /// A guard for HS256 tokens that have the given issuer and audience, where they are given.
    #[must_use]
    pub fn new(secret: &[u8], issuer: Option<&str>, audience: Option<&str>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        // A claim that is set here is checked where the token has it; only this list makes the token have it.
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        Self { key: DecodingKey::from_secret(secret), validation }
    }

    /// Who is asking: nobody where there is no Authorization header.
    ///
    /// # Errors
    /// Where there is one that does not hold.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Option<Viewer>, InvalidToken> {
        let Some(authorization) = authorization else { return Ok(None) };
        let (scheme, token) = authorization.split_once(' ').ok_or(InvalidToken::NotBearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(InvalidToken::NotBearer);
        }
        self.verify(token.trim_matches(' ')).map(Some)
    }

    /// For whom `token` speaks.
    ///
    /// # Errors
    /// Where it does not hold.
    pub fn verify(&self, token: &str) -> Result<Viewer, InvalidToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvalidToken::Malformed);
        }
        let token = decode::<Claims>(token, &self.key, &self.validation).map_err(|error| reason(error.kind()))?;
        check_header(&token.header)?;
        let Claims { sub, email, name } = token.claims;
        let id = UserId::new(&sub).ok_or(InvalidToken::Claim("sub"))?;
        let text = |value: serde_json::Value| value.as_str().filter(|text| !text.contains('\0')).map(Into::into);
        Ok(Viewer { id, email: text(email), name: text(name) })
    }
}

/// The type, where there is one, is a plain or an access token's (RFC 9068); extensions that must be understood are not.
fn check_header(header: &Header) -> Result<(), InvalidToken> {
    let is_token =
        header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("at+jwt"));
    if is_token && header.crit.is_none() { Ok(()) } else { Err(InvalidToken::Unsupported) }
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
    use jsonwebtoken::crypto::sign;
    use jsonwebtoken::{EncodingKey, get_current_timestamp};
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    fn verify(token: &str) -> Result<Viewer, InvalidToken> {
        Guard::new(SECRET, None, None).verify(token)
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
        let guard = Guard::new(SECRET, Some("https://issuer"), Some("tasks"));
        let exp = now() + 60;
        let check = |claims: Value| guard.verify(&token(&claims));
        assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x", "tasks"]})).is_ok());
        assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": "tasks"})).is_ok());
        for (claims, claim) in [
            (json!({"sub": "a", "exp": exp, "aud": "tasks"}), "iss"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer"}), "aud"),
            (json!({"sub": "a", "exp": exp, "iss": "https://other", "aud": "tasks"}), "iss"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x"]}), "aud"),
            (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": []}), "aud"),
        ] {
            assert_eq!(check(claims), Err(InvalidToken::Claim(claim)));
        }
    }

    #[test]
    fn the_header_is_bearer_and_a_token() {
        let guard = Guard::new(SECRET, None, None);
        let token = token(&json!({"sub": "a", "exp": now() + 60}));
        assert_eq!(guard.authenticate(None), Ok(None));
        for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
            assert!(matches!(guard.authenticate(Some(&good)), Ok(Some(_))));
        }
        for bad in ["", "Bearer", "Bearer ", "Basic YTpi", &token, &format!("Bearer {token} {token}")] {
            assert!(guard.authenticate(Some(bad)).is_err(), "{bad}");
        }
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
