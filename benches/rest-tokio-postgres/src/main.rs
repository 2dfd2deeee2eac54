//! The practical limit that taskql is compared with: REST over taskql's own tables with the least work we know of. Every
//! request is one prepared statement, writes too, and rows are written to JSON as they come. Started by scripts/bench;
//! by hand:
//! `DATABASE_URL=… TASKQL_JWT_SECRET=… cargo run --release -p rest-tokio-postgres`

mod json;

use std::env;

use axum::extract::{FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use json::Instant;
use rest::{Failure, Guard, NewTask, Page, Status, Viewer, now};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const POOL_SIZE: usize = 10;

const LIST: &str = "select id, title, description, completed, priority, due_date, created_at, updated_at
    from tasks where user_id = $1 and completed = $2 order by created_at desc, id desc limit $3";

const ONE: &str = "select id, title, description, completed, priority, due_date, created_at, updated_at
    from tasks where user_id = $1 and id = $2";

/// The user's row and the task in one statement, which is a transaction by itself.
const CREATE: &str = "with owner as (
        insert into users (id, revision, swept_revision, created_at, updated_at) values ($1, 1, 0, $2, $2)
        on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at
        returning revision
    )
    insert into tasks (user_id, id, title, title_key, description, completed, priority, due_date, created_at, updated_at,
        version, revision, created_revision)
    select $1, $3::uuid, $4, $5, $6, false, $7, $8::timestamptz, $2, $2, 1, revision, revision from owner
    returning id, title, description, completed, priority, due_date, created_at, updated_at";

/// As above. Where there is no such task a number of the user's is passed over, which harms nobody.
const TOGGLE: &str = "with owner as (
        insert into users (id, revision, swept_revision, created_at, updated_at) values ($1, 1, 0, $2, $2)
        on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at
        returning revision
    )
    update tasks set updated_at = $2, completed_at = case when completed then null else $2 end,
        completed = not completed, version = version + 1, revision = owner.revision
    from owner where tasks.user_id = $1 and tasks.id = $3
    returning tasks.id, title, description, completed, priority, due_date, created_at, tasks.updated_at";

#[derive(Clone)]
struct App {
    guard: Guard,
    pool: Pool,
}

impl FromRef<App> for Guard {
    fn from_ref(app: &App) -> Self {
        app.guard.clone()
    }
}

impl App {
    async fn rows(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        let connection = self.pool.get().await.map_err(Failure::database)?;
        let statement = connection.prepare_cached(sql).await.map_err(Failure::database)?;
        connection.query(&statement, parameters).await.map_err(Failure::database)
    }
}

async fn list(
    State(app): State<App>,
    Viewer(user): Viewer,
    Query(page): Query<Page>,
) -> Result<impl IntoResponse, Failure> {
    let rows = app.rows(LIST, &[&user, &(page.status == Status::Completed), &page.first]).await?;
    Ok(answer(StatusCode::OK, json::tasks(&rows)))
}

async fn one(State(app): State<App>, Viewer(user): Viewer, Path(id): Path<Uuid>) -> Result<impl IntoResponse, Failure> {
    task(StatusCode::OK, &app.rows(ONE, &[&user, &id]).await?)
}

async fn create(
    State(app): State<App>,
    Viewer(user): Viewer,
    Json(new): Json<NewTask>,
) -> Result<impl IntoResponse, Failure> {
    let (new, title_key) = new.check()?;
    let (id, now) = (Uuid::now_v7(), Instant::from(now()));
    let (priority, due_date) = (new.priority.map(rest::Priority::as_str), new.due_date.map(Instant::from));
    let rows =
        app.rows(CREATE, &[&user, &now, &id, &new.title, &title_key, &new.description, &priority, &due_date]).await?;
    task(StatusCode::CREATED, &rows)
}

async fn toggle(
    State(app): State<App>,
    Viewer(user): Viewer,
    Path(id): Path<Uuid>,
) -> Result<impl IntoResponse, Failure> {
    task(StatusCode::OK, &app.rows(TOGGLE, &[&user, &Instant::from(now()), &id]).await?)
}

fn task(status: StatusCode, rows: &[Row]) -> Result<impl IntoResponse + use<>, Failure> {
    match rows {
        [row, ..] => Ok(answer(status, json::task(row))),
        [] => Err(Failure(StatusCode::NOT_FOUND)),
    }
}

fn answer(status: StatusCode, body: Vec<u8>) -> impl IntoResponse + use<> {
    (status, [(CONTENT_TYPE, "application/json")], body)
}

#[tokio::main]
async fn main() {
    let url = env::var("DATABASE_URL").expect("DATABASE_URL is set");
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(url.parse().expect("a URL"), NoTls, config);
    let settle = Hook::async_fn(|connection, _| {
        Box::pin(async move {
            // The list's LIMIT is a parameter; without this PostgreSQL plans the statement afresh each time.
            let setting = "set plan_cache_mode = force_generic_plan";
            connection.batch_execute(setting).await.map_err(HookError::Backend)
        })
    });
    let pool = Pool::builder(manager).max_size(POOL_SIZE).post_create(settle).build().expect("a pool");
    let router = Router::new()
        .route("/tasks", get(list).post(create))
        .route("/tasks/{id}", get(one))
        .route("/tasks/{id}/toggle", post(toggle))
        .with_state(App { guard: Guard::from_env(), pool });
    rest::serve(router).await;
}
