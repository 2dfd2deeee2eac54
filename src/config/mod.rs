//! The settings: read from flags, the environment and a `.env` file, in this order, and checked before anything starts.
//! This is the only place that reads the environment.

mod database_url;
mod dotenv;
mod origin;
mod parse;
mod settings;
mod variables;

use clap::ArgMatches;
use reqwest::{NoProxy, Proxy, Url};

pub use origin::Origin;
pub use settings::Settings;
pub use variables::Variables;

use crate::telemetry;

/// OpenTelemetry's own variable for where traces go.
pub const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The variables that have no flag, since flags can be read by others on the machine; with what they mean. Each can be
/// given in a file, which `NAME_FILE` names.
pub const PRIVATE_VARIABLES: [(&str, &str); 4] = [
    (
        "DATABASE_URL",
        "sqlite:PATH (made if missing), sqlite::memory:, or postgres://USER:PASSWORD@HOST/DATABASE [default: sqlite:taskql.db]",
    ),
    ("TASKQL_JWT_SECRET", "The HS256 secret that signs tokens, 32 bytes or more"),
    ("TASKQL_JWT_PREVIOUS_SECRET", "A secret that still verifies tokens and signs none, while secrets are changed"),
    ("BETTER_AUTH_SECRET", "Serves as the secret where neither TASKQL_JWT_SECRET nor TASKQL_JWKS_URL is set"),
];

const DEFAULT_DATABASE_URL: &str = "sqlite:taskql.db";

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

    /// An error about a value that is no text.
    fn not_text(setting: &str) -> Self {
        Self::new(setting, "is not UTF-8 text")
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Where the values of a command come from: what can be said with flags is checked, the rest is looked up when it is
/// needed.
pub struct Source {
    /// The settings that have flags.
    pub settings: Settings,
    /// The environment and `.env`.
    pub variables: Variables,
}

impl Source {
    /// Takes the flags, the environment and `.env`, in this order.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn read(flags: &ArgMatches) -> Result<Self, ConfigError> {
        Self::of(flags, Variables::read()?)
    }

    fn of(flags: &ArgMatches, variables: Variables) -> Result<Self, ConfigError> {
        Ok(Self { settings: Settings::read(flags, &variables)?, variables })
    }

    /// What to log, and how, and where to send traces.
    ///
    /// # Errors
    /// An address that is no text.
    pub fn telemetry(&self) -> Result<telemetry::Settings, ConfigError> {
        let (filter, format) = (self.settings.log.clone(), self.settings.log_format);
        Ok(telemetry::Settings { filter, format, otlp_endpoint: self.variables.get(OTLP_ENDPOINT)? })
    }

    /// The database that the settings name.
    ///
    /// # Errors
    /// One that can never work.
    pub fn database_url(&self) -> Result<String, ConfigError> {
        let url = self.variables.get_or_read("DATABASE_URL")?;
        let url = url.unwrap_or_else(|| DEFAULT_DATABASE_URL.to_owned());
        database_url::check(&url).map_err(|reason| ConfigError::new("DATABASE_URL", reason))?;
        Ok(url)
    }
}

/// What a server runs with.
pub struct Config {
    /// What is settled by a setting alone.
    pub settings: Settings,
    /// `sqlite:…` or `postgres://…`.
    pub database_url: String,
    /// How tokens are checked.
    pub tokens: Tokens,
    /// Whether the GraphiQL page is served.
    pub graphiql: bool,
    /// Whether the task application is served, by a build that has it.
    pub task_app: bool,
}

/// How tokens are checked.
#[derive(Clone)]
pub struct Tokens {
    /// The secret that signs them; none where an identity provider alone does.
    pub secret: Option<Secret>,
    /// A secret that signed them before, and still verifies them.
    pub previous_secret: Option<Vec<u8>>,
    /// The identity provider's key set.
    pub key_set: Option<Url>,
    /// The way to the provider, where it is not direct.
    pub proxy: Option<Proxy>,
    /// The issuers, of which each must have one, where there are any.
    pub issuers: Vec<String>,
    /// The same for audiences.
    pub audiences: Vec<String>,
    /// The claim that says who the user is.
    pub user_claim: String,
}

/// Where the secret comes from.
#[derive(Clone)]
pub enum Secret {
    /// The settings.
    Configured(Vec<u8>),
    /// Development mode: made once and kept in the working directory.
    Development,
}

