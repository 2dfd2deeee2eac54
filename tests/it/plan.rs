//! The fast path of usual operations against the executor: the same answer to the byte, for random documents with
//! aliases, fragments, directives, fields that are selected twice, variables, and errors; and the same over a WebSocket
//! and in an event stream.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use taskql::domain::{Clock, UserId, Viewer};
use taskql::graphql::{Api, Call, Data, Document, Reply};
use tokio::runtime::Runtime;

use crate::support::{EventStream, Served, Socket, TestApp, token};

/// Something selected of a type: a field, or a fragment with more of it.
fn selections(field: impl Strategy<Value = String> + 'static, ty: &'static str) -> BoxedStrategy<String> {
    let alias = prop_oneof![4 => Just(""), 1 => Just("a: "), 1 => Just("b: "), 1 => Just("title: ")];
    let directive = prop_oneof![
        30 => Just(""),
        1 => Just(" @include(if: true)"),
        1 => Just(" @skip(if: $yes)"),
        1 => Just(" @include(if: $yes)"),
    ];
    let field = (alias, field, directive).prop_map(|(alias, field, directive)| match field.split_once(' ') {
        Some((name, rest)) => format!("{alias}{name}{directive} {rest}"),
        None => format!("{alias}{field}{directive}"),
    });
    let some = proptest::collection::vec(field, 1..6).prop_map(|fields| fields.join(" ")).boxed();
    let fragment = some.clone().prop_map(move |fields| format!("... on {ty} {{ {fields} }}")).boxed();
    let nested = fragment.clone().prop_map(|fragment| format!("... {{ {fragment} }}"));
    let part = prop_oneof![6 => some, 1 => fragment, 1 => nested];
    proptest::collection::vec(part, 1..3).prop_map(|parts| parts.join(" ")).boxed()
}

fn task() -> BoxedStrategy<String> {
    let names = proptest::sample::select(vec![
        "__typename",
        "id",
        "title",
        "description",
        "completed",
        "completedAt",
        "priority",
        "dueDate",
        "createdAt",
        "updatedAt",
        "version",
    ]);
    let owner = prop_oneof![
        Just("owner { id }"),
        Just("owner { name __typename email }"),
        Just("owner { ... on Node { __typename id } }"),
    ];
    let field = prop_oneof![40 => names, 3 => owner].prop_map(str::to_owned);
    let fragment = prop_oneof![8 => Just(""), 1 => Just(" ...TaskFields"), 1 => Just(" ... on Node { id nodeId: id }")];
    (selections(field, "Task"), fragment).prop_map(|(fields, fragment)| fields + fragment).boxed()
}

fn connection() -> BoxedStrategy<String> {
    let edge = prop_oneof![
        Just("cursor".to_owned()),
        Just("__typename".to_owned()),
        task().prop_map(|task| format!("node {{ {task} }}")),
    ];
    let page_info =
        proptest::sample::select(vec!["hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"]);
    let field = prop_oneof![
        3 => task().prop_map(|task| format!("nodes {{ {task} }}")),
        2 => selections(edge, "TaskEdge").prop_map(|edge| format!("edges {{ {edge} }}")),
        2 => selections(page_info.prop_map(str::to_owned), "PageInfo").prop_map(|info| format!("pageInfo {{ {info} }}")),
        1 => Just("totalCount".to_owned()),
        1 => Just("syncToken".to_owned()),
        1 => Just("__typename".to_owned()),
    ];
    selections(field, "TaskConnection")
}

fn node_id() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["$id", "\"ada\"", "\"01A1F93E-0000-7777-9983-3bc793450fe4\"", "\"nonsense\"", "7"])
}

fn node() -> BoxedStrategy<String> {
    let part = prop_oneof![
        2 => task().prop_map(|task| format!("... on Task {{ {task} }}")),
        1 => Just("id".to_owned()),
        1 => Just("__typename".to_owned()),
        1 => Just("... on User { name email id }".to_owned()),
        1 => Just("... on Node { id ... on User { theirs: __typename } }".to_owned()),
        1 => Just("...TaskFields".to_owned()),
        1 => Just("... @skip(if: $yes) { again: id }".to_owned()),
    ];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(" ")).boxed()
}

