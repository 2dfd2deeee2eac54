//! The root of a subscription: one field (GraphQL, section 5.2.3.1). async-graphql neither checks that nor looks into
//! fragments there, and would follow twice what is selected twice.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned, ServerError};

use crate::graphql::code::{Code, coded};

/// What is wrong with the roots of a document's subscriptions. Those that are good are rewritten to their one field, with
/// all that is selected of it.
pub(super) fn unify(document: &mut ExecutableDocument) -> Vec<ServerError> {
    let ExecutableDocument { operations, fragments } = document;
    let mut problems = Vec::new();
    let mut spread = Vec::new();
    let operations: Vec<&mut Positioned<OperationDefinition>> = match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let mut root = Root::default();
        root.collect(&operation.node.selection_set.node, &|name| fragments.get(name).map(|fragment| &fragment.node));
        match root.field(operation.pos) {
            Ok(field) => operation.node.selection_set.node.items = vec![field],
            Err(problem) => problems.push(problem),
        }
        spread.extend(root.spread);
    }
    if problems.is_empty() {
        // Nothing spreads them any more.
        for name in &spread {
            fragments.remove(name);
        }
    }
    problems
}

/// What is selected at the root, fragments spread out.
#[derive(Default)]
struct Root {
    fields: Vec<Positioned<Field>>,
    /// The fragments that were spread.
    spread: Vec<Name>,
    /// Where something is skipped or included.
    conditional: Option<Pos>,
    /// Where a fragment is that is none of a subscription's.
    foreign: Option<Pos>,
}

impl Root {
    fn collect<'d>(&mut self, set: &'d SelectionSet, fragment: &impl Fn(&Name) -> Option<&'d FragmentDefinition>) {
        for Positioned { node, pos } in &set.items {
            if node.directives().iter().any(|one| matches!(one.node.name.node.as_str(), "skip" | "include")) {
                self.conditional.get_or_insert(*pos);
            }
            match node {
                Selection::Field(field) => self.fields.push(field.clone()),
                Selection::InlineFragment(inline) => {
                    self.check(inline.node.type_condition.as_ref().map(|on| &on.node), *pos);
                    self.collect(&inline.node.selection_set.node, fragment);
                }
                Selection::FragmentSpread(one) => {
                    let name = &one.node.fragment_name.node;
                    let Some(found) = fragment(name) else {
                        self.foreign.get_or_insert(*pos);
                        continue;
                    };
                    self.check(Some(&found.type_condition.node), *pos);
                    if !self.spread.contains(name) {
                        self.spread.push(name.clone());
                        self.collect(&found.selection_set.node, fragment);
                    }
                }
            }
        }
    }

    fn check(&mut self, condition: Option<&TypeCondition>, pos: Pos) {
        if condition.is_some_and(|condition| condition.on.node != "Subscription") {
            self.foreign.get_or_insert(pos);
        }
    }

    /// The one field, with the selections of all that are written for it.
    fn field(&self, at: Pos) -> Result<Positioned<Selection>, ServerError> {
        let wrong = |message: &str, pos| Err(coded(Code::ValidationFailed, message, Some(pos)));
        let [first, others @ ..] = self.fields.as_slice() else {
            return wrong("A subscription has a field at its root.", at);
        };
        let key = &first.node.response_key().node;
        if let Some(other) = others.iter().find(|other| other.node.response_key().node != *key) {
            return wrong("A subscription has one field at its root; send another one for this field.", other.pos);
        }
        if first.node.name.node.starts_with("__") {
            return wrong("A subscription cannot follow the schema.", first.pos);
        }
        if let Some(pos) = self.conditional {
            return wrong("The root of a subscription can neither be skipped nor included.", pos);
        }
        if let Some(pos) = self.foreign {
            return wrong("There is no such fragment on the type 'Subscription'.", pos);
        }
        let is_bare = |field: &Positioned<Field>| field.node.selection_set.node.items.is_empty();
        if let Some(other) = others.iter().find(|other| is_bare(other) != is_bare(first)) {
            return wrong("The same field is selected with and without fields of its own.", other.pos);
        }
        let mut field = first.clone();
        for other in others {
            field.node.selection_set.node.items.extend(other.node.selection_set.node.items.iter().cloned());
        }
        Ok(Positioned::new(Selection::Field(field), first.pos))
    }
}
