//! `taskql serve`.

use std::net::SocketAddr;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, database, token};
use crate::auth::{Authenticator, KeySet, Patience, TokenClaims, Trust};
use crate::config::{Config, ConfigError, Source};
use crate::database::migrate;
use crate::domain::{Clock, Store, feed, purge};
use crate::graphql::{Api, Documents, UntrustedFile};
use crate::http::{self, App, HAS_TASK_APP, Limits, Page, Streams, Timeouts};

/// The user of development mode.
const DEVELOPER: &str = "dev";
/// How long a token of that user is valid.
const DEVELOPER_TTL: Duration = Duration::from_hours(30 * 24);
/// How long the last writes may take once nobody is served any more.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
pub(super) fn run(source: &Source) -> Result<(), Failure> {
    let config = Config::new(source)?;
    database::runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Failure> {
    let secret = config.tokens.secret.as_ref().map(|_| token::secret(&config.tokens)).transpose()?;
    let listener = TcpListener::bind(config.settings.listen).await.map_err(|error| {
        let what =
            format!("{} cannot be listened on ({error}); choose another address or port", config.settings.listen);
        ConfigError::new("TASKQL_LISTEN", what)
    })?;
    let address = listener.local_addr().unwrap_or(config.settings.listen);
    let db = database::open(&config.database_url, config.settings.pool_size).await?;
    let store = Store::new(db.clone(), Clock::system()).with_max_tasks(config.settings.max_tasks);
    let developer_token =
        config.is_development().then(|| developer_token(&config, secret.as_deref().unwrap_or_default()));
    let app = app(&config, store.clone(), secret, developer_token.clone())?;
    // Only now that every setting is known to be good.
    check_schema(&config, &db).await?;
    tracing::info!(%address, database = db.get_database_backend().as_str(), "listening");
    if let Some(token) = developer_token {
        introduce(&config, address, &token);
    }
    let keeping = tokio::spawn({
        let store = store.clone();
        async move { tokio::join!(purge::keep_purging(&store), feed::keep_woken(&store), store.keep_connections_fresh()) }
    });
    let (streams, timeouts) = (app.streams.clone(), app.timeouts);
    http::server::serve(listener, http::router(app), streams, timeouts, stop_signal()).await;
    let end = async {
        keeping.abort();
        store.finish().await;
        db.close().await
    };
    match tokio::time::timeout(END_TIMEOUT, end).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the database was not closed cleanly"),
        Err(_) => {
            tracing::warn!("the database did not answer in time; writes that it has not acknowledged may be lost");
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// What the settings make of the parts.
fn app(config: &Config, store: Store, secret: Option<Vec<u8>>, token: Option<String>) -> Result<App, Failure> {
    let tokens = &config.tokens;
    let key_set =
        tokens.key_set.clone().map(|url| KeySet::new(url, Patience::default(), tokens.proxy.clone())).transpose();
    let key_set = key_set.map_err(|error| ConfigError::new("TASKQL_JWKS_URL", error))?;
    if let Some(key_set) = key_set.clone() {
        tokio::spawn(async move { key_set.prefetch().await });
    }
    let api = Api::new(store.clone(), config.settings.introspection);
    let documents = match &config.settings.trusted_documents {
        None => Documents::default(),
        Some(path) => Documents::trusted(&api, path).map_err(|UntrustedFile(what)| {
            let what = format!("{what}; it should be a JSON file of documents or a folder of .graphql files");
            ConfigError::new("TASKQL_TRUSTED_DOCUMENTS", what)
        })?,
    };
    Ok(App {
        api,
        documents,
        limits: Limits::new(
            config.settings.max_in_flight as usize,
            config.settings.rate_limit,
            config.settings.trusted_proxies.clone(),
        ),
        timeouts: Timeouts::default(),
        streams: Streams::default(),
        authenticator: Authenticator::new(Trust {
            secrets: secret.into_iter().chain(tokens.previous_secret.clone()).collect(),
            key_set,
            issuers: tokens.issuers.clone(),
            audiences: tokens.audiences.clone(),
            user_claim: tokens.user_claim.clone(),
        }),
        store,
        graphiql: config.graphiql.then(|| Page { token: token.clone() }),
        task_app: (HAS_TASK_APP && config.task_app).then_some(Page { token }),
        cors_origins: config.settings.cors_origins.clone(),
        is_development: config.is_development(),
    })
}

fn developer_token(config: &Config, secret: &[u8]) -> String {
    let claims = TokenClaims { sub: DEVELOPER, ttl: DEVELOPER_TTL, ..TokenClaims::default() };
    token::sign_for(&config.tokens, secret, claims)
}

/// Brings the schema up to date where that is wanted, and sees to it that it will do.
async fn check_schema(config: &Config, db: &DatabaseConnection) -> Result<(), Failure> {
    let failure = |error| Failure::database("its schema cannot be brought up to date", &error);
    let status = if config.settings.migrate {
        let before = migrate::migrate(db).await.map_err(failure)?;
        if before.unknown.is_empty() { migrate::Status { pending: Vec::new(), ..before } } else { before }
    } else {
        migrate::status(db).await.map_err(failure)?
    };
    if !status.pending.is_empty() && !status.unknown.is_empty() {
        let (unknown, pending) = (status.unknown.join(", "), status.pending.join(", "));
        return Err(Failure::Other(format!(
            "DATABASE_URL: another taskql made this database: it has {unknown}, which this one does not know, and lacks {pending}; use one that knows both"
        )));
    }
    if !status.pending.is_empty() {
        let what = format!(
            "false, and the database lacks {}; run 'taskql migrate' or leave the setting out",
            status.pending.join(", ")
        );
        return Err(ConfigError::new("TASKQL_MIGRATE", what).into());
    }
    if !status.unknown.is_empty() {
        tracing::warn!(migrations = status.unknown.join(", "), "the database was made by a newer taskql; serving it");
    }
    Ok(())
}

/// What a developer needs, on stdout: a token has no place in a log.
fn introduce(config: &Config, address: SocketAddr, token: &str) {
    println!("taskql is in development mode: it serves this machine only.");
    if config.graphiql {
        println!("GraphiQL:  http://{address}/graphql");
    } else {
        println!("API:       http://{address}/graphql");
    }
    if HAS_TASK_APP && config.task_app {
        println!("Tasks:     http://{address}/app");
    }
    if config.settings.trusted_documents.is_some() {
        println!("GraphiQL and the task application are off: TASKQL_TRUSTED_DOCUMENTS lets no document of theirs run.");
    }
    println!("Token of the user '{DEVELOPER}', for the header 'Authorization: Bearer TOKEN':\n{token}");
}

/// Waits for Ctrl-C or SIGTERM. A second one ends the process at once.
async fn stop_signal() {
    wait_for_signal().await;
    tracing::info!("stopping; requests in flight may end");
    tokio::spawn(async {
        wait_for_signal().await;
        std::process::exit(1);
    });
}

async fn wait_for_signal() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => _ = tokio::signal::ctrl_c().await,
    }
}