fn changes() -> BoxedStrategy<String> {
    let change = prop_oneof![
        2 => task().prop_map(|task| format!("task {{ {task} }}")),
        1 => Just("kind taskId".to_owned()),
        1 => Just("syncToken __typename".to_owned()),
    ];
    let field = prop_oneof![
        3 => selections(change, "TaskChange").prop_map(|change| format!("changes {{ {change} }}")),
        1 => Just("syncToken".to_owned()),
        1 => Just("hasMore".to_owned()),
        1 => Just("__typename".to_owned()),
    ];
    let arguments =
        proptest::sample::select(vec!["", "(first: 2)", "(first: $n, since: null)", "(first: 0)", "(since: \"x\")"]);
    let fields = selections(field, "TaskChangePage");
    (arguments, fields).prop_map(|(arguments, fields)| format!("taskChanges{arguments} {{ {fields} }}")).boxed()
}

fn query() -> impl Strategy<Value = String> {
    let arguments = proptest::sample::select(vec![
        "",
        "(first: 3)",
        "(first: $n)",
        "(last: 2)",
        "(first: 2, status: PENDING)",
        "(status: $status, first: 5)",
        "(sortBy: TITLE, first: 4)",
        "(sortBy: DUE_DATE, direction: $direction, first: 9)",
        "(first: 3, after: $cursor)",
        "(first: 101)",
        "(first: $absent)",
        "(after: \"nonsense\")",
        "(status: null, direction: DESC, first: 2)",
    ]);
    let id = proptest::sample::select(vec!["$id", "\"01a1f93e-0000-7777-9983-3bc793450fe4\"", "\"nonsense\"", "7"]);
    let root = prop_oneof![
        6 => (arguments, connection()).prop_map(|(arguments, fields)| format!("tasks{arguments} {{ {fields} }}")),
        3 => (id, task()).prop_map(|(id, fields)| format!("task(id: {id}) {{ {fields} }}")),
        1 => Just("__typename".to_owned()),
        1 => Just("viewer { id }".to_owned()),
        1 => Just("viewer { email ... on Node { id } name __typename }".to_owned()),
        2 => (node_id(), node()).prop_map(|(id, fields)| format!("node(id: {id}) {{ {fields} }}")),
        2 => (proptest::collection::vec(node_id(), 0..5), node())
            .prop_map(|(ids, fields)| format!("nodes(ids: [{}]) {{ {fields} }}", ids.join(" "))),
        2 => changes(),
    ];
    let one = prop_oneof![4 => Just(""), 1 => Just("again: ")];
    proptest::collection::vec((one, root), 1..3).prop_map(|roots| {
        let roots: Vec<String> = roots.into_iter().map(|(alias, root)| alias.to_owned() + &root).collect();
        let roots = roots.join(" ");
        // What is not used may not be declared.
        let declared = [
            "$n: Int = 4",
            "$id: ID!",
            "$status: TaskStatusFilter",
            "$absent: Int",
            "$direction: SortDirection",
            "$cursor: String",
            "$yes: Boolean!",
        ];
        let is_used = |variable: &&str| roots.contains(variable.split(':').next().unwrap_or_default());
        let declared: Vec<&str> = declared.into_iter().filter(is_used).collect();
        let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
        let fragment = "fragment TaskFields on Task { title priority version }";
        let fragment = if roots.contains("...TaskFields") { fragment } else { "" };
        format!("query Q{declared} {{ {roots} }} {fragment}")
    })
}

/// The data as it is written, and the errors.
fn text(reply: &Reply) -> String {
    let data = match &reply.data {
        Some(Data::Written(text)) => {
            text.strip_prefix("{\"data\":").expect("it begins so").trim_end_matches('}').to_owned()
        }
        Some(Data::Tree(tree)) => serde_json::to_string(tree).expect("JSON").trim_end_matches('}').to_owned(),
        None => "none".to_owned(),
    };
    // Fields that stand side by side fail in any order.
    let mut errors: Vec<String> = reply.errors.iter().map(|error| format!("{error:?}")).collect();
    errors.sort();
    format!("{data} {errors:?}")
}

/// The answer as every transport writes it.
fn response(reply: &Reply) -> Value {
    let mut response = match &reply.data {
        Some(Data::Written(text)) => serde_json::from_str(text).expect("JSON"),
        Some(Data::Tree(tree)) => json!({"data": tree.clone().into_json().expect("JSON")}),
        None => json!({}),
    };
    if !reply.errors.is_empty() {
        response["errors"] = serde_json::to_value(&reply.errors).expect("JSON");
    }
    response
}

