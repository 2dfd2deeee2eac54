//! The router with a database of its own, and clients that talk to it.

use std::ops::Index;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta};
use http_body_util::BodyExt;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use taskql::auth::{Authenticator, TokenClaims, Trust, sign};
use taskql::domain::{Clock, Store};
use taskql::graphql::{Api, Documents};
use taskql::http::{App, Limits, Statements, Streams, Timeouts, router};
use tower::ServiceExt;

use super::TestDatabase;

pub(crate) const SECRET: &[u8] = b"a secret of the tests, 32 bytes and more";

/// A server without its socket.
pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) store: Store,
    /// To look into the database and to change it by hand.
    pub(crate) db: DatabaseConnection,
    /// The connections that the store has.
    pub(crate) pool: DatabaseConnection,
    pub(crate) streams: Streams,
    pub(crate) timeouts: Timeouts,
    database: TestDatabase,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// An app that `change` has altered.
    pub(crate) async fn with(change: impl FnOnce(&mut App)) -> Self {
        Self::with_clock(ticking(), change).await
    }

    pub(crate) async fn with_clock(clock: Clock, change: impl FnOnce(&mut App)) -> Self {
        let database = TestDatabase::migrated().await;
        // Of its own: the store keeps connections of its pool for itself.
        let (db, pool) = tokio::join!(database.connect(), database.connect());
        let store = Store::new(pool.clone(), clock);
        let mut app = App {
            api: Api::new(store.clone(), true),
            documents: Documents::default(),
            limits: Limits::new(256, 0, Vec::new()),
            timeouts: Timeouts::default(),
            streams: Streams::default(),
            authenticator: Authenticator::new(Trust { secrets: vec![SECRET.to_vec()], ..Trust::default() }),
            store: store.clone(),
            graphiql: None,
            task_app: None,
            cors_origins: vec!["https://app.example.com".parse().expect("an origin")],
            is_development: false,
        };
        change(&mut app);
        let (streams, timeouts) = (app.streams.clone(), app.timeouts);
        Self { router: router(app), store, db, pool, streams, timeouts, database }
    }

    /// A client with a token of `sub`.
    pub(crate) fn user(&self, sub: &str) -> Client {
        Client { router: self.router.clone(), authorization: Some(format!("Bearer {}", token(sub))) }
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Client {
        Client { router: self.router.clone(), authorization: None }
    }

    /// The URL of the app's database.
    pub(crate) fn url(&self) -> &str {
        &self.database.url
    }

    /// How many sockets and streams are open, by the metrics.
    pub(crate) async fn streams_open(&self) -> usize {
        let metrics = self.anonymous().get("/metrics").await;
        let text = metrics.body.as_str().expect("a text").to_owned();
        let line = text.lines().find(|line| line.starts_with("taskql_streams_open ")).expect("a line").to_owned();
        line.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number")
    }

    /// What ada gets for a document, to the byte.
    pub(crate) async fn written(&self, query: &str, variables: Value) -> String {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", token("ada")))
            .body(Body::from(json!({"query": query, "variables": variables}).to_string()))
            .expect("a request");
        let body = self.send(request).await.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(body.to_vec()).expect("a text")
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }
}

/// A clock that starts on a fixed day and goes on by a millisecond each time it is asked.
fn ticking() -> Clock {
    let ticks = AtomicI64::new(0);
    let start = DateTime::from_timestamp(1_800_000_000, 123_456_789).expect("a time");
    Clock::from_fn(move || start + TimeDelta::milliseconds(ticks.fetch_add(1, Ordering::Relaxed)))
}

/// A token that holds for an hour.
pub(crate) fn token(sub: &str) -> String {
    sign(SECRET, &TokenClaims { sub, ttl: Duration::from_hours(1), ..TokenClaims::default() })
}

/// A token whose `exp` is `exp`, in seconds since 1970.
pub(crate) fn token_until(sub: &str, exp: u64) -> String {
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &json!({"sub": sub, "exp": exp}), &key).expect("it signs")
}

/// Somebody who sends GraphQL.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    pub(crate) authorization: Option<String>,
}

impl Client {
    /// Sends a document with variables by POST, taking `application/graphql-response+json`.
    pub(crate) async fn send(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({ "query": query, "variables": variables })).await
    }

    /// Sends a document without variables.
    pub(crate) async fn run(&self, query: &str) -> Answer {
        self.post(json!({ "query": query })).await
    }

    /// Sends a body.
    pub(crate) async fn post(&self, body: Value) -> Answer {
        let mut request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Body::from(body.to_string())).expect("a request");
        Answer::of(self.router.clone().oneshot(request).await.expect("the router always answers")).await
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut request = Request::get(path).header("accept", "application/graphql-response+json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Body::empty()).expect("a request");
        Answer::of(self.router.clone().oneshot(request).await.expect("the router always answers")).await
    }

    /// Makes a task and returns it.
    pub(crate) async fn create(&self, input: Value) -> Value {
        let answer = self.send(CREATE, json!({ "input": input })).await;
        assert!(answer.code().is_none(), "{answer:?}");
        answer["data"]["createTask"]["task"].clone()
    }

    /// Makes a task with a title and returns its id.
    pub(crate) async fn create_titled(&self, title: &str) -> String {
        text(&self.create(json!({ "title": title })).await["id"])
    }

    /// Where a follower begins that is to miss nothing from now on.
    pub(crate) async fn since(&self) -> Value {
        let answer = self.run("{ tasks(first: 0) { syncToken } }").await;
        json!({ "since": answer["data"]["tasks"]["syncToken"] })
    }

    /// All titles of a list, with the arguments as they are written.
    pub(crate) async fn titles(&self, arguments: &str) -> Vec<String> {
        let arguments = if arguments.is_empty() { "first: 50" } else { arguments };
        let answer = self.run(&format!("{{ tasks({arguments}) {{ nodes {{ title }} }} }}")).await;
        let nodes = answer["data"]["tasks"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        nodes.iter().map(|node| text(&node["title"])).collect()
    }
}

/// Every field of a task.
pub(crate) const TASK: &str =
    "id title description completed completedAt priority dueDate createdAt updatedAt version owner { id }";
const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task {
    id title description completed completedAt priority dueDate createdAt updatedAt version owner { id } } } }";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) statements: Option<u64>,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        let statements = parts.extensions.get::<Statements>().map(|statements| statements.0);
        Self { status: parts.status, headers: parts.headers, body, statements }
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> Option<&str> {
        self.body["errors"][0]["extensions"]["code"].as_str()
    }

    /// The paths of all problems.
    pub(crate) fn problem_paths(&self) -> Vec<String> {
        let problems = self.body["errors"][0]["extensions"]["problems"].as_array().cloned().unwrap_or_default();
        let path = |problem: Value| {
            let path = problem["path"].as_array().expect("a problem has a path");
            path.iter().map(text).collect::<Vec<_>>().join(".")
        };
        problems.into_iter().map(path).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        &self.body[key]
    }
}
