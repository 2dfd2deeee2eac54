//! What the two REST servers of the benchmark have in common: who is asking, what a client sends, and how a failure is
//! answered. All of it as the libraries' documentation has it.

use std::env;
use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use tokio::net::TcpListener;

/// An answer without a body.
pub struct Failure(pub StatusCode);

impl Failure {
    /// For what goes wrong in the database: a word in the log, 500 for the client.
    #[allow(clippy::needless_pass_by_value, reason = "it is given to map_err by its name")]
    pub fn database(error: impl std::error::Error) -> Self {
        eprintln!("{error}");
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// Checks tokens: HS256, `exp` and `sub`, with 30 seconds of leeway as taskql has.
#[derive(Clone)]
pub struct Guard(Arc<(DecodingKey, Validation)>);

impl Guard {
    /// The guard for the secret in `TASKQL_JWT_SECRET`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn from_env() -> Self {
        let secret = env::var("TASKQL_JWT_SECRET").expect("TASKQL_JWT_SECRET is set");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 30;
        validation.validate_nbf = true;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self(Arc::new((DecodingKey::from_secret(secret.as_bytes()), validation)))
    }
}

/// The user for whom the request's token speaks.
pub struct Viewer(pub String);

impl<S> FromRequestParts<S> for Viewer
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Claims {
            sub: String,
        }

        let unauthorized = Failure(StatusCode::UNAUTHORIZED);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|text| text.strip_prefix("Bearer ")) else { return Err(unauthorized) };
        let (key, validation) = &*Guard::from_ref(state).0;
        match decode::<Claims>(token, key, validation) {
            Ok(token) if (1..=255).contains(&token.claims.sub.len()) => Ok(Self(token.claims.sub)),
            _ => Err(unauthorized),
        }
    }
}

/// The query of `GET /tasks`.
#[derive(Deserialize)]
pub struct Page {
    /// Which tasks.
    pub status: Status,
    /// How many.
    pub first: i64,
}

/// Which tasks a list holds.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Those still to be done.
    Pending,
    /// Those that are done.
    Completed,
}

/// The body of `POST /tasks`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTask {
    /// 1 to 200 characters once trimmed.
    pub title: String,
    /// At most 10,000 characters.
    pub description: Option<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When it is due.
    pub due_date: Option<DateTime<Utc>>,
}

/// How urgent a task is.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    /// It can wait.
    Low,
    /// In between.
    Medium,
    /// Before the others.
    High,
}

impl Priority {
    /// As it stands in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

impl NewTask {
    /// The task with a trimmed title, and what titles are sorted by.
    ///
    /// # Errors
    /// 422 for what breaks a rule.
    pub fn check(mut self) -> Result<(Self, String), Failure> {
        self.title = self.title.trim().to_owned();
        let good_title = (1..=200).contains(&self.title.chars().count()) && !self.title.chars().any(char::is_control);
        let good_description = self.description.as_ref().is_none_or(|text| text.chars().count() <= 10_000);
        if !(good_title && good_description) {
            return Err(Failure(StatusCode::UNPROCESSABLE_ENTITY));
        }
        // Case folding and lower case are the same for the titles of the benchmark.
        let title_key = self.title.to_lowercase();
        Ok((self, title_key))
    }
}

/// The present instant, cut to the microseconds that the databases keep.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Serves on a free port of this machine, which the first line of the output tells, until the process is ended.
///
/// # Panics
/// Where there is no port.
pub async fn serve(router: Router) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("listening address={}", listener.local_addr().expect("an address"));
    std::io::stdout().flush().expect("somebody reads it");
    axum::serve(listener, router).await.expect("it serves");
}