/// Whether two answers are the same. Fields that stand side by side fail in any order. Where one that cannot be null has
/// failed, it is a matter of time which errors of the others are told too.
fn is_alike(one: &Value, other: &Value) -> bool {
    let errors = |response: &Value| response["errors"].as_array().cloned().unwrap_or_default();
    let is_null = |response: &Value| response.get("data").is_some_and(Value::is_null);
    let sorted = |response: &Value| {
        let mut errors: Vec<String> = errors(response).iter().map(ToString::to_string).collect();
        errors.sort();
        (response.get("data").cloned(), errors)
    };
    sorted(one) == sorted(other)
        || (is_null(one) && is_null(other) && errors(one).iter().any(|error| errors(other).contains(error)))
}

/// A server, and a socket that is open to it.
struct Transports {
    served: Served,
    socket: Socket,
    asked: u32,
}

impl Transports {
    async fn of(app: &TestApp) -> Self {
        let served = Served::start(app).await;
        let socket = Socket::of(&served.address, &token("ada")).await;
        Self { served, socket, asked: 0 }
    }

    /// Asks by the socket and in an event stream.
    async fn ask(&mut self, query: &str, variables: &Map<String, Value>) -> (Value, Value) {
        self.asked += 1;
        let id = self.asked.to_string();
        self.socket.subscribe(&id, query, json!(variables)).await;
        let mut message = self.socket.hear().await;
        let by_socket = match message["type"].as_str() {
            Some("next") => {
                assert_eq!(self.socket.hear().await, json!({"type": "complete", "id": id}));
                message["payload"].take()
            }
            _ => json!({"errors": message["payload"].take()}),
        };
        let headers = format!("accept: text/event-stream\r\nauthorization: Bearer {}\r\n", token("ada"));
        let mut stream = EventStream::post(&self.served.address, &headers, query, json!(variables)).await;
        let (name, in_stream) = stream.event().await.expect("an event");
        assert_eq!(name, "next", "{in_stream}");
        (by_socket, in_stream)
    }
}

struct Asker {
    app: TestApp,
    api: Api,
}

impl Asker {
    async fn new() -> Self {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 123_456_789).expect("a time");
        let app = TestApp::with_clock(Clock::from_fn(move || now), |_| {}).await;
        let api = Api::new(app.store.clone(), true);
        Self { app, api }
    }

    /// Asks as everybody does.
    async fn ask(&self, document: &Arc<Document>, user: &str, variables: &Map<String, Value>) -> Reply {
        self.api.execute(call(document, user, variables)).await
    }

    /// Asks the executor, whether or not there is a fast path.
    async fn ask_executor(&self, document: &Arc<Document>, user: &str, variables: &Map<String, Value>) -> Reply {
        self.api.execute_without_plan(call(document, user, variables)).await
    }
}

fn call<'d>(document: &'d Arc<Document>, user: &str, variables: &Map<String, Value>) -> Call<'d> {
    let viewer = Viewer { id: UserId::new(user).expect("an id"), email: None, name: None };
    let operation = document.operation(None).expect("one operation");
    Call { operation, variables: variables.clone(), viewer: Some(viewer) }
}

