//! What a request costs inside the process, part by part, on a database in memory.
//!
//! `cargo bench` measures times. `in_process count NAME TIMES` does one part so many times and nothing else, for
//! `scripts/instructions`, which counts instructions; `in_process list` names the parts.

use std::env;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use criterion::{BatchSize, Criterion};
use sea_orm::ActiveValue::Set;
use serde_json::{Map, json};
use taskql::auth::{Authenticator, TokenClaims, Trust, sign};
use taskql::database::{connect, migrate};
use taskql::domain::task::{self, ActiveModel};
use taskql::domain::{Clock, Store, UserId, Viewer};
use taskql::graphql::{Api, Call, Data, Document, Documents, Reply};
use taskql::http::{App, Limits, Streams, Timeouts, router};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECRET: &[u8] = b"the secret of the benchmark, 32 bytes and more";
const PAGE: &str = "query Tasks($first: Int) { tasks(status: PENDING, first: $first) {
    nodes { id title description completed priority dueDate createdAt updatedAt } pageInfo { hasNextPage endCursor } } }";
/// Most times that a part is counted: its inputs are made before, always as many, so that they make no difference.
const MOST: usize = 200;

/// Something to do, with all that it needs.
type Job<'w> = Box<dyn FnOnce() + 'w>;

/// A part of a request's work: its name, and how to make it ready to be done once.
type Part = (&'static str, for<'w> fn(&'w World) -> Job<'w>);

const PARTS: [Part; 7] = [
    ("check-token", check_token),
    ("read-document", read_document),
    ("page-of-50-plain", executed_page),
    ("page-of-50-json", write_json),
    ("page-of-50-prepared", planned_page),
    ("request-of-50", |world| request(world, PAGE)),
    ("request-of-nothing", |world| request(world, "{ __typename }")),
];

struct World {
    runtime: Runtime,
    store: Store,
    api: Api,
    viewer: Viewer,
    authenticator: Authenticator,
    router: Router,
    page: Arc<Document>,
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (store, viewer) = runtime.block_on(tasks());
        let authenticator = || Authenticator::new(Trust { secrets: vec![SECRET.to_vec()], ..Trust::default() });
        let app = App {
            api: Api::new(store.clone(), false),
            documents: Documents::default(),
            limits: Limits::new(256, 0, Vec::new()),
            timeouts: Timeouts::default(),
            streams: Streams::default(),
            authenticator: authenticator(),
            store: store.clone(),
            graphiql: None,
            task_app: None,
            cors_origins: Vec::new(),
            is_development: false,
        };
        let (api, router) = (Api::new(store.clone(), false), router(app));
        let page = Arc::new(api.read(PAGE).expect("a document"));
        let world = Self { runtime, store, api, viewer, authenticator: authenticator(), router, page };
        // Later times are counted, when the documents are known.
        world.planned_page();
        request(&world, PAGE)();
        request(&world, "{ __typename }")();
        world
    }

    fn page(&self) -> Call<'_> {
        let variables = Map::from_iter([("first".to_owned(), json!(50))]);
        let operation = self.page.operation(None).expect("an operation");
        Call { operation, variables, viewer: Some(self.viewer.clone()) }
    }

    /// The page by the fast path.
    fn planned_page(&self) -> Reply {
        self.runtime.block_on(self.api.execute(self.page()))
    }

    /// The page by the executor.
    fn executed_page(&self) -> Reply {
        self.runtime.block_on(self.api.execute_without_plan(self.page()))
    }

    fn token(&self, nth: usize) -> String {
        // No two alike, or they would be remembered.
        let issuer = format!("issuer {nth}");
        let (sub, issuer) = (self.viewer.id.as_str(), Some(issuer.as_str()));
        sign(SECRET, &TokenClaims { sub, issuer, ttl: Duration::from_hours(1), ..TokenClaims::default() })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Connections have to be given back inside of the runtime.
        self.runtime.block_on(self.store.finish());
    }
}

/// A database with 60 tasks of a user.
async fn tasks() -> (Store, Viewer) {
    let db = connect::connect("sqlite::memory:", 1).await.expect("a database");
    migrate::migrate(&db).await.expect("a schema");
    let store = Store::new(db, Clock::system());
    let viewer = Viewer { id: UserId::new("ada").expect("an id"), email: None, name: None };
    for nth in 0..60 {
        let description = (nth % 2 == 0).then(|| "Ask for the latest numbers first.".to_owned());
        let title = Set(format!("Review the slides again, {nth}"));
        let new = ActiveModel { title, description: Set(description), ..ActiveModel::default() };
        task::create(&store, &viewer, None, new).await.expect("a task");
    }
    (store, viewer)
}

fn check_token(world: &World) -> Job<'_> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let token = world.token(NEXT.fetch_add(1, Ordering::Relaxed));
    Box::new(move || {
        black_box(world.runtime.block_on(world.authenticator.verify(&token)).expect("a good token"));
    })
}

fn read_document(world: &World) -> Job<'_> {
    Box::new(|| {
        black_box(world.api.read(PAGE).expect("a document"));
    })
}

fn executed_page(world: &World) -> Job<'_> {
    Box::new(|| assert!(matches!(world.executed_page().data, Some(Data::Tree(_)))))
}

fn write_json(world: &World) -> Job<'_> {
    let Some(Data::Tree(tree)) = world.executed_page().data else { unreachable!("the executor gives a tree") };
    Box::new(move || {
        black_box(serde_json::to_string(&tree).expect("JSON"));
    })
}

fn planned_page(world: &World) -> Job<'_> {
    Box::new(|| assert!(matches!(world.planned_page().data, Some(Data::Written(_)))))
}

/// From the head of the request to the bytes of the answer, but for the connection itself.
fn request<'w>(world: &'w World, query: &str) -> Job<'w> {
    let body = json!({ "query": query, "variables": { "first": 50 } }).to_string();
    let request = Request::post("/graphql")
        .header(AUTHORIZATION, format!("Bearer {}", world.token(MOST)))
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .expect("a request");
    Box::new(move || {
        world.runtime.block_on(async {
            let response = world.router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), 200);
            black_box(to_bytes(response.into_body(), usize::MAX).await.expect("a body"));
        });
    })
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list", ..] => PARTS.iter().for_each(|(name, _)| println!("{name}")),
        ["count", name, times, ..] => {
            let (_, part) = PARTS.iter().find(|(known, _)| known == name).expect("the name of a part");
            count(*part, times.parse().expect("how many times"));
        }
        _ => measure(),
    }
}

fn count(part: for<'w> fn(&'w World) -> Job<'w>, times: usize) {
    assert!(times <= MOST, "{MOST} times at most");
    let world = World::new();
    let jobs: Vec<Job<'_>> = (0..MOST).map(|_| part(&world)).collect();
    for job in jobs.into_iter().take(times) {
        job();
    }
}

fn measure() {
    let world = World::new();
    let mut criterion = Criterion::default().configure_from_args();
    for (name, part) in PARTS {
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched(|| part(&world), |job| job(), BatchSize::SmallInput);
        });
    }
    criterion.final_summary();
}
