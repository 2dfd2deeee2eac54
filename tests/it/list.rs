//! Filters, orders and the rules of pages, by example. That pages tile any list is in `pages.rs`.

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn three_tasks(ada: &Client) {
    ada.create(json!({"title": "b", "dueDate": "2030-01-02T00:00:00Z"})).await;
    let done = ada.create(json!({"title": "A"})).await;
    ada.create(json!({"title": "c", "dueDate": "2030-01-01T00:00:00Z"})).await;
    ada.send("mutation($id: ID!) { toggleTask(id: $id) { task { id } } }", json!({"id": done["id"]})).await;
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    for (arguments, expected) in [
        ("first: 50", "c A b"),
        ("status: null, sortBy: null, direction: null, first: null, after: null, last: null, before: null", "c A b"),
        ("direction: ASC", "b A c"),
        ("status: ALL, sortBy: CREATED, direction: DESC", "c A b"),
        ("status: PENDING", "c b"),
        ("status: COMPLETED", "A"),
        ("sortBy: TITLE", "A b c"),
        ("sortBy: TITLE, direction: DESC", "c b A"),
        ("sortBy: DUE_DATE", "c b A"),
        ("sortBy: DUE_DATE, direction: DESC", "b c A"),
        ("sortBy: DUE_DATE, status: PENDING, direction: DESC", "b c"),
        ("last: 2", "A b"),
        ("sortBy: DUE_DATE, last: 2", "b A"),
        ("sortBy: DUE_DATE, direction: DESC, last: 2", "c A"),
        ("first: 0", ""),
        ("last: 0", ""),
    ] {
        assert_eq!(ada.titles(arguments).await.join(" "), expected, "{arguments}");
    }
}

#[tokio::test]
async fn titles_sort_alike_on_both_databases() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    for title in
        ["Zebra", "äpfel", "apple", "Straße", "STRASSF", "_x", "Ähre", "zebra 2", "éclair", "10", "9", "😀", "ｚ"]
    {
        ada.create_titled(title).await;
    }
    let expected =
        ["10", "9", "_x", "apple", "Straße", "STRASSF", "Zebra", "zebra 2", "Ähre", "äpfel", "éclair", "ｚ", "😀"];
    assert_eq!(ada.titles("sortBy: TITLE").await, expected);
}

#[tokio::test]
async fn total_count_is_of_all_pages() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    let answer = ada
        .run("{ a: tasks(first: 1) { totalCount } p: tasks(status: PENDING, first: 0) { totalCount nodes { id } } }")
        .await;
    assert_eq!(answer["data"], json!({"a": {"totalCount": 3}, "p": {"totalCount": 2, "nodes": []}}));
}

#[tokio::test]
async fn page_info_is_exact_in_the_direction_of_paging() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    let query = "query($f: Int, $a: String, $l: Int, $b: String) { tasks(first: $f, after: $a, last: $l, before: $b) {
        edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let read = async |arguments: Value| ada.send(query, arguments).await["data"]["tasks"].clone();
    let flags = |page: &Value| {
        let info = &page["pageInfo"];
        (info["hasNextPage"].as_bool() == Some(true), info["hasPreviousPage"].as_bool() == Some(true))
    };
    let all = read(json!({})).await;
    let cursor = |nth: usize| all["edges"][nth]["cursor"].clone();
    assert_eq!(flags(&all), (false, false));
    assert_eq!(all["pageInfo"]["startCursor"], cursor(0));
    assert_eq!(all["pageInfo"]["endCursor"], cursor(2));
    for (arguments, expected) in [
        (json!({"f": 3}), (false, false)),
        (json!({"f": 2}), (true, false)),
        (json!({"f": 0}), (true, false)),
        (json!({"f": 2, "a": cursor(0)}), (false, true)),
        (json!({"f": 1, "a": cursor(0)}), (true, true)),
        (json!({"a": cursor(2)}), (false, true)),
        (json!({"l": 3}), (false, false)),
        (json!({"l": 2}), (false, true)),
        (json!({"l": 2, "b": cursor(2)}), (true, false)),
        (json!({"l": 1, "b": cursor(2)}), (true, true)),
        (json!({"b": cursor(0)}), (true, false)),
    ] {
        assert_eq!(flags(&read(arguments.clone()).await), expected, "{arguments}");
    }
    let empty = read(json!({"a": cursor(2)})).await;
    assert_eq!((&empty["pageInfo"]["startCursor"], &empty["pageInfo"]["endCursor"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_with_every_reason() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    let by_title = ada.run("{ tasks(sortBy: TITLE, first: 1) { pageInfo { endCursor } } }").await;
    let by_title = by_title["data"]["tasks"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    for (arguments, paths) in [
        ("first: 101".to_owned(), "first"),
        ("first: -1".to_owned(), "first"),
        ("last: 101".to_owned(), "last"),
        ("first: 1, last: 1".to_owned(), "last"),
        ("first: 101, last: -1".to_owned(), "last first last"),
        ("after: \"nonsense\"".to_owned(), "after"),
        ("after: \"\"".to_owned(), "after"),
        (format!("after: \"{by_title}\""), "after"),
        (format!("sortBy: TITLE, direction: DESC, before: \"{by_title}\""), "before"),
        (format!("sortBy: TITLE, first: 1, before: \"{by_title}\""), "before"),
        (format!("sortBy: TITLE, after: \"{by_title}\", before: \"{by_title}\""), "before"),
    ] {
        let answer = ada.run(&format!("{{ tasks({arguments}) {{ totalCount }} }}")).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("BAD_USER_INPUT")), "{arguments}");
        assert_eq!(answer.problem_paths().join(" "), paths, "{arguments}");
        assert_eq!(answer["data"], Value::Null);
    }
    assert_eq!(ada.titles(&format!("sortBy: TITLE, after: \"{by_title}\"")).await, ["b", "c"]);
    assert_eq!(ada.titles(&format!("sortBy: TITLE, status: PENDING, after: \"{by_title}\"")).await, ["b", "c"]);
}

#[tokio::test]
async fn a_cursor_outlives_its_task() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    let page = ada.run("{ tasks(sortBy: TITLE, first: 2) { edges { cursor node { id } } } }").await;
    let edge = &page["data"]["tasks"]["edges"][1];
    ada.send("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({"id": edge["node"]["id"]})).await;
    assert_eq!(ada.titles(&format!("sortBy: TITLE, after: {}", edge["cursor"])).await, ["c"]);
}

#[tokio::test]
async fn a_list_in_two_fragments_is_one_reading() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    three_tasks(&ada).await;
    let answer = ada
        .run("{ tasks(first: 1) { nodes { title } } ...More } fragment More on Query { tasks(first: 1) { nodes { version } totalCount } }")
        .await;
    assert_eq!(answer["data"]["tasks"], json!({"nodes": [{"title": "c", "version": 1}], "totalCount": 3}));
}
