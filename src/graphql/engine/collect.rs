//! What a selection set comes to (GraphQL, section 6.3.2): fragments spread out, each once, and fields of one response
//! key together, where the key is selected first.

use std::collections::HashSet;

use apollo_compiler::executable::{DirectiveList, ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use async_graphql::{Value, Variables};

/// A part of a selection set.
pub(super) enum Part<'d> {
    /// All fields of one response key: one field of the answer. There is one at least.
    Field(Vec<&'d Node<Field>>),
    /// What is selected of objects of a type, where that is not the type of all of them.
    OnType(&'d Name, Vec<&'d SelectionSet>),
}

/// Reads selection sets of one document.
#[derive(Clone, Copy)]
pub(super) struct Collect<'d> {
    pub(super) schema: &'d Valid<Schema>,
    pub(super) tree: &'d Valid<ExecutableDocument>,
    /// What `@skip` and `@include` go by.
    pub(super) conditions: Conditions<'d>,
}

/// What is known of the values of `@skip` and `@include`.
#[derive(Clone, Copy)]
pub(super) enum Conditions<'d> {
    /// Everything is there, whatever they say.
    Ignored,
    /// What they say with these variables.
    Known(&'d Variables),
}

impl<'d> Collect<'d> {
    /// The parts of several sets of one field, in the order of the answer.
    pub(super) fn parts(self, sets: impl IntoIterator<Item = &'d SelectionSet>) -> Vec<Part<'d>> {
        let (mut parts, mut visited) = (Vec::new(), HashSet::new());
        for set in sets {
            self.add(&set.ty, set, &mut visited, &mut parts);
        }
        parts
    }

    /// As [`parts`](Self::parts), of an object: every fragment on it is its own.
    pub(super) fn fields(self, sets: impl IntoIterator<Item = &'d SelectionSet>) -> Vec<Vec<&'d Node<Field>>> {
        of_fields(self.parts(sets))
    }

    /// As [`fields`](Self::fields), of objects of a type, whatever type their sets are of.
    pub(super) fn fields_of(
        self,
        ty: &Name,
        sets: impl IntoIterator<Item = &'d SelectionSet>,
    ) -> Vec<Vec<&'d Node<Field>>> {
        let (mut parts, mut visited) = (Vec::new(), HashSet::new());
        for set in sets {
            self.add(ty, set, &mut visited, &mut parts);
        }
        of_fields(parts)
    }

    /// The variables by which `@skip` and `@include` go in an operation, each once.
    pub(super) fn condition_variables(self, operation: &'d Operation) -> Vec<&'d Name> {
        let (mut found, mut visited) = (Vec::new(), HashSet::new());
        self.add_condition_variables(&operation.selection_set, &mut visited, &mut found);
        found
    }

    fn add_condition_variables(
        self,
        set: &'d SelectionSet,
        visited: &mut HashSet<&'d Name>,
        found: &mut Vec<&'d Name>,
    ) {
        for selection in &set.selections {
            let conditions = selection.directives().iter().filter_map(|directive| {
                let is_condition = matches!(directive.name.as_str(), "skip" | "include");
                directive.specified_argument_by_name("if").filter(|_| is_condition)?.as_variable()
            });
            for variable in conditions {
                if !found.contains(&variable) {
                    found.push(variable);
                }
            }
            let below = match selection {
                Selection::Field(field) => &field.selection_set,
                Selection::InlineFragment(fragment) => &fragment.selection_set,
                Selection::FragmentSpread(spread) => match self.tree.fragments.get(&spread.fragment_name) {
                    Some(fragment) if visited.insert(&spread.fragment_name) => &fragment.selection_set,
                    _ => continue,
                },
            };
            self.add_condition_variables(below, visited, found);
        }
    }

    fn add(self, ty: &Name, set: &'d SelectionSet, visited: &mut HashSet<&'d Name>, parts: &mut Vec<Part<'d>>) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            let set = match selection {
                Selection::Field(field) => {
                    add_field(field, parts);
                    continue;
                }
                Selection::InlineFragment(fragment) => &fragment.selection_set,
                Selection::FragmentSpread(spread) => match self.tree.fragments.get(&spread.fragment_name) {
                    Some(fragment) if visited.insert(&spread.fragment_name) => &fragment.selection_set,
                    _ => continue,
                },
            };
            if set.ty == *ty || self.schema.is_subtype(&set.ty, ty) {
                self.add(ty, set, visited, parts);
            } else {
                add_set(set, parts);
            }
        }
    }

    fn is_included(self, directives: &DirectiveList) -> bool {
        for directive in directives {
            let is_skip = match directive.name.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let Some(condition) = directive.specified_argument_by_name("if") else { continue };
            let holds = match (self.conditions, condition.as_variable()) {
                (Conditions::Ignored, _) => continue,
                (_, None) => condition.to_bool().unwrap_or(!is_skip),
                (Conditions::Known(variables), Some(name)) => {
                    matches!(variables.get(name.as_str()), Some(Value::Boolean(true)))
                }
            };
            if holds == is_skip {
                return false;
            }
        }
        true
    }
}

fn of_fields(parts: Vec<Part<'_>>) -> Vec<Vec<&Node<Field>>> {
    parts.into_iter().filter_map(|part| if let Part::Field(fields) = part { Some(fields) } else { None }).collect()
}

fn add_field<'d>(field: &'d Node<Field>, parts: &mut Vec<Part<'d>>) {
    for part in parts.iter_mut() {
        if let Part::Field(fields) = part
            && fields[0].response_key() == field.response_key()
        {
            return fields.push(field);
        }
    }
    parts.push(Part::Field(vec![field]));
}

/// Only what follows directly is put together: what stands between has its place in the answer.
fn add_set<'d>(set: &'d SelectionSet, parts: &mut Vec<Part<'d>>) {
    match parts.last_mut() {
        Some(Part::OnType(ty, sets)) if **ty == set.ty => sets.push(set),
        _ => parts.push(Part::OnType(&set.ty, vec![set])),
    }
}
