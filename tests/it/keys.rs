//! Identity providers: every algorithm, rotation, outage, slowness, and keys that are none.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use taskql::auth::{Authenticator, InvalidToken, KeySet, Patience, TokenError, Trust};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::{Key, Provider, ProviderAnswer, folder, taskql};

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
async fn of_keys_with_one_name_each_that_fits_is_tried() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let keys = [Key::new("one", algorithm), Key::new("one", algorithm), Key::new("other", algorithm)];
        let provider = Provider::start(&keys.iter().collect::<Vec<_>>()).await;
        let authenticator = provider.authenticator(Patience::default());
        for key in &keys {
            assert!(authenticator.verify(&key.good_token()).await.is_ok());
            let claims = json!({"sub": "ada", "exp": get_current_timestamp() + 9});
            let unnamed = encode(&Header::new(algorithm), &claims, &key.signing).expect("it signs");
            assert!(authenticator.verify(&unnamed).await.is_ok());
        }
        let forged = Key::new("one", algorithm);
        let refused = authenticator.verify(&forged.good_token()).await;
        assert_eq!(refused, Err(TokenError::Invalid(InvalidToken::Signature)));
    }
}

#[tokio::test]
async fn a_set_without_a_key_that_can_be_used_leaves_the_last_good_keys_in_use() {
    let key = Key::new("key", Algorithm::ES256);
    let provider = Provider::start(&[&key]).await;
    let patience = Patience { fresh: Duration::ZERO, retry: Duration::ZERO, ..Patience::default() };
    let authenticator = provider.authenticator(patience);
    assert!(authenticator.verify(&key.good_token()).await.is_ok());
    let mut broken = Key::new("key", Algorithm::ES256);
    broken.public["x"] = "AA".into();
    let mut encryption = Key::new("key", Algorithm::ES256);
    encryption.public["use"] = "enc".into();
    for keys in [&[][..], &[&broken], &[&encryption]] {
        provider.publish(keys);
        for _ in 0..2 {
            let before = provider.fetches();
            assert!(authenticator.verify(&key.good_token()).await.is_ok());
            while provider.fetches() == before {
                tokio::task::yield_now().await;
            }
        }
    }
    // One that never had keys cannot tell a good token from a bad one.
    let fresh = provider.authenticator(Patience::default());
    assert!(matches!(fresh.verify(&key.good_token()).await, Err(TokenError::Unavailable(_))));
    provider.publish(&[&key]);
    let fresh = provider.authenticator(Patience::default());
    assert!(fresh.verify(&key.good_token()).await.is_ok());
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
        ProviderAnswer { status: 500, body: "{}".into(), delay: Duration::ZERO },
        ProviderAnswer { status: 200, body: "no JSON".into(), delay: Duration::ZERO },
        ProviderAnswer { status: 200, body: json!({"keys": "none"}).to_string(), delay: Duration::ZERO },
        ProviderAnswer { status: 200, body: " ".repeat(300_000), delay: Duration::ZERO },
        ProviderAnswer { status: 302, body: String::new(), delay: Duration::ZERO },
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

/// A server whose keys come from `url`, and the first line of its log with `word` in it.
async fn line_of_log(url: &str, variables: &[(&str, &str)], word: &str) -> String {
    let variables = [&[("TASKQL_JWKS_URL", url), ("TASKQL_LISTEN", "127.0.0.1:0")], variables].concat();
    let mut command = taskql(&folder(), &variables);
    let mut server = command.stderr(std::process::Stdio::piped()).spawn().expect("the binary starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped")).lines();
    let find = async {
        loop {
            let line = log.next_line().await.expect("text").expect("it runs");
            if line.contains(word) {
                break line;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), find).await.expect("it is logged")
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_logged() {
    let good = Key::new("good", Algorithm::EdDSA);
    let wrong = |algorithm, member: &str, value: &dyn Fn(&str) -> String| {
        let mut key = Key::new("wrong", algorithm);
        key.public[member] = value(key.public[member].as_str().expect("a text")).into();
        key
    };
    let with_zero = |text: &str| {
        let number = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        URL_SAFE_NO_PAD.encode([&[0], &number[..]].concat())
    };
    let short = |text: &str| URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(text).expect("base64url")[..20]);
    let other = |text: &str| {
        let mut number = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        number[7] ^= 1;
        URL_SAFE_NO_PAD.encode(number)
    };
    for (key, reason) in [
        (wrong(Algorithm::RS256, "n", &|n| format!("{n}==")), "its 'n' is not base64url without padding"),
        (wrong(Algorithm::RS256, "n", &with_zero), "its 'n' begins with a zero byte"),
        (wrong(Algorithm::RS256, "n", &short), "it has 160 bits; an RSA key needs 2048 to 8192"),
        (wrong(Algorithm::RS256, "e", &with_zero), "its 'e' begins with a zero byte"),
        (wrong(Algorithm::PS256, "e", &|_| String::new()), "its 'e' is empty"),
        (wrong(Algorithm::ES256, "x", &|x| format!("{x}=")), "its 'x' is not base64url without padding"),
        (wrong(Algorithm::ES256, "y", &short), "its 'x' and 'y' have 32 and 20 bytes; its curve needs 32 each"),
        (wrong(Algorithm::ES384, "y", &other), "it is no point of its curve"),
        (wrong(Algorithm::EdDSA, "x", &short), "it is no point of its curve"),
    ] {
        let provider = Provider::start(&[&key, &good]).await;
        let line = line_of_log(&provider.url, &[], "a key of the identity provider").await;
        assert!(line.contains(" WARN ") && line.contains("kid=\"wrong\""), "{line}");
        assert!(line.contains(&format!("reason=\"{reason}\"")), "{line}");
        assert!(provider.authenticator(Patience::default()).verify(&good.good_token()).await.is_ok());
    }
    let provider = Provider::start(&[&good; 101]).await;
    let line = line_of_log(&provider.url, &[], "more keys than are read").await;
    assert!(line.contains(" WARN ") && line.contains("keys=101 limit=100"), "{line}");
    let provider = Provider::start(&[]).await;
    let line = line_of_log(&provider.url, &[], "could not be fetched").await;
    assert!(line.contains(" WARN ") && line.contains("none of the 0 keys can be used"), "{line}");
}

#[tokio::test]
async fn why_a_provider_could_not_be_reached_is_logged_without_its_url() {
    // Nobody listens on the port of a listener that is gone.
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let line =
        line_of_log(&format!("https://ada:hunter2@localhost:{}/", free.port()), &[], "could not be fetched").await;
    assert!(line.contains("Connection refused") && !line.contains("hunter2"), "{line}");
    // One that does not speak TLS.
    let provider = Provider::start(&[]).await;
    let line = line_of_log(&provider.url.replace("http://", "https://"), &[], "could not be fetched").await;
    assert!(line.contains("error sending request: ") && line.contains("InvalidContentType"), "{line}");
}

#[tokio::test]
async fn keys_are_fetched_through_the_proxy_unless_their_host_is_left_out() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = proxy.local_addr().expect("an address").to_string();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = proxy.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(client.read_u8().await.expect("a request"));
            }
            hearing.lock().expect("not poisoned").push(String::from_utf8(request).expect("text").to_lowercase());
            client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.expect("written");
        }
    });
    let url = "https://issuer.invalid/jwks";
    for (name, proxy) in [
        ("HTTPS_PROXY", format!("http://ada:hunter2@{address}")),
        ("https_proxy", address.clone()),
        ("HTTPS_PROXY", format!("http://{address}/")),
    ] {
        let line = line_of_log(url, &[(name, &proxy)], "could not be fetched").await;
        assert!(line.contains("tunnel") && !line.contains("hunter2"), "{line}");
        let heard = std::mem::take(&mut *heard.lock().expect("not poisoned"));
        assert!(heard[0].starts_with("connect issuer.invalid:443 http/1.1\r\n"), "{heard:?}");
        assert_eq!(heard[0].contains("proxy-authorization: basic yw"), proxy.contains("hunter2"), "{heard:?}");
    }
    for (name, hosts) in [("NO_PROXY", "issuer.invalid"), ("no_proxy", "example.com, .invalid"), ("NO_PROXY", "*")] {
        line_of_log(url, &[("HTTPS_PROXY", &address), (name, hosts)], "could not be fetched").await;
        assert!(heard.lock().expect("not poisoned").is_empty());
    }
    // Keys of this machine need no proxy.
    let key = Key::new("key", Algorithm::ES256);
    let provider = Provider::start(&[&key]).await;
    line_of_log(&provider.url, &[("HTTPS_PROXY", &address)], "fetched the identity provider's keys").await;
    assert!(heard.lock().expect("not poisoned").is_empty());
}
