//! A key of a key set (RFC 7517; RFC 7518, section 6): what it is for, and whether it can be used.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// The sizes of RSA keys that aws-lc verifies with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// A key that verifies signatures.
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// What the key is for, by its own word or by its type.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// Reads a key. There is none where it is for something else than what we do; a shared secret has no place in a
    /// public list.
    ///
    /// # Errors
    /// What is wrong with one that is for us. The libraries would only find no signature of it good.
    pub(super) fn parse(json: &Value) -> Result<Option<Self>, String> {
        let text = |name: &str| json[name].as_str();
        let is_to_verify = json["use"].is_null() || text("use") == Some("sig");
        let is_to_verify = is_to_verify && json["key_ops"].as_array().is_none_or(|all| all.contains(&"verify".into()));
        let by_type: &[Algorithm] = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => &[Algorithm::RS256, Algorithm::PS256],
            (Some("EC"), Some("P-256")) => &[Algorithm::ES256],
            (Some("EC"), Some("P-384")) => &[Algorithm::ES384],
            (Some("OKP"), Some("Ed25519")) => &[Algorithm::EdDSA],
            _ => &[],
        };
        let own = text("alg").map(str::parse::<Algorithm>);
        let is_own = |algorithm: &Algorithm| own.as_ref().is_none_or(|own| own.as_ref() == Ok(algorithm));
        let algorithms: Vec<_> = by_type.iter().copied().filter(is_own).collect();
        let Some(algorithm) = algorithms.first().filter(|_| is_to_verify) else { return Ok(None) };
        let bytes = |name| bytes(json, name);
        let decoding = match algorithm {
            Algorithm::ES256 => {
                DecodingKey::from_ec_der(&point(&bytes("x")?, &bytes("y")?, &ECDSA_P256_SHA256_FIXED, 32)?)
            }
            Algorithm::ES384 => {
                DecodingKey::from_ec_der(&point(&bytes("x")?, &bytes("y")?, &ECDSA_P384_SHA384_FIXED, 48)?)
            }
            Algorithm::EdDSA => DecodingKey::from_ed_der(&checked(bytes("x")?, &ED25519)?),
            _ => rsa(&bytes("n")?, &bytes("e")?)?,
        };
        Ok(Some(Self { id: text("kid").map(str::to_owned), algorithms, decoding }))
    }
}

fn bytes(json: &Value, name: &str) -> Result<Vec<u8>, String> {
    let text = json[name].as_str().ok_or_else(|| format!("it has no '{name}'"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its '{name}' is not base64url without padding"))
}

/// An RSA key of a modulus and an exponent, both without zero bytes before them (RFC 7518, section 6.3.1).
fn rsa(n: &[u8], e: &[u8]) -> Result<DecodingKey, String> {
    for (name, number) in [("n", n), ("e", e)] {
        match number.first() {
            None => return Err(format!("its '{name}' is empty")),
            Some(0) => return Err(format!("its '{name}' begins with a zero byte")),
            Some(_) => {}
        }
    }
    let bits = n.len() * 8 - n[0].leading_zeros() as usize;
    if !RSA_BITS.contains(&bits) {
        return Err(format!("it has {bits} bits; an RSA key needs {} to {}", RSA_BITS.start(), RSA_BITS.end()));
    }
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

/// A point of an elliptic curve, in the form of SEC 1, section 2.3.3.
fn point(x: &[u8], y: &[u8], curve: &'static dyn VerificationAlgorithm, bytes: usize) -> Result<Vec<u8>, String> {
    if x.len() != bytes || y.len() != bytes {
        return Err(format!("its 'x' and 'y' have {} and {} bytes; its curve needs {bytes} each", x.len(), y.len()));
    }
    checked([&[4], x, y].concat(), curve)
}

fn checked(key: Vec<u8>, algorithm: &'static dyn VerificationAlgorithm) -> Result<Vec<u8>, String> {
    match ParsedPublicKey::new(algorithm, &key) {
        Ok(_) => Ok(key),
        Err(_) => Err("it is no point of its curve".into()),
    }
}
