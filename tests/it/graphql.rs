//! GraphQL as its specification has it, where servers are known to differ: what is accepted, what is refused and where.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Served, Socket, TestApp, token};

const INVALID: Option<&str> = Some("GRAPHQL_VALIDATION_FAILED");

/// The line and column of the first error.
fn place(answer: &Answer) -> (u64, u64) {
    let place = &answer["errors"][0]["locations"][0];
    (place["line"].as_u64().unwrap_or_default(), place["column"].as_u64().unwrap_or_default())
}

async fn assert_accepted(client: &Client, queries: &[&str]) {
    for query in queries {
        let answer = client.run(query).await;
        assert!(matches!(answer.code(), None | Some("NOT_FOUND")), "{query}: {answer:?}");
    }
}

async fn assert_invalid(client: &Client, queries: &[&str]) {
    for query in queries {
        let answer = client.run(query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, INVALID), "{query}: {answer:?}");
        assert_eq!(answer.body.get("data"), None, "{query}");
    }
}

#[tokio::test]
async fn defaults_of_variables_are_checked_before_anything_runs() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let create = "createTask(input: {title: \"w\"}) { task { id } }";
    for (declared, rest) in [
        ("$v: Int = 2147483648", "toggleTask(id: \"x\", expectedVersion: $v) { task { id } }"),
        ("$v: Int = 1.0", "toggleTask(id: \"x\", expectedVersion: $v) { task { id } }"),
        ("$v: UpdateTaskInput! = true", "updateTask(id: \"x\", input: $v) { task { id } }"),
        ("$v: UpdateTaskInput! = {title: 1}", "updateTask(id: \"x\", input: $v) { task { id } }"),
        ("$v: UpdateTaskInput! = {nope: 1}", "updateTask(id: \"x\", input: $v) { task { id } }"),
        ("$v: UpdateTaskInput! = {title: \"a\", title: \"b\"}", "updateTask(id: \"x\", input: $v) { task { id } }"),
        ("$v: DateTime = \"today\"", "updateTask(id: \"x\", input: {dueDate: $v}) { task { id } }"),
        ("$v: TaskPriority = \"LOW\"", "updateTask(id: \"x\", input: {priority: $v}) { task { id } }"),
        ("$v: ID = null", "toggleTask(id: $v) { task { id } }"),
    ] {
        let query = format!("mutation({declared}) {{ a: {create} b: {rest} }}");
        assert_invalid(&ada, &[&query]).await;
        // A value that is sent does not make a wrong default right.
        let answer = ada.send(&query, json!({"v": null})).await;
        assert_eq!(answer.code(), INVALID, "{query}: {answer:?}");
    }
    assert_eq!(ada.titles("").await.len(), 0);
}

#[tokio::test]
async fn null_is_refused_before_anything_runs_where_only_a_default_lets_a_variable_in() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let query = "mutation($v: ID = \"x\") { a: createTask(input: {title: \"w\"}) { task { id } } b: toggleTask(id: $v) { task { id } } }";
    let answer = ada.send(query, json!({"v": null})).await;
    assert_eq!((answer.status.as_u16(), answer.code(), place(&answer)), (400, INVALID, (1, 10)), "{answer:?}");
    assert_eq!(ada.titles("").await.len(), 0);
    let answer = ada.send(query, json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, Some("NOT_FOUND")), "{answer:?}");
    assert_eq!(ada.titles("").await.len(), 1);
    let skip = "query($v: Boolean = true) { viewer { id @skip(if: $v) } }";
    assert_eq!(ada.send(skip, json!({})).await.body, json!({"data": {"viewer": {}}}));
    assert_eq!(ada.send(skip, json!({"v": null})).await.code(), INVALID);
}

