//! The table of settings: what `--help` prints, and the defaults.

/// A setting: an environment variable, with a flag of the same name.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The variable.
    pub variable: &'static str,
    /// The value where nothing is said.
    pub default: Option<&'static str>,
    /// What to put there, in a word.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl Setting {
    /// The flag's name, without the dashes before it: `TASKQL_POOL_SIZE` has `pool-size`.
    #[must_use]
    pub fn flag(&self) -> String {
        self.variable.trim_start_matches("TASKQL_").to_ascii_lowercase().replace('_', "-")
    }
}

/// The variables that have no flag, since flags can be read by others on the machine.
pub const VARIABLES_WITHOUT_FLAG: &[Setting] = &[
    Setting {
        variable: "DATABASE_URL",
        default: Some("sqlite:taskql.db"),
        value: "URL",
        help: "sqlite:PATH (made if missing), sqlite::memory:, or postgres://USER:PASSWORD@HOST/DATABASE",
    },
    Setting {
        variable: "TASKQL_JWT_SECRET",
        default: None,
        value: "SECRET",
        help: "the HS256 secret that signs tokens, 32 bytes or more",
    },
    Setting {
        variable: "BETTER_AUTH_SECRET",
        default: None,
        value: "SECRET",
        help: "serves as the secret where neither TASKQL_JWT_SECRET nor TASKQL_JWKS_URL is set",
    },
];

/// The settings that have a flag.
pub const SETTINGS: &[Setting] = &[
    Setting {
        variable: "TASKQL_LISTEN",
        default: Some("127.0.0.1:8000"),
        value: "ADDRESS:PORT",
        help: "Where to listen; port 0 takes a free one, and the log says which",
    },
    Setting {
        variable: "TASKQL_JWKS_URL",
        default: None,
        value: "URL",
        help: "Key set of an identity provider (RS256, PS256, ES256, ES384, EdDSA)",
    },
    Setting {
        variable: "TASKQL_JWT_ISSUER",
        default: None,
        value: "ISSUER",
        help: "The iss claim that every token must have",
    },
    Setting {
        variable: "TASKQL_JWT_AUDIENCE",
        default: None,
        value: "AUDIENCE",
        help: "The aud claim that every token must have",
    },
    Setting {
        variable: "TASKQL_CORS_ORIGINS",
        default: None,
        value: "ORIGINS",
        help: "Comma-separated origins that browsers may call from, such as https://app.example.com",
    },
    Setting {
        variable: "TASKQL_INTROSPECTION",
        default: Some("true"),
        value: "BOOL",
        help: "Answer __schema and __type",
    },
    Setting {
        variable: "TASKQL_GRAPHIQL",
        default: None,
        value: "BOOL",
        help: "Serve the GraphiQL page; without a word, in development mode only",
    },
    Setting {
        variable: "TASKQL_TRUSTED_DOCUMENTS",
        default: None,
        value: "PATH",
        help: "File or folder of the only documents to run",
    },
    Setting {
        variable: "TASKQL_RATE_LIMIT",
        default: Some("600"),
        value: "NUMBER",
        help: "Operations a minute for each user, or address without one; 0 for no limit",
    },
    Setting {
        variable: "TASKQL_MAX_IN_FLIGHT",
        default: Some("256"),
        value: "NUMBER",
        help: "Requests worked on at once; one more gets 503",
    },
    Setting {
        variable: "TASKQL_TRUSTED_PROXIES",
        default: None,
        value: "NETWORKS",
        help: "Comma-separated networks whose X-Forwarded-For is believed, such as 10.0.0.0/8",
    },
    Setting {
        variable: "TASKQL_POOL_SIZE",
        default: Some("10"),
        value: "NUMBER",
        help: "Most database connections; SQLite has fewer where there are few cores",
    },
    Setting {
        variable: "TASKQL_MIGRATE",
        default: Some("true"),
        value: "BOOL",
        help: "Bring the database's schema up to date at start",
    },
    Setting {
        variable: "TASKQL_DEV",
        default: Some("true"),
        value: "BOOL",
        help: "Allow development mode: with neither secret nor key set, on a loopback address, a secret of our own",
    },
    Setting {
        variable: "TASKQL_LOG",
        default: Some("info"),
        value: "FILTER",
        help: "What to log: error, warn, info, debug, trace, or a tracing filter such as taskql=debug",
    },
    Setting { variable: "TASKQL_LOG_FORMAT", default: Some("text"), value: "FORMAT", help: "How to log: text or json" },
];

/// The default of a variable.
pub(super) fn default_of(variable: &str) -> Option<&'static str> {
    VARIABLES_WITHOUT_FLAG.iter().chain(SETTINGS).find(|setting| setting.variable == variable)?.default
}
