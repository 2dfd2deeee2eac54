//! `taskql migrate`.

use super::{Failure, database};
use crate::config::Source;
use crate::database::migrate::{migrate, new_epoch, status};

/// Brings the schema up to date, or only says what is applied.
pub(super) fn run(source: &Source, only_status: bool, wants_new_epoch: bool) -> Result<(), Failure> {
    let mut url = source.database_url()?;
    if only_status && url.starts_with("sqlite:") && !url.contains('?') && !url.contains(":memory:") {
        // To look at a file is not to make it.
        url.push_str("?mode=rw");
    }
    database::runtime()?.block_on(async {
        let db = database::open(&url, 1).await?;
        if only_status {
            let status = status(&db).await.map_err(|e| Failure::database("its schema cannot be read", &e))?;
            for name in &status.applied {
                let note = if status.unknown.contains(name) { " (of a newer taskql)" } else { "" };
                println!("applied  {name}{note}");
            }
            for name in &status.pending {
                println!("pending  {name}");
            }
            return Ok(());
        }
        let before =
            migrate(&db).await.map_err(|e| Failure::database("its schema cannot be brought up to date", &e))?;
        if !before.unknown.is_empty() {
            println!("The database was made by a newer taskql; nothing was changed.");
        } else if before.pending.is_empty() {
            println!("The schema is up to date.");
        } else {
            before.pending.iter().for_each(|name| println!("applied  {name}"));
        }
        if wants_new_epoch {
            new_epoch(&db).await.map_err(|e| Failure::database("it was given no new epoch", &e))?;
            println!("The database has a new epoch: clients load all again.");
        }
        Ok(())
    })
}
