//! Creating, reading, updating, toggling and deleting one task.

use serde_json::{Value, json};
use taskql::domain::Clock;

use crate::support::{TASK, TestApp};

const UPDATE: &str = "mutation($id: ID!, $input: UpdateTaskInput!, $version: Int) {
    updateTask(id: $id, input: $input, expectedVersion: $version) { task {
        id title description completed completedAt priority dueDate createdAt updatedAt version } } }";
const TOGGLE: &str = "mutation($id: ID!, $version: Int) {
    toggleTask(id: $id, expectedVersion: $version) { task { completed completedAt updatedAt version } } }";
const DELETE: &str = "mutation($id: ID!, $version: Int) {
    deleteTask(id: $id, expectedVersion: $version) { deletedTaskId } }";

#[tokio::test]
async fn a_new_task_is_as_it_was_asked_for() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let task = ada
        .create(json!({
            "title": "\u{a0} Milk 🥛 \n", "description": "two\n\tlitres ", "priority": "HIGH",
            "dueDate": "2030-01-01T00:30:00.5+01:00",
        }))
        .await;
    assert_eq!(task["title"], "Milk 🥛");
    assert_eq!(task["description"], "two\n\tlitres ");
    assert_eq!(task["priority"], "HIGH");
    assert_eq!(task["dueDate"], "2029-12-31T23:30:00.500000Z");
    assert_eq!((&task["completed"], &task["completedAt"], &task["version"]), (&json!(false), &Value::Null, &json!(1)));
    assert_eq!(task["createdAt"], task["updatedAt"]);
    assert!(task["createdAt"].as_str().is_some_and(|at| at.len() == 27 && at.ends_with('Z')), "{task}");
    assert_eq!(task["owner"]["id"], "ada");

    let read = ada.send(&format!("query($id: ID!) {{ task(id: $id) {{ {TASK} }} }}"), json!({"id": task["id"]})).await;
    assert_eq!(read["data"]["task"], task);

    let bare =
        ada.create(json!({"title": "x", "id": null, "description": null, "priority": null, "dueDate": null})).await;
    assert_eq!((&bare["description"], &bare["priority"], &bare["dueDate"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(ada.create(json!({"title": "x", "description": ""})).await["description"], "");
}

#[tokio::test]
async fn the_ends_of_time_are_kept() {
    let app = TestApp::new().await;
    for due in ["0001-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"] {
        assert_eq!(app.user("ada").create(json!({"title": "x", "dueDate": due})).await["dueDate"], due);
    }
}

#[tokio::test]
async fn every_broken_rule_is_told_at_once() {
    let app = TestApp::new().await;
    let ada = app.user("0190b0de-0000-7000-8000-00000000000a");
    let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
    let bad = json!({"id": "nonsense", "title": " ", "description": "a\u{0}b"});
    let answer = ada.send(create, json!({ "input": bad })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("BAD_USER_INPUT")));
    assert_eq!(answer["data"], json!({"createTask": null}));
    assert_eq!(answer.problem_paths(), ["input.id", "input.title", "input.description"]);
    assert_eq!(answer["errors"][0]["path"], json!(["createTask"]));

    for (input, path) in [
        (json!({"title": "a\u{0}b"}), "input.title"),
        (json!({"title": "x".repeat(201)}), "input.title"),
        (json!({"title": "x", "description": "y".repeat(10_001)}), "input.description"),
        (json!({"title": "x", "id": "0190b0de00007000800000000000000b"}), "input.id"),
        (json!({"title": "x", "id": "{0190b0de-0000-7000-8000-00000000000b}"}), "input.id"),
        (json!({"title": "x", "id": "urn:uuid:0190b0de-0000-7000-8000-00000000000b"}), "input.id"),
        (json!({"title": "x", "id": ""}), "input.id"),
        (json!({"title": "x", "id": "0190B0DE-0000-7000-8000-00000000000A"}), "input.id"),
    ] {
        let answer = ada.send(create, json!({ "input": input })).await;
        assert_eq!(answer.problem_paths(), [path], "{answer:?}");
    }
    assert_eq!(ada.run("{ tasks { totalCount } }").await["data"]["tasks"]["totalCount"], 0);

    let id = ada.create_titled("x").await;
    let bad = json!({"id": id, "input": {"title": null, "completed": null, "description": "\u{7}"}});
    let answer = ada.send(UPDATE, bad).await;
    assert_eq!(answer.problem_paths(), ["input.title", "input.description", "input.completed"]);
}

#[tokio::test]
async fn a_create_with_an_id_can_be_sent_again() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = "018F4F6E-2C1A-7D3B-9A5E-3F1B2C4D5E6F";
    let first = ada.create(json!({"id": id, "title": "first"})).await;
    assert_eq!(first["id"], id.to_lowercase());
    let again = ada.create(json!({"id": id.to_lowercase(), "title": "second", "priority": "LOW"})).await;
    assert_eq!(again, first);
    assert_eq!(bob.create(json!({"id": id, "title": "Bob's own"})).await["title"], "Bob's own");
    assert_eq!(ada.titles("").await, ["first"]);
}

