//! What is wrong with a document, and attacks by document: each refused with its code, in no time.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn each_fault_has_its_code_and_its_status() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { id } } }", "GRAPHQL_PARSE_FAILED"),
        ("query { tasks(first: ) { totalCount } }", "GRAPHQL_PARSE_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { id nope } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ task { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(first: \"1\") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(first: 2147483648) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(first: 1.5) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(status: DONE) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(status: \"ALL\") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(size: 1) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a: task(id: 1) { id } a: task(id: 2) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { id } } query B { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { id } } query A { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { id } } fragment F on User { id }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { id @nope } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($x: Int) { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tasks(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($x: String) { tasks(first: $x) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { createTask(input: {}) { task { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "mutation { createTask(input: {title: \"x\", dueDate: \"today\"}) { task { id } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("mutation { createTask(input: {title: \"x\", done: true}) { task { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { x: email } viewer { x: name } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { x: email } ...F } fragment F on Query { viewer { x: name } }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{ tasks(first: 1) { nodes { x: title } } tasks(first: 1) { nodes { x: description } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("{ node(id: 1) { id ... on Task { id: title } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ node(id: 1) { ... on User { x: email } ... on Task { x: title } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __typename @foo }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int @foo) { tasks(first: $n) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { createTask(input: {title: \"a\", title: \"b\"}) { task { id } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query () { __typename }", "GRAPHQL_PARSE_FAILED"),
        ("fragment on on Query { __typename } { ...on }", "GRAPHQL_PARSE_FAILED"),
        ("subscription { taskChanged { kind } }", "NOT_ACCEPTABLE"),
    ] {
        let answer = ada.run(query).await;
        assert_eq!(answer.code(), Some(code), "{query}: {answer:?}");
        assert_eq!(answer.status, if code == "NOT_ACCEPTABLE" { 406 } else { 400 }, "{query}");
        assert_eq!(answer.body.get("data"), None, "{query}");
        let message = answer["errors"][0]["message"].as_str().expect("a message");
        assert!(!message.contains('\n') && message.len() < 300, "{message}");
    }
    assert_eq!(ada.titles("").await.len(), 0);
}

#[tokio::test]
async fn variables_are_checked_before_anything_runs() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let query = "mutation($id: ID!, $version: Int, $input: CreateTaskInput!) {
        createTask(input: $input) { task { id } } toggleTask(id: $id, expectedVersion: $version) { task { id } } }";
    let good = json!({"title": "x"});
    for (variables, count) in [
        (json!({"input": good}), 1),
        (json!({"id": null, "input": good}), 1),
        (json!({"id": "x", "version": "1", "input": good}), 1),
        (json!({"id": 1.5, "version": 4_000_000_000_u32, "input": {"title": 1, "dueDate": "2030-13-01T00:00:00Z"}}), 4),
        (json!({"id": "x", "input": {"priority": "URGENT", "color": "red"}}), 3),
        (json!({"id": "x", "input": "title"}), 1),
    ] {
        let answer = ada.send(query, variables.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("GRAPHQL_VALIDATION_FAILED")), "{variables}");
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(count), "{answer:?}");
    }
    assert_eq!(ada.titles("").await.len(), 0);
}

#[tokio::test]
async fn strings_in_documents_have_the_values_that_they_say() {
    let app = TestApp::new().await;
    let document = r#"mutation { createTask(input: {
        title: "\u{1F600} \uD83D\uDE00 \u0041", description: """
            a \""" b
              "c" \n
        """ }) { task { title description } } }"#;
    let answer = app.user("ada").run(document).await;
    let expected = json!({"title": "😀 😀 A", "description": "a \"\"\" b\n  \"c\" \\n"});
    assert_eq!(answer["data"]["createTask"]["task"], expected, "{answer:?}");
    assert_eq!(app.user("ada").run("{ tasks(first: -0) { nodes { id } } }").await["data"]["tasks"]["nodes"], json!([]));
}

#[tokio::test]
async fn variables_have_their_defaults() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    for title in ["a", "b", "c"] {
        ada.create_titled(title).await;
    }
    let query = "query($n: Int = 1, $skip: Boolean = true) { tasks(first: $n) { nodes { title } totalCount @skip(if: $skip) } }";
    assert_eq!(ada.run(query).await["data"]["tasks"], json!({"nodes": [{"title": "c"}]}));
    let answer = ada.send(query, json!({"n": null, "skip": false})).await;
    assert_eq!(answer["data"]["tasks"]["nodes"].as_array().map(Vec::len), Some(3));
    assert_eq!(answer["data"]["tasks"]["totalCount"], 3);
}

#[tokio::test]
async fn attacks_by_document_are_refused_at_once() {
    let app = TestApp::new().await;
    let mut doubling = "{ ...F0 }".to_owned();
    for n in 0..25 {
        write!(doubling, " fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1).expect("a string takes all");
    }
    doubling += " fragment F25 on Query { viewer { id } }";
    let aliases = |n: usize| {
        let fields: String = (0..n).map(|i| format!("a{i}:__typename ")).collect();
        format!("{{ {fields} }}")
    };
    let attacks = [
        format!("{{ tasks(first: {}", "[".repeat(3_500)),
        format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(3_500), "]".repeat(3_500)),
        format!("query($x: {}Int{}) {{ viewer {{ id }} }}", "[".repeat(3_500), "]".repeat(3_500)),
        format!("mutation {{ createTask(input: {}", "{a:".repeat(2_000)),
        "{viewer".repeat(2_000),
        aliases(5_000),
        aliases(31),
        format!("{{ viewer {{ {} }} }}", "id ".repeat(2_000)),
        doubling,
        format!("{{ viewer {{ id {} }} }}", "@skip(if: false) ".repeat(21)),
        format!("{{ {} }}", (0..11).map(|i| format!("a{i}: tasks(first: 50) {{ totalCount }} ")).collect::<String>()),
        format!(
            "mutation {{ {} }}",
            (0..11).map(|i| format!("a{i}: toggleTask(id: 1) {{ task {{ id }} }} ")).collect::<String>()
        ),
        format!("{{ viewer {{ id }} }} #{}", "x".repeat(16 * 1024)),
    ];
    for attack in &attacks {
        let began = Instant::now();
        let answer = app.user("ada").run(attack).await;
        let start = &attack[..60.min(attack.len())];
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("QUERY_TOO_COMPLEX")), "{start}: {answer:?}");
        assert!(began.elapsed() < Duration::from_millis(50), "{start}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn five_hundred_rows_of_a_document_are_answered() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let lists = |n: usize, rest: &str| {
        let lists: String = (0..n).map(|i| format!("a{i}: tasks(first: 100) {{ totalCount }} ")).collect();
        format!("query($n: Int = 0, $ids: [ID!] = []) {{ {lists} {rest} }}")
    };
    let with_variables = "b: tasks(last: $n) { totalCount } c: nodes(ids: $ids) { id }";
    let check = async |n: usize, rest: &str, variables: Value| {
        ada.send(&lists(n, rest), variables).await.code().map(str::to_owned)
    };
    assert_eq!(check(5, with_variables, json!({})).await, None);
    assert_eq!(check(4, with_variables, json!({"n": 99, "ids": ["x"]})).await, None);
    assert_eq!(check(4, with_variables, json!({"n": 100, "ids": ["x"]})).await.as_deref(), Some("QUERY_TOO_COMPLEX"));
    assert_eq!(check(5, with_variables, json!({"n": 1})).await.as_deref(), Some("QUERY_TOO_COMPLEX"));
    // The same list in two places is one list.
    let twice = "a0: tasks(first: 100) { nodes { id } } b: tasks(last: $n) { totalCount } c: nodes(ids: $ids) { id }";
    assert_eq!(check(5, twice, json!({})).await, None);
}
