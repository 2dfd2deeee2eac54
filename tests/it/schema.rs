//! schema.graphql is what the server prints, holds the contract, and describes every part.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use taskql::graphql::Api;

#[test]
fn schema_graphql_is_what_the_server_prints() {
    let file = include_str!("../../schema.graphql");
    assert!(file == Api::sdl(), "schema.graphql is out of date: cargo run -- schema > schema.graphql");
}

#[test]
fn every_part_is_described() {
    let mut bare = Vec::new();
    for definition in parse_schema(Api::sdl()).expect("the schema").definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let name = definition.name.node.to_string();
        let mut check = |part: String, is_described: bool| {
            if !is_described {
                bare.push(part);
            }
        };
        check(name.clone(), definition.description.is_some());
        let fields = match definition.kind {
            TypeKind::Object(kind) => kind.fields,
            TypeKind::Interface(kind) => kind.fields,
            TypeKind::Enum(kind) => {
                kind.values
                    .iter()
                    .for_each(|v| check(format!("{name}.{}", v.node.value.node), v.node.description.is_some()));
                continue;
            }
            TypeKind::InputObject(kind) => {
                kind.fields
                    .iter()
                    .for_each(|f| check(format!("{name}.{}", f.node.name.node), f.node.description.is_some()));
                continue;
            }
            TypeKind::Scalar | TypeKind::Union(_) => continue,
        };
        for field in fields {
            let path = format!("{name}.{}", field.node.name.node);
            check(path.clone(), field.node.description.is_some());
            for argument in &field.node.arguments {
                check(format!("{path}({})", argument.node.name.node), argument.node.description.is_some());
            }
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}