#[tokio::test]
async fn the_id_of_a_deleted_task_stays_taken_for_thirty_days() {
    let now = std::sync::Arc::new(std::sync::Mutex::new(chrono::Utc::now()));
    let shared = std::sync::Arc::clone(&now);
    let clock = Clock::from_fn(move || *shared.lock().expect("not poisoned"));
    let app = TestApp::with_clock(clock, |_| {}).await;
    let ada = app.user("ada");
    let input = json!({"id": "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f", "title": "x"});
    let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { version } } }";
    for _ in 0..2 {
        ada.create(input.clone()).await;
        ada.send(DELETE, json!({"id": input["id"]})).await;
        assert_eq!(ada.send(create, json!({ "input": input })).await.code(), Some("CONFLICT"));
        *now.lock().expect("not poisoned") += chrono::TimeDelta::days(30) - chrono::TimeDelta::seconds(1);
        assert_eq!(ada.send(create, json!({ "input": input })).await.code(), Some("CONFLICT"));
        *now.lock().expect("not poisoned") += chrono::TimeDelta::seconds(1);
    }
    assert_eq!(ada.create(input).await["version"], 1);
}

#[tokio::test]
async fn an_update_tells_absent_from_null_from_a_value() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let task = ada
        .create(json!({
            "title": "x", "description": "d", "priority": "LOW", "dueDate": "2030-01-01T00:00:00Z",
        }))
        .await;
    let id = &task["id"];
    let change = async |input: Value| {
        let answer = ada.send(UPDATE, json!({"id": id, "input": input})).await;
        answer["data"]["updateTask"]["task"].clone()
    };
    let titled = change(json!({"title": " y "})).await;
    assert_eq!((&titled["title"], &titled["description"]), (&json!("y"), &json!("d")));
    assert_eq!((&titled["version"], &titled["createdAt"]), (&json!(2), &task["createdAt"]));
    assert!(titled["updatedAt"].as_str() > task["updatedAt"].as_str());
    let cleared = change(json!({"description": null, "priority": null, "dueDate": null})).await;
    assert_eq!(
        (&cleared["description"], &cleared["priority"], &cleared["dueDate"], &cleared["title"], &cleared["version"]),
        (&Value::Null, &Value::Null, &Value::Null, &json!("y"), &json!(3))
    );
    // A variable that is left out inside an input leaves its field alone.
    let answer = ada
        .send(
            "mutation($id: ID!, $title: String, $description: String) {
                updateTask(id: $id, input: {title: $title, description: $description}) { task { title description } } }",
            json!({"id": id, "description": "again"}),
        )
        .await;
    assert_eq!(answer["data"]["updateTask"]["task"], json!({"title": "y", "description": "again"}));
}

#[tokio::test]
async fn an_update_that_alters_nothing_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let task = ada.create(json!({"title": "x", "priority": "LOW", "dueDate": "2030-01-01T00:00:00Z"})).await;
    let same = json!({
        "title": " x ", "description": null, "completed": false, "priority": "LOW", "dueDate": "2030-01-01T01:00:00+01:00",
    });
    for input in [same, json!({})] {
        let answer = ada.send(UPDATE, json!({"id": task["id"], "input": input, "version": 1})).await;
        let updated = &answer["data"]["updateTask"]["task"];
        assert_eq!((&updated["version"], &updated["updatedAt"]), (&json!(1), &task["updatedAt"]), "{answer:?}");
    }
    let stale = ada.send(UPDATE, json!({"id": task["id"], "input": {}, "version": 7})).await;
    assert_eq!(stale.code(), Some("CONFLICT"));
}

#[tokio::test]
async fn completed_at_follows_completed() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    let set = async |completed: bool, title: &str| {
        let input = json!({"completed": completed, "title": title});
        let answer = ada.send(UPDATE, json!({"id": id, "input": input})).await;
        answer["data"]["updateTask"]["task"].clone()
    };
    let done = set(true, "a").await;
    assert_eq!((&done["completed"], &done["completedAt"]), (&json!(true), &done["updatedAt"]));
    let still_done = set(true, "b").await;
    assert_eq!((&still_done["completedAt"], &still_done["version"]), (&done["completedAt"], &json!(3)));
    assert_eq!(set(false, "b").await["completedAt"], Value::Null);
    let toggled = ada.send(TOGGLE, json!({"id": id})).await;
    let toggled = &toggled["data"]["toggleTask"]["task"];
    assert_eq!((&toggled["completed"], &toggled["version"]), (&json!(true), &json!(5)));
    assert_eq!(toggled["completedAt"], toggled["updatedAt"]);
    let back = ada.send(TOGGLE, json!({"id": id, "version": 5})).await;
    assert_eq!(back["data"]["toggleTask"]["task"]["completedAt"], Value::Null);
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_and_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    ada.send(TOGGLE, json!({"id": id})).await;
    let stale = json!({"id": id, "version": 1, "input": {"title": "y"}});
    for mutation in [UPDATE, TOGGLE, DELETE] {
        let answer = ada.send(mutation, stale.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("CONFLICT")), "{answer:?}");
        assert_eq!(answer["errors"][0]["extensions"]["currentVersion"], 2);
    }
    let read = ada.send("query($id: ID!) { task(id: $id) { title version } }", json!({"id": id})).await;
    assert_eq!(read["data"]["task"], json!({"title": "x", "version": 2}));
    let fresh = ada.send(DELETE, json!({"id": id.to_uppercase(), "version": 2})).await;
    assert_eq!(fresh["data"]["deleteTask"]["deletedTaskId"], id.as_str());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    ada.send(DELETE, json!({"id": id})).await;
    for id in [id.as_str(), "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f", "", "nonsense", "42"] {
        for mutation in [UPDATE, TOGGLE, DELETE] {
            let answer = ada.send(mutation, json!({"id": id, "input": {"title": "y"}})).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("NOT_FOUND")), "{answer:?}");
        }
        let answer = ada.send("query($id: ID!) { task(id: $id) { id } viewer { id } }", json!({"id": id})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("NOT_FOUND")));
        assert_eq!(answer["data"], json!({"task": null, "viewer": {"id": "ada"}}));
        let answer = ada.send("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
        assert_eq!(answer.body, json!({"data": {"node": null}}));
    }
}

