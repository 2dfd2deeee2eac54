//! An identity provider whose keys, and answers, a test can change.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use axum::Router;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use taskql::auth::{Authenticator, KeySet, Patience, Trust};
use tokio::net::TcpListener;

/// A provider's key.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) signing: EncodingKey,
    pub(crate) public: Value,
}

impl Key {
    pub(crate) fn new(id: &str, algorithm: Algorithm) -> Self {
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

    pub(crate) fn token(&self, claims: &Value) -> String {
        // As Better Auth has it: no typ.
        let header = Header { typ: None, kid: Some(self.id.clone()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.signing).expect("it signs")
    }

    pub(crate) fn good_token(&self) -> String {
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
pub(crate) struct Provider {
    pub(crate) url: String,
    answer: Arc<Mutex<ProviderAnswer>>,
    fetches: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub(crate) struct ProviderAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) delay: Duration,
}

impl Provider {
    pub(crate) async fn start(keys: &[&Key]) -> Self {
        let answer = Arc::new(Mutex::new(ProviderAnswer { status: 200, body: String::new(), delay: Duration::ZERO }));
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
            taskql::http::Timeouts::default(),
            std::future::pending(),
        ));
        let provider = Self { url, answer, fetches };
        provider.publish(keys);
        provider
    }

    pub(crate) fn publish(&self, keys: &[&Key]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
        self.change(|answer| answer.body = json!({ "keys": keys }).to_string());
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut ProviderAnswer)) {
        change(&mut self.answer.lock().expect("not poisoned"));
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn authenticator(&self, patience: Patience) -> Authenticator {
        let key_set = KeySet::new(self.url.parse().expect("a URL"), patience, None).expect("a client");
        Authenticator::new(Trust { key_set: Some(key_set), ..Trust::default() })
    }
}
