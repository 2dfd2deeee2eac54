//! How many SQL statements a document costs.

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn statements(client: &Client, query: &str, variables: Value) -> u64 {
    let answer = client.send(query, variables).await;
    assert_eq!(answer.code(), None, "{query}: {answer:?}");
    answer.statements.expect("every answer says")
}

#[tokio::test]
async fn reads_cost_one_statement() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(ada.create_titled(&format!("t{n}")).await);
    }
    let (a, b) = (&ids[0], &ids[1]);
    for (query, expected) in [
        ("{ viewer { id } }".to_owned(), 0),
        ("{ viewer { id email name } }".to_owned(), 1),
        ("{ tasks { nodes { id title owner { id } } edges { cursor node { version } } pageInfo { endCursor } } }".to_owned(), 1),
        ("{ tasks { nodes { owner { id email name } } edges { node { owner { email } } } } viewer { name } }".to_owned(), 2),
        ("{ tasks { totalCount } }".to_owned(), 2),
        ("{ tasks(sortBy: DUE_DATE) { nodes { id } } }".to_owned(), 1),
        (format!("{{ task(id: \"{a}\") {{ id }} }}"), 1),
        (format!("{{ a: task(id: \"{a}\") {{ id }} b: task(id: \"{b}\") {{ title }} c: task(id: \"{a}\") {{ version }} }}"), 1),
        (
            format!("{{ a: task(id: \"{a}\") {{ id }} nodes(ids: [\"{a}\", \"{b}\", \"x\"]) {{ id }} node(id: \"{b}\") {{ id }} }}"),
            1,
        ),
        ("{ nodes(ids: [\"ada\", \"x\"]) { id } __typename }".to_owned(), 0),
        ("{ a: tasks(first: 1) { nodes { id } } ...F } fragment F on Query { a: tasks(first: 1) { nodes { title } } }".to_owned(), 1),
    ] {
        assert_eq!(statements(&ada, &query, json!({})).await, expected, "{query}");
    }
    let all = statements(
        &ada,
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { owner { email } } } }",
        json!({"ids": ids}),
    )
    .await;
    assert_eq!(all, 2);
}

#[tokio::test]
async fn writes_cost_no_more_than_they_need() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id title } } }";
    // Each is one statement on PostgreSQL, unless there is something to be found out first.
    let is_postgres = app.db.get_database_backend() == DbBackend::Postgres;
    let usual = |on_sqlite: u64| if is_postgres { 1 } else { on_sqlite };
    assert_eq!(statements(&ada, create, json!({"input": {"title": "y"}})).await, usual(2));
    let with_id = json!({"input": {"title": "y", "id": "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f"}});
    assert_eq!(statements(&ada, create, with_id.clone()).await, 3);
    assert_eq!(statements(&ada, create, with_id).await, 4);
    let update =
        "mutation($id: ID!, $title: String) { updateTask(id: $id, input: {title: $title}) { task { version } } }";
    assert_eq!(statements(&ada, update, json!({"id": id, "title": "z"})).await, usual(2));
    let futile = if is_postgres { 4 } else { 3 };
    assert_eq!(statements(&ada, update, json!({"id": id, "title": "z"})).await, futile);
    let toggle = "mutation($id: ID!) { toggleTask(id: $id) { task { version } } }";
    assert_eq!(statements(&ada, toggle, json!({"id": id})).await, usual(2));
    let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
    assert_eq!(statements(&ada, delete, json!({"id": id})).await, usual(3));
}
