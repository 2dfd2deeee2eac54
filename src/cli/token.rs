//! `taskql token`.

use std::path::Path;
use std::time::Duration;

use super::Failure;
use crate::auth::{TokenClaims, development, sign};
use crate::config::{ConfigError, Secret, Source, Tokens};
use crate::domain::UserId;

/// Prints a token, alone on its line.
pub(super) fn run(source: &Source, claims: TokenClaims<'_>) -> Result<(), Failure> {
    let tokens = Tokens::new(source)?;
    if UserId::new(claims.sub).is_none() {
        let bytes = claims.sub.len();
        let what = format!("has {bytes} bytes; a user's id has 1 to {}, none of them NUL", UserId::MAX_BYTES);
        return Err(ConfigError::new("--sub", what).into());
    }
    let is_new = tokens.are_of_development() && !Path::new(development::SECRET_FILE).exists();
    let secret = secret(&tokens)?;
    if is_new {
        eprintln!(
            "taskql: there was no development secret in this folder; a new one was made, and only servers started here accept this token"
        );
    }
    println!("{}", sign_for(&tokens, &secret, claims));
    Ok(())
}

/// A token that a server with these settings takes.
pub(super) fn sign_for(tokens: &Tokens, secret: &[u8], claims: TokenClaims<'_>) -> String {
    let (issuer, audience) = (tokens.issuers.first(), tokens.audiences.first());
    let (issuer, audience) = (issuer.map(String::as_str), audience.map(String::as_str));
    sign(secret, &TokenClaims { issuer, audience, user_claim: Some(&tokens.user_claim), ..claims })
}

/// The secret that signs and checks tokens.
pub(super) fn secret(tokens: &Tokens) -> Result<Vec<u8>, Failure> {
    match &tokens.secret {
        None => {
            let what = "missing; the tokens of TASKQL_JWKS_URL are signed by its provider, not here";
            Err(ConfigError::new("TASKQL_JWT_SECRET", what).into())
        }
        Some(Secret::Configured(secret)) => Ok(secret.clone()),
        Some(Secret::Development) => {
            development::secret(Path::new(".")).map_err(|what| ConfigError::new(development::SECRET_FILE, what).into())
        }
    }
}

/// Reads a time such as 90s, 15m, 24h or 30d.
pub(super) fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a time such as 90s, 15m, 24h or 30d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(parse_ttl("24h"), Ok(Duration::from_hours(24)));
        assert_eq!(parse_ttl("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "h", "24", "1.5h", "-1h", "24 h", "ü", "1ü", "99999999999d"] {
            assert!(parse_ttl(bad).is_err(), "{bad}");
        }
    }
}
