//! Values that a document writes out, where it puts its variables, and its directives. async-graphql checks most of
//! this; here is what it lets pass although GraphQL does not: numbers beyond 32 bits for `Int`, texts for enums,
//! variables of another type than their place, and whatever stands on `__typename` or at a variable's declaration
//! (GraphQL, sections 5.6.1, 5.7 and 5.8.5).

use std::collections::HashSet;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, InputValueDefinition, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError, Value as ConstValue};
use async_graphql_value::Value;

use super::{Input, MAX_PROBLEMS, Types, wrong_leaf};
use crate::graphql::code::{Code, coded};
use crate::graphql::engine::document::OperationKind;

impl Types {
    /// What is wrong with the values in a document, of code `GRAPHQL_VALIDATION_FAILED`. Fields and arguments that
    /// there are not are passed over; validation names them.
    pub(super) fn wrong_values(&self, document: &ExecutableDocument) -> Vec<ServerError> {
        let mut wrong = Vec::new();
        for (_, operation) in document.operations.iter() {
            let variables = &operation.node.variable_definitions;
            let mut check = Check { types: self, document, variables, visited: HashSet::new(), wrong: &mut wrong };
            check.no_directives(&operation.node.directives);
            for variable in variables {
                check.no_directives(&variable.node.directives);
            }
            check.set(OperationKind::from(operation.node.ty).root_type(), &operation.node.selection_set.node);
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
                        self.no_directives(&fragment.node.directives);
                        self.set(&fragment.node.type_condition.node.on.node, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, of: &'d str, field: &'d Field) {
        if field.name.node == "__typename" {
            if !field.arguments.is_empty() || !field.selection_set.node.items.is_empty() {
                self.complain("'__typename' has neither arguments nor fields.".into(), field.name.pos);
            }
            return;
        }
        let types = self.types;
        let Some(output) = types.fields.get(of).and_then(|fields| fields.get(field.name.node.as_str())) else { return };
        for (name, value) in &field.arguments {
            if let Some(argument) = output.arguments.iter().find(|argument| argument.name.node == name.node) {
                self.value(&value.node, Place::of(argument, value.pos));
            }
        }
        self.set(&output.leads_to, &field.selection_set.node);
    }

    /// `@skip` and `@include` are what there is for selections; each has one argument, `if: Boolean!`.
    fn directives(&mut self, directives: &'d [Positioned<Directive>]) {
        let condition = Type { base: BaseType::Named(Name::new("Boolean")), nullable: false };
        for (nth, directive) in directives.iter().enumerate() {
            let (name, pos) = (&directive.node.name.node, directive.pos);
            if name != "skip" && name != "include" {
                self.complain(format!("There is no directive '@{name}' for this place."), pos);
            } else if directives[..nth].iter().any(|other| other.node.name.node == *name) {
                self.complain(format!("'@{name}' stands here twice."), pos);
            } else {
                match directive.node.arguments.as_slice() {
                    [(argument, value)] if argument.node == "if" && value.node != Value::Null => {
                        self.value(&value.node, Place { ty: &condition, has_default: false, pos: value.pos });
                    }
                    _ => self.complain(format!("'@{name}' has one argument, 'if', true or false."), pos),
                }
            }
        }
    }

    /// Nothing that the schema has may stand on an operation, a fragment's definition or a variable's.
    fn no_directives(&mut self, directives: &'d [Positioned<Directive>]) {
        for directive in directives {
            self.complain(
                format!("There is no directive '@{}' for this place.", directive.node.name.node),
                directive.pos,
            );
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
        if self.wrong.len() >= MAX_PROBLEMS {
            return;
        }
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
    fn directives_and_typename_are_what_they_must_be() {
        assert_eq!(wrong("{ __typename @skip(if: true) @include(if: false) a { ... @skip(if: false) { a } } }"), 0);
        for bad in [
            "{ __typename(x: 1) }",
            "{ __typename { a } }",
            "{ __typename @foo }",
            "{ __typename @skip }",
            "{ __typename @skip(if: null) }",
            "{ __typename @skip(if: \"true\") }",
            "{ __typename @skip(if: true, x: 1) }",
            "{ __typename @skip(if: true) @skip(if: true) }",
            "{ __typename @specifiedBy(url: \"x\") }",
            "query($a: Int @foo) { a(n: $a) }",
            "query($a: Int @skip(if: true)) { a(n: $a) }",
            "query @skip(if: true) { a }",
            "{ ...F } fragment F on Query @include(if: true) { a }",
        ] {
            assert_eq!(wrong(bad), 1, "{bad}");
        }
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
