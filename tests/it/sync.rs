//! Delta sync: a copy that is fed by `taskChanges` alone equals the list, whatever happened; and tokens that have expired.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taskql::database::migrate;
use taskql::domain::{Clock, purge};
use tokio::runtime::Runtime;

use crate::support::{Client, TestApp};

const CHANGES: &str = "query($since: String, $first: Int) { taskChanges(since: $since, first: $first) {
    changes { kind taskId task { id title completed version } syncToken } syncToken hasMore } }";
const DELETE: &str = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
const TOGGLE: &str = "mutation($id: ID!) { toggleTask(id: $id) { task { id } } }";

async fn page(client: &Client, since: &Value, first: Option<usize>) -> Value {
    let answer = client.send(CHANGES, json!({"since": since, "first": first})).await;
    assert_eq!(answer.code(), None, "{answer:?}");
    answer["data"]["taskChanges"].clone()
}

/// A copy of a user's tasks and how far it has come.
#[derive(Clone, Default)]
struct Copy {
    tasks: BTreeMap<String, Value>,
    since: Value,
}

impl Copy {
    fn apply(&mut self, change: &Value) {
        let id = change["taskId"].as_str().expect("an id").to_owned();
        match change["kind"].as_str() {
            Some("DELETED") => {
                assert_eq!(change["task"], Value::Null);
                self.tasks.remove(&id);
            }
            Some("CREATED" | "UPDATED") => _ = self.tasks.insert(id, change["task"].clone()),
            other => panic!("{other:?}"),
        }
        self.since = change["syncToken"].clone();
    }

    /// Reads one page; whether there is more.
    async fn pull(&mut self, client: &Client, first: usize) -> bool {
        let page = page(client, &self.since, Some(first)).await;
        let changes = page["changes"].as_array().expect("changes");
        assert!(changes.len() <= first);
        for change in changes {
            self.apply(change);
        }
        self.since = page["syncToken"].clone();
        page["hasMore"] == true
    }

    async fn pull_all(&mut self, client: &Client, first: usize) {
        while self.pull(client, first).await {}
    }
}

async fn list(client: &Client) -> BTreeMap<String, Value> {
    let answer = client.run("{ tasks(first: 100) { nodes { id title completed version } } }").await;
    let nodes = answer["data"]["tasks"]["nodes"].as_array().expect("nodes").clone();
    nodes.into_iter().map(|node| (node["id"].as_str().expect("an id").to_owned(), node)).collect()
}

/// What may happen; the number chooses the task.
#[derive(Clone, Debug)]
enum Step {
    Create,
    Toggle(usize),
    Retitle(usize),
    Nothing(usize),
    Delete(usize),
    /// One of the copies reads a page of a size.
    Pull(usize, usize),
    /// One of the copies begins anew.
    Restart(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Create),
        2 => any::<usize>().prop_map(Step::Toggle),
        1 => any::<usize>().prop_map(Step::Retitle),
        1 => any::<usize>().prop_map(Step::Nothing),
        2 => any::<usize>().prop_map(Step::Delete),
        4 => (0_usize..3, 1_usize..4).prop_map(|(copy, first)| Step::Pull(copy, first)),
        1 => (0_usize..3).prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 0..40)
}

