//! Opening the database: what the pool and each connection are set to, and why.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Executor};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use tokio::time::sleep;

use super::Error;

/// How long a request waits for a connection.
const ACQUIRE_WAIT: Duration = Duration::from_secs(1);
/// How long a statement may take, a wait for a lock included.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared: lists come in some dozen forms, for each set of columns that is selected.
const STATEMENTS: usize = 250;
/// How long to wait before a file that is locked is opened again.
const OPEN_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// A connection that lay idle for longer is tried before it is used: the database may have been restarted. Under load
/// none is, which saves a round trip for every request.
const IDLE_BEFORE_TRIED: Duration = Duration::from_secs(1);

/// Opens the database that `url` names, with at most `pool_size` connections.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Internal`] where it cannot be opened.
pub async fn connect(url: &str, pool_size: u32) -> Result<DatabaseConnection, Error> {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .acquire_timeout(ACQUIRE_WAIT)
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(IDLE_BEFORE_TRIED);
    if url.starts_with("sqlite:") {
        sqlite(&mut options, url, pool_size);
    } else {
        postgres(&mut options, pool_size);
    }
    let until = Instant::now() + STATEMENT_TIMEOUT;
    loop {
        match Database::connect(options.clone()).await {
            // A new file becomes one with a write-ahead log when it is first opened. SQLite lets others that open it at
            // that moment not wait, but fail.
            Err(error) if is_locked(&error) && Instant::now() < until => sleep(OPEN_AGAIN_AFTER).await,
            outcome => return Ok(outcome?),
        }
    }
}

/// Whether it is SQLite's BUSY (sqlite.org/rescode.html).
fn is_locked(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error)) => {
            matches!(&**error, sqlx::Error::Database(error) if error.code().as_deref() == Some("5"))
        }
        _ => false,
    }
}

/// Whether `url` names a database that lives in one connection and goes with it.
fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

fn sqlite(options: &mut ConnectOptions, url: &str, pool_size: u32) {
    if is_in_memory(url) {
        options.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
    } else {
        // Statements run in a thread of each connection's, so more of them than cores only take memory, 5 MB each; one
        // more, since some wait for the disk.
        let cores = available_parallelism().map_or(2, NonZero::get);
        let useful = u32::try_from(cores).unwrap_or(u32::MAX).saturating_add(1);
        // One is for the writes.
        options.max_connections(pool_size.saturating_sub(1).clamp(1, useful));
    }
    // A URL that says how to open the file is taken at its word.
    let create = !url.contains("mode=");
    options.map_sqlx_sqlite_opts(move |options| {
        let options = if create { options.create_if_missing(true) } else { options };
        options
            // Readers go on while one writes; an acknowledged write outlives a power cut.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS)
            .busy_timeout(STATEMENT_TIMEOUT)
    });
}

fn postgres(options: &mut ConnectOptions, pool_size: u32) {
    options.max_connections(pool_size);
    options.map_sqlx_postgres_opts(|options| options.application_name("taskql").statement_cache_capacity(STATEMENTS));
    options.map_sqlx_postgres_pool_opts(|options| {
        options.after_connect(|connection, _| {
            Box::pin(async move {
                // Set once connected, not in the start-up packet, which poolers refuse. A list's LIMIT is a parameter,
                // and PostgreSQL would plan it afresh each time without the last line.
                let settings = format!(
                    "set statement_timeout = {}; set timezone = 'UTC'; set plan_cache_mode = force_generic_plan",
                    STATEMENT_TIMEOUT.as_millis()
                );
                connection.execute(sqlx::AssertSqlSafe(settings)).await?;
                Ok(())
            })
        })
    });
}
