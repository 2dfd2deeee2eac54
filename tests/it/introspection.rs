//! What the schema says of itself, to whom, and beside what.

use serde_json::{Value, json};

use crate::support::TestApp;

const INVALID: Option<&str> = Some("GRAPHQL_VALIDATION_FAILED");

#[tokio::test]
async fn introspection_fields_are_validated_like_others() {
    let app = TestApp::new().await;
    for client in [app.anonymous(), app.user("ada")] {
        let invalid = [
            "query($v: Int) { __type(name: $v) { name } }",
            "query($v: String) { __type(name: $v) { name } }",
            "{ __type(name: \"Task\") { x: name ... on __Type { x: kind } } }",
            "{ __type(name: \"Task\") { __typename @unknown } }",
            "{ __type { name } }",
            "{ __type(name: 1) { name } }",
            "{ __schema { nope } }",
            "{ __schema }",
            "{ __type(name: \"Task\") { fields(includeDeprecated: 1) { name } } }",
            "mutation { __schema { queryType { name } } }",
            "{ viewer { __schema { queryType { name } } } }",
        ];
        for query in invalid {
            let answer = client.run(query).await;
            let expected = if query.contains("viewer") && client.authorization.is_none() {
                Some("UNAUTHENTICATED")
            } else {
                INVALID
            };
            assert_eq!(answer.code(), expected, "{query}: {answer:?}");
        }
    }
    let query =
        "query($v: String!, $d: Boolean) { __type(name: $v) { name enumValues(includeDeprecated: $d) { name } } }";
    let answer = app.anonymous().send(query, json!({"v": "TaskPriority"})).await;
    let values = json!([{"name": "LOW"}, {"name": "MEDIUM"}, {"name": "HIGH"}]);
    assert_eq!(answer.body, json!({"data": {"__type": {"name": "TaskPriority", "enumValues": values}}}));
    assert_eq!(app.anonymous().send(query, json!({"v": "Nothing"})).await.body, json!({"data": {"__type": null}}));
}

#[tokio::test]
async fn introspection_stands_beside_other_fields() {
    let app = TestApp::new().await;
    let query = "query($yes: Boolean!) { a: __typename ...F viewer { id } skipped: __type(name: \"Task\") @skip(if: $yes) { kind }
        z: __schema { queryType { name } __typename } } fragment F on Query { b: __type(name: \"Task\") { name kind } }";
    let expected = r#"{"data":{"a":"Query","b":{"name":"Task","kind":"OBJECT"},"viewer":{"id":"ada"},"z":{"queryType":{"name":"Query"},"__typename":"__Schema"}}}"#;
    assert_eq!(app.written(query, json!({"yes": true})).await, expected);
    let failing = "{ task(id: 1) { id } __type(name: \"Task\") { kind } }";
    let answer = app.user("ada").run(failing).await;
    assert_eq!(answer["data"], json!({"task": null, "__type": {"kind": "OBJECT"}}));
    assert_eq!(answer.code(), Some("NOT_FOUND"));
    assert_eq!(app.anonymous().run(failing).await.code(), Some("UNAUTHENTICATED"));
    assert_eq!(app.anonymous().run("mutation { __typename }").await.body, json!({"data": {"__typename": "Mutation"}}));
}

#[tokio::test]
async fn the_schema_tells_of_itself_what_there_is() {
    let app = TestApp::new().await;
    let query = "{ __schema { description types { name kind description specifiedByURL isOneOf interfaces { name } } directives { name } }
        node: __type(name: \"Node\") { interfaces { name } possibleTypes { name } fields { name } }
        list: __type(name: \"Query\") { fields { name args { name type { kind ofType { name } } defaultValue isDeprecated } } } }";
    let answer = app.anonymous().run(query).await;
    assert_eq!(answer.code(), None, "{answer:?}");
    let schema = &answer["data"]["__schema"];
    assert_eq!(schema["description"], Value::Null);
    let types = schema["types"].as_array().expect("types");
    let named = |name: &str| types.iter().find(|ty| ty["name"] == name);
    assert_eq!(named("Float"), None);
    for scalar in ["Int", "String", "Boolean", "ID", "DateTime"] {
        let ty = named(scalar).expect("a scalar that is used");
        assert!(ty["description"].is_string() && ty["interfaces"].is_null(), "{ty}");
    }
    assert_eq!(named("Task").map(|ty| &ty["interfaces"]), Some(&json!([{"name": "Node"}])));
    assert_eq!(named("CreateTaskInput").map(|ty| &ty["isOneOf"]), Some(&json!(false)));
    assert_eq!(named("Task").map(|ty| &ty["isOneOf"]), Some(&Value::Null));
    let node = &answer["data"]["node"];
    assert_eq!(node["interfaces"], json!([]));
    assert_eq!(node["possibleTypes"].as_array().map(Vec::len), Some(2));
    let fields = answer["data"]["list"]["fields"].as_array().expect("fields");
    let argument = |field: &str, name: &str| {
        let field = fields.iter().find(|one| one["name"] == field).expect("a field");
        field["args"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["name"] == name).cloned())
            .expect("an argument")
    };
    assert_eq!(argument("tasks", "status")["defaultValue"], "ALL");
    assert_eq!(argument("taskChanges", "first")["defaultValue"], "100");
    assert_eq!(argument("task", "id")["type"], json!({"kind": "NON_NULL", "ofType": {"name": "ID"}}));
}

#[tokio::test]
async fn the_introspection_of_tools_passes() {
    let app = TestApp::new().await;
    let type_ref = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name }} mutationType {{ name }}
            subscriptionType {{ name }} types {{ ...FullType }}
            directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
            fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
                type {{ ...TypeRef }} isDeprecated deprecationReason }}
            inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
            enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
            possibleTypes {{ ...TypeRef }} }}
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason }}
        fragment TypeRef on __Type {{ {type_ref} }}"
    );
    let answer = app.anonymous().run(&query).await;
    assert_eq!(answer.code(), None, "{answer:?}");
    let types = answer["data"]["__schema"]["types"].as_array().expect("types");
    let date_time = types.iter().find(|ty| ty["name"] == "DateTime").expect("the scalar");
    assert_eq!(date_time["specifiedByURL"], "https://scalars.graphql.org/chillicream/date-time.html");
}

#[tokio::test]
async fn introspection_can_be_turned_off() {
    let app = TestApp::with(|app| app.api = taskql::graphql::Api::new(app.store.clone(), false)).await;
    for query in
        ["{ __schema { queryType { name } } }", "{ ...F } fragment F on Query { __type(name: \"Task\") { name } }"]
    {
        for client in [app.anonymous(), app.user("ada")] {
            let answer = client.run(query).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("GRAPHQL_VALIDATION_FAILED")), "{answer:?}");
        }
    }
    assert_eq!(app.anonymous().run("{ __typename }").await.code(), None);
}
