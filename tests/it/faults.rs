//! What clients hear when something of ours fails: a code, and nothing of the inside.

use sea_orm::ConnectionTrait;
use serde_json::json;
use taskql::domain::Clock;

use crate::support::{Answer, TestApp};

fn shows_nothing_of_the_inside(answer: &Answer) {
    let text = answer.body.to_string().to_lowercase();
    for word in
        ["sql", "select", "table", "column \"", "panic", "poison", "src/", ".rs", "database", "connection", "pool"]
    {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_with_a_code_and_a_request_id() {
    let app = TestApp::with_clock(Clock::from_fn(|| panic!("the clock of this test is broken")), |_| {}).await;
    let ada = app.user("ada");
    let answer = ada.run("mutation { createTask(input: {title: \"x\"}) { task { id } } }").await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, Some("INTERNAL_SERVER_ERROR")), "{answer:?}");
    assert_eq!(answer["errors"][0]["extensions"]["requestId"].as_str(), answer.header("x-request-id"));
    assert_eq!(answer.body.get("data"), None);
    shows_nothing_of_the_inside(&answer);
    assert_eq!(ada.run("{ tasks { totalCount } }").await["data"]["tasks"]["totalCount"], 0);
}

#[tokio::test]
async fn what_was_carried_out_before_a_fault_is_told() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let clock = Clock::from_fn(move || {
        let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(call.is_multiple_of(2), "every second write fails");
        chrono::Utc::now()
    });
    let app = TestApp::with_clock(clock, |_| {}).await;
    let document = "mutation { a: createTask(input: {title: \"a\"}) { task { title } } b: createTask(input: {title: \"b\"}) { task { title } } }";
    let answer = app.user("ada").run(document).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("INTERNAL_SERVER_ERROR")), "{answer:?}");
    assert_eq!(answer["data"], json!({"a": {"task": {"title": "a"}}, "b": null}));
    assert_eq!(answer["errors"][0]["extensions"]["requestId"].as_str(), answer.header("x-request-id"));
    assert_eq!(app.user("ada").titles("").await, ["a"]);
}

#[tokio::test]
async fn a_fault_of_the_database_is_a_500_and_the_whole_query_is_given_up() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    ada.create_titled("x").await;
    app.db.execute_unprepared("alter table tasks rename to elsewhere").await.expect("renamed");
    for query in [
        "{ viewer { id } tasks { totalCount } }",
        "{ viewer { id } task(id: \"018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f\") { id } }",
        "{ node(id: \"018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f\") { id } viewer { id } }",
        "mutation { toggleTask(id: \"018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f\") { task { id } } }",
    ] {
        let answer = ada.run(query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (500, Some("INTERNAL_SERVER_ERROR")), "{query} {answer:?}");
        assert_eq!(answer.body.get("data"), None);
        shows_nothing_of_the_inside(&answer);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_that_says_when_to_try_again() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    app.store.finish().await;
    app.pool.clone().close().await.expect("it closes");
    for query in [
        "{ viewer { id } tasks { totalCount } }".to_owned(),
        format!("mutation {{ toggleTask(id: \"{id}\") {{ task {{ id }} }} }}"),
    ] {
        let answer = ada.run(&query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (503, Some("SERVICE_UNAVAILABLE")), "{answer:?}");
        assert_eq!((answer.header("retry-after"), answer.body.get("data")), (Some("1"), None));
        shows_nothing_of_the_inside(&answer);
    }
    assert_eq!(ada.run("{ viewer { id } }").await.status, 200);
}