#[tokio::test]
async fn a_verdict_does_not_depend_on_what_was_sent_before() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let query = "mutation M($t: DateTime) { createTask(input: {title: \"y\", duedate: $t}) { task { dueDate } } }";
    let due = json!({"t": "2030-01-01T00:00:00Z"});
    let mut answers = Vec::new();
    for variables in [&due, &json!({}), &due, &json!({})] {
        let answer = ada.send(query, variables.clone()).await;
        assert_eq!(answer.code(), INVALID, "{variables}: {answer:?}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(ada.titles("").await.len(), 0);
}

#[tokio::test]
async fn typename_is_a_field_like_any_other() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let query = "query($a: Boolean!) { viewer { __typename @skip(if: $a) id } }";
    assert_eq!(ada.send(query, json!({"a": true})).await.body, json!({"data": {"viewer": {"id": "ada"}}}));
    assert_eq!(ada.send(query, json!({"a": false})).await["data"]["viewer"]["__typename"], "User");
    let invalid = [
        "{ __typename @skip(if: $undefined) }",
        "{ __typename(x: 1) }",
        "{ __typename { a } }",
        "{ __typename @unknown }",
        "{ __typename @skip }",
        "{ __typename @skip(if: null) }",
        "{ __typename @skip(if: \"true\") }",
        "{ __typename @skip(if: true, x: 1) }",
        "{ __typename @skip(if: true) @skip(if: true) }",
        "{ __typename @specifiedBy(url: \"x\") }",
        "{ __typename @deprecated }",
        "query($a: Int @skip(if: true)) { tasks(first: $a) { totalCount } }",
        "query @skip(if: true) { __typename }",
        "{ ...F } fragment F on Query @include(if: true) { __typename }",
    ];
    assert_invalid(&ada, &invalid).await;
}

