//! The commands: what each says and how it ends. The only place that prints.

mod arguments;
mod database;
mod health;
mod migrate;
mod schema;
mod serve;
mod token;

use std::process::ExitCode;

use arguments::Command;

use crate::auth::TokenClaims;
use crate::config::{ConfigError, OTLP_ENDPOINT, Settings, Source};
use crate::database::Error;
use crate::telemetry;

/// Why a command did not do its work.
enum Failure {
    /// A setting that cannot be used: exit code 2.
    Setting(ConfigError),
    /// Anything else: exit code 1.
    Other(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Setting(error)
    }
}

impl Failure {
    /// A failure of the database, with its cause: the one who starts the server may know it.
    fn database(what: &str, error: &Error) -> Self {
        Self::Other(format!("DATABASE_URL: {what}: {}", cause(error)))
    }
}

/// What the database said.
fn cause(error: &Error) -> &str {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => cause,
    }
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Setting(error)) => fail(&error.to_string(), 2),
        Err(Failure::Other(message)) => fail(&message, 1),
    }
}

fn command() -> Result<(), Failure> {
    let (command, flags) = arguments::read()?;
    let source = Source::read(&flags)?;
    let traces = telemetry::start(source.telemetry()?);
    let _sent_at_the_end = traces.map_err(|error| ConfigError::new(OTLP_ENDPOINT, error))?;
    for variable in source.variables.unknown(Settings::variables()) {
        tracing::warn!(variable, "this variable is no setting of taskql; see taskql --help");
    }
    match command {
        Command::Serve => serve::run(&source),
        Command::Migrate { status, new_epoch } => migrate::run(&source, status, new_epoch),
        Command::Token { sub, email, name, ttl } => {
            let (email, name) = (email.as_deref(), name.as_deref());
            token::run(&source, TokenClaims { sub: &sub, email, name, ttl, ..TokenClaims::default() })
        }
        Command::Health => health::run(&source),
        Command::Schema => {
            schema::run();
            Ok(())
        }
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("taskql: {}", message.lines().collect::<Vec<_>>().join(" "));
    ExitCode::from(code)
}
