//! The keys of an identity provider (RFC 7517), fetched from its `jwks_uri`, kept, and refreshed while they serve.

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy, Url};
use tokio::sync::Mutex;
use tracing::Instrument;

use super::error::{InvalidToken, TokenError};
use super::key::Key;

/// Most bytes of a key set.
const MAX_BYTES: usize = 256 * 1024;
/// Most keys of a key set.
const MAX_KEYS: usize = 100;

/// How long keys serve, and how often the provider is asked.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Keys older than this are refreshed while they serve.
    pub fresh: Duration,
    /// Keys older than this no longer serve: the provider has been away for too long.
    pub usable: Duration,
    /// How often a key that is not there makes us ask.
    pub unknown_key: Duration,
    /// How often we ask again after a failure.
    pub retry: Duration,
    /// How long the provider may take.
    pub timeout: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            fresh: Duration::from_mins(10),
            usable: Duration::from_hours(24),
            unknown_key: Duration::from_secs(30),
            retry: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
        }
    }
}

/// An identity provider's keys.
pub struct KeySet {
    url: Url,
    client: Client,
    patience: Patience,
    known: RwLock<Known>,
    /// Held while the provider is asked: one fetch at a time.
    fetching: Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<[Key]>,
    fetched_at: Option<Instant>,
    failed_at: Option<Instant>,
    /// When a key that was not there last made us ask.
    asked_at: Option<Instant>,
}

impl KeySet {
    /// The keys at `url`, not yet fetched, directly or through a proxy.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(url: Url, patience: Patience, proxy: Option<Proxy>) -> Result<Arc<Self>, String> {
        // Where keys come from, and on which way, is a setting; nobody else says.
        let client = Client::builder().redirect(Policy::none()).no_proxy();
        let client = match proxy {
            Some(proxy) => client.proxy(proxy),
            None => client,
        };
        let client = client
            // Fetches are rare, and a kept connection may be closed by the other side at the moment of use.
            .pool_max_idle_per_host(0)
            .timeout(patience.timeout)
            .user_agent(concat!("taskql/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(Self { url, client, patience, known: RwLock::default(), fetching: Mutex::new(()) }))
    }

    /// Fetches the keys ahead of the first token.
    pub async fn prefetch(self: &Arc<Self>) {
        self.refresh(move |known| known.fetched_at.is_none()).await;
    }

    /// The keys that `id` names, or all for `algorithm` where a token names none.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, TokenError> {
        let Patience { fresh, usable, unknown_key, retry, .. } = self.patience;
        let mut known = self.known();
        if is_older(known.fetched_at, usable) {
            self.refresh(move |known| is_older(known.fetched_at, usable) && is_older(known.failed_at, retry)).await;
            known = self.known();
            if is_older(known.fetched_at, usable) {
                return Err(unavailable());
            }
        } else if is_older(known.fetched_at, fresh) && is_older(known.failed_at, retry) {
            let keys = Arc::clone(self);
            tokio::spawn(async move {
                keys.refresh(move |known| is_older(known.fetched_at, fresh) && is_older(known.failed_at, retry)).await;
            });
        }
        match known.find(id, algorithm) {
            Err(InvalidToken::UnknownKey) => {
                // A provider that has changed its key publishes the new one before it signs with it. Nobody waits
                // for a fetch that is not due, but for one that is under way.
                self.refresh(move |known| {
                    let is_due = is_older(known.asked_at, unknown_key);
                    if is_due {
                        known.asked_at = Some(Instant::now());
                    }
                    is_due
                })
                .await;
                let known = self.known();
                match known.find(id, algorithm) {
                    // Whether there is such a key by now cannot be told.
                    Err(InvalidToken::UnknownKey) if known.failed_at.is_some() => Err(unavailable()),
                    found => Ok(found?),
                }
            }
            found => Ok(found?),
        }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the provider, in a task of its own: a caller that goes away must not take the fetch along.
    async fn refresh(self: &Arc<Self>, is_due: impl FnOnce(&mut Known) -> bool + Send + 'static) {
        let keys = Arc::clone(self);
        let asking = async move { keys.ask(is_due).await };
        if let Err(error) = tokio::spawn(asking.in_current_span()).await {
            tracing::error!(%error, "the fetch of the identity provider's keys ended");
        }
    }

    /// Asks the provider, if that is still due once those who asked before are through.
    async fn ask(&self, is_due: impl FnOnce(&mut Known) -> bool) {
        let _turn = self.fetching.lock().await;
        if !is_due(&mut self.known.write().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let fetched = self.fetch().await;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "fetched the identity provider's keys");
                known.keys = keys.into();
                known.fetched_at = Some(Instant::now());
                known.failed_at = None;
            }
            Err(cause) => {
                tracing::warn!(cause, "the identity provider's keys could not be fetched");
                known.failed_at = Some(Instant::now());
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let mut response = self.client.get(self.url.clone()).send().await.map_err(chain)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(chain)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!("more than {MAX_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        parse(&body)
    }
}

fn unavailable() -> TokenError {
    TokenError::Unavailable("the identity provider's keys could not be fetched".into())
}

fn is_older(at: Option<Instant>, than: Duration) -> bool {
    at.is_none_or(|at| at.elapsed() > than)
}

impl Known {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<DecodingKey>, InvalidToken> {
        let named: Vec<&Key> = self.keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id).collect();
        let is_known = id.is_some() && !named.is_empty();
        let fitting = named.into_iter().filter(|key| key.algorithms.contains(&algorithm));
        let fitting: Vec<_> = fitting.map(|key| key.decoding.clone()).collect();
        match fitting.is_empty() {
            false => Ok(fitting),
            true if is_known => Err(InvalidToken::Unsupported),
            true => Err(InvalidToken::UnknownKey),
        }
    }
}

/// Reads a key set. Keys that are for something else are passed over; what is wrong with others is logged.
fn parse(body: &[u8]) -> Result<Vec<Key>, String> {
    let set: serde_json::Value = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let all = set["keys"].as_array().ok_or("not a key set: it has no list 'keys'")?;
    if all.len() > MAX_KEYS {
        let (keys, limit) = (all.len(), MAX_KEYS);
        tracing::warn!(keys, limit, "the identity provider has more keys than are read; the rest is passed over");
    }
    let mut keys = Vec::new();
    for json in all.iter().take(MAX_KEYS) {
        match Key::parse(json) {
            Ok(key) => keys.extend(key),
            Err(reason) => {
                let kid = json["kid"].as_str().unwrap_or_default();
                tracing::warn!(kid, reason, "a key of the identity provider cannot be used");
            }
        }
    }
    // With nothing in it nobody could sign in; the provider is more likely broken than without keys.
    if keys.is_empty() { Err(format!("none of the {} keys can be used", all.len())) } else { Ok(keys) }
}

/// What an error says, and what the errors behind it say, without the URL, which may hold a password.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