#[test]
fn a_copy_that_is_fed_by_changes_equals_the_list() {
    let runtime = Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    let app = runtime.block_on(TestApp::new());
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let users = std::cell::Cell::new(0);
    let outcome = runner.run(&steps(), |steps| {
        users.set(users.get() + 1);
        let client = app.user(&format!("user-{}", users.get()));
        runtime.block_on(async {
            let mut copies = [Copy::default(), Copy::default(), Copy::default()];
            for step in steps {
                let ids: Vec<String> = list(&client).await.into_keys().collect();
                let chosen = |number: usize| ids.get(number % ids.len().max(1)).cloned().unwrap_or_default();
                match step {
                    Step::Create => _ = client.create_titled("new").await,
                    Step::Toggle(number) => _ = client.send(TOGGLE, json!({"id": chosen(number)})).await,
                    Step::Retitle(number) => {
                        let update = "mutation($id: ID!, $t: String) { updateTask(id: $id, input: {title: $t}) { task { id } } }";
                        client.send(update, json!({"id": chosen(number), "t": format!("title {number}")})).await;
                    }
                    Step::Nothing(number) => {
                        let update = "mutation($id: ID!) { updateTask(id: $id, input: {}) { task { id } } }";
                        client.send(update, json!({"id": chosen(number)})).await;
                    }
                    Step::Delete(number) => _ = client.send(DELETE, json!({"id": chosen(number)})).await,
                    Step::Pull(copy, first) => _ = copies[copy].pull(&client, first).await,
                    Step::Restart(copy) => copies[copy] = Copy::default(),
                }
            }
            let expected = list(&client).await;
            for copy in &mut copies {
                copy.pull_all(&client, 3).await;
                prop_assert_eq!(&copy.tasks, &expected);
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_load_from_nothing_has_no_deleted_tasks() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let gone = ada.create_titled("gone").await;
    let first = ada.create_titled("first").await;
    ada.send(DELETE, json!({"id": gone})).await;
    let second = ada.create_titled("second").await;
    let begin = page(&ada, &Value::Null, Some(1)).await;
    assert_eq!((&begin["changes"][0]["taskId"], &begin["changes"][0]["kind"]), (&json!(first), &json!("CREATED")));
    assert_eq!(begin["hasMore"], true);
    // What goes while the load is under way is told.
    ada.send(DELETE, json!({"id": first})).await;
    let rest = page(&ada, &begin["syncToken"], None).await;
    let told: Vec<_> =
        rest["changes"].as_array().expect("changes").iter().map(|c| (c["kind"].clone(), c["taskId"].clone())).collect();
    assert_eq!(told, [(json!("CREATED"), json!(second)), (json!("DELETED"), json!(first))]);
    assert_eq!(page(&app.user("new"), &Value::Null, None).await["changes"], json!([]));
}

#[tokio::test]
async fn kinds_are_seen_from_the_token() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    let token = page(&ada, &Value::Null, None).await["syncToken"].clone();
    let other = ada.create_titled("y").await;
    ada.send(TOGGLE, json!({"id": id})).await;
    ada.send(TOGGLE, json!({"id": other})).await;
    let changes = page(&ada, &token, None).await["changes"].clone();
    let kinds: Vec<_> =
        changes.as_array().expect("changes").iter().map(|c| (c["kind"].clone(), c["taskId"].clone())).collect();
    assert_eq!(kinds, [(json!("UPDATED"), json!(id)), (json!("CREATED"), json!(other))]);
    // From the first change's own token only the second is left.
    let after_first = page(&ada, &changes[0]["syncToken"], None).await;
    assert_eq!(after_first["changes"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_token_of_a_list_misses_nothing_that_comes_after() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    ada.create_titled("x").await;
    for query in [
        "{ tasks { syncToken nodes { id } } }",
        "{ tasks { nodes { id } } ...F } fragment F on Query { tasks { ... { syncToken } } }",
    ] {
        let answer = ada.run(query).await;
        assert_eq!(answer.statements, Some(2), "looked up only where it is selected, and once");
        let token = &answer["data"]["tasks"]["syncToken"];
        assert_eq!(page(&ada, token, None).await["changes"], json!([]));
        let id = ada.create_titled("later").await;
        assert_eq!(page(&ada, token, None).await["changes"][0]["taskId"], id.as_str());
    }
    let never_wrote = app.user("new").run("{ tasks { syncToken } }").await;
    assert_eq!(never_wrote.code(), None);
}

#[tokio::test]
async fn tokens_that_are_none_or_have_expired_are_told_apart() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.create_titled("x").await;
    bob.create_titled("x").await;
    let token = page(&ada, &Value::Null, None).await["syncToken"].clone();
    let code = async |client: &Client, since: &Value, first: i32| {
        let answer = client.send(CHANGES, json!({"since": since, "first": first})).await;
        assert_eq!(answer.status, 200);
        answer.code().map(str::to_owned)
    };
    for bad in ["", "nonsense", &token.as_str().expect("a token")[1..]] {
        assert_eq!(code(&ada, &json!(bad), 1).await.as_deref(), Some("BAD_USER_INPUT"), "{bad}");
    }
    for first in [0, -1, 501] {
        assert_eq!(code(&ada, &token, first).await.as_deref(), Some("BAD_USER_INPUT"), "{first}");
    }
    assert_eq!(code(&ada, &token, 500).await, None);
    assert_eq!(code(&bob, &token, 1).await.as_deref(), Some("SYNC_TOKEN_EXPIRED"));
    // From the future: the database was set back.
    ada.create_titled("y").await;
    let later = page(&ada, &Value::Null, None).await["syncToken"].clone();
    app.db.execute_unprepared("update users set revision = revision - 1").await.expect("set back");
    assert_eq!(code(&ada, &later, 1).await.as_deref(), Some("SYNC_TOKEN_EXPIRED"));
    assert_eq!(code(&ada, &token, 1).await, None);
    migrate::new_epoch(&app.db).await.expect("a new epoch");
    assert_eq!(code(&ada, &token, 1).await.as_deref(), Some("SYNC_TOKEN_EXPIRED"));
}

#[tokio::test]
async fn old_tombstones_are_purged_and_old_tokens_expire_with_them() {
    let now: Arc<Mutex<DateTime<Utc>>> = Arc::new(Mutex::new(Utc::now()));
    let shared = Arc::clone(&now);
    let app = TestApp::with_clock(Clock::from_fn(move || *shared.lock().expect("not poisoned")), |_| {}).await;
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let later = |days: i64| *now.lock().expect("not poisoned") += TimeDelta::days(days);
    let (a, b) = (ada.create_titled("a").await, ada.create_titled("b").await);
    ada.create_titled("kept").await;
    bob.create_titled("Bob's").await;
    let old = page(&ada, &Value::Null, None).await["syncToken"].clone();
    let of_bob = page(&bob, &Value::Null, None).await["syncToken"].clone();
    let begun = page(&ada, &Value::Null, Some(1)).await;
    ada.send(DELETE, json!({"id": a})).await;
    let between = page(&ada, &old, None).await["syncToken"].clone();
    later(20);
    ada.send(DELETE, json!({"id": b})).await;
    later(10);
    assert_eq!(purge::purge(&app.store).await.expect("purged"), 1);
    assert_eq!(purge::purge(&app.store).await.expect("purged"), 0);
    let code = async |client: &Client, since: &Value| {
        let answer = client.send(CHANGES, json!({"since": since})).await;
        answer.code().map(str::to_owned)
    };
    assert_eq!(code(&ada, &old).await.as_deref(), Some("SYNC_TOKEN_EXPIRED"));
    // A first load that began before the deletion that is no longer told has expired as well.
    assert_eq!(code(&ada, &begun["syncToken"]).await.as_deref(), Some("SYNC_TOKEN_EXPIRED"));
    let rest = page(&ada, &between, None).await["changes"].clone();
    assert_eq!((&rest[0]["kind"], &rest[0]["taskId"]), (&json!("DELETED"), &json!(b)));
    assert_eq!(code(&bob, &of_bob).await, None);
    // A load from nothing through old tasks does not expire under way.
    let mut copy = Copy::default();
    assert!(!copy.pull(&ada, 1).await);
    ada.create_titled("new").await;
    copy.pull_all(&ada, 1).await;
    assert_eq!(copy.tasks, list(&ada).await);
}
