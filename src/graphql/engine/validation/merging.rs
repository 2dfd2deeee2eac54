//! Fields of one response key come to one field of the answer, so they must be able to (GraphQL, section 5.3.2).
//! async-graphql compares what stands in one selection set, not what two merged parents bring together.

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type};
use async_graphql::{Name, Positioned, ServerError};
use std::collections::HashSet;

use super::{Input, Output, Types};
use crate::graphql::code::{Code, coded};
use crate::graphql::engine::document::OperationKind;

/// After so many conflicts the rest is not looked for.
const MAX_CONFLICTS: usize = 10;
/// Most fields that are looked at, again and again in merged parents. An interface's fields are looked at once for each
/// type that stands beside it, so that types within types multiply.
const MAX_LOOKS: usize = 10_000;

impl Types {
    /// The fields that cannot be merged, of code `GRAPHQL_VALIDATION_FAILED`.
    pub(super) fn conflicts(&self, document: &ExecutableDocument) -> Vec<ServerError> {
        let mut merging = Merging { types: self, document, conflicts: Vec::new(), looks: 0 };
        for (_, operation) in document.operations.iter() {
            let fields = merging
                .fields([(OperationKind::from(operation.node.ty).root_type(), &operation.node.selection_set.node)]);
            merging.check_shapes(&fields);
            merging.check_parents(&fields);
        }
        if merging.looks > MAX_LOOKS {
            let message = "The document's fragments lie on too many types within each other.";
            return vec![coded(Code::QueryTooComplex, message, None)];
        }
        merging.conflicts
    }
}

struct Merging<'d> {
    types: &'d Types,
    document: &'d ExecutableDocument,
    conflicts: Vec<ServerError>,
    looks: usize,
}

/// A field, fragments spread out.
#[derive(Clone, Copy)]
struct Selected<'d> {
    /// The type on which it is selected.
    parent: &'d str,
    field: &'d Positioned<Field>,
    /// What the schema says of it; nothing of introspection's own fields.
    output: Option<&'d Output>,
}