#[tokio::test]
async fn what_earlier_fields_did_stays_done() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let document = "mutation {
        a: createTask(input: {title: \"a\"}) { task { title } }
        b: createTask(input: {title: \"\"}) { task { title } }
        c: createTask(input: {title: \"c\"}) { task { title } } }";
    let answer = ada.run(document).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer["data"], json!({"a": {"task": {"title": "a"}}, "b": null, "c": {"task": {"title": "c"}}}));
    assert_eq!(answer["errors"][0]["path"], json!(["b"]));
    assert_eq!(ada.titles("").await, ["c", "a"]);
}

#[tokio::test]
async fn a_field_that_is_selected_twice_is_carried_out_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    let document = "mutation($id: ID!) {
        toggleTask(id: $id) { task { completed } }
        toggleTask(id: $id) { task { version } }
        ...Again ...Again }
        fragment Again on Mutation { toggleTask(id: $id) { task { title } } missing: deleteTask(id: \"x\") { deletedTaskId } }";
    let answer = ada.send(document, json!({"id": id})).await;
    let expected = json!({"completed": true, "version": 2, "title": "x"});
    assert_eq!(answer["data"]["toggleTask"]["task"], expected);
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer:?}");
}

#[tokio::test]
async fn nodes_come_in_the_order_asked() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let (a, b) = (ada.create_titled("a").await, ada.create_titled("b").await);
    let query =
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Task { title } ... on User { email } } }";
    let answer = ada.send(query, json!({"ids": [b, "nonsense", "ada", a.to_uppercase(), b]})).await;
    let task = |id: &str, title: &str| json!({"__typename": "Task", "id": id, "title": title});
    let expected =
        json!([task(&b, "b"), null, {"__typename": "User", "id": "ada", "email": null}, task(&a, "a"), task(&b, "b")]);
    assert_eq!(answer.body, json!({"data": {"nodes": expected}}));
    let none = ada.send(query, json!({"ids": []})).await;
    assert_eq!(none["data"]["nodes"], json!([]));
    let many = |n: usize| json!({"ids": vec!["x"; n]});
    assert_eq!(ada.send(query, many(100)).await.code(), None);
    let refused = ada.send(query, many(101)).await;
    assert_eq!((refused.code(), refused.problem_paths()), (Some("BAD_USER_INPUT"), vec!["ids".into()]));
}

#[tokio::test]
async fn email_and_name_follow_the_token_and_are_remembered() {
    use taskql::auth::{TokenClaims, sign};
    let app = TestApp::new().await;
    let with = |email, name| {
        let ttl = std::time::Duration::from_mins(1);
        let claims = TokenClaims { sub: "ada", email, name, ttl, ..TokenClaims::default() };
        let mut client = app.user("ada");
        client.authorization = Some(format!("Bearer {}", sign(crate::support::SECRET, &claims)));
        client
    };
    let viewer = "{ viewer { id email name } }";
    let read = async |client: &crate::support::Client| client.run(viewer).await["data"]["viewer"].clone();
    let (full, bare) = (with(Some("a@example.com"), Some("Ada")), with(None, None));
    assert_eq!(read(&full).await, json!({"id": "ada", "email": "a@example.com", "name": "Ada"}));
    assert_eq!(read(&bare).await, json!({"id": "ada", "email": null, "name": null}));
    full.create_titled("x").await;
    assert_eq!(read(&bare).await, json!({"id": "ada", "email": "a@example.com", "name": "Ada"}));
    with(Some("new@example.com"), None).create_titled("y").await;
    assert_eq!(read(&bare).await, json!({"id": "ada", "email": "new@example.com", "name": "Ada"}));
    let owner = bare.run("{ tasks(first: 1) { nodes { owner { name email } } } }").await;
    assert_eq!(owner["data"]["tasks"]["nodes"][0]["owner"], json!({"name": "Ada", "email": "new@example.com"}));
}
