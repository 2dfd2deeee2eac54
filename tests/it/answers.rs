//! How large an answer can get.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{Client, TestApp};

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// Tasks with descriptions of 40,000 bytes.
async fn long_tasks(ada: &Client, count: usize) {
    for n in 0..count {
        let input = json!({"title": n.to_string(), "description": "\u{1F980}".repeat(10_000)});
        assert_eq!(ada.send(CREATE, json!({"input": input})).await.code(), None);
    }
}

/// The field under so many names.
fn aliases(field: &str, count: usize) -> String {
    (0..count).map(|n| format!("a{n}: {field} ")).collect()
}

#[tokio::test]
async fn a_query_whose_answer_is_too_large_is_given_up() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    long_tasks(&ada, 60).await;
    let some = aliases("description", 3);
    let all = ada.run(&format!("{{ tasks(first: 60) {{ nodes {{ {some} }} }} }}")).await;
    assert_eq!(all.code(), None);
    assert_eq!(all["data"]["tasks"]["nodes"].as_array().map(Vec::len), Some(60));
    let many = aliases("description", 27);
    let lists = |inner: &str| -> String { (0..3).map(|n| format!("l{n}: tasks(first: 60) {{ {inner} }} ")).collect() };
    for query in [
        format!("{{ tasks(first: 60) {{ nodes {{ {many} }} }} }}"),
        format!("{{ tasks(first: 60) {{ nodes {{ {some} }} edges {{ node {{ {some} }} }} }} }}"),
        format!("{{ {} }}", lists(&format!("nodes {{ {some} }}"))),
        format!("{{ {} }}", lists(&format!("edges {{ node {{ {some} }} }}"))),
        format!("{{ taskChanges(first: 60) {{ changes {{ task {{ {many} }} }} }} }}"),
        format!("{{ viewer {{ id }} tasks(first: 60) {{ nodes {{ {many} }} }} __typename }}"),
    ] {
        let answer = ada.run(&query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("QUERY_TOO_COMPLEX")), "{query}");
        assert_eq!(answer.body.get("data"), None);
    }
}

#[tokio::test]
async fn a_mutation_whose_answer_could_be_too_large_is_refused_before_it_runs() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let create = |aliases: &str, count: usize| -> String {
        let one = |n: usize| format!("m{n}: createTask(input: {{title: \"x\"}}) {{ task {{ {aliases} }} }} ");
        format!("mutation {{ {} }}", (0..count).map(one).collect::<String>())
    };
    let (few, many) = (aliases("description", 20), aliases("description", 10));
    assert_eq!(ada.run(&create(&few, 1)).await.code(), None);
    // Twenty aliases in all, ten of which are in each of ten fields.
    let fragment = format!("fragment F on Task {{ {many} {} }}", aliases("description", 29).replace('a', "b"));
    let query = create("...F", 10) + &fragment;
    let answer = ada.run(&query).await;
    assert_eq!(answer.code(), Some("QUERY_TOO_COMPLEX"), "{answer:?}");
    assert_eq!(ada.titles("").await, ["x"]);
}

#[tokio::test]
async fn a_page_of_long_changes_ends_early_and_leaves_nothing_out() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    long_tasks(&ada, 150).await;
    let page = "query($since: String) { taskChanges(since: $since, first: 500) { changes { taskId task { description } } hasMore syncToken } }";
    let (mut seen, mut since, mut pages) = (HashSet::new(), json!(null), 0);
    loop {
        let answer = ada.send(page, json!({ "since": since })).await;
        assert_eq!(answer.code(), None, "{answer:?}");
        let page = &answer["data"]["taskChanges"];
        for change in page["changes"].as_array().expect("changes") {
            assert!(seen.insert(change["taskId"].to_string()), "each once");
        }
        (since, pages) = (page["syncToken"].clone(), pages + 1);
        if page["hasMore"] == json!(false) {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (150, 2));
}