#[tokio::test]
async fn white_space_comments_and_commas_stand_between_any_two_tokens() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let accepted = [
        "query($a: [\nID!\n]! = [ ]) { nodes(ids: $a) { id } }",
        "query($a: # b\n[ #c\nID ! # d\n] ! = []) { nodes(ids: $a) { id } }",
        "{ node(id: 1) { ... on # comment\n Task { id } } }",
        "{ node(id: 1) { ... # comment\n on Task { id } ... , F } } fragment # a\n F # b\n on # c\n Node # d\n { id }",
        "\u{feff}{ a # b\n : , viewer # c\n { # d\n id,,, } }",
        "{ # \u{1F600} {{{ \"\n viewer { id } }",
        "query Q\r\n{\rviewer\n{id}}",
        "{ nodes(ids: [,1,,2,]) { id } }",
        "{ true: viewer { null: id on: name query: email } }",
    ];
    assert_accepted(&ada, &accepted).await;
    assert_invalid(&ada, &["query($v: Int = 1 @foo) { tasks(first: $v) { totalCount } }"]).await;
    for refused in [
        "{ task(id) { id } }",
        "{ task(id: 1 x) { id } }",
        "{ viewer { id @skip(if) } }",
        "{ nodes(ids: [{a}]) { id } }",
    ] {
        let answer = ada.run(refused).await;
        assert_eq!(answer.code(), Some("GRAPHQL_PARSE_FAILED"), "{refused}: {answer:?}");
        assert!(
            answer["errors"][0]["message"].as_str().is_some_and(|message| message.contains("expected ':'")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn fields_are_merged_as_far_as_they_can_be() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let accepted = [
        // A fragment without a condition keeps its parent's type.
        "{ nodes(ids: [1]) { ... on Task { ... { x: description } } ... on User { ... { x: name } } } }",
        "{ nodes(ids: [1]) { id } nodes(ids: [1]) { __typename } }",
        "{ viewer { id } ...F } fragment F on Query { viewer { name } ... { viewer { id email } } }",
        "{ a: nodes(ids: [1]) { id } b: nodes(ids: [1, 2]) { id } }",
    ];
    assert_accepted(&ada, &accepted).await;
    let invalid = [
        "{ nodes(ids: [1]) { id } nodes(ids: [1, 2]) { id } }",
        "{ nodes(ids: []) { id } ...F } fragment F on Query { nodes(ids: [1]) { id } }",
        "{ nodes(ids: [1]) { ... on Task { x: title } ... on User { x: name } } }",
        "{ viewer { x: name } viewer { x: email } }",
    ];
    assert_invalid(&ada, &invalid).await;
    ada.create_titled("once").await;
    let twice = "mutation { createTask(input: {title: \"x\"}) { task { title } } ...F ...F }
        fragment F on Mutation { createTask(input: {title: \"x\"}) { task { version } __typename } }";
    let made = json!({"task": {"title": "x", "version": 1}, "__typename": "CreateTaskPayload"});
    assert_eq!(ada.run(twice).await["data"]["createTask"], made);
    assert_eq!(ada.titles("").await.len(), 2);
}

#[tokio::test]
async fn fields_come_in_the_order_of_the_document() {
    let app = TestApp::new().await;
    let id = app.user("ada").create_titled("x").await;
    let query = format!(
        "query($no: Boolean = false) {{ ... @include(if: $no) {{ z: __typename }} node(id: \"{id}\") {{ ...A ...B ...C }} }}
         fragment A on Task {{ title }} fragment B on Node {{ id __typename }} fragment C on Task {{ version title }}"
    );
    let expected = format!(r#"{{"data":{{"node":{{"title":"x","id":"{id}","__typename":"Task","version":1}}}}}}"#);
    assert_eq!(app.written(&query, json!({})).await, expected);
}

#[tokio::test]
async fn whole_numbers_are_integers_however_json_writes_them() {
    let app = TestApp::new().await;
    let query = "query($n: Int) { tasks(first: $n) { totalCount } }";
    for (value, code) in [
        ("5.0", None),
        ("1e1", None),
        ("-2147483648.0", Some("BAD_USER_INPUT")),
        ("2147483647.0", Some("BAD_USER_INPUT")),
        ("2147483648.0", INVALID),
        ("-2147483649", INVALID),
        ("0.5", INVALID),
    ] {
        let variables = json!({"n": serde_json::from_str::<Value>(value).expect("JSON")});
        assert_eq!(app.user("ada").send(query, variables).await.code(), code, "{value}");
    }
    // An id is a text, however large the number that it is written as; 4.0 is none.
    let task = "query($id: ID!) { task(id: $id) { id } }";
    for (value, code) in [("7", Some("NOT_FOUND")), ("18446744073709551615", Some("NOT_FOUND")), ("4.0", INVALID)] {
        let variables = json!({"id": serde_json::from_str::<Value>(value).expect("JSON")});
        assert_eq!(app.user("ada").send(task, variables).await.code(), code, "{value}");
    }
    let written = app.user("ada").run("{ task(id: 99999999999999999999) { id } }").await;
    assert_eq!(written.code(), Some("NOT_FOUND"), "{written:?}");
}

#[tokio::test]
async fn an_argument_whose_variable_is_left_out_has_its_default() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    for n in 0..3 {
        ada.create_titled(&format!("t{n}")).await;
    }
    for other in ["", "viewer { id }"] {
        let query = format!(
            "query($n: Int, $s: TaskStatusFilter) {{ {other} tasks(status: $s, last: $n) {{ totalCount }} taskChanges(first: $n) {{ hasMore }} }}"
        );
        let answer = ada.send(&query, json!({})).await;
        assert_eq!((answer.code(), &answer["data"]["tasks"]["totalCount"]), (None, &json!(3)), "{answer:?}");
        assert_eq!(ada.send(&query, json!({"n": 1})).await["data"]["taskChanges"]["hasMore"], true);
    }
}

#[tokio::test]
async fn places_are_where_the_client_wrote_them() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    for (query, expected) in [
        // Block strings with quotes within, escapes, and characters of more than one unit before the error.
        ("{\n task(id: \"\"\"a \\\"\"\" b\nc\"\"\") { id }\n nope }".to_owned(), (4, 2)),
        ("{ task(id: \"\\u{1F600}\") { id } nope }".to_owned(), (1, 32)),
        ("{ task(id: \"😀é\") { id } nope }".to_owned(), (1, 26)),
        ("{ # 😀\r\n\r task(id: -0) { id } nope }".to_owned(), (3, 22)),
        ("\u{feff}{ nope }".to_owned(), (1, 4)),
        ("\"\"\"\né\n\"\"\" query Q { nope }".to_owned(), (3, 15)),
        ("{ viewer, { id } ,, nope }".to_owned(), (1, 21)),
        // Syntax.
        ("{ viewer {\n\n id } } }".to_owned(), (3, 9)),
        ("{ \"é\" }".to_owned(), (1, 3)),
        // What goes wrong when it runs: by the fast path and by the executor.
        (format!("{{ # 😀\n  a: toggled: viewer {{ id }} }} #{id}"), (2, 13)),
        ("{ # 😀\n  é: task(id: 1) { id } }".replace('é', "e"), (2, 3)),
        ("query($b: Boolean = true) { # 😀\r  task(id: 1) @include(if: $b) { id } }".to_owned(), (2, 3)),
        ("{ viewer { id } /* no comment */ }".to_owned(), (1, 17)),
    ] {
        let answer = ada.run(&query).await;
        assert_eq!(place(&answer), expected, "{query}: {answer:?}");
    }
    let wrong = "query(\n  $a: Int, $b: [ID!]!) { tasks(first: $a) { totalCount } nodes(ids: $b) { id } }";
    let answer = ada.send(wrong, json!({"a": "x", "b": [null]})).await;
    assert_eq!(place(&answer), (2, 3));
    assert_eq!(answer["errors"][1]["locations"], json!([{"line": 2, "column": 12}]));
}

#[tokio::test]
async fn operations_fragments_and_variables_may_be_described() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let described = "\"\"\"\nWho is asking, \"and\" whose tasks.\n\"\"\"\nquery Q(\"How many.\" $n: Int = 1, \"\"\"Not used for \\\"\"\" much.\"\"\" $s: String = \"x\") {
        viewer { ...F } tasks(first: $n, after: $s) { totalCount } }
        # The fragment.
        \"What is shown.\" fragment F on User { id }";
    let answer = ada.run(described).await;
    assert_eq!((answer["data"]["viewer"]["id"].as_str(), answer.code()), (None, Some("BAD_USER_INPUT")), "{answer:?}");
    let accepted = [
        "\"a\" query { viewer { id } }",
        "\"a\" mutation M { __typename }",
        "query Q(\"a\" $n: Int) { tasks(first: $n) { totalCount } }",
    ];
    assert_accepted(&ada, &accepted).await;
    for refused in [
        "\"a\" { viewer { id } }",
        "\"a\" \"b\" query { viewer { id } }",
        "{ \"a\" viewer { id } }",
        "query Q($n: \"a\" Int) { tasks(first: $n) { totalCount } }",
        "query \"a\" query { viewer { id } }",
        "query Q($ \"a\" n: Int) { tasks(first: $n) { totalCount } }",
        "query Q($n: Int \"a\" = 1) { tasks(first: $n) { totalCount } }",
    ] {
        assert_eq!(ada.run(refused).await.code(), Some("GRAPHQL_PARSE_FAILED"), "{refused}");
    }
}

#[tokio::test]
async fn every_problem_of_a_document_is_told_up_to_twenty() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let answer = ada.run("query($unused: Int) { nope tasks(first: \"1\", size: 1) { totalCount } viewer }").await;
    let messages: Vec<&str> =
        answer["errors"].as_array().expect("errors").iter().filter_map(|error| error["message"].as_str()).collect();
    assert_eq!(messages.len(), 5, "{messages:?}");
    for message in messages {
        assert!(
            message.starts_with(|first: char| first.is_uppercase())
                && message.ends_with('.')
                && !message.contains('\n'),
            "{message}"
        );
    }
    // One mistake is one problem, whatever else hangs on it.
    for mistake in [
        "{ viewer { nmae } }",
        "query($id: ID!) { tsak(id: $id) { id } }",
        "{ tsaks { ...F } } fragment F on TaskConnection { totalCount }",
        "{ node(id: 1) { ... on Tsak { id } } }",
        "query($yes: Boolean!) { viewer { id { x @skip(if: $yes) } } }",
    ] {
        let answer = ada.run(mistake).await;
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{mistake}: {answer:?}");
    }
    let answer = ada.run("query($unused: Int) { viewer { nmae { x } id } tasks } fragment Unused on Task { id }").await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(4), "{answer:?}");
    let many = format!("{{ {} }}", (0..50).map(|n| format!("nope{n} ")).collect::<String>());
    let first = ada.run(&many).await;
    assert_eq!(first["errors"].as_array().map(Vec::len), Some(20));
    assert_eq!(ada.run(&many).await.body, first.body);
    // Where a fragment is used by several operations, its problems are told once.
    let shared = "query A { ...F } query B { ...F } fragment F on Query { tasks(first: \"1\") { totalCount } }";
    let answer = ada.post(json!({"query": shared, "operationName": "A"})).await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer:?}");
}

