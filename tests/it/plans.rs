//! The database's own word that each of the 18 lists, at its start and in its middle, is read from an index and not
//! sorted.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use taskql::domain::page::{Direction, PageArguments};
use taskql::domain::task::{Column, List, ORDERS, Status};
use taskql::domain::{UserId, Viewer};

use crate::support::TestApp;

async fn plan(app: &TestApp, statement: Statement) -> Vec<String> {
    let backend = app.db.get_database_backend();
    let prefix = if backend == DbBackend::Sqlite { "explain query plan" } else { "explain" };
    let explain = Statement { sql: format!("{prefix} {}", statement.sql), ..statement };
    let column = if backend == DbBackend::Sqlite { "detail" } else { "QUERY PLAN" };
    let rows = app.db.query_all_raw(explain).await.expect("a plan");
    rows.iter().map(|row| row.try_get::<String>("", column).expect("a line")).collect()
}

/// Enough rows that PostgreSQL has a choice.
async fn fill(app: &TestApp) {
    let is_postgres = app.db.get_database_backend() == DbBackend::Postgres;
    let (id, due) = if is_postgres {
        ("gen_random_uuid()", "timestamptz '2030-01-01' + n * interval '1 minute'")
    } else {
        ("randomblob(16)", "strftime('%Y-%m-%dT%H:%M:%S+00:00', 1900000000 + n * 60, 'unixepoch')")
    };
    let series = if is_postgres {
        "generate_series(1, 20000) as series(n)"
    } else {
        "(with recursive series(n) as (select 1 union all select n + 1 from series where n < 20000) select n from series)"
    };
    let done = if is_postgres { "n % 2 = 0" } else { "(n % 2 = 0)" };
    for statement in [
        format!("insert into users (id, created_at, updated_at) select 'ada', {due}, {due} from (select 1 as n) as one"),
        format!(
            "insert into tasks (user_id, id, title, title_key, completed, completed_at, due_date, created_at, updated_at, revision, created_revision)
             select 'ada', {id}, 'Title ' || n % 5000, 'title ' || n % 5000, {done}, case when {done} then {due} end,
             case when n % 3 > 0 then {due} end, {due}, {due}, n, n from {series}"
        ),
        "analyze".to_owned(),
    ] {
        app.db.execute_unprepared(&statement).await.expect("rows");
    }
}

#[tokio::test]
async fn every_list_is_read_from_an_index() {
    let app = TestApp::new().await;
    fill(&app).await;
    let backend = app.db.get_database_backend();
    let viewer = Viewer { id: UserId::new("ada").expect("an id"), email: None, name: None };
    for status in [Status::All, Status::Pending, Status::Completed] {
        for order in ORDERS {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut list = List { status, order, direction: Some(direction), ..List::default() };
                for page in 0..3 {
                    let plan = plan(&app, list.clone().plan(backend, &viewer).expect("a good page")).await;
                    let text = plan.join("\n");
                    let is_dated = matches!(order.key, Column::DueDate);
                    let sorts = plan
                        .iter()
                        .filter(|line| {
                            line.contains("TEMP B-TREE") || line.trim_start_matches(['-', '>', ' ']).starts_with("Sort")
                        })
                        .count();
                    let expected = match (status, order.key) {
                        (Status::All, Column::CreatedAt) => "tasks_by_created",
                        (_, Column::CreatedAt) => "tasks_by_status_created",
                        (Status::All, Column::TitleKey) => "tasks_by_title",
                        (_, Column::TitleKey) => "tasks_by_status_title",
                        (Status::All, Column::DueDate) => "tasks_by_due_date",
                        (_, _) => "tasks_by_status_due_date",
                    };
                    let what = format!("{status:?} {order:?} {direction:?} page {page} on {backend:?}:\n{text}");
                    assert!(text.contains(expected), "{what}");
                    assert!(!text.contains("Seq Scan") && !text.contains("SCAN tasks"), "{what}");
                    // Only the ranges of due dates are sorted, to be put together: two pages at most.
                    assert!(sorts <= if is_dated { 2 } else { 0 }, "{what}");
                    if page == 2 {
                        break;
                    }
                    let from = taskql::domain::task::list(&app.store, &viewer, list.clone()).await.expect("a page");
                    let middle = from.rows.last().expect("a row");
                    list.page =
                        PageArguments { first: Some(50), after: from.cursor(middle).ok(), ..Default::default() };
                    if page == 1 {
                        list.page =
                            PageArguments { last: Some(50), before: from.cursor(middle).ok(), ..Default::default() };
                    }
                }
            }
        }
    }
}
