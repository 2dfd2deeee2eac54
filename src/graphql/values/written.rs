//! Values that a document writes out. async-graphql checks most of them; here is what it takes although GraphQL does
//! not: numbers beyond 32 bits for `Int`, texts for enums.

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, OperationType, Selection, SelectionSet, Type};
use async_graphql::{Pos, ServerError};
use async_graphql_value::Value as InputValue;

use super::{Input, Types, wrong_leaf};
use crate::graphql::code::{Code, coded};

impl Types {
    /// What is wrong with the values in a document, of code `GRAPHQL_VALIDATION_FAILED`. Fields and arguments that
    /// there are not are passed over; validation names them.
    pub(in crate::graphql) fn wrong_values(&self, document: &ExecutableDocument) -> Vec<ServerError> {
        let mut wrong = Vec::new();
        for (_, operation) in document.operations.iter() {
            let root = match operation.node.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            self.check_set(root, &operation.node.selection_set.node, &mut wrong);
        }
        for fragment in document.fragments.values() {
            self.check_set(&fragment.node.type_condition.node.on.node, &fragment.node.selection_set.node, &mut wrong);
        }
        wrong
    }

    fn check_set(&self, of: &str, set: &SelectionSet, wrong: &mut Vec<ServerError>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.check_field(of, &field.node, wrong),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let of = condition.map_or(of, |condition| condition.node.on.node.as_str());
                    self.check_set(of, &fragment.node.selection_set.node, wrong);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn check_field(&self, of: &str, field: &Field, wrong: &mut Vec<ServerError>) {
        let Some(output) = self.fields.get(of).and_then(|fields| fields.get(field.name.node.as_str())) else { return };
        for (name, value) in &field.arguments {
            if let Some(argument) = output.arguments.iter().find(|argument| argument.name.node == name.node) {
                self.check_value(&argument.ty.node, &value.node, value.pos, wrong);
            }
        }
        self.check_set(&output.leads_to, &field.selection_set.node, wrong);
    }

    fn check_value(&self, ty: &Type, value: &InputValue, pos: Pos, wrong: &mut Vec<ServerError>) {
        match (&ty.base, value) {
            (_, InputValue::Variable(_) | InputValue::Null) => {}
            (BaseType::List(of), InputValue::List(items)) => {
                items.iter().for_each(|item| self.check_value(of, item, pos, wrong));
            }
            (BaseType::List(of), item) => self.check_value(of, item, pos, wrong),
            (BaseType::Named(name), value) => match (self.inputs.get(name.as_str()), value) {
                (Some(Input::Object(fields)), InputValue::Object(given)) => {
                    for field in fields {
                        if let Some(value) = given.get(&field.name.node) {
                            self.check_value(&field.ty.node, value, pos, wrong);
                        }
                    }
                }
                (Some(input), value) => {
                    let leaf = value.clone().into_const_with(|_| Err(())).unwrap_or_default();
                    if let Some(what) = wrong_leaf(name, input, &leaf, false) {
                        wrong.push(coded(Code::ValidationFailed, format!("Value {value}: {what}."), Some(pos)));
                    }
                }
                (None, _) => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const SCHEMA: &str = "
        type Query { a(n: Int, ids: [ID!], size: Size, in: In): Query }
        enum Size { SMALL LARGE }
        input In { n: Int size: Size }";

    fn wrong(source: &str) -> usize {
        Types::of(SCHEMA).wrong_values(&parse_query(source).expect("a document")).len()
    }

    #[test]
    fn values_are_of_their_type_wherever_they_stand() {
        assert_eq!(
            wrong("query($v: Int) { a(n: 1, ids: [1, \"x\"], size: LARGE, in: {n: $v, size: null}) { a(n: $v) } }"),
            0
        );
        assert_eq!(wrong("{ a(n: 2147483648) }"), 1);
        assert_eq!(wrong("{ a { a(size: \"LARGE\") } }"), 1);
        assert_eq!(wrong("{ ... on Query { a(in: {n: \"1\", size: HUGE}) } }"), 2);
        assert_eq!(wrong("{ ...F } fragment F on Query { a(ids: [true]) }"), 1);
        assert_eq!(wrong("{ unknown(n: 2147483648) a(unknown: 1) }"), 0);
    }
}
