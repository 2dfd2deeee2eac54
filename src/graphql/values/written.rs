//! Values that a document writes out, and where it puts its variables. async-graphql checks most of this; here is what
//! it lets pass although GraphQL does not: numbers beyond 32 bits for `Int`, texts for enums, and variables of another
//! type than their place (GraphQL, sections 5.6.1 and 5.8.5).

use std::collections::HashSet;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, InputValueDefinition, OperationType, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError, Value as ConstValue};
use async_graphql_value::Value;

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
            let variables = &operation.node.variable_definitions;
            let mut check = Check { types: self, document, variables, visited: HashSet::new(), wrong: &mut wrong };
            check.set(root, &operation.node.selection_set.node);
        }
        wrong
    }
}

/// A walk through one operation, which gives the variables in its fragments their types.
struct Check<'d, 'w> {
    types: &'d Types,
    document: &'d ExecutableDocument,
    variables: &'d [Positioned<VariableDefinition>],
    visited: HashSet<&'d Name>,
    wrong: &'w mut Vec<ServerError>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'t> {
    ty: &'t Type,
    has_default: bool,
    pos: Pos,
}

impl<'t> Place<'t> {
    fn of(definition: &'t InputValueDefinition, pos: Pos) -> Self {
        Self { ty: &definition.ty.node, has_default: definition.default_value.is_some(), pos }
    }

    fn item(self, ty: &'t Type) -> Self {
        Self { ty, has_default: false, ..self }
    }
}

impl<'d> Check<'d, '_> {
    fn set(&mut self, of: &'d str, set: &'d SelectionSet) {
        for selection in &set.items {
            self.directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => self.field(of, &field.node),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let of = condition.map_or(of, |condition| condition.node.on.node.as_str());
                    self.set(of, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.visited.insert(name)
                    {
                        self.set(&fragment.node.type_condition.node.on.node, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, of: &'d str, field: &'d Field) {
        let types = self.types;
        let Some(output) = types.fields.get(of).and_then(|fields| fields.get(field.name.node.as_str())) else { return };
        for (name, value) in &field.arguments {
            if let Some(argument) = output.arguments.iter().find(|argument| argument.name.node == name.node) {
                self.value(&value.node, Place::of(argument, value.pos));
            }
        }
        self.set(&output.leads_to, &field.selection_set.node);
    }

    /// `@skip` and `@include` have one argument, `if: Boolean!`.
    fn directives(&mut self, directives: &'d [Positioned<Directive>]) {
        let condition = Type { base: BaseType::Named(Name::new("Boolean")), nullable: false };
        for directive in directives {
            if let Some(value @ Positioned { node: Value::Variable(_), .. }) = directive.node.get_argument("if") {
                self.value(&value.node, Place { ty: &condition, has_default: false, pos: value.pos });
            }
        }
    }

    fn value(&mut self, value: &Value, place: Place<'_>) {
        match (&place.ty.base, value) {
            (_, Value::Variable(name)) => self.variable(name, place),
            (_, Value::Null) => {}
            (BaseType::List(of), Value::List(items)) => {
                for item in items {
                    self.value(item, place.item(of));
                }
            }
            (BaseType::List(of), item) => self.value(item, place.item(of)),
            (BaseType::Named(name), value) => match (self.types.inputs.get(name.as_str()), value) {
                (Some(Input::Object(fields)), Value::Object(given)) => {
                    for field in fields {
                        if let Some(value) = given.get(&field.name.node) {
                            self.value(value, Place::of(field, place.pos));
                        }
                    }
                }
                (Some(input), value) => {
                    let leaf = value.clone().into_const_with(|_| Err(())).unwrap_or_default();
                    if let Some(what) = wrong_leaf(name, input, &leaf, false) {
                        self.complain(format!("Value {value}: {what}."), place.pos);
                    }
                }
                (None, _) => {}
            },
        }
    }

    /// Whether a variable may stand here; one that is not declared is validation's.
    fn variable(&mut self, name: &Name, place: Place<'_>) {
        let Some(definition) = self.variables.iter().find(|definition| definition.node.name.node == *name) else {
            return;
        };
        let definition = &definition.node;
        let has_value = definition.default_value.as_ref().is_some_and(|value| value.node != ConstValue::Null);
        let ty = &definition.var_type.node;
        // A default stands in for null, so that only a null that is sent can be wrong; the variable's check sees that.
        let expected = Type { nullable: place.ty.nullable || has_value || place.has_default, ..place.ty.clone() };
        if !fits(ty, &expected) {
            self.complain(
                format!("Variable '${name}' is of type '{ty}'; here stands one of type '{}'.", place.ty),
                place.pos,
            );
        }
    }

    fn complain(&mut self, message: String, pos: Pos) {
        self.wrong.push(coded(Code::ValidationFailed, message, Some(pos)));
    }
}

/// Whether a value of one type is always one of the other.
fn fits(ty: &Type, place: &Type) -> bool {
    if ty.nullable && !place.nullable {
        return false;
    }
    match (&ty.base, &place.base) {
        (BaseType::Named(ty), BaseType::Named(place)) => ty == place,
        (BaseType::List(ty), BaseType::List(place)) => fits(ty, place),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const SCHEMA: &str = "
        type Query { a(n: Int, m: Int! = 3, ids: [ID!], size: Size, in: In, need: Int!): Query }
        enum Size { SMALL LARGE }
        input In { n: Int size: Size need: Int! }";

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
        assert_eq!(wrong("{ ...F ...F } fragment F on Query { a(ids: [true]) }"), 1);
        assert_eq!(wrong("{ unknown(n: 2147483648) a(unknown: 1) }"), 0);
    }

    #[test]
    fn variables_stand_where_their_type_fits() {
        for good in [
            "query($v: Int!) { a(n: $v, need: $v, in: {need: $v}) }",
            "query($v: Int = 1) { a(need: $v) }",
            "query($v: Int) { a(m: $v) }",
            "query($v: [ID!]!) { a(ids: $v) }",
            "query($v: ID!) { a(ids: [$v]) }",
            "query($v: Boolean!) { a @skip(if: $v) { ... @include(if: $v) { a } } }",
            "query($v: Boolean = true) { a @skip(if: $v) }",
            "query A($v: Int!) { ...F } fragment F on Query { a(need: $v) }",
            "{ a(n: $unknown) }",
        ] {
            assert_eq!(wrong(good), 0, "{good}");
        }
        for bad in [
            "query($v: String) { a(n: $v) }",
            "query($v: Int) { a(need: $v) }",
            "query($v: Int = null) { a(need: $v) }",
            "query($v: Int) { a(in: {need: $v}) }",
            "query($v: [ID]) { a(ids: $v) }",
            "query($v: ID!) { a(ids: $v) }",
            "query($v: [ID!]) { a(n: $v) }",
            "query($v: Boolean) { a @skip(if: $v) }",
            "query($v: String!) { ... @include(if: $v) { a } }",
            "query A($v: Int) { ...F } query B($v: Int!) { ...F } fragment F on Query { a(need: $v) }",
        ] {
            assert_eq!(wrong(bad), 1, "{bad}");
        }
    }
}