#[tokio::test]
async fn who_is_nobody_hears_that_first() {
    let app = TestApp::new().await;
    for query in
        ["{ viewer { nope } }", "{ nope viewer { id } }", "{ ...F } fragment F on Query { tasks(first: true) { x } }"]
    {
        assert_eq!(app.anonymous().run(query).await.code(), Some("UNAUTHENTICATED"), "{query}");
    }
    assert_invalid(&app.anonymous(), &["{ nope }", "{ __typename nope }"]).await;
}

#[tokio::test]
async fn a_subscription_has_one_field_at_its_root() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    for refused in [
        "subscription { a: taskChanged { kind } b: taskChanged { kind } }",
        "subscription { taskChanged { kind } __typename }",
        "subscription { __typename }",
        "subscription { taskChanged @skip(if: false) { kind } }",
        "subscription { ...F @include(if: true) } fragment F on Subscription { taskChanged { kind } }",
        "subscription { ...F } fragment F on Query { viewer { id } }",
        "subscription { taskChanged(since: \"a\") { kind } taskChanged(since: \"b\") { kind } }",
        "subscription { taskChanged { kind } taskChanged }",
        "subscription { ...F taskChanged { x: kind } } fragment F on Subscription { taskChanged { x: taskId } }",
    ] {
        socket.subscribe("refused", refused, json!({})).await;
        let heard = socket.hear().await;
        assert_eq!(
            (heard["type"].as_str(), heard["payload"][0]["extensions"]["code"].as_str()),
            (Some("error"), INVALID),
            "{refused}: {heard}"
        );
    }
    // However many subscriptions are fine, what is wrong behind them is found.
    let many: String = (0..250).map(|n| format!("subscription S{n}{{...F}}")).collect();
    let hidden = format!("{many} fragment F on Subscription{{taskChanged{{kind}}taskChanged{{kind}}}} query Q{{nope}}");
    let answer = app.user("ada").post(json!({"query": hidden, "operationName": "Q"})).await;
    assert_eq!(answer.code(), INVALID, "{answer:?}");
    let merged = "subscription { taskChanged { kind ... { kind } } ...F ... { taskChanged { task { title } } } }
        fragment F on Subscription { taskChanged { task { version } kind } }";
    socket.subscribe("merged", merged, json!({})).await;
    while app.streams_open().await == 0 {
        tokio::task::yield_now().await;
    }
    let mut heard = None;
    while heard.is_none() {
        // Whether the subscription has begun cannot be seen from outside.
        app.user("ada").create_titled("x").await;
        heard = tokio::time::timeout(std::time::Duration::from_millis(200), socket.hear()).await.ok();
    }
    let heard = heard.expect("it was heard");
    assert_eq!(
        heard["payload"]["data"]["taskChanged"],
        json!({"kind": "CREATED", "task": {"version": 1, "title": "x"}}),
        "{heard}"
    );
    served.stop().await;
}
