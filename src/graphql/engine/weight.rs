//! What a document takes in memory, once it is read. The memory of documents is bounded, and what it holds is told by
//! whoever sends them, so all that is allocated is counted.

use apollo_compiler::ast::{Argument, Directive, Type, Value, VariableDefinition};
use apollo_compiler::executable::{
    ExecutableDocument, Field, Fragment, InlineFragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::{Name, Node};

/// What stands before a node: how often it is used, and its place.
const HEADER_BYTES: usize = 24;
/// What stands before a shared text.
pub(super) const SHARED_BYTES: usize = 16;

/// What an allocator takes for so many bytes: its blocks are of certain sizes.
pub(super) fn block(bytes: usize) -> usize {
    let rounded = bytes.next_multiple_of(16);
    rounded + rounded / 8
}

/// The tree of a document.
pub(super) fn tree(tree: &ExecutableDocument) -> usize {
    let operations = tree.operations.iter().map(|one| entry(one) + operation(one)).sum::<usize>();
    operations + tree.fragments.values().map(|one| entry(one) + fragment(one)).sum::<usize>()
}

/// An entry of a map by name: twice, since maps grow by doubling.
fn entry<T>(_: &Node<T>) -> usize {
    2 * (size_of::<usize>() + size_of::<(usize, Name, Node<T>)>())
}

fn node<T>(_: &Node<T>) -> usize {
    block(HEADER_BYTES + size_of::<T>())
}

fn vec<T>(items: &Vec<T>) -> usize {
    block(items.capacity() * size_of::<T>())
}

/// A name of the document's; one of the schema's is shared.
fn name(name: &Name) -> usize {
    block(SHARED_BYTES + name.len())
}

fn operation(one: &Node<Operation>) -> usize {
    let variables = vec(&one.variables) + one.variables.iter().map(variable).sum::<usize>();
    node(one) + one.name.as_ref().map_or(0, name) + variables + directives(&one.directives) + set(&one.selection_set)
}

fn fragment(one: &Node<Fragment>) -> usize {
    node(one) + name(&one.name) + name(one.type_condition()) + directives(&one.directives) + set(&one.selection_set)
}

fn variable(one: &Node<VariableDefinition>) -> usize {
    let default = one.default_value.as_ref().map_or(0, value);
    node(one) + name(&one.name) + node(&one.ty) + ty(&one.ty) + default + directives(&one.directives)
}

fn ty(one: &Type) -> usize {
    match one {
        Type::Named(of) | Type::NonNullNamed(of) => name(of),
        Type::List(of) | Type::NonNullList(of) => block(size_of::<Type>()) + ty(of),
    }
}

fn set(set: &SelectionSet) -> usize {
    vec(&set.selections) + set.selections.iter().map(selection).sum::<usize>()
}

fn selection(selection: &Selection) -> usize {
    match selection {
        Selection::Field(one) => field(one),
        Selection::InlineFragment(one) => inline_fragment(one),
        Selection::FragmentSpread(one) => node(one) + name(&one.fragment_name) + directives(&one.directives),
    }
}

fn field(one: &Node<Field>) -> usize {
    let names = one.alias.as_ref().map_or(0, name) + name(&one.name);
    node(one) + names + arguments(&one.arguments) + directives(&one.directives) + set(&one.selection_set)
}

fn inline_fragment(one: &Node<InlineFragment>) -> usize {
    let condition = one.type_condition.as_ref().map_or(0, name);
    node(one) + condition + directives(&one.directives) + set(&one.selection_set)
}

fn directives(all: &Vec<Node<Directive>>) -> usize {
    let directive = |one: &Node<Directive>| node(one) + name(&one.name) + arguments(&one.arguments);
    vec(all) + all.iter().map(directive).sum::<usize>()
}

fn arguments(all: &Vec<Node<Argument>>) -> usize {
    let argument = |one: &Node<Argument>| node(one) + name(&one.name) + value(&one.value);
    vec(all) + all.iter().map(argument).sum::<usize>()
}

fn value(one: &Node<Value>) -> usize {
    let inner = match &**one {
        Value::Null | Value::Boolean(_) => 0,
        Value::Enum(of) | Value::Variable(of) => name(of),
        Value::String(text) => block(text.capacity()),
        Value::Int(number) => block(number.as_str().len()),
        Value::Float(number) => block(number.as_str().len()),
        Value::List(items) => vec(items) + items.iter().map(value).sum::<usize>(),
        Value::Object(fields) => vec(fields) + fields.iter().map(|(key, of)| name(key) + value(of)).sum::<usize>(),
    };
    node(one) + inner
}