impl<'d> Merging<'d> {
    /// The fields of several selection sets, each on its type.
    fn fields(&self, sets: impl IntoIterator<Item = (&'d str, &'d SelectionSet)>) -> Vec<Selected<'d>> {
        let (mut fields, mut visited) = (Vec::new(), HashSet::new());
        for (parent, set) in sets {
            self.collect(parent, set, &mut visited, &mut fields);
        }
        fields
    }

    fn collect(
        &self,
        parent: &'d str,
        set: &'d SelectionSet,
        visited: &mut HashSet<&'d Name>,
        fields: &mut Vec<Selected<'d>>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let output = self.types.fields.get(parent).and_then(|of| of.get(field.node.name.node.as_str()));
                    fields.push(Selected { parent, field, output });
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.collect(parent, &fragment.node.selection_set.node, visited, fields);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && visited.insert(name)
                    {
                        let parent = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(parent, &fragment.node.selection_set.node, visited, fields);
                    }
                }
            }
        }
    }

    /// Whether to go on with so many fields.
    fn may_look_at(&mut self, fields: &[Selected<'d>]) -> bool {
        self.looks = self.looks.saturating_add(fields.len());
        self.looks <= MAX_LOOKS && self.conflicts.len() < MAX_CONFLICTS
    }

    /// Whatever the type of the object turns out to be, a key of the answer has one shape.
    fn check_shapes(&mut self, fields: &[Selected<'d>]) {
        if !self.may_look_at(fields) {
            return;
        }
        for group in by_key(fields) {
            let [first, others @ ..] = group.as_slice() else { continue };
            let is_other = |other: &&Selected<'d>| match (first.output, other.output) {
                (Some(a), Some(b)) => !self.have_one_shape(&a.ty, &b.ty),
                _ => false,
            };
            if let Some(other) = others.iter().find(is_other) {
                self.complain(first, other, "they are of different types");
            } else {
                self.check_shapes(&self.fields_below(&group));
            }
        }
    }

    /// Fields that one object can have both of are the same field with the same arguments.
    fn check_parents(&mut self, fields: &[Selected<'d>]) {
        if !self.may_look_at(fields) {
            return;
        }
        for group in by_key(fields) {
            let (of_interfaces, of_objects): (Vec<_>, Vec<_>) =
                group.iter().copied().partition(|selected| self.types.interfaces.contains(selected.parent));
            let mut parents: Vec<&str> = of_objects.iter().map(|selected| selected.parent).collect();
            parents.sort_unstable();
            parents.dedup();
            if parents.is_empty() {
                self.check_together(&of_interfaces);
            }
            for parent in parents {
                let of_parent = of_objects.iter().copied().filter(|selected| selected.parent == parent);
                self.check_together(&of_interfaces.iter().copied().chain(of_parent).collect::<Vec<_>>());
            }
        }
    }

    fn check_together(&mut self, group: &[Selected<'d>]) {
        let [first, others @ ..] = group else { return };
        let (name, arguments) = (&first.field.node.name.node, &first.field.node.arguments);
        for other in others {
            if other.field.node.name.node != *name {
                return self.complain(first, other, "they are different fields");
            }
            let others = &other.field.node.arguments;
            let is_same = |(name, value): &(Positioned<Name>, _)| {
                other.field.node.get_argument(&name.node).is_some_and(|other| other == value)
            };
            if arguments.len() != others.len() || !arguments.iter().all(is_same) {
                return self.complain(first, other, "they have different arguments");
            }
        }
        self.check_parents(&self.fields_below(group));
    }

    /// The fields within several fields that are merged.
    fn fields_below(&self, group: &[Selected<'d>]) -> Vec<Selected<'d>> {
        self.fields(group.iter().map(|selected| {
            let parent = selected.output.map_or("", |output| output.leads_to.as_str());
            (parent, &selected.field.node.selection_set.node)
        }))
    }

    fn have_one_shape(&self, a: &Type, b: &Type) -> bool {
        let is_leaf =
            |name: &Name| matches!(self.types.inputs.get(name.as_str()), Some(Input::Scalar | Input::Enum(_)));
        a.nullable == b.nullable
            && match (&a.base, &b.base) {
                (BaseType::List(a), BaseType::List(b)) => self.have_one_shape(a, b),
                (BaseType::Named(a), BaseType::Named(b)) => a == b || !(is_leaf(a) || is_leaf(b)),
                _ => false,
            }
    }

    fn complain(&mut self, first: &Selected<'d>, other: &Selected<'d>, why: &str) {
        let key = &first.field.node.response_key().node;
        let message = format!("Fields '{key}' cannot be merged: {why}. Give one of them another alias.");
        let mut error = coded(Code::ValidationFailed, message, Some(first.field.pos));
        error.locations.push(other.field.pos);
        self.conflicts.push(error);
    }
}

/// The fields of each response key.
fn by_key<'d>(fields: &[Selected<'d>]) -> Vec<Vec<Selected<'d>>> {
    let mut sorted = fields.to_vec();
    sorted.sort_by_key(|selected| selected.field.node.response_key().node.as_str());
    sorted
        .chunk_by(|a, b| a.field.node.response_key().node == b.field.node.response_key().node)
        .map(<[_]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const SCHEMA: &str = "
        type Query { me: User, node(id: ID): Node, tasks(first: Int): Tasks }
        type Tasks { nodes: [Task!]! }
        interface Node { id: ID! }
        type User implements Node { id: ID! name: String email: String! }
        type Task implements Node { id: ID! name: String! title: String! done: Boolean! owner: User! tags: [String] }";

    fn conflicts(source: &str) -> usize {
        Types::of(SCHEMA).conflicts(&parse_query(source).expect("a document")).len()
    }

    #[test]
    fn what_can_be_merged_passes() {
        for good in [
            "{ me { id } me { name } ...F } fragment F on Query { me { id name } }",
            "{ tasks(first: 1) { nodes { id } } tasks(first: 1) { nodes { id owner { id } } } }",
            "query($n: Int) { tasks(first: $n) { nodes { id } } tasks(first: $n) { nodes { title } } }",
            "{ node { id ... on Task { id a: title } ... on User { a: email } } }",
            "{ node { ... on Task { x: owner { id } } ... on User { id } } }",
            "{ __typename __typename me { __typename } }",
            "{ __schema { types { name } } __schema { types { kind } } }",
        ] {
            assert_eq!(conflicts(good), 0, "{good}");
        }
    }

    #[test]
    fn what_cannot_is_found_wherever_it_meets() {
        for bad in [
            "{ me { x: id } me { x: name } }",
            "{ me { x: name } ...F } fragment F on Query { me { x: email } }",
            "{ tasks { nodes { x: id nodes: title } nodes { x: title } } }",
            "{ tasks(first: 1) { nodes { id } } tasks(first: 2) { nodes { id } } }",
            "{ tasks(first: 1) { nodes { id } } tasks { nodes { id } } }",
            "{ node { id ... on Task { id: title } } }",
            "{ node { ... on Task { x: name } ... on User { x: name } } }",
            "{ node { ... on Task { x: done } ... on User { x: email } } }",
            "{ node { ... on Task { x: owner { id } } ... on User { x: email } } }",
            "{ node { ... on Task { x: tags } ... on User { x: name } } }",
            "{ node { ... on Task { x: owner { y: id } } } node { ... on Task { x: owner { y: name } } } }",
            "{ x: me { id } x: __typename }",
        ] {
            assert!(conflicts(bad) > 0, "{bad}");
        }
    }

    #[test]
    fn types_within_types_do_not_multiply_without_end() {
        let types_beside: String = (0..24).map(|n| format!("... on A{n} {{ x }} ")).collect();
        let source =
            (0..11).fold("x".to_owned(), |inner, _| format!("... on Node {{ x {{ {inner} }} }} {types_beside}"));
        let document = parse_query(format!("{{ {source} }}")).expect("a document");
        let began = std::time::Instant::now();
        let found = Types::of(SCHEMA).conflicts(&document);
        assert!(found[0].message.contains("too many types"), "{found:?}");
        assert!(began.elapsed() < std::time::Duration::from_millis(100), "{:?}", began.elapsed());
    }

    #[test]
    fn many_fields_of_one_key_take_no_time() {
        let source = format!("{{ me {{ {} }} }}", "id ".repeat(1_900));
        let document = parse_query(source).expect("a document");
        let types = Types::of(SCHEMA);
        let began = std::time::Instant::now();
        assert_eq!(types.conflicts(&document).len(), 0);
        assert!(began.elapsed() < std::time::Duration::from_millis(50), "{:?}", began.elapsed());
    }
}
