//! How many rows a document asks for, all its lists together.

use apollo_compiler::Node;
use apollo_compiler::ast::Value as Written;
use apollo_compiler::executable::Field;
use async_graphql::{ServerError, Value, Variables};

use crate::domain::{feed, page};
use crate::graphql::code::{Code, coded};

/// Most rows of a document.
const MAX_ROWS: u64 = 500;

/// Checks the sum over the fields at an operation's root, of which each is read once.
pub(super) fn check(roots: &[Node<Field>], variables: &Variables) -> Result<(), ServerError> {
    let rows = roots.iter().map(|field| rows_of(field, variables)).sum::<u64>();
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let message = format!("The document asks for {rows} rows; the limit is {MAX_ROWS}. Ask for smaller pages.");
    Err(coded(Code::QueryTooComplex, message, None))
}

fn rows_of(field: &Field, variables: &Variables) -> u64 {
    match field.name.as_str() {
        "tasks" => {
            let size = |name| Some(number(field, name, variables)?.min(page::MAX_SIZE));
            size("first").or_else(|| size("last")).unwrap_or(page::DEFAULT_SIZE)
        }
        "taskChanges" => {
            number(field, "first", variables).unwrap_or(feed::DEFAULT_SIZE as u64).min(feed::MAX_SIZE as u64)
        }
        "nodes" => length(field, "ids", variables),
        _ => 0,
    }
}

/// The value of an argument that is a number. What is no size of a page is refused by the field itself.
fn number(field: &Field, name: &str, variables: &Variables) -> Option<u64> {
    match written(field, name)? {
        Written::Int(number) => Some(number.as_str().parse().unwrap_or_default()),
        Written::Variable(name) => match variables.get(name.as_str())? {
            Value::Number(number) => Some(number.as_u64().unwrap_or_default()),
            _ => None,
        },
        _ => None,
    }
}

/// How many items an argument has that is a list; one item stands for a list of one.
fn length(field: &Field, name: &str, variables: &Variables) -> u64 {
    let items = match written(field, name) {
        Some(Written::List(items)) => items.len(),
        Some(Written::Variable(name)) => match variables.get(name.as_str()) {
            Some(Value::List(items)) => items.len(),
            _ => 1,
        },
        _ => 1,
    };
    items as u64
}

fn written<'d>(field: &'d Field, name: &str) -> Option<&'d Written> {
    field.arguments.iter().find(|argument| argument.name == name).map(|argument| &*argument.value)
}
