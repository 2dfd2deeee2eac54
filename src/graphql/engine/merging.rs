//! Lists in the arguments of fields that are merged. Validation compares such lists only as far as the shorter one goes
//! (GraphQL, section 5.3.2: the arguments must be the same).

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Argument, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::{Name, Node, Schema};

use super::position::Positions;
use super::problems::Problems;

/// Most fields that are looked at. A field of an interface is looked at for each type beside it, so that types within
/// types multiply.
const MAX_LOOKS: usize = 20_000;

/// Looks for fields of one response key whose arguments differ in nothing but the length of a list. The document is valid
/// otherwise.
pub(super) fn check(
    schema: &Schema,
    tree: &ExecutableDocument,
    operation: &Node<Operation>,
    positions: &Positions,
    problems: &mut Problems,
) {
    let mut merging = Merging { schema, tree, positions, problems, looks: 0 };
    merging.check(&[&operation.selection_set]);
    if merging.looks > MAX_LOOKS {
        let pos = positions.of(operation.location());
        problems.add("The operation's nested fragments are too complex to compare.", pos);
    }
}

/// Whether a document has fields that [`check`] could refuse: of one response key, and with lists in their arguments.
pub(super) fn is_needed(tree: &ExecutableDocument) -> bool {
    let (mut all, mut with_lists) = (HashSet::new(), HashSet::new());
    let mut repeated = HashSet::new();
    let mut sets: Vec<&SelectionSet> = tree.operations.iter().map(|operation| &operation.selection_set).collect();
    sets.extend(tree.fragments.values().map(|fragment| &fragment.selection_set));
    while let Some(set) = sets.pop() {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if !all.insert(field.response_key()) {
                        repeated.insert(field.response_key());
                    }
                    if field.arguments.iter().any(|argument| has_list(&argument.value)) {
                        with_lists.insert(field.response_key());
                    }
                    sets.push(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    !with_lists.is_disjoint(&repeated)
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::List(_) => true,
        Value::Object(fields) => fields.iter().any(|(_, value)| has_list(value)),
        _ => false,
    }
}

struct Merging<'d, 'p> {
    schema: &'d Schema,
    tree: &'d ExecutableDocument,
    positions: &'d Positions,
    problems: &'p mut Problems,
    looks: usize,
}

/// A field, and the type on which it is selected.
type Selected<'d> = (&'d Name, &'d Node<Field>);

impl<'d> Merging<'d, '_> {
    fn check(&mut self, sets: &[&'d SelectionSet]) {
        let (mut fields, mut visited) = (Vec::new(), HashSet::new());
        for set in sets {
            self.spread(set, &mut visited, &mut fields);
        }
        self.looks += fields.len();
        if self.looks > MAX_LOOKS || self.problems.is_full() {
            return;
        }
        let mut by_key: HashMap<&Name, Vec<Selected<'d>>> = HashMap::new();
        for field in fields {
            by_key.entry(field.1.response_key()).or_default().push(field);
        }
        for group in by_key.into_values() {
            for together in self.of_one_object(group) {
                let (_, first) = together[0];
                if let Some((_, other)) =
                    together.iter().find(|(_, other)| differ_in_length(&first.arguments, &other.arguments))
                {
                    let key = first.response_key();
                    let message = format!("Fields '{key}' have different arguments. Give one of them another alias.");
                    self.problems.add(message, self.positions.of(other.location()));
                }
                let below: Vec<_> = together.iter().map(|(_, field)| &field.selection_set).collect();
                self.check(&below);
            }
        }
    }

    fn spread(&self, set: &'d SelectionSet, visited: &mut HashSet<&'d Name>, fields: &mut Vec<Selected<'d>>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => fields.push((&set.ty, field)),
                Selection::InlineFragment(fragment) => self.spread(&fragment.selection_set, visited, fields),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.tree.fragments.get(&spread.fragment_name)
                        && visited.insert(&spread.fragment_name)
                    {
                        self.spread(&fragment.selection_set, visited, fields);
                    }
                }
            }
        }
    }

    /// Those fields together that one object can have: the fields of a type, and with them those of interfaces.
    fn of_one_object(&self, group: Vec<Selected<'d>>) -> Vec<Vec<Selected<'d>>> {
        let is_object = |(ty, _): &Selected<'d>| self.schema.get_object(ty).is_some();
        let (of_objects, of_interfaces): (Vec<_>, Vec<_>) = group.into_iter().partition(is_object);
        let mut by_type: HashMap<&Name, Vec<Selected<'d>>> = HashMap::new();
        for field in of_objects {
            by_type.entry(field.0).or_insert_with(|| of_interfaces.clone()).push(field);
        }
        if by_type.is_empty() { vec![of_interfaces] } else { by_type.into_values().collect() }
    }
}

