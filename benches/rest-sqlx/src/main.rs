//! The plain server that taskql is compared with: REST over taskql's own tables, with axum, sqlx and serde as their
//! documentation shows them. Started by scripts/bench; by hand:
//! `DATABASE_URL=… TASKQL_JWT_SECRET=… cargo run --release -p rest-sqlx`

use std::env;
use std::time::Duration;

use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use rest::Guard;
use serde::Serialize;
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Database, FromRow, Pool};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const POOL_SIZE: u32 = 10;

/// What clients see of a row.
#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    id: Uuid,
    title: String,
    description: Option<String>,
    completed: bool,
    priority: Option<String>,
    due_date: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

struct App<D: Database> {
    guard: Guard,
    reads: Pool<D>,
    writes: Pool<D>,
}

impl<D: Database> Clone for App<D> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), reads: self.reads.clone(), writes: self.writes.clone() }
    }
}

impl<D: Database> FromRef<App<D>> for Guard {
    fn from_ref(app: &App<D>) -> Self {
        app.guard.clone()
    }
}

/// The handlers, once for each database: sqlx's types differ, and what is written here does not.
macro_rules! handlers {
    ($module:ident, $database:ty, $begin:literal) => {
        mod $module {
            use axum::extract::{Path, Query, State};
            use axum::http::StatusCode;
            use axum::routing::{get, post};
            use axum::{Json, Router};
            use rest::{Failure, NewTask, Page, Status, Viewer, now};
            use sqlx::Transaction;
            use uuid::Uuid;

            use super::{DateTime, Task, Utc};

            type App = super::App<$database>;

            pub(super) fn router(app: App) -> Router {
                Router::new()
                    .route("/tasks", get(list).post(create))
                    .route("/tasks/{id}", get(one))
                    .route("/tasks/{id}/toggle", post(toggle))
                    .with_state(app)
            }

            async fn list(
                State(app): State<App>,
                Viewer(user): Viewer,
                Query(page): Query<Page>,
            ) -> Result<Json<Vec<Task>>, Failure> {
                let tasks = sqlx::query_as(
                    "select id, title, description, completed, priority, due_date, created_at, updated_at
                     from tasks where user_id = $1 and completed = $2 order by created_at desc, id desc limit $3",
                )
                .bind(user)
                .bind(page.status == Status::Completed)
                .bind(page.first)
                .fetch_all(&app.reads)
                .await
                .map_err(Failure::database)?;
                Ok(Json(tasks))
            }

            async fn one(
                State(app): State<App>,
                Viewer(user): Viewer,
                Path(id): Path<Uuid>,
            ) -> Result<Json<Task>, Failure> {
                let task = sqlx::query_as(
                    "select id, title, description, completed, priority, due_date, created_at, updated_at
                     from tasks where user_id = $1 and id = $2",
                )
                .bind(user)
                .bind(id)
                .fetch_optional(&app.reads)
                .await
                .map_err(Failure::database)?;
                task.map(Json).ok_or(Failure(StatusCode::NOT_FOUND))
            }

            async fn create(
                State(app): State<App>,
                Viewer(user): Viewer,
                Json(new): Json<NewTask>,
            ) -> Result<(StatusCode, Json<Task>), Failure> {
                let new = new.check()?;
                let task = uncut(async move { insert(&app, &user, new).await }).await?;
                Ok((StatusCode::CREATED, Json(task)))
            }

            async fn insert(app: &App, user: &str, (new, title_key): (NewTask, String)) -> Result<Task, sqlx::Error> {
                let now = now();
                let mut transaction = app.writes.begin_with($begin).await?;
                let revision = take_revision(&mut transaction, user, now).await?;
                let task = sqlx::query_as(
                    "insert into tasks (user_id, id, title, title_key, description, completed, priority, due_date,
                        created_at, updated_at, version, revision, created_revision)
                     values ($1, $2, $3, $4, $5, false, $6, $7, $8, $8, 1, $9, $9)
                     returning id, title, description, completed, priority, due_date, created_at, updated_at",
                )
                .bind(user)
                .bind(Uuid::now_v7())
                .bind(new.title)
                .bind(title_key)
                .bind(new.description)
                .bind(new.priority.map(|priority| priority.as_str()))
                .bind(new.due_date)
                .bind(now)
                .bind(revision)
                .fetch_one(&mut *transaction)
                .await?;
                transaction.commit().await?;
                Ok(task)
            }

            async fn toggle(
                State(app): State<App>,
                Viewer(user): Viewer,
                Path(id): Path<Uuid>,
            ) -> Result<Json<Task>, Failure> {
                let task = uncut(async move { turn_over(&app, &user, id).await }).await?;
                task.map(Json).ok_or(Failure(StatusCode::NOT_FOUND))
            }

            async fn turn_over(app: &App, user: &str, id: Uuid) -> Result<Option<Task>, sqlx::Error> {
                let now = now();
                let mut transaction = app.writes.begin_with($begin).await?;
                let revision = take_revision(&mut transaction, user, now).await?;
                let task = sqlx::query_as(
                    "update tasks set updated_at = $3, completed_at = case when completed then null else $3 end,
                        completed = not completed, version = version + 1, revision = $4
                     where user_id = $1 and id = $2
                     returning id, title, description, completed, priority, due_date, created_at, updated_at",
                )
                .bind(user)
                .bind(id)
                .bind(now)
                .bind(revision)
                .fetch_optional(&mut *transaction)
                .await?;
                match task {
                    Some(_) => transaction.commit().await?,
                    None => transaction.rollback().await?,
                }
                Ok(task)
            }

            /// Locks the user's row, making it at first sight, and numbers the change.
            async fn take_revision(
                transaction: &mut Transaction<'_, $database>,
                user: &str,
                now: DateTime<Utc>,
            ) -> Result<i64, sqlx::Error> {
                sqlx::query_scalar(
                    "insert into users (id, revision, swept_revision, created_at, updated_at) values ($1, 1, 0, $2, $2)
                     on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at
                     returning revision",
                )
                .bind(user)
                .bind(now)
                .fetch_one(&mut **transaction)
                .await
            }

            /// Runs a write in a task of its own. Where a client goes away, axum drops the handler; a transaction that
            /// is dropped while it begins stays open in sqlx's pool.
            async fn uncut<T: Send + 'static>(
                write: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
            ) -> Result<T, Failure> {
                tokio::spawn(write).await.map_err(Failure::database)?.map_err(Failure::database)
            }
        }
    };
}

handlers!(postgres, sqlx::Postgres, "begin");
handlers!(sqlite, sqlx::Sqlite, "begin immediate");

#[tokio::main]
async fn main() {
    let url = env::var("DATABASE_URL").expect("DATABASE_URL is set");
    let guard = Guard::from_env();
    let router = if url.starts_with("sqlite:") {
        // The settings that taskql has: readers go on beside a writer, and a write is on disk when it is answered.
        let options = url
            .parse::<SqliteConnectOptions>()
            .expect("a URL")
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        // SQLite has one writer at a time; a pool of one lets them queue.
        let reads = pool(POOL_SIZE).connect_with(options.clone()).await.expect("the database");
        let writes = pool(1).connect_with(options).await.expect("the database");
        sqlite::router(App { guard, reads, writes })
    } else {
        let reads = pool(POOL_SIZE).connect(&url).await.expect("the database");
        postgres::router(App { guard, writes: reads.clone(), reads })
    };
    rest::serve(router).await;
}

/// A pool that does not ask a connection whether it lives before each use, which would be a round trip more.
fn pool<D: Database>(size: u32) -> PoolOptions<D> {
    PoolOptions::new().max_connections(size).test_before_acquire(false)
}
