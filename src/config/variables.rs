//! The variables: the environment's, else those of `.env`. An empty one counts as unset.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;

use super::{ConfigError, PRIVATE_VARIABLES, Settings, dotenv};

/// A variable that only the build reads.
const OF_THE_BUILD: &str = "TASKQL_WEB";

/// The texts of the variables, unchecked.
#[derive(Clone, Default)]
pub struct Variables {
    environment: HashMap<OsString, OsString>,
    dotenv: HashMap<String, String>,
}

impl Variables {
    /// Reads the environment, and the `.env` file in the working directory.
    ///
    /// # Errors
    /// A `.env` file that cannot be read.
    pub fn read() -> Result<Self, ConfigError> {
        Ok(Self { environment: std::env::vars_os().collect(), dotenv: read_dotenv()? })
    }

    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { environment, dotenv: HashMap::new() }
    }

    /// The text of a variable.
    ///
    /// # Errors
    /// One that is not UTF-8.
    pub fn get(&self, variable: &str) -> Result<Option<String>, ConfigError> {
        let set = self.environment.get(OsStr::new(variable)).filter(|value| !value.is_empty());
        match set {
            Some(value) => {
                value.to_str().map(|text| Some(text.to_owned())).ok_or_else(|| ConfigError::not_text(variable))
            }
            None => Ok(self.dotenv.get(variable).filter(|text| !text.is_empty()).cloned()),
        }
    }

    /// Variables that begin like ours and are none, most likely misspelt.
    #[must_use]
    pub fn unknown(&self) -> BTreeSet<String> {
        let mut known = Settings::variables();
        known.extend(PRIVATE_VARIABLES.iter().map(|(name, _)| (*name).to_owned()));
        known.push(OF_THE_BUILD.to_owned());
        let names = self.environment.keys().filter_map(|name| name.to_str());
        let names = names.chain(self.dotenv.keys().map(String::as_str)).map(str::to_owned);
        names.filter(|name| name.starts_with("TASKQL_") && !known.contains(name)).collect()
    }
}

fn read_dotenv() -> Result<HashMap<String, String>, ConfigError> {
    let wrong = |what: String| ConfigError::new(".env", what);
    let bytes = match std::fs::read(".env") {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(wrong(format!("cannot be read ({error}); mend or remove it"))),
    };
    let text = String::from_utf8(bytes).map_err(|_| ConfigError::not_text(".env"))?;
    dotenv::parse(&text).map_err(wrong)
}
