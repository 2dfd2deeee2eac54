//! Where a setting's text comes from: a flag, else the environment, else `.env`. An empty text counts as none.

use std::collections::{BTreeSet, HashMap};

use super::settings::{SETTINGS, VARIABLES_WITHOUT_FLAG, default_of};
use super::{ConfigError, parse};
use crate::telemetry;

/// A variable that only the build reads.
const OF_THE_BUILD: &str = "TASKQL_WEB";

/// OpenTelemetry's own variable for where traces go.
pub const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The texts of the settings, unchecked.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// By variable; what goes before comes first.
    layers: [HashMap<String, String>; 3],
}

impl Source {
    /// Takes the flags (by variable), the environment and the `.env` file in the working directory.
    ///
    /// # Errors
    /// A `.env` file that cannot be read.
    pub fn new(flags: HashMap<String, String>) -> Result<Self, ConfigError> {
        Ok(Self { layers: [flags, environment(), dotenv()?] })
    }

    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        let flags = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { layers: [flags, HashMap::new(), HashMap::new()] }
    }

    /// The text of a variable, without its default.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<String> {
        self.layers.iter().find_map(|layer| layer.get(variable).filter(|text| !text.is_empty())).cloned()
    }

    /// The value of a setting that has a default.
    pub(super) fn parse<T>(
        &self,
        variable: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = self.get(variable).or_else(|| default_of(variable).map(str::to_owned)).unwrap_or_default();
        parse(&text).map_err(|reason| ConfigError::new(variable, reason))
    }

    /// The value of a setting that has none.
    pub(super) fn parse_optional<T>(
        &self,
        variable: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let parsed = self.get(variable).map(|text| parse(&text)).transpose();
        parsed.map_err(|reason| ConfigError::new(variable, reason))
    }

    /// What to log, and how, and where to send traces.
    ///
    /// # Errors
    /// A format or filter that there is not.
    pub fn telemetry(&self) -> Result<telemetry::Settings, ConfigError> {
        Ok(telemetry::Settings {
            filter: self.parse("TASKQL_LOG", parse::filter)?,
            format: self.parse("TASKQL_LOG_FORMAT", parse::log_format)?,
            otlp_endpoint: self.get(OTLP_ENDPOINT),
        })
    }

    /// Variables that begin like ours and are none, most likely misspelt.
    #[must_use]
    pub fn unknown(&self) -> BTreeSet<String> {
        let known = |name: &str| {
            name == OF_THE_BUILD
                || SETTINGS.iter().chain(VARIABLES_WITHOUT_FLAG).any(|setting| setting.variable == name)
        };
        let names = self.layers.iter().flat_map(HashMap::keys);
        names.filter(|name| name.starts_with("TASKQL_") && !known(name)).cloned().collect()
    }
}

/// The variables that are text; ours all are.
fn environment() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn dotenv() -> Result<HashMap<String, String>, ConfigError> {
    let unusable = |error: dotenvy::Error| ConfigError::new(".env", format!("cannot be read: {error}"));
    match dotenvy::from_path_iter(".env") {
        Ok(variables) => variables.collect::<Result<_, _>>().map_err(unusable),
        Err(error) if error.not_found() => Ok(HashMap::new()),
        Err(error) => Err(unusable(error)),
    }
}
