//! The settings: read from flags, the environment and a `.env` file, in this order, and checked before anything starts.
//! This is the only place that reads the environment.

mod parse;
mod settings;
mod source;

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use reqwest::Url;

pub use settings::{SETTINGS, Setting, VARIABLES_WITHOUT_FLAG};
pub use source::{OTLP_ENDPOINT, Source};

/// Fewest bytes of an HS256 secret (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// What to do without a secret.
const SECRET_ADVICE: &str = "set it to what 'openssl rand -base64 48' prints, or set TASKQL_JWKS_URL";

/// A setting that cannot be used. Its text is one line: the setting, what is wrong with it, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    /// An error about `setting`.
    pub fn new(setting: &str, what: impl std::fmt::Display) -> Self {
        Self(format!("{setting}: {what}"))
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// What a server runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:…` or `postgres://…`.
    pub database_url: String,
    /// Most database connections.
    pub pool_size: u32,
    /// Whether the schema is brought up to date at start.
    pub migrate: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How tokens are checked.
    pub tokens: Tokens,
    /// Origins that browsers may call from, in lower case.
    pub cors_origins: Vec<String>,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether the GraphiQL page is served.
    pub graphiql: bool,
    /// The only documents to run.
    pub trusted_documents: Option<PathBuf>,
    /// Operations a minute for each user or address; 0 for no limit.
    pub rate_limit: u32,
    /// Requests worked on at once.
    pub max_in_flight: u32,
    /// Networks whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// How tokens are checked.
#[derive(Clone)]
pub struct Tokens {
    /// The secret that signs them; none where an identity provider alone does.
    pub secret: Option<Secret>,
    /// The identity provider's key set.
    pub key_set: Option<Url>,
    /// The `iss` that each must have.
    pub issuer: Option<String>,
    /// The `aud` that each must have.
    pub audience: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("key_set", &self.key_set)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// Where the secret comes from.
#[derive(Clone)]
pub enum Secret {
    /// The settings.
    Configured(Vec<u8>),
    /// Development mode: made once and kept beside the database.
    Development,
}

impl Config {
    /// Checks all settings of a server.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        let listen = source.parse("TASKQL_LISTEN", parse::address)?;
        let tokens = Tokens::read_for(source, listen)?;
        let is_development = tokens.are_of_development();
        Ok(Self {
            database_url: database_url(source)?,
            pool_size: source.parse("TASKQL_POOL_SIZE", parse::count)?,
            migrate: source.parse("TASKQL_MIGRATE", parse::boolean)?,
            listen,
            tokens,
            cors_origins: source.parse_optional("TASKQL_CORS_ORIGINS", parse::origins)?.unwrap_or_default(),
            introspection: source.parse("TASKQL_INTROSPECTION", parse::boolean)?,
            graphiql: source.parse_optional("TASKQL_GRAPHIQL", parse::boolean)?.unwrap_or(is_development),
            trusted_documents: source.get("TASKQL_TRUSTED_DOCUMENTS").map(PathBuf::from),
            rate_limit: source.parse("TASKQL_RATE_LIMIT", parse::count_or_none)?,
            max_in_flight: source.parse("TASKQL_MAX_IN_FLIGHT", parse::count)?,
            trusted_proxies: source.parse_optional("TASKQL_TRUSTED_PROXIES", parse::networks)?.unwrap_or_default(),
        })
    }

    /// Whether this is development mode.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.tokens.are_of_development()
    }
}

impl Tokens {
    /// How `taskql token` signs: with the configured secret, else as development mode does where that is allowed.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        let may_develop = source.parse("TASKQL_DEV", parse::boolean)?;
        let key_set = source.parse_optional("TASKQL_JWKS_URL", parse::key_set_url)?;
        let secret = match secret(source, key_set.is_some())? {
            Some(secret) => Some(Secret::Configured(secret)),
            None => key_set.is_none().then_some(Secret::Development),
        };
        if matches!(secret, Some(Secret::Development)) && !may_develop {
            return Err(ConfigError::new(
                "TASKQL_JWT_SECRET",
                format!("missing, and TASKQL_DEV is false; {SECRET_ADVICE}"),
            ));
        }
        Ok(Self {
            secret,
            key_set,
            issuer: source.get("TASKQL_JWT_ISSUER"),
            audience: source.get("TASKQL_JWT_AUDIENCE"),
        })
    }

    /// Whether nobody but development mode signs them.
    fn are_of_development(&self) -> bool {
        matches!(self.secret, Some(Secret::Development))
    }

    /// How a server that listens on `address` checks tokens. Development mode needs a loopback address.
    fn read_for(source: &Source, address: SocketAddr) -> Result<Self, ConfigError> {
        let tokens = Self::read(source)?;
        if tokens.are_of_development() && !address.ip().is_loopback() {
            let reason = format!("missing, and {address} can be reached from other machines; {SECRET_ADVICE}");
            return Err(ConfigError::new("TASKQL_JWT_SECRET", reason));
        }
        Ok(tokens)
    }
}