/// Whether a list among arguments has another length than the one in its place among the others.
fn differ_in_length(ours: &[Node<Argument>], theirs: &[Node<Argument>]) -> bool {
    ours.iter().any(|argument| {
        let other = theirs.iter().find(|other| other.name == argument.name);
        other.is_some_and(|other| differs_in_length(&argument.value, &other.value))
    })
}

fn differs_in_length(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::List(ours), Value::List(theirs)) => {
            ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(one, other)| differs_in_length(one, other))
        }
        (Value::Object(ours), Value::Object(theirs)) => ours.iter().any(|(name, value)| {
            let other = theirs.iter().find(|(other, _)| other == name);
            other.is_some_and(|(_, other)| differs_in_length(value, other))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        type Query { a(in: [Int!]): Query node: Node b(in: In): Int }
        input In { of: [In] n: [[Int]] }
        interface Node { c(in: [Int]): Int }
        type One implements Node { c(in: [Int]): Int d: Query }
        type Two implements Node { c(in: [Int]): Int d: Query }";

    fn conflicts(source: &str) -> usize {
        let schema = Schema::parse_and_validate(SCHEMA, "").expect("a schema");
        let tree = ExecutableDocument::parse_and_validate(&schema, source, "").expect("valid otherwise");
        let mut problems = Problems::default();
        if is_needed(&tree) {
            let positions = Positions::new(source);
            tree.operations.iter().for_each(|one| check(&schema, &tree, one, &positions, &mut problems));
        }
        problems.finish().len()
    }

    #[test]
    fn lists_of_other_lengths_are_other_arguments() {
        for bad in [
            "{ a(in: [1]) { b } a(in: [1, 2]) { b } }",
            "{ x: a { y: a { a(in: [1]) { b } a(in: [1, 2]) { b } } } }",
            "{ a(in: []) { b } ...F } fragment F on Query { a(in: [1]) { b } }",
            "{ b(in: {n: [[1]]}) b(in: {n: [[1, 2]]}) }",
            "{ b(in: {of: [{n: []}], n: null}) b(in: {n: null, of: [{n: [null]}]}) }",
            "{ node { c(in: [1]) ... on One { c(in: [1, 2]) } } }",
            "{ a { a(in: [1]) { b } } a { a(in: [1, 1]) { b } } }",
            "{ node { ... on One { d { a(in: []) { b } } } } node { ... on One { d { a(in: [1]) { b } } } } }",
        ] {
            assert_eq!(conflicts(bad), 1, "{bad}");
        }
    }

    #[test]
    fn fields_that_never_meet_may_differ() {
        for good in [
            "{ a(in: [1]) { b } a(in: [1]) { a { b } } }",
            "{ a(in: [1]) { b } x: a(in: [1, 2]) { b } }",
            "{ a(in: [1]) { a(in: [1, 2]) { b } } }",
            "query A { a(in: [1]) { b } } query B { a(in: [1, 2]) { b } }",
            "{ node { ... on One { c(in: [1]) } ... on Two { c(in: [1, 2]) } } }",
            "{ node { ... on One { d { a(in: []) { b } } } ... on Two { d { a(in: [1]) { b } } } } }",
        ] {
            assert_eq!(conflicts(good), 0, "{good}");
        }
    }
}
