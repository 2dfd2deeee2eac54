//! `__schema` and `__type`, written as JSON straight from the schema (GraphQL, section 4). Types within types multiply,
//! so what is written is counted on the way. apollo-compiler can answer these fields too, but neither counts nor knows
//! `isOneOf`; the tests compare with it.

mod write;

use apollo_compiler::ast;
use apollo_compiler::executable::{Field, Operation, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use async_graphql::{Name as AnswerName, ServerError, Value, Variables};

use super::collect::Collect;
use crate::graphql::code::{Code, coded};

/// What apollo-compiler's introspection types lack.
const MORE: &str = "\nextend type __Type { isOneOf: Boolean }\n";
/// The fields that it has in another order than the specification shows them.
const ORDERED: [(&str, &[&str]); 2] = [
    ("__Type", &["kind", "name", "description", "specifiedByURL", "fields"]),
    ("__Directive", &["name", "description", "isRepeatable", "locations", "args"]),
];
/// Most bytes of an answer.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Our schema from its text, with all that introspection shows of it.
pub(super) fn schema(sdl: String) -> Valid<Schema> {
    let schema = Schema::parse_and_validate(sdl + MORE, "schema.graphql");
    let mut schema = schema.expect("the schema that we print is valid").into_inner();
    for (name, order) in ORDERED {
        if let Some(ExtendedType::Object(ty)) = schema.types.get_mut(name) {
            // What is not named comes after what is, in the order that it has.
            let place = |name: &Name| order.iter().position(|other| name == other).unwrap_or(order.len());
            ty.make_mut().fields.sort_by_key(|name, _| place(name));
        }
    }
    Valid::assume_valid(schema)
}

/// What the introspection fields at an operation's root come to, as a JSON object. Other fields are passed over.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` where it is too large.
pub(super) fn answer(
    operation: &Operation,
    collect: Collect<'_>,
    variables: &Variables,
) -> Result<String, ServerError> {
    let select = Select { collect, variables };
    let roots = select.fields(&[&operation.selection_set], &|field| field.name.starts_with("__"));
    write::object(collect.schema, operation.object_type(), &roots)
        .ok_or_else(|| coded(Code::QueryTooComplex, format!("The answer has more than {MAX_BYTES} bytes."), None))
}

/// Puts the answer to an operation's introspection fields among that to its other fields, in the order of the document.
pub(super) fn merged(data: Value, introspected: &str, operation: &Operation, collect: Collect<'_>) -> Value {
    // Not by way of a JSON value, which would sort the fields.
    let introspected = serde_json::from_str(introspected);
    let (Value::Object(mut data), Ok(Value::Object(mut introspected))) = (data, introspected) else {
        // An error took the whole answer along.
        return Value::Null;
    };
    let roots = collect.fields([&operation.selection_set]);
    let in_order = roots.iter().filter_map(|fields| {
        let key = fields[0].response_key().as_str();
        let value = data.swap_remove(key).or_else(|| introspected.swap_remove(key))?;
        Some((AnswerName::new(key), value))
    });
    Value::Object(in_order.collect())
}

/// A selected field, with all that is selected of it.
struct Selected<'d> {
    field: &'d Node<Field>,
    /// The argument `name` or `includeDeprecated`; no field of introspection has another one.
    argument: Option<Argument<'d>>,
    below: Vec<Self>,
}

enum Argument<'d> {
    Name(&'d str),
    IncludeDeprecated(bool),
}

struct Select<'d> {
    collect: Collect<'d>,
    variables: &'d Variables,
}

impl<'d> Select<'d> {
    /// The fields of several sets, each once. All types of introspection are objects.
    fn fields(&self, sets: &[&'d SelectionSet], is_wanted: &dyn Fn(&Field) -> bool) -> Vec<Selected<'d>> {
        let fields = self.collect.fields(sets.iter().copied()).into_iter().filter(|fields| is_wanted(fields[0]));
        let selected = fields.map(|fields| {
            let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
            let below = self.fields(&sets, &|_| true);
            Selected { field: fields[0], argument: self.argument(fields[0]), below }
        });
        selected.collect()
    }

    fn argument(&self, field: &'d Field) -> Option<Argument<'d>> {
        let written = &*field.arguments.first()?.value;
        let given = written.as_variable().and_then(|name| self.variables.get(name.as_str()));
        match (written, given) {
            (ast::Value::String(name), _) | (_, Some(Value::String(name))) => Some(Argument::Name(name)),
            (ast::Value::Boolean(boolean), _) | (_, Some(Value::Boolean(boolean))) => {
                Some(Argument::IncludeDeprecated(*boolean))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
