//! The variables: the environment's, else those of `.env`. An empty one counts as unset.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read};

use super::{ConfigError, PRIVATE_VARIABLES, dotenv};

/// A variable that only the build reads.
const OF_THE_BUILD: &str = "TASKQL_WEB";

/// What the name of a variable that names a file has at its end.
const FILE: &str = "_FILE";
/// Most bytes of such a file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

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

    /// The text of a variable that can also be given in a file, which `NAME_FILE` names.
    ///
    /// # Errors
    /// One that is not UTF-8, both at the same time, a file that cannot be read. No error has a path in it: it may be
    /// the secret itself, put into the wrong variable.
    pub fn get_or_read(&self, variable: &str) -> Result<Option<String>, ConfigError> {
        let by_file = format!("{variable}{FILE}");
        let wrong = |what: String| Err(ConfigError::new(&by_file, what));
        let Some(path) = self.get(&by_file)? else { return self.get(variable) };
        if self.get(variable)?.is_some() {
            return wrong(format!("set together with {variable}; set one of the two"));
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            return wrong(format!("the file cannot be read ({error}); check the path and who may read it"));
        }
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return wrong(format!("the file has more than {MAX_FILE_BYTES} bytes; it should hold the value alone"));
        }
        let text = String::from_utf8(bytes).map_err(|_| ConfigError::not_text(&by_file))?;
        let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            wrong("the file is empty; it should hold the value".into())
        } else {
            Ok(Some(text.into()))
        }
    }

    /// Variables that begin like ours and are none, most likely misspelt. `known` are those that have a flag.
    #[must_use]
    pub fn unknown(&self, mut known: Vec<String>) -> BTreeSet<String> {
        known.extend(PRIVATE_VARIABLES.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("{name}{FILE}")]));
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
