//! The settings: one struct is the flags, the variables, the defaults, the help and the values. To add a setting, add a
//! field.

use std::error::Error;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ContextKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use ipnet::IpNet;
use reqwest::Url;
use tracing_subscriber::EnvFilter;

use super::{ConfigError, Origin, Variables, parse};
use crate::telemetry::LogFormat;

/// Several values in one text. By another name, since clap takes a `Vec` for a flag that can be repeated.
type List<T> = Vec<T>;

/// The settings that have a flag and a variable. Those without a flag are in [`super::PRIVATE_VARIABLES`].
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
pub struct Settings {
    /// Where to listen; port 0 takes a free one, and the log says which
    #[arg(long, env = "TASKQL_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000")]
    #[arg(value_parser = parse::address)]
    pub listen: SocketAddr,

    /// Key set of an identity provider (RS256, PS256, ES256, ES384, EdDSA)
    #[arg(long, env = "TASKQL_JWKS_URL", value_name = "URL", value_parser = parse::key_set_url)]
    pub jwks_url: Option<Url>,

    /// Comma-separated issuers; every token must have one of them in its iss claim
    #[arg(long, env = "TASKQL_JWT_ISSUER", value_name = "ISSUERS", default_value = "", hide_default_value = true)]
    #[arg(value_parser = parse::texts)]
    pub jwt_issuer: List<String>,

    /// Comma-separated audiences; every token must have one of them in its aud claim
    #[arg(long, env = "TASKQL_JWT_AUDIENCE", value_name = "AUDIENCES", default_value = "", hide_default_value = true)]
    #[arg(value_parser = parse::texts)]
    pub jwt_audience: List<String>,

    /// The claim that says who the user is, a text of 1 to 255 bytes
    #[arg(long, env = "TASKQL_JWT_USER_CLAIM", value_name = "CLAIM", default_value = "sub")]
    #[arg(value_parser = parse::user_claim)]
    pub jwt_user_claim: String,

    /// Comma-separated origins that browsers may call from, such as https://app.example.com, https://*.example.com (any
    /// subdomain), http://localhost:* (any port) or tauri://localhost
    #[arg(long, env = "TASKQL_CORS_ORIGINS", value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    #[arg(value_parser = parse::origins)]
    pub cors_origins: List<Origin>,

    /// Answer __schema and __type
    #[arg(long, env = "TASKQL_INTROSPECTION", value_name = "BOOL", default_value = "true")]
    #[arg(action = ArgAction::Set, value_parser = parse::boolean)]
    pub introspection: bool,

    /// Serve the GraphiQL page [default: in development mode only]
    #[arg(long, env = "TASKQL_GRAPHIQL", value_name = "BOOL", value_parser = parse::boolean)]
    pub graphiql: Option<bool>,

    /// File or folder of the only documents to run
    #[arg(long, env = "TASKQL_TRUSTED_DOCUMENTS", value_name = "PATH")]
    pub trusted_documents: Option<PathBuf>,

    /// Operations a minute for each user, or for each address without one; 0 for no limit
    #[arg(long, env = "TASKQL_RATE_LIMIT", value_name = "NUMBER", default_value = "600")]
    #[arg(value_parser = parse::count_or_none)]
    pub rate_limit: u32,

    /// Requests worked on at the same time; one more gets 503
    #[arg(long, env = "TASKQL_MAX_IN_FLIGHT", value_name = "NUMBER", default_value = "256")]
    #[arg(value_parser = parse::count)]
    pub max_in_flight: u32,

    /// Tasks that one user may have; 0 for no limit
    #[arg(long, env = "TASKQL_MAX_TASKS", value_name = "NUMBER", default_value = "100000")]
    #[arg(value_parser = parse::count_or_none)]
    pub max_tasks: u32,

    /// Comma-separated networks whose X-Forwarded-For is believed, such as 10.0.0.0/8
    #[arg(
        long,
        env = "TASKQL_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_parser = parse::networks)]
    pub trusted_proxies: List<IpNet>,

    /// Most database connections; SQLite has fewer where there are few cores
    #[arg(long, env = "TASKQL_POOL_SIZE", value_name = "NUMBER", default_value = "10", value_parser = parse::pool_size)]
    pub pool_size: u32,

    /// Bring the database's schema up to date at start
    #[arg(long, env = "TASKQL_MIGRATE", value_name = "BOOL", default_value = "true")]
    #[arg(action = ArgAction::Set, value_parser = parse::boolean)]
    pub migrate: bool,

    /// Allow development mode: on a loopback address and with neither secret nor key set, make a secret
    #[arg(long, env = "TASKQL_DEV", value_name = "BOOL", default_value = "true")]
    #[arg(action = ArgAction::Set, value_parser = parse::boolean)]
    pub dev: bool,

    /// What to log: error, warn, info, debug, trace, or a tracing filter such as taskql=debug
    #[arg(long, env = "TASKQL_LOG", value_name = "FILTER", default_value = "info", value_parser = parse::filter)]
    pub log: EnvFilter,

    /// How to log: text or json
    #[arg(long, env = "TASKQL_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = parse::log_format)]
    pub log_format: LogFormat,
}

impl Settings {
    /// Gives `command` the flags, as texts: what is in force is known only once the variables have been looked at.
    #[must_use]
    pub fn flags(command: Command) -> Command {
        // Clap would print the variables' values with the help.
        Self::augment_args(command)
            .mut_args(|flag| flag.value_parser(clap::value_parser!(OsString)).global(true).hide_env_values(true))
    }

    /// The values: a flag's, else the variable's, else the default; an empty one counts as unset.
    ///
    /// Clap's own `env` knows neither `.env` nor empty values, and checks a variable that a flag has overruled. So the
    /// values in force go to it as flags, and it checks nothing else.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub(super) fn read(matches: &ArgMatches, variables: &Variables) -> Result<Self, ConfigError> {
        let command = Self::augment_args(Command::new("taskql"));
        let mut arguments = vec!["taskql".to_owned()];
        for flag in command.get_arguments() {
            let (id, variable) = (flag.get_id().as_str(), variable_of(flag));
            let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
            let given = matches.get_one::<OsString>(id).filter(|value| is_given && !value.is_empty());
            let value = match given {
                Some(value) => Some(value.to_str().ok_or_else(|| ConfigError::not_text(variable))?.to_owned()),
                None => variables.get(variable)?,
            };
            if let Some(value) = value {
                // It could be more than was meant, such as the lines behind a quote that is closed too late.
                if value.contains(char::is_control) {
                    let what = "has a line break or another control character in it; it should be one line of text";
                    return Err(ConfigError::new(variable, what));
                }
                arguments.push(format!("--{}={value}", flag.get_long().unwrap_or_default()));
            }
        }
        let parsed = command.clone().mut_args(|flag| flag.env(None)).try_get_matches_from(arguments);
        parsed.and_then(|values| Self::from_arg_matches(&values)).map_err(|error| {
            let usage = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
            let is_meant = |flag: &&Arg| flag.get_long().is_some_and(|long| usage.starts_with(&format!("--{long} ")));
            let variable = command.get_arguments().find(is_meant).map_or("settings", variable_of);
            ConfigError::new(variable, error.source().map(ToString::to_string).unwrap_or_default())
        })
    }

    /// The variables of all flags.
    #[must_use]
    pub fn variables() -> Vec<String> {
        Self::augment_args(Command::new("taskql")).get_arguments().map(|flag| variable_of(flag).to_owned()).collect()
    }
}

fn variable_of(flag: &Arg) -> &str {
    flag.get_env().and_then(|name| name.to_str()).unwrap_or_default()
}
