//! What plans take in memory.

use apollo_compiler::Name;
use async_graphql_value::Value;

use super::super::weight::block;
use super::selection::{Selection, Shown};
use super::{Plan, Root};

impl Plan {
    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        block(16 + size_of::<Self>()) + block(size_of_val(&*self.roots)) + self.roots.iter().map(root).sum::<usize>()
    }
}

/// Names, each of its own.
pub(super) fn names(names: &[Name]) -> usize {
    block(size_of_val(names)) + names.iter().map(name).sum::<usize>()
}

fn name(name: &Name) -> usize {
    block(16 + name.len())
}

fn root(root: &Root) -> usize {
    let argument = |(key, value): &(Name, Value)| name(key) + self::value(value);
    let arguments = block(size_of_val(&*root.arguments)) + root.arguments.iter().map(argument).sum::<usize>();
    block(root.key.len()) + name(&root.name) + arguments + selections(&root.selections)
}

fn selections(all: &[Selection]) -> usize {
    let selection = |one: &Selection| {
        let below = one.fields.iter().map(|field| {
            let shown = match &field.shown {
                Shown::Typename | Shown::Column(_) => 0,
                Shown::Field(of, below) => name(of) + selections(below),
            };
            block(field.key.len()) + shown
        });
        name(&one.ty) + block(size_of_val(&*one.fields)) + below.sum::<usize>()
    };
    block(size_of_val(all)) + all.iter().map(selection).sum::<usize>()
}

fn value(of: &Value) -> usize {
    match of {
        Value::String(text) => block(text.capacity()),
        Value::Enum(name) | Value::Variable(name) => block(16 + name.len()),
        Value::List(items) => block(items.capacity() * size_of::<Value>()) + items.iter().map(value).sum::<usize>(),
        Value::Object(fields) => {
            let each = |(name, value): (&async_graphql::Name, &Value)| {
                2 * size_of::<(usize, async_graphql::Name, Value)>() + block(16 + name.len()) + self::value(value)
            };
            fields.iter().map(each).sum()
        }
        _ => 0,
    }
}
