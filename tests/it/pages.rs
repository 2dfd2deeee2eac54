//! Whatever the data, the order and the page size: pages forward and backward tile the whole list.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use taskql::entity::{task, user};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::{Client, TestApp};

/// A row with few different values, so that ties are common.
#[derive(Clone, Debug)]
struct Row {
    title: String,
    completed: bool,
    due: Option<DateTime<Utc>>,
    created: DateTime<Utc>,
    id: Uuid,
}

fn instant(step: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).expect("a time") + TimeDelta::microseconds(step * 500_000)
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = ("[abAB]{1,2}", any::<bool>(), proptest::option::of(0_i64..4), 0_i64..4, any::<u128>());
    let row = row.prop_map(|(title, completed, due, created, id)| Row {
        title,
        completed,
        due: due.map(instant),
        created: instant(created),
        id: Uuid::from_u128(id),
    });
    proptest::collection::vec(row, 0..24)
}

/// Status, sort, direction and page size.
fn lists() -> impl Strategy<Value = (&'static str, &'static str, &'static str, usize)> {
    let status = prop_oneof![Just("ALL"), Just("PENDING"), Just("COMPLETED")];
    let sort = prop_oneof![Just("CREATED"), Just("TITLE"), Just("DUE_DATE")];
    (status, sort, prop_oneof![Just("ASC"), Just("DESC")], 1_usize..9)
}

/// The list as it must be, by other means than SQL.
fn expected(rows: &[Row], status: &str, sort: &str, direction: &str) -> Vec<String> {
    let mut rows: Vec<&Row> =
        rows.iter().filter(|row| status == "ALL" || row.completed == (status == "COMPLETED")).collect();
    rows.sort_by(|a, b| {
        let by_key = match sort {
            "CREATED" => a.created.cmp(&b.created),
            "TITLE" => a.title.to_lowercase().cmp(&b.title.to_lowercase()),
            _ => a.due.cmp(&b.due),
        };
        let ascending = by_key.then(a.id.cmp(&b.id));
        let directed = if direction == "ASC" { ascending } else { ascending.reverse() };
        let dates_first =
            if sort == "DUE_DATE" { a.due.is_none().cmp(&b.due.is_none()) } else { std::cmp::Ordering::Equal };
        dates_first.then(directed)
    });
    rows.into_iter().map(|row| row.id.to_string()).collect()
}

async fn insert(app: &TestApp, sub: &str, rows: &[Row]) {
    let now = instant(0);
    let owner = user::ActiveModel {
        id: Set(sub.to_owned()),
        email: Set(None),
        name: Set(None),
        revision: Set(0),
        swept_revision: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..user::ActiveModel::default()
    };
    user::Entity::insert(owner).exec_without_returning(&app.db).await.expect("a new user");
    let tasks = rows.iter().map(|row| task::ActiveModel {
        user_id: Set(sub.to_owned()),
        id: Set(row.id),
        title: Set(row.title.clone()),
        title_key: Set(row.title.to_lowercase()),
        completed: Set(row.completed),
        completed_at: Set(row.completed.then_some(now)),
        due_date: Set(row.due),
        created_at: Set(row.created),
        updated_at: Set(row.created),
        version: Set(1),
        revision: Set(1),
        created_revision: Set(1),
        ..task::ActiveModel::default()
    });
    if !rows.is_empty() {
        task::Entity::insert_many(tasks).exec_without_returning(&app.db).await.expect("new tasks");
    }
}

/// Reads a list page by page, in one direction.
async fn read_all(client: &Client, arguments: &str, size: usize, forward: bool) -> Result<Vec<String>, TestCaseError> {
    let (count, cursor, has_more, end) = if forward {
        ("first", "after", "hasNextPage", "endCursor")
    } else {
        ("last", "before", "hasPreviousPage", "startCursor")
    };
    let query = format!(
        "query($cursor: String) {{ tasks({arguments}, {count}: {size}, {cursor}: $cursor) {{
            edges {{ cursor node {{ id }} }} nodes {{ id }} pageInfo {{ {has_more} {end} }} totalCount }} }}"
    );
    let (mut all, mut from) = (Vec::new(), Value::Null);
    loop {
        let answer = client.send(&query, json!({ "cursor": from })).await;
        prop_assert!(answer.code().is_none(), "{:?}", answer);
        let page = &answer["data"]["tasks"];
        let edges = page["edges"].as_array().expect("edges");
        let ids: Vec<String> =
            edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()).collect();
        prop_assert!(ids.len() <= size);
        prop_assert_eq!(page["nodes"].as_array().map(Vec::len), Some(ids.len()));
        let bound = if forward { edges.last() } else { edges.first() };
        prop_assert_eq!(&page["pageInfo"][end], bound.map_or(&Value::Null, |edge| &edge["cursor"]));
        all = if forward { [all, ids].concat() } else { [ids, all].concat() };
        let is_last = page["pageInfo"][has_more] == json!(false);
        prop_assert_eq!(is_last, all.len() as u64 == page["totalCount"].as_u64().expect("a count"));
        if is_last {
            return Ok(all);
        }
        from = page["pageInfo"][end].clone();
    }
}

#[test]
fn pages_tile_any_list_in_both_directions() {
    let runtime = Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    let app = runtime.block_on(TestApp::new());
    let mut runner = TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    let mut users = 0;
    let users = std::cell::RefCell::new(&mut users);
    let outcome = runner.run(&(rows(), proptest::collection::vec(lists(), 3)), |(rows, lists)| {
        **users.borrow_mut() += 1;
        let sub = format!("user-{}", users.borrow());
        runtime.block_on(async {
            insert(&app, &sub, &rows).await;
            for (status, sort, direction, size) in lists {
                let expected = expected(&rows, status, sort, direction);
                let arguments = format!("status: {status}, sortBy: {sort}, direction: {direction}");
                for forward in [true, false] {
                    let read = read_all(&app.user(&sub), &arguments, size, forward).await?;
                    prop_assert_eq!(&read, &expected, "{} by {} forward {}", &arguments, size, forward);
                }
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
