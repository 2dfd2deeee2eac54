//! Who may see and change what: every field of Query and Mutation is walked as an anonymous caller and as somebody
//! else.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};
use taskql::graphql::Api;

use crate::support::{Client, TestApp};

/// The fields of a root type, from the schema itself: a new field without a line below fails the walk.
fn fields_of(root: &str) -> Vec<String> {
    let schema = parse_schema(Api::sdl()).expect("the schema");
    let definitions = schema.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == root => Some(definition.node.kind),
        _ => None,
    });
    let TypeKind::Object(object) = definitions.last().expect("the root type") else { panic!("no object") };
    object.fields.into_iter().map(|field| field.node.name.node.to_string()).collect()
}

/// A call of each field that touches the task `id` of the user `owner`.
fn call(root: &str, field: &str, id: &str, owner: &str) -> String {
    let call = match field {
        "viewer" => "viewer { id email name }".into(),
        "task" => format!("task(id: \"{id}\") {{ id title owner {{ id }} }}"),
        "tasks" => "tasks { totalCount nodes { id title } edges { node { id } } pageInfo { endCursor } }".into(),
        "node" => format!("node(id: \"{id}\") {{ id }} owner: node(id: \"{owner}\") {{ id }}"),
        "nodes" => format!("nodes(ids: [\"{id}\", \"{owner}\"]) {{ id }}"),
        "taskChanges" => "taskChanges { hasMore changes { taskId task { title } } }".into(),
        "createTask" => {
            format!("createTask(input: {{id: \"{id}\", title: \"stolen\"}}) {{ task {{ title version }} }}")
        }
        "updateTask" => format!("updateTask(id: \"{id}\", input: {{title: \"stolen\"}}) {{ task {{ id }} }}"),
        "toggleTask" => format!("toggleTask(id: \"{id}\", expectedVersion: 1) {{ task {{ id }} }}"),
        "deleteTask" => format!("deleteTask(id: \"{id}\", expectedVersion: 7) {{ deletedTaskId }}"),
        other => panic!("{root}.{other} is not in the walk"),
    };
    format!("{} {{ {call} }}", root.to_lowercase())
}

fn calls(id: &str, owner: &str) -> Vec<String> {
    let call_of = |root: &'static str| fields_of(root).into_iter().map(move |field| call(root, &field, id, owner));
    call_of("Query").chain(call_of("Mutation")).collect()
}

async fn whole(client: &Client) -> Value {
    client.run("{ tasks { totalCount nodes { id title completed version updatedAt } } }").await.body
}

#[tokio::test]
async fn an_anonymous_caller_gets_nothing_but_the_schema() {
    let app = TestApp::new().await;
    let (ada, nobody) = (app.user("ada"), app.anonymous());
    let id = ada.create_titled("secret").await;
    let before = whole(&ada).await;
    for call in calls(&id, "ada") {
        for document in [
            call.clone(),
            call.replacen('{', "{ __typename ", 1),
            call.replacen('{', "{ ... @skip(if: true) {", 1) + "}",
            call.replacen('{', "{ __typename ...F } fragment F on ROOT {", 1)
                .replace("ROOT", if call.starts_with("query") { "Query" } else { "Mutation" }),
        ] {
            let answer = nobody.run(&document).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (401, Some("UNAUTHENTICATED")),
                "{document}: {answer:?}"
            );
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_eq!(answer.body.get("data"), None);
        }
    }
    assert_eq!(whole(&ada).await, before);
    let schema = nobody.run("{ __typename __schema { queryType { name } } __type(name: \"Task\") { name } }").await;
    assert_eq!((schema.status.as_u16(), schema.code()), (200, None));
    assert_eq!(nobody.run("mutation { __typename }").await.body, json!({"data": {"__typename": "Mutation"}}));
}

#[tokio::test]
async fn somebody_elses_task_answers_as_one_that_does_not_exist() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.create_titled("secret").await;
    let nowhere = "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f";
    let before = whole(&ada).await;
    for (theirs, absent) in calls(&id, "ada").iter().zip(calls(nowhere, "nobody")) {
        let (theirs, absent) = (bob.run(theirs).await, bob.run(&absent).await);
        // Only what Bob himself sent, or made just now, may differ.
        let normal = |body: &Value| {
            let text = body.to_string().replace(&id, nowhere);
            without_columns(&text)
        };
        assert_eq!(normal(&theirs.body), normal(&absent.body));
        assert_eq!(theirs.status, absent.status);
        assert!(
            !theirs.body.to_string().contains("secret") && !theirs.body.to_string().contains("\"ada\""),
            "{theirs:?}"
        );
    }
    assert_eq!(whole(&ada).await, before);
}

/// The text without the columns of error locations, which differ with the length of what was asked.
fn without_columns(text: &str) -> String {
    let mut parts = text.split("\"column\":");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[tokio::test]
async fn users_are_told_apart_to_the_byte() {
    let app = TestApp::new().await;
    let subs = [
        "ada",
        "Ada",
        "ada ",
        "a%",
        "a_a",
        "ADA",
        "ädä",
        "a\u{308}da",
        "'; drop table tasks; --",
        "\\",
        &"x".repeat(255),
    ];
    for sub in subs {
        app.user(sub).create_titled("x").await;
    }
    for sub in subs {
        let answer = app.user(sub).run("{ viewer { id } tasks { totalCount nodes { owner { id } } } }").await;
        let data = &answer["data"];
        assert_eq!((&data["viewer"]["id"], &data["tasks"]["totalCount"]), (&json!(sub), &json!(1)));
        assert_eq!(data["tasks"]["nodes"][0]["owner"]["id"], sub);
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_for_the_whole_request() {
    let app = TestApp::new().await;
    for authorization in ["Bearer nonsense", "Bearer", "Basic YTpi", ""] {
        let mut client = app.anonymous();
        client.authorization = Some(authorization.into());
        for document in ["{ __typename }", "{ viewer { id } }", "{ syntax", "{ nope }"] {
            let answer = client.run(document).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (401, Some("UNAUTHENTICATED")), "{answer:?}");
            let challenge = answer.header("www-authenticate").expect("a challenge");
            let had_token = authorization == "Bearer nonsense";
            assert_eq!(challenge.starts_with("Bearer error=\"invalid_token\""), had_token, "{challenge}");
            assert_eq!(answer.body.get("data"), None);
        }
    }
}
