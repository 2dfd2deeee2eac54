//! Opening the database for a command.

use sea_orm::DatabaseConnection;
use tokio::runtime::Runtime;

use super::Failure;
use crate::config::ConfigError;
use crate::database::connect::connect;

/// The runtime that a command works in.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::Other(format!("no threads can be started: {error}")))
}

/// Opens the database that `url` names.
pub(super) async fn open(url: &str, pool_size: u32) -> Result<DatabaseConnection, Failure> {
    connect(url, pool_size).await.map_err(|error| {
        let cause = super::cause(&error);
        let what =
            format!("the database cannot be opened ({cause}); check the path or address, and that it can be reached");
        ConfigError::new("DATABASE_URL", what).into()
    })
}
