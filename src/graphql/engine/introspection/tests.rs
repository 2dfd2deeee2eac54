use apollo_compiler::ExecutableDocument;
use apollo_compiler::introspection::partial_execute;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use serde_json::{Value as Json, json};

use super::*;
use crate::graphql::code::code_of;
use crate::graphql::engine::Api;
use crate::graphql::engine::collect::Conditions;

/// Everything that a schema can hold.
const EVERYTHING: &str = r#"
    "The schema."
    schema { query: Root }
    type Root implements A & B { a(x: [In!]! = [{n: 1, of: {n: 2}}], y: String = "\"é\"\n"): [A!]! b: B u: U @deprecated e: E }
    interface A implements B { a(x: [In!]! = [{n: 1}], y: String): [A!]! b: B }
    "An interface."
    interface B { b: B }
    type C implements B { b: B old(was: Int @deprecated(reason: "gone")): Int @deprecated(reason: "Use b.") }
    union U = C | Root
    enum E { ONE "Two." TWO @deprecated }
    input In { n: Int! of: In old: E = TWO @deprecated }
    scalar S @specifiedBy(url: "https://example.com")
    directive @d(x: Int = 1, was: S @deprecated) repeatable on FIELD | QUERY
"#;

/// Answers, and compares with apollo-compiler to the byte.
fn run(schema: &Valid<Schema>, source: &str) -> Json {
    let tree = ExecutableDocument::parse_and_validate(schema, source, "").expect("a valid document");
    let operation = tree.operations.get(None).expect("one operation");
    let variables = Variables::default();
    let collect = Collect { schema, tree: &tree, conditions: Conditions::Known(&variables) };
    let ours = answer(operation, collect, &variables).expect("it is small");
    let none = coerce_variable_values(schema, operation, &JsonMap::new()).expect("no variables");
    let theirs = partial_execute(schema, &schema.implementers_map(), &tree, operation, &none).expect("it runs");
    assert_eq!(theirs.errors, []);
    assert_eq!(ours, serde_json::to_string(&theirs.data).expect("JSON"), "{source}");
    serde_json::from_str(&ours).expect("JSON")
}

/// Everything that can be asked, but for `isOneOf`.
fn everything() -> String {
    let reference = (0..6).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let all = "description isDeprecated deprecationReason";
    let input = format!("name type {{ ...Reference }} defaultValue {all}");
    format!(
        "{{ __typename __schema {{ description
            queryType {{ name }} mutationType {{ ...Type }} subscriptionType {{ ...Type __typename }} types {{ ...Type }}
            directives {{ name description isRepeatable locations args {{ {input} }}
                all: args(includeDeprecated: true) {{ {input} }} __typename }} }}
            one: __type(name: \"B\") {{ ...Type }} none: __type(name: \"b\") {{ name }} }}
        fragment Type on __Type {{ kind name description specifiedByURL ofType {{ name }}
            fields {{ name }} fields {{ args {{ {input} }} __typename }}
            allFields: fields(includeDeprecated: true) {{ name type {{ ...Reference }} {all} args(includeDeprecated: true) {{ {input} }} }}
            interfaces {{ name }} possibleTypes {{ name fields {{ name }} }}
            enumValues {{ name }} allValues: enumValues(includeDeprecated: true) {{ name {all} __typename }}
            inputFields {{ name __typename }} allInputs: inputFields(includeDeprecated: true) {{ {input} }} }}
        fragment Reference on __Type {{ {reference} }}"
    )
}

#[test]
fn whatever_a_schema_holds_is_told_as_apollo_compiler_tells_it() {
    for sdl in [EVERYTHING.to_owned(), Api::sdl()] {
        let answer = run(&schema(sdl), &everything());
        let types = answer["__schema"]["types"].as_array().expect("types");
        // What apollo-compiler does not know.
        assert!(types.iter().any(|ty| ty["name"] == "__Type" && ty["fields"][10]["name"] == "isOneOf"), "{types:?}");
    }
}

#[test]
fn conditions_and_repeated_fields_are_as_everywhere() {
    let answer = run(
        &schema(EVERYTHING.to_owned()),
        "{ ...F ...F __schema { queryType { name kind @skip(if: true) } } } fragment F on Root {
            __schema { queryType { kind @include(if: false) ... { name description } } }
            __type(name: \"E\") @skip(if: true) { name } empty: __type(name: \"E\") { name @skip(if: true) } }",
    );
    assert_eq!(answer, json!({"__schema": {"queryType": {"name": "Root", "description": null}}, "empty": {}}));
}

#[test]
fn an_answer_that_grows_without_end_is_given_up() {
    let fields: String = (0..40).map(|n| format!("\"{}\" f{n}: Root ", "x".repeat(200))).collect();
    let schema = schema(format!("schema {{ query: Root }} type Root {{ {fields} }}"));
    let inner =
        (0..3).fold("description".to_owned(), |inner, _| format!("fields {{ type {{ {inner} }} description }}"));
    let source = format!("{{ __schema {{ types {{ {inner} }} }} }}");
    let tree = ExecutableDocument::parse_and_validate(&schema, &source, "").expect("a valid document");
    let operation = tree.operations.get(None).expect("one operation");
    let variables = Variables::default();
    let collect = Collect { schema: &schema, tree: &tree, conditions: Conditions::Known(&variables) };
    let error = answer(operation, collect, &variables).expect_err("it has 40 × 40 × 40 descriptions");
    assert_eq!(code_of(&error), Some(Code::QueryTooComplex));
}
