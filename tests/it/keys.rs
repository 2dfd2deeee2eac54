//! Identity providers: every algorithm, rotation, outage, slowness, and keys that are none.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use taskql::auth::{Authenticator, InvalidToken, KeySet, Patience, TokenError, Trust};
use tokio::net::TcpListener;

/// A provider's key.
struct Key {
    id: String,
    algorithm: Algorithm,
    signing: EncodingKey,
    public: Value,
}

impl Key {
    fn new(id: &str, algorithm: Algorithm) -> Self {
        let ec = |algorithm| {
            let pair = EcdsaKeyPair::generate(algorithm).expect("a key");
            EncodingKey::from_ec_der(pair.to_pkcs8v1().expect("a document").as_ref())
        };
        let signing = match algorithm {
            Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().expect("a key");
                EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a document").as_ref())
            }
            _ => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().expect("a document");
                EncodingKey::from_rsa_der(inner_of_pkcs8(pkcs8.as_ref()))
            }
        };
        let mut public =
            serde_json::to_value(Jwk::from_encoding_key(&signing, algorithm).expect("a public key")).expect("JSON");
        public["kid"] = id.into();
        Self { id: id.into(), algorithm, signing, public }
    }

    fn token(&self, claims: &Value) -> String {
        // As Better Auth has it: no typ.
        let header = Header { typ: None, kid: Some(self.id.clone()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.signing).expect("it signs")
    }

    fn good_token(&self) -> String {
        self.token(
            &json!({"sub": "ada", "exp": get_current_timestamp() + 600, "jti": COUNT.fetch_add(1, Ordering::Relaxed)}),
        )
    }
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The PKCS#1 key within a PKCS#8 document of an RSA key: the content of its last OCTET STRING (RFC 5958, section 2).
fn inner_of_pkcs8(document: &[u8]) -> &[u8] {
    let at = document
        .windows(4)
        .position(|bytes| bytes[0] == 0x04 && bytes[1] == 0x82 && document.len() > 100)
        .expect("an octet string");
    &document[at + 4..]
}

/// A provider whose answer tests can change.
struct Provider {
    url: String,
    answer: Arc<Mutex<Answer>>,
    fetches: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
    delay: Duration,
}

impl Provider {
    async fn start(keys: &[&Key]) -> Self {
        let answer = Arc::new(Mutex::new(Answer { status: 200, body: String::new(), delay: Duration::ZERO }));
        let fetches = Arc::new(AtomicUsize::new(0));
        let (shared, counter) = (Arc::clone(&answer), Arc::clone(&fetches));
        let serve = move || {
            let (shared, counter) = (Arc::clone(&shared), Arc::clone(&counter));
            async move {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = shared.lock().expect("not poisoned").clone();
                tokio::time::sleep(answer.delay).await;
                (axum::http::StatusCode::from_u16(answer.status).expect("a status"), answer.body)
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let router = Router::new().route("/jwks", get(serve));
        tokio::spawn(taskql::http::server::serve(
            listener,
            router,
            taskql::http::Streams::default(),
            std::future::pending(),
        ));
        let provider = Self { url, answer, fetches };
        provider.publish(keys);
        provider
    }

    fn publish(&self, keys: &[&Key]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        self.change(|answer| answer.body = json!({ "keys": keys }).to_string());
    }

    fn change(&self, change: impl FnOnce(&mut Answer)) {
        change(&mut self.answer.lock().expect("not poisoned"));
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn authenticator(&self, patience: Patience) -> Authenticator {
        let key_set = KeySet::new(self.url.parse().expect("a URL"), patience, None).expect("a client");
        Authenticator::new(Trust { key_set: Some(key_set), ..Trust::default() })
    }
}

#[tokio::test]
async fn every_algorithm_of_the_contract_is_taken() {
    let keys = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
        .map(|algorithm| Key::new(&format!("{algorithm:?}"), algorithm));
    let provider = Provider::start(&keys.iter().collect::<Vec<_>>()).await;
    let authenticator = provider.authenticator(Patience::default());
    for key in &keys {
        let viewer = authenticator.verify(&key.good_token()).await.map(|verified| verified.viewer);
        assert_eq!(viewer.map(|viewer| viewer.id.to_string()), Ok("ada".into()), "{:?}", key.algorithm);
    }
    assert_eq!(provider.fetches(), 1);
    // A key without alg and use says by its type what it is for.
    let mut bare = Key::new("bare", Algorithm::EdDSA);
    bare.public.as_object_mut().expect("an object").retain(|name, _| !matches!(name.as_str(), "alg" | "use"));
    let provider = Provider::start(&[&bare]).await;
    let authenticator = provider.authenticator(Patience::default());
    assert!(authenticator.verify(&bare.good_token()).await.is_ok());
    let without_kid = encode(
        &Header { typ: None, ..Header::new(bare.algorithm) },
        &json!({"sub": "ada", "exp": get_current_timestamp() + 9}),
        &bare.signing,
    );
    assert!(authenticator.verify(&without_kid.expect("it signs")).await.is_ok());
}

#[tokio::test]
async fn the_key_says_which_algorithm_not_the_token() {
    let (rsa, ec) = (Key::new("rsa", Algorithm::RS256), Key::new("ec", Algorithm::ES256));
    let provider = Provider::start(&[&rsa, &ec]).await;
    let authenticator = provider.authenticator(Patience::default());
    let claims = json!({"sub": "ada", "exp": get_current_timestamp() + 600});
    let refused = async |token: String| match authenticator.verify(&token).await {
        Err(TokenError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    };
    // The right key, but for another algorithm than its own.
    let mut header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::PS256) };
    assert_eq!(refused(encode(&header, &claims, &rsa.signing).expect("signs")).await, InvalidToken::Unsupported);
    // HMAC with what anybody can read of the public key.
    header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::HS256) };
    let public = rsa.public["n"].as_str().expect("a modulus").as_bytes();
    assert_eq!(
        refused(encode(&header, &claims, &EncodingKey::from_secret(public)).expect("signs")).await,
        InvalidToken::Unsupported
    );
    // Another's key under a known name.
    let forged = Key::new("ec", Algorithm::ES256);
    assert_eq!(refused(forged.good_token()).await, InvalidToken::Signature);
    // A key in the token's own header is nobody's.
    let header = Header {
        jwk: Some(serde_json::from_value(forged.public.clone()).expect("a key")),
        kid: Some("ec".into()),
        ..Header::new(Algorithm::ES256)
    };
    assert_eq!(refused(encode(&header, &claims, &forged.signing).expect("signs")).await, InvalidToken::Signature);
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_are_passed_over() {
    let mut keys: Vec<Key> = (0..4).map(|n| Key::new(&format!("k{n}"), Algorithm::ES256)).collect();
    keys[0].public["use"] = "enc".into();
    keys[1].public["key_ops"] = json!(["sign"]);
    keys[2].public["alg"] = "ES384".into();
    keys.push(Key::new("good", Algorithm::EdDSA));
    let provider = Provider::start(&keys.iter().collect::<Vec<_>>()).await;
    provider.change(|answer| {
        let mut set: Value = serde_json::from_str(&answer.body).expect("JSON");
        let list = set["keys"].as_array_mut().expect("a list");
        list.push(json!({"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}));
        list.push(json!({"kty": "new", "kid": "of the future"}));
        list.push(json!(7));
        answer.body = set.to_string();
    });
    let authenticator =
        provider.authenticator(Patience { unknown_key: Duration::from_hours(1), ..Patience::default() });
    assert!(authenticator.verify(&keys[4].good_token()).await.is_ok());
    assert!(authenticator.verify(&keys[3].good_token()).await.is_ok());
    for key in &keys[..3] {
        assert!(authenticator.verify(&key.good_token()).await.is_err(), "{}", key.id);
    }
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_the_old_one_still_holds() {
    let (old, new) = (Key::new("old", Algorithm::EdDSA), Key::new("new", Algorithm::EdDSA));
    let provider = Provider::start(&[&old]).await;
    let authenticator = provider.authenticator(Patience::default());
    assert!(authenticator.verify(&old.good_token()).await.is_ok());
    provider.publish(&[&old, &new]);
    assert!(authenticator.verify(&new.good_token()).await.is_ok());
    assert!(authenticator.verify(&old.good_token()).await.is_ok());
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_unknown_keys_make_one_fetch() {
    let known = Key::new("known", Algorithm::EdDSA);
    let provider = Provider::start(&[&known]).await;
    let authenticator = Arc::new(provider.authenticator(Patience::default()));
    assert!(authenticator.verify(&known.good_token()).await.is_ok());
    let tries = (0..1_000).map(|n| {
        let mut key = Header { typ: None, kid: Some(format!("unknown-{n}")), ..Header::new(Algorithm::EdDSA) };
        key.cty = None;
        let token =
            encode(&key, &json!({"sub": "eve", "exp": get_current_timestamp() + 600}), &known.signing).expect("signs");
        let authenticator = Arc::clone(&authenticator);
        tokio::spawn(async move { authenticator.verify(&token).await })
    });
    for outcome in join_all(tries.collect::<Vec<_>>()).await {
        assert_eq!(outcome.expect("ends"), Err(TokenError::Invalid(InvalidToken::UnknownKey)));
    }
    assert_eq!(provider.fetches(), 2, "the first keys, and one look for the unknown ones");
    assert!(authenticator.verify(&known.good_token()).await.is_ok());
}

#[tokio::test]
async fn the_last_good_keys_serve_while_the_provider_is_away() {
    let key = Key::new("key", Algorithm::ES256);
    let provider = Provider::start(&[&key]).await;
    let patience = Patience {
        fresh: Duration::ZERO,
        retry: Duration::ZERO,
        usable: Duration::from_millis(400),
        ..Patience::default()
    };
    let authenticator = provider.authenticator(patience);
    assert!(authenticator.verify(&key.good_token()).await.is_ok());
    let fetched_at = Instant::now();
    for broken in [
        Answer { status: 500, body: "{}".into(), delay: Duration::ZERO },
        Answer { status: 200, body: "no JSON".into(), delay: Duration::ZERO },
        Answer { status: 200, body: json!({"keys": "none"}).to_string(), delay: Duration::ZERO },
        Answer { status: 200, body: " ".repeat(300_000), delay: Duration::ZERO },
        Answer { status: 302, body: String::new(), delay: Duration::ZERO },
    ] {
        provider.change(|answer| *answer = broken.clone());
        let before = provider.fetches();
        assert!(authenticator.verify(&key.good_token()).await.is_ok());
        while provider.fetches() == before {
            tokio::task::yield_now().await;
        }
    }
    // Whether a key that is not there yet is a good one cannot be told now.
    let new = Key::new("new", Algorithm::ES256);
    assert!(matches!(authenticator.verify(&new.good_token()).await, Err(TokenError::Unavailable(_))));
    tokio::time::sleep_until((fetched_at + Duration::from_millis(450)).into()).await;
    assert!(matches!(authenticator.verify(&key.good_token()).await, Err(TokenError::Unavailable(_))));
    provider.change(|answer| answer.status = 200);
    provider.publish(&[&key]);
    assert!(authenticator.verify(&key.good_token()).await.is_ok());
}

#[tokio::test]
async fn a_slow_provider_delays_nobody_whose_key_is_known() {
    let key = Key::new("key", Algorithm::ES256);
    let provider = Provider::start(&[&key]).await;
    let authenticator = provider.authenticator(Patience {
        fresh: Duration::ZERO,
        timeout: Duration::from_millis(300),
        ..Patience::default()
    });
    assert!(authenticator.verify(&key.good_token()).await.is_ok());
    provider.change(|answer| answer.delay = Duration::from_mins(1));
    let began = Instant::now();
    for _ in 0..50 {
        assert!(authenticator.verify(&key.good_token()).await.is_ok());
    }
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    // One that never had keys says so once its patience is over.
    let fresh = provider.authenticator(Patience { timeout: Duration::from_millis(200), ..Patience::default() });
    assert!(matches!(fresh.verify(&key.good_token()).await, Err(TokenError::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn with_a_secret_too_each_token_goes_by_its_own() {
    let key = Key::new("key", Algorithm::ES256);
    let provider = Provider::start(&[&key]).await;
    let key_set = KeySet::new(provider.url.parse().expect("a URL"), Patience::default(), None).expect("a client");
    let trust = Trust { secrets: vec![crate::support::SECRET.to_vec()], key_set: Some(key_set), ..Trust::default() };
    let authenticator = Authenticator::new(trust);
    assert!(authenticator.verify(&crate::support::token("ada")).await.is_ok());
    assert_eq!(provider.fetches(), 0);
    assert!(authenticator.verify(&key.good_token()).await.is_ok());
}