#[test]
fn reads_are_answered_alike_on_both_ways() {
    let runtime = Runtime::new().expect("a runtime");
    let _context = runtime.enter();
    let asker = runtime.block_on(Asker::new());
    let (id, cursor) = runtime.block_on(async {
        let ada = asker.app.user("ada");
        let titles = ["plain", "with \"quotes\" and \\", "über 🦀", "\u{2028} line", "a/b</script>", "last"];
        for (n, title) in titles.iter().enumerate() {
            let priority = ["LOW", "MEDIUM", "HIGH"][n % 3];
            let mut input = json!({"title": title, "priority": priority, "description": format!("line\nand\ttab {n}")});
            if n % 2 == 0 {
                input["dueDate"] = json!(format!("00{}1-02-03T04:05:06.7+01:00", n + 1));
                input["description"] = Value::Null;
            }
            ada.create(input).await;
        }
        let list = ada.run("{ tasks { edges { cursor node { id } } } }").await;
        let edge = list["data"]["tasks"]["edges"][1].clone();
        ada.send("mutation($id: ID!) { toggleTask(id: $id) { task { id } } }", json!({"id": edge["node"]["id"]})).await;
        (edge["node"]["id"].clone(), edge["cursor"].clone())
    });
    let variables = json!({"id": id, "cursor": cursor, "status": "PENDING", "yes": true});
    let variables = variables.as_object().expect("an object").clone();
    let (whole, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let transports = RefCell::new(runtime.block_on(Transports::of(&asker.app)));
    let mut runner = TestRunner::new(Config { cases: 1_500, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&query(), |query| {
        let mut transports = transports.borrow_mut();
        let Ok(document) = asker.api.read(&query).map(Arc::new) else { return Ok(()) };
        let (first, second) = runtime.block_on(async {
            (asker.ask_executor(&document, "ada", &variables).await, asker.ask(&document, "ada", &variables).await)
        });
        let expected = response(&first);
        let are_alike =
            text(&first) == text(&second) || !second.errors.is_empty() && is_alike(&expected, &response(&second));
        prop_assert!(are_alike, "{}\n{}", text(&first), text(&second));
        let (by_socket, in_stream) = runtime.block_on(transports.ask(&query, &variables));
        prop_assert!(is_alike(&by_socket, &expected), "by socket {by_socket}\nexpected {expected}");
        prop_assert!(is_alike(&in_stream, &expected), "in a stream {in_stream}\nexpected {expected}");
        let count = if second.errors.is_empty() { &whole } else { &refused };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let (whole, refused) = (whole.into_inner(), refused.into_inner());
    assert!(whole > 60 && refused > 60, "both were tried: {whole} answered, {refused} refused");
}

#[tokio::test]
async fn writes_are_answered_alike_on_both_ways() {
    let asker = Asker::new().await;
    let id = "01a1f93e-64e6-7777-9983-3bc793450fe4";
    let all = "__typename task { __typename id title description completed completedAt priority dueDate createdAt updatedAt version }";
    let steps = [
        (
            format!("mutation C($input: CreateTaskInput!) {{ createTask(input: $input) {{ {all} }} }}"),
            json!({"input": {"id": id, "title": " x ", "dueDate": "2030-01-01T00:00:00Z"}}),
        ),
        (
            format!("mutation {{ made: createTask(input: {{id: \"{id}\", title: \"again\"}}) {{ ... {{ {all} }} }} }}"),
            json!({}),
        ),
        (
            "mutation C($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }".into(),
            json!({"input": {"title": "", "id": "nonsense"}}),
        ),
        (format!("mutation T($id: ID!) {{ toggleTask(id: $id) {{ {all} }} }}"), json!({"id": id})),
        (
            "mutation T($id: ID!, $v: Int) { toggleTask(id: $id, expectedVersion: $v) { task { version } } }".into(),
            json!({"id": id, "v": 1}),
        ),
        (
            format!(
                "mutation U($id: ID!, $input: UpdateTaskInput!) {{ updateTask(id: $id, input: $input) {{ {all} }} }}"
            ),
            json!({"id": id, "input": {"title": "y", "dueDate": null, "priority": "HIGH"}}),
        ),
        (
            format!(
                "mutation U($id: ID!, $t: String) {{ updateTask(id: $id, input: {{title: $t, completed: false}}) {{ {all} }} }}"
            ),
            json!({"id": id}),
        ),
        ("mutation D($id: ID!) { deleteTask(id: $id) { __typename gone: deletedTaskId } }".into(), json!({"id": id})),
        ("mutation D($id: ID!) { deleteTask(id: $id) { deletedTaskId } }".into(), json!({"id": id})),
        ("mutation D($id: ID!) { toggleTask(id: $id) { task { id } } }".into(), json!({"id": "nonsense"})),
        (
            format!(
                "mutation M($no: Boolean!) {{ __typename a: createTask(input: {{title: \"a\"}}) {{ task {{ title owner {{ id email }} }} }}
                 b: createTask(input: {{title: \"\"}}) {{ task {{ id }} }} c: toggleTask(id: \"{id}\") {{ __typename }}
                 d: createTask(input: {{title: \"d\"}}) {{ task {{ title @include(if: $no) version }} }} }}"
            ),
            json!({"no": false}),
        ),
    ];
    for (query, variables) in steps {
        let variables = variables.as_object().expect("an object").clone();
        let document = Arc::new(asker.api.read(&query).expect("it can be read"));
        let first = asker.ask_executor(&document, "ada", &variables).await;
        let second = asker.ask(&document, "bob", &variables).await;
        assert!(matches!(second.data, Some(Data::Written(_))), "{query}: {second:?}");
        assert_eq!(text(&first), text(&second).replace("\"bob\"", "\"ada\""), "{query}");
    }
    let left = async |user: &str| {
        asker.app.user(user).run("{ tasks { nodes { title version } } taskChanges { hasMore } }").await.body
    };
    assert_eq!(left("ada").await, left("bob").await);
}
