//! What async-graphql's validation lets pass although GraphQL does not: [`written`] values and directives, fields that
//! cannot be merged ([`merging`]), and [`variables`], at which it looks only when a resolver wants them, so that a
//! mutation could fail at its second field for what was wrong with the request.

mod merging;
mod variables;
mod written;

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ExecutableDocument, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{ServerError, Value};

use crate::graphql::schema::date_time::DateTime;

/// Most problems that a client hears of at once.
const MAX_PROBLEMS: usize = 20;

/// The types of the schema.
pub(super) struct Types {
    inputs: HashMap<String, Input>,
    /// By the name of the type, then of the field.
    fields: HashMap<String, HashMap<String, Output>>,
    interfaces: HashSet<String>,
}

enum Input {
    Scalar,
    Enum(HashSet<String>),
    Object(Vec<InputValueDefinition>),
}

struct Output {
    arguments: Vec<InputValueDefinition>,
    ty: Type,
    /// The name of the type that the field leads to.
    leads_to: String,
}

impl Types {
    /// Reads the types from the schema's SDL.
    pub(super) fn of(sdl: &str) -> Self {
        let schema = parse_schema(sdl).expect("the schema that async-graphql prints is one that it reads");
        let mut types = Self { inputs: HashMap::new(), fields: HashMap::new(), interfaces: HashSet::new() };
        for scalar in ["Int", "Float", "String", "Boolean", "ID"] {
            types.inputs.insert(scalar.to_owned(), Input::Scalar);
        }
        for definition in schema.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                types.add(definition.node);
            }
        }
        types
    }

    fn add(&mut self, definition: TypeDefinition) {
        let name = definition.name.node.to_string();
        let input = match definition.kind {
            TypeKind::Scalar => Input::Scalar,
            TypeKind::Enum(kind) => {
                Input::Enum(kind.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
            }
            TypeKind::InputObject(kind) => Input::Object(kind.fields.into_iter().map(|field| field.node).collect()),
            TypeKind::Object(kind) => return self.add_fields(name, kind.fields.into_iter().map(|field| field.node)),
            TypeKind::Interface(kind) => {
                self.interfaces.insert(name.clone());
                return self.add_fields(name, kind.fields.into_iter().map(|field| field.node));
            }
            TypeKind::Union(_) => return,
        };
        self.inputs.insert(name, input);
    }

    fn add_fields(&mut self, name: String, fields: impl Iterator<Item = FieldDefinition>) {
        let output = |field: FieldDefinition| {
            let leads_to = named(&field.ty.node).to_owned();
            let arguments = field.arguments.into_iter().map(|argument| argument.node).collect();
            (field.name.node.to_string(), Output { arguments, ty: field.ty.node, leads_to })
        };
        self.fields.insert(name, fields.map(output).collect());
    }

    /// What is wrong with a document, of code `GRAPHQL_VALIDATION_FAILED`. What async-graphql's validation finds by
    /// itself is passed over.
    pub(super) fn problems(&self, document: &ExecutableDocument) -> Vec<ServerError> {
        let mut problems = self.wrong_values(document);
        problems.extend(self.conflicts(document));
        problems.truncate(MAX_PROBLEMS);
        problems
    }

    /// Whether a type has a field; the fields of introspection are no type's.
    pub(super) fn has_field(&self, of: &str, field: &str) -> bool {
        self.fields.get(of).is_some_and(|fields| fields.contains_key(field))
    }
}

/// The name at the core of a type.
fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => named(of),
    }
}

/// What a leaf should have been, where it is something else. `enum_as_text` is how JSON writes an enum's value.
fn wrong_leaf(name: &str, input: &Input, value: &Value, enum_as_text: bool) -> Option<String> {
    let is_good = match (input, value) {
        (Input::Enum(values), Value::Enum(value)) => values.contains(value.as_str()),
        (Input::Enum(values), Value::String(value)) => enum_as_text && values.contains(value),
        (Input::Enum(_) | Input::Object(_), _) => false,
        (Input::Scalar, value) => match (name, value) {
            ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
            ("ID", Value::Number(number)) => number.is_i64(),
            ("DateTime", Value::String(text)) => DateTime::parse_text(text).is_some(),
            _ => false,
        },
    };
    (!is_good).then(|| match (input, name) {
        (Input::Enum(values), _) => {
            let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
            values.sort_unstable();
            format!("expected one of {}", values.join(", "))
        }
        (_, "DateTime") => format!("expected {}", DateTime::EXPECTED),
        (_, "Int") => "expected a whole number of 32 bits".into(),
        _ => format!("expected {name}"),
    })
}
