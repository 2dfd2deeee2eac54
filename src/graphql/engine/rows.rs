//! How many rows a document asks for, all its lists together.

use async_graphql::parser::types::Field;
use async_graphql::{Positioned, ServerError, Value, Variables};
use async_graphql_value::Value as InputValue;

use super::document::Operation;
use crate::domain::{feed, page};
use crate::graphql::code::{Code, coded};

/// Most rows of a document.
const MAX_ROWS: u64 = 500;

/// Checks the sum.
pub(super) fn check(operation: Operation<'_>, variables: &Variables) -> Result<(), ServerError> {
    let mut counted = Vec::new();
    let mut rows = 0;
    for Positioned { node: field, .. } in operation.roots {
        // A field that is selected several times is read once.
        let key = &field.response_key().node;
        if !counted.contains(&key) {
            counted.push(key);
            rows += rows_of(field, variables);
        }
    }
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let message = format!("The document asks for {rows} rows; the limit is {MAX_ROWS}. Ask for smaller pages.");
    Err(coded(Code::QueryTooComplex, message, None))
}

fn rows_of(field: &Field, variables: &Variables) -> u64 {
    let argument = |name| field.get_argument(name).and_then(|value| constant(&value.node, variables));
    match field.name.node.as_str() {
        "tasks" => {
            let size = |name| match argument(name)? {
                // What is no size of a page is refused by the field itself.
                Value::Number(number) => Some(number.as_u64().unwrap_or_default().min(page::MAX_SIZE)),
                _ => None,
            };
            size("first").or_else(|| size("last")).unwrap_or(page::DEFAULT_SIZE)
        }
        "taskChanges" => match argument("first") {
            Some(Value::Number(number)) => number.as_u64().unwrap_or_default().min(feed::MAX_SIZE as u64),
            _ => feed::DEFAULT_SIZE as u64,
        },
        "nodes" => match argument("ids") {
            Some(Value::List(ids)) => ids.len() as u64,
            _ => 1,
        },
        _ => 0,
    }
}

fn constant(value: &InputValue, variables: &Variables) -> Option<Value> {
    value.clone().into_const_with(|name| variables.get(&name).cloned().ok_or(())).ok()
}
