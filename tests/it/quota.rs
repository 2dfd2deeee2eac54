//! How many tasks a user may have, and the counts that the user's row keeps.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use taskql::domain::{Clock, Store};
use taskql::graphql::Api;

use crate::support::{Client, TestApp};

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// The counts that the user's row has, and those that counting finds.
async fn counts(db: &DatabaseConnection, user: &str) -> ([Option<i64>; 2], [i64; 2]) {
    let row = |sql: String| async move {
        db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await
    };
    let kept = row(format!("select task_count, completed_count from users where id = '{user}'"));
    let kept = kept.await.expect("a row").expect("a user");
    let counted = row(format!(
        "select count(*) as everything, count(completed_at) as completed from tasks where user_id = '{user}'"
    ));
    let counted = counted.await.expect("a row").expect("counts");
    (
        ["task_count", "completed_count"].map(|name| kept.try_get("", name).expect("a number")),
        ["everything", "completed"].map(|name| counted.try_get("", name).expect("a number")),
    )
}

async fn total_counts(client: &Client) -> Value {
    let query = "{ all: tasks(first: 0) { totalCount } pending: tasks(first: 0, status: PENDING) { totalCount }
        completed: tasks(first: 0, status: COMPLETED) { totalCount } }";
    client.run(query).await["data"].clone()
}

#[tokio::test]
async fn a_user_has_at_most_so_many_tasks() {
    let app = TestApp::with(|app| {
        app.store = app.store.clone().with_max_tasks(3);
        app.api = Api::new(app.store.clone(), true);
    })
    .await;
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let own = "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f";
    ada.create(json!({"title": "1", "id": own})).await;
    let id = ada.create_titled("2").await;
    ada.create_titled("3").await;
    for input in [json!({"title": "4"}), json!({"title": "4", "id": "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e70"})] {
        let answer = ada.send(CREATE, json!({"input": input})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("QUOTA_EXCEEDED")), "{answer:?}");
        assert_eq!(answer["data"], json!({"createTask": null}));
    }
    // What is there already is answered with what is there.
    assert_eq!(ada.create(json!({"title": "again", "id": own})).await["title"], "1");
    bob.create_titled("his own").await;
    ada.send("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({"id": id})).await;
    ada.create_titled("4").await;
    assert_eq!(ada.send(CREATE, json!({"input": {"title": "5"}})).await.code(), Some("QUOTA_EXCEEDED"));
    assert_eq!(counts(&app.db, "ada").await, ([Some(3), Some(0)], [3, 0]));
}

#[tokio::test]
async fn creates_at_once_do_not_go_beyond_the_quota() {
    let app = TestApp::with(|app| {
        app.store = app.store.clone().with_max_tasks(10);
        app.api = Api::new(app.store.clone(), true);
    })
    .await;
    let ada = app.user("ada");
    let creates = (0..30).map(|n| {
        let ada = ada.clone();
        async move { ada.send(CREATE, json!({"input": {"title": n.to_string()}})).await.code().map(str::to_owned) }
    });
    let codes = futures_util::future::join_all(creates).await;
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 10, "{codes:?}");
    assert!(codes.iter().flatten().all(|code| code == "QUOTA_EXCEEDED"), "{codes:?}");
    assert_eq!(counts(&app.db, "ada").await, ([Some(10), Some(0)], [10, 0]));
}

#[tokio::test]
async fn counts_are_right_after_every_write_and_for_users_of_the_first_version() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(ada.create_titled(&n.to_string()).await);
    }
    let toggle = "mutation($id: ID!) { toggleTask(id: $id) { task { id } } }";
    let update = "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
    let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
    ada.send(toggle, json!({"id": ids[0]})).await;
    ada.send(toggle, json!({"id": ids[1]})).await;
    ada.send(toggle, json!({"id": ids[1]})).await;
    ada.send(update, json!({"id": ids[2], "input": {"completed": true, "title": "x"}})).await;
    ada.send(update, json!({"id": ids[2], "input": {"completed": true, "title": "y"}})).await;
    ada.send(update, json!({"id": ids[0], "input": {"title": "z"}})).await;
    ada.send(delete, json!({"id": ids[2]})).await;
    ada.send(delete, json!({"id": ids[3]})).await;
    ada.send(delete, json!({"id": ids[3]})).await;
    assert_eq!(counts(&app.db, "ada").await, ([Some(3), Some(1)], [3, 1]));
    let expected = json!({"all": {"totalCount": 3}, "pending": {"totalCount": 2}, "completed": {"totalCount": 1}});
    assert_eq!(total_counts(&ada).await, expected);

    // As a database of the first version is after the migration: nobody has counted. What that version writes meanwhile is
    // no different.
    app.db.execute_unprepared("update users set task_count = null, completed_count = null").await.expect("set");
    assert_eq!(total_counts(&ada).await, expected);
    ada.send(toggle, json!({"id": ids[0]})).await;
    assert_eq!(counts(&app.db, "ada").await, ([None, None], [3, 0]));
    let limited = Store::new(app.db.clone(), Clock::system()).with_max_tasks(4);
    let limited = TestApp::with(|app| app.api = Api::new(limited, true)).await;
    assert_eq!(limited.user("ada").send(CREATE, json!({"input": {"title": "4"}})).await.code(), None);
    assert_eq!(counts(&app.db, "ada").await, ([Some(4), Some(0)], [4, 0]));
    assert_eq!(limited.user("ada").send(CREATE, json!({"input": {"title": "5"}})).await.code(), Some("QUOTA_EXCEEDED"));
}