impl Config {
    /// Checks all settings of a server.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn new(source: &Source) -> Result<Self, ConfigError> {
        let tokens = Tokens::of_server(source)?;
        let settings = source.settings.clone();
        if settings.graphiql == Some(true) && settings.trusted_documents.is_some() {
            let what = "true, and TASKQL_TRUSTED_DOCUMENTS lets none of its documents run; leave one of the two out";
            return Err(ConfigError::new("TASKQL_GRAPHIQL", what));
        }
        let runs_any_document = settings.trusted_documents.is_none();
        let graphiql = settings.graphiql.unwrap_or(tokens.are_of_development() && runs_any_document);
        let task_app = tokens.are_of_development() && runs_any_document;
        Ok(Self { database_url: source.database_url()?, graphiql, task_app, tokens, settings })
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
    pub fn new(source: &Source) -> Result<Self, ConfigError> {
        let (settings, variables) = (&source.settings, &source.variables);
        let key_set = settings.jwks_url.clone();
        let configured = match secret(variables, "TASKQL_JWT_SECRET")? {
            // Better Auth's stands in for ours where there is no key set either.
            None if key_set.is_none() => secret(variables, "BETTER_AUTH_SECRET")?,
            configured => configured,
        };
        let previous_secret = secret(variables, "TASKQL_JWT_PREVIOUS_SECRET")?;
        let secret = match configured {
            Some(secret) => Some(Secret::Configured(secret)),
            None => key_set.is_none().then_some(Secret::Development),
        };
        if matches!(secret, Some(Secret::Development)) {
            if previous_secret.is_some() {
                let what = "set, but nothing signs new tokens; set TASKQL_JWT_SECRET or TASKQL_JWKS_URL too";
                return Err(ConfigError::new("TASKQL_JWT_PREVIOUS_SECRET", what));
            }
            if !settings.dev {
                let reason = format!("missing, and TASKQL_DEV is false; {SECRET_ADVICE}");
                return Err(ConfigError::new("TASKQL_JWT_SECRET", reason));
            }
        }
        let proxy = if key_set.is_some() { proxy(variables)? } else { None };
        let (issuers, audiences) = (settings.jwt_issuer.clone(), settings.jwt_audience.clone());
        let user_claim = settings.jwt_user_claim.clone();
        Ok(Self { secret, previous_secret, key_set, proxy, issuers, audiences, user_claim })
    }

    /// Whether nobody but development mode signs them.
    #[must_use]
    pub fn are_of_development(&self) -> bool {
        matches!(self.secret, Some(Secret::Development))
    }

    /// How a server checks tokens. Development mode needs a loopback address.
    fn of_server(source: &Source) -> Result<Self, ConfigError> {
        let (tokens, address) = (Self::new(source)?, source.settings.listen);
        if tokens.are_of_development() && !address.ip().is_loopback() {
            let reason = format!("missing, and {address} can be reached from other machines; {SECRET_ADVICE}");
            return Err(ConfigError::new("TASKQL_JWT_SECRET", reason));
        }
        Ok(tokens)
    }
}

/// A secret of HS256.
fn secret(variables: &Variables, name: &str) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(secret) = variables.get_or_read(name)? else { return Ok(None) };
    if secret.len() < MIN_SECRET_BYTES {
        let reason = format!(
            "has {} bytes, an HS256 secret needs {MIN_SECRET_BYTES} or more; 'openssl rand -base64 48' makes one",
            secret.len()
        );
        return Err(ConfigError::new(name, reason));
    }
    Ok(Some(secret.into_bytes()))
}

/// The proxy that other programs use too, by the variables that they look at.
fn proxy(variables: &Variables) -> Result<Option<Proxy>, ConfigError> {
    let either = |upper: &'static str, lower: &'static str| {
        let of = |name: &'static str| Ok(variables.get(name)?.map(|text| (name, text)));
        of(upper)?.map_or_else(|| of(lower), |found| Ok(Some(found)))
    };
    let Some((name, url)) = either("HTTPS_PROXY", "https_proxy")? else { return Ok(None) };
    let proxy = parse::proxy(&url).map_err(|reason| ConfigError::new(name, reason))?;
    let direct = either("NO_PROXY", "no_proxy")?.and_then(|(_, hosts)| NoProxy::from_string(&hosts));
    Ok(Some(proxy.no_proxy(direct)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let none = Settings::flags(clap::Command::new("taskql")).get_matches_from(["taskql"]);
        let source = Source::of(&none, Variables::of(variables));
        source.and_then(|source| Config::new(&source)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_is_development_mode_on_sqlite() {
        let config = read(&[]).expect("defaults are good");
        assert!(config.is_development() && config.graphiql && config.settings.introspection && config.settings.migrate);
        assert_eq!(config.database_url, "sqlite:taskql.db");
        assert_eq!(config.settings.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.settings.pool_size, 10);
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
        let error = read(&[("TASKQL_LISTEN", "0.0.0.0:8000")]).err().expect("refused");
        assert!(error.starts_with("TASKQL_JWT_SECRET: missing"), "{error}");
        assert!(read(&[("TASKQL_DEV", "false")]).is_err());
        assert!(read(&[("TASKQL_LISTEN", "0.0.0.0:0"), ("TASKQL_JWT_SECRET", SECRET)]).is_ok());
        assert!(read(&[("TASKQL_LISTEN", "[::1]:0")]).is_ok_and(|config| config.is_development()));
    }

    #[test]
    fn an_empty_value_counts_as_unset() {
        assert!(
            read(&[("TASKQL_JWT_SECRET", ""), ("TASKQL_POOL_SIZE", "")])
                .is_ok_and(|config| config.settings.pool_size == 10)
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
            (
                "TASKQL_JWT_PREVIOUS_SECRET",
                "A secret that still verifies tokens and signs none, while secrets are changed",
            ),
            ("BETTER_AUTH_SECRET", "short"),
            ("TASKQL_JWT_PREVIOUS_SECRET", "short"),
            ("TASKQL_JWT_ISSUER", ","),
            ("TASKQL_JWT_AUDIENCE", " , "),
            ("TASKQL_JWT_USER_CLAIM", "exp"),
            ("TASKQL_POOL_SIZE", "4294967295"),
            ("TASKQL_TRUSTED_PROXIES", ","),
            ("DATABASE_URL", "mysql://localhost/x"),
        ] {
            let error = read(&[(name, value)]).err().expect("refused");
            assert!(error.starts_with(&format!("{name}: ")) && !error.contains('\n'), "{error}");
        }
    }
}