/// The database that the settings name.
///
/// # Errors
/// Where it is neither SQLite's nor PostgreSQL's.
pub fn database_url(source: &Source) -> Result<String, ConfigError> {
    source.parse("DATABASE_URL", parse::database_url)
}

/// The configured secret. Better Auth's stands in for ours where there is no key set either.
fn secret(source: &Source, has_key_set: bool) -> Result<Option<Vec<u8>>, ConfigError> {
    let names = if has_key_set { &["TASKQL_JWT_SECRET"][..] } else { &["TASKQL_JWT_SECRET", "BETTER_AUTH_SECRET"] };
    for name in names {
        let Some(secret) = source.get(name) else { continue };
        if secret.len() < MIN_SECRET_BYTES {
            let reason = format!(
                "has {} bytes, an HS256 secret needs {MIN_SECRET_BYTES} or more; 'openssl rand -base64 48' makes one",
                secret.len()
            );
            return Err(ConfigError::new(name, reason));
        }
        return Ok(Some(secret.into_bytes()));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(&Source::of(variables)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_is_development_mode_on_sqlite() {
        let config = read(&[]).expect("defaults are good");
        assert!(config.is_development() && config.graphiql && config.introspection && config.migrate);
        assert_eq!(config.database_url, "sqlite:taskql.db");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.pool_size, 10);
    }

    #[test]
    fn a_secret_ends_development_mode() {
        let config = read(&[("TASKQL_JWT_SECRET", SECRET)]).expect("good");
        assert!(!config.is_development() && !config.graphiql);
        assert!(read(&[("BETTER_AUTH_SECRET", SECRET)]).is_ok_and(|config| !config.is_development()));
    }

    #[test]
    fn a_key_set_ends_development_mode_and_needs_no_secret() {
        let url = ("TASKQL_JWKS_URL", "https://issuer.example/jwks");
        let config = read(&[url, ("TASKQL_LISTEN", "0.0.0.0:0"), ("BETTER_AUTH_SECRET", SECRET)]).expect("good");
        assert!(!config.is_development() && config.tokens.secret.is_none());
        assert!(read(&[url, ("TASKQL_JWT_SECRET", SECRET)]).is_ok_and(|config| config.tokens.secret.is_some()));
        assert!(read(&[("TASKQL_JWKS_URL", "http://localhost:3000/api/auth/jwks")]).is_ok());
    }

    #[test]
    fn without_a_secret_only_loopback_is_served() {
        let error = read(&[("TASKQL_LISTEN", "0.0.0.0:8000")]).expect_err("refused");
        assert!(error.starts_with("TASKQL_JWT_SECRET: missing"), "{error}");
        assert!(read(&[("TASKQL_DEV", "false")]).is_err());
        assert!(read(&[("TASKQL_LISTEN", "0.0.0.0:0"), ("TASKQL_JWT_SECRET", SECRET)]).is_ok());
        assert!(read(&[("TASKQL_LISTEN", "[::1]:0")]).is_ok_and(|config| config.is_development()));
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        assert!(
            read(&[("TASKQL_JWT_SECRET", ""), ("TASKQL_POOL_SIZE", "")]).is_ok_and(|config| config.pool_size == 10)
        );
    }

    #[test]
    fn every_bad_setting_is_named_in_one_line() {
        for (name, value) in [
            ("TASKQL_LISTEN", "8000"),
            ("TASKQL_POOL_SIZE", "0"),
            ("TASKQL_POOL_SIZE", "many"),
            ("TASKQL_MIGRATE", "perhaps"),
            ("TASKQL_INTROSPECTION", "2"),
            ("TASKQL_CORS_ORIGINS", "app.example.com"),
            ("TASKQL_CORS_ORIGINS", "https://a.example, https://b.example/path"),
            ("TASKQL_RATE_LIMIT", "-1"),
            ("TASKQL_MAX_IN_FLIGHT", "0"),
            ("TASKQL_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("TASKQL_JWKS_URL", "http://issuer.example/jwks"),
            ("TASKQL_JWKS_URL", "issuer"),
            ("TASKQL_JWT_SECRET", "short"),
            ("BETTER_AUTH_SECRET", "short"),
            ("DATABASE_URL", "mysql://localhost/x"),
        ] {
            let error = read(&[(name, value)]).expect_err("refused");
            assert!(error.starts_with(&format!("{name}: ")) && !error.contains('\n'), "{error}");
        }
    }
}
