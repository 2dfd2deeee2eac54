use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use futures_util::FutureExt;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{EncodingKey, get_current_timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::auth::{TokenClaims, sign as sign_claims};

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

fn authenticator(issuers: &[&str], audiences: &[&str]) -> Authenticator {
    Authenticator::new(Trust {
        secrets: vec![SECRET.to_vec()],
        issuers: issuers.iter().map(ToString::to_string).collect(),
        audiences: audiences.iter().map(ToString::to_string).collect(),
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
    at_once(authenticator(&[], &[]).verify(token)).map(|verified| verified.viewer)
}

fn now() -> u64 {
    get_current_timestamp()
}

#[test]
fn a_good_token_names_the_viewer() {
    let viewer = verify(&token(&json!({"sub": "ada", "exp": now() + 60, "email": "a@b.c", "name": 7}))).expect("good");
    assert_eq!((viewer.id.as_str(), viewer.email.as_deref(), viewer.name), ("ada", Some("a@b.c"), None));
    let fraction = json!({"sub": "ada", "exp": 4_102_444_800.5, "aud": "anyone"});
    assert!(verify(&token(&fraction)).is_ok());
    for typ in ["jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"] {
        let header = json!({"alg": "HS256", "typ": typ});
        assert!(verify(&token_with(&header, &json!({"sub": "ada", "exp": now() + 60}), SECRET)).is_ok(), "{typ}");
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
        json!({"alg": "HS256", "typ": "application/logout+jwt"}),
        json!({"alg": "HS256", "typ": "application/application/jwt"}),
        json!({"alg": "HS256", "typ": "application/"}),
        json!({"alg": "HS256", "typ": "text/jwt"}),
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
    let authenticator = authenticator(&["https://issuer", "https://second"], &["tasks", "notes"]);
    let exp = now() + 60;
    let check = |claims: Value| at_once(authenticator.verify(&token(&claims)));
    assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x", "tasks"]})).is_ok());
    assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": "tasks"})).is_ok());
    assert!(check(json!({"sub": "a", "exp": exp, "iss": "https://second", "aud": ["notes"]})).is_ok());
    for (claims, claim) in [
        (json!({"sub": "a", "exp": exp, "aud": "tasks"}), "iss"),
        (json!({"sub": "a", "exp": exp, "iss": "https://issuer"}), "aud"),
        (json!({"sub": "a", "exp": exp, "iss": ["https://issuer"], "aud": "tasks"}), "iss"),
        (json!({"sub": "a", "exp": exp, "iss": "https://other", "aud": "tasks"}), "iss"),
        (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": ["x"]}), "aud"),
        (json!({"sub": "a", "exp": exp, "iss": "https://issuer", "aud": []}), "aud"),
        (json!({"sub": "a", "exp": exp, "iss": "https://issuer,https://second", "aud": "tasks"}), "iss"),
    ] {
        assert_eq!(check(claims), Err(InvalidToken::Claim(claim)));
    }
}

#[test]
fn a_previous_secret_still_verifies() {
    let previous = b"another secret of thirty-two byte";
    let trust = Trust { secrets: vec![SECRET.to_vec(), previous.to_vec()], ..Trust::default() };
    let authenticator = Authenticator::new(trust);
    let claims = json!({"sub": "a", "exp": now() + 60});
    let signed = |claims, secret| token_with(&json!({"alg": "HS256"}), claims, secret);
    let check = |token: String| at_once(authenticator.verify(&token)).map(|verified| verified.viewer.id.to_string());
    assert_eq!(check(signed(&claims, SECRET)), Ok("a".into()));
    assert_eq!(check(signed(&claims, previous)), Ok("a".into()));
    assert_eq!(check(signed(&claims, b"a third secret of thirty-two bytes")), Err(InvalidToken::Signature));
    // What else is wrong with a token is told, whichever secret signed it.
    assert_eq!(check(signed(&json!({"sub": "a", "exp": now() - 60}), previous)), Err(InvalidToken::Expired));
}

#[test]
fn the_user_is_who_the_configured_claim_names() {
    let with_claim = |claim: &str| {
        let trust = Trust { secrets: vec![SECRET.to_vec()], user_claim: claim.into(), ..Trust::default() };
        Authenticator::new(trust)
    };
    let check = |claim, claims: Value| {
        at_once(with_claim(claim).verify(&token(&claims))).map(|verified| verified.viewer.id.to_string())
    };
    let exp = now() + 60;
    assert_eq!(check("uid", json!({"uid": "ada", "exp": exp})), Ok("ada".into()));
    assert_eq!(check("uid", json!({"uid": "ada", "sub": "other", "exp": exp})), Ok("ada".into()));
    assert_eq!(check("https://x.example/id", json!({"https://x.example/id": "ada", "exp": exp})), Ok("ada".into()));
    let long = "x".repeat(256);
    for uid in [json!(null), json!(7), json!(""), json!("a\u{0}"), json!(["ada"]), json!(long)] {
        assert_eq!(check("uid", json!({"uid": uid, "sub": "a", "exp": exp})), Err(InvalidToken::UserClaim), "{uid}");
    }
    assert_eq!(check("uid", json!({"sub": "ada", "exp": exp})), Err(InvalidToken::UserClaim));
    assert_eq!(check("sub", json!({"uid": "ada", "exp": exp})), Err(InvalidToken::Claim("sub")));
    // What `taskql token` signs names its user there.
    let claims = TokenClaims { sub: "ada", user_claim: Some("email"), email: Some("a@b.c"), ..TokenClaims::default() };
    let signed = sign_claims(SECRET, &TokenClaims { ttl: Duration::from_mins(1), ..claims });
    assert_eq!(
        at_once(with_claim("email").verify(&signed)).map(|verified| verified.viewer.id.to_string()),
        Ok("ada".into())
    );
    assert_eq!(
        at_once(with_claim("sub").verify(&signed)).map(|verified| verified.viewer.id.to_string()),
        Ok("ada".into())
    );
}

#[test]
fn the_header_is_bearer_and_a_token() {
    let authenticator = authenticator(&[], &[]);
    let token = token(&json!({"sub": "a", "exp": now() + 60}));
    assert_eq!(at_once(authenticator.authenticate(None)), Ok(None));
    for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
        assert!(matches!(at_once(authenticator.authenticate(Some(&good))), Ok(Some(_))));
    }
    for bad in ["", "Bearer", "Bearer ", "Basic YTpi", &token, &format!("Bearer {token} {token}")] {
        assert!(at_once(authenticator.authenticate(Some(bad))).is_err(), "{bad}");
    }
}

#[test]
fn a_remembered_token_still_expires() {
    let authenticator = authenticator(&[], &[]);
    let good = token(&json!({"sub": "a", "exp": now() + 60}));
    for _ in 0..2 {
        assert!(at_once(authenticator.verify(&good)).is_ok());
    }
    assert_eq!(authenticator.remembered.len(), 1);
    // Within the leeway, and gone when that is over.
    let remaining = |exp| {
        let viewer = Viewer { id: UserId::new("ada").expect("an id"), email: None, name: None };
        Verified { viewer, expires_at: with_leeway(exp) }.remaining()
    };
    assert!(remaining(f64::from(u32::try_from(now()).expect("this century")) - 29.0) <= Duration::from_secs(1));
    assert_eq!(remaining(f64::from(u32::try_from(now()).expect("this century")) - 31.0), Duration::ZERO);
    assert_eq!(remaining(f64::MAX).min(REMEMBERED_FOR), REMEMBERED_FOR);
    assert!(at_once(authenticator.verify(&good[..good.len() - 1])).is_err());
}

proptest! {
    #[test]
    fn no_text_breaks_the_authenticator(text in ".{0,200}") {
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
