//! Values that a document writes out, as far as validation passes them over: the forms of our own scalars, input objects
//! with a field twice, and variables within lists and input objects (GraphQL, sections 5.6.1, 5.6.3 and 5.8.5).

use std::collections::HashSet;

use apollo_compiler::ast::{Argument, Directive, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use super::position::Positions;
use super::problems::Problems;
use super::scalars::form_of;

/// Looks at the values that an operation can reach. What is wrong with them goes to `problems`; the variables that must
/// not be null, although their types allow it, are returned.
pub(super) fn check(
    schema: &Schema,
    tree: &ExecutableDocument,
    operation: &Operation,
    positions: &Positions,
    problems: &mut Problems,
) -> Vec<Name> {
    let (visited, not_null) = (HashSet::new(), Vec::new());
    let mut check = Check { schema, tree, variables: &operation.variables, positions, visited, problems, not_null };
    for variable in &operation.variables {
        if let Some(default) = &variable.default_value {
            check.value(default, &Place { ty: &variable.ty, has_default: false, is_argument: false });
        }
    }
    check.set(&operation.selection_set);
    check.not_null
}

/// A walk through one operation, which gives the variables in its fragments their types.
struct Check<'d, 'p> {
    schema: &'d Schema,
    tree: &'d ExecutableDocument,
    variables: &'d [Node<VariableDefinition>],
    positions: &'d Positions,
    visited: HashSet<&'d Name>,
    problems: &'p mut Problems,
    not_null: Vec<Name>,
}

/// Where a value stands.
struct Place<'t> {
    ty: &'t Type,
    has_default: bool,
    /// Whether it is an argument's whole value; validation has compared the type of a variable there.
    is_argument: bool,
}

impl<'d> Check<'d, '_> {
    fn set(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            for directive in selection.directives() {
                self.directive(directive);
            }
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.definition.arguments, &field.arguments);
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.tree.fragments.get(&spread.fragment_name)
                        && self.visited.insert(&spread.fragment_name)
                    {
                        self.set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directive(&mut self, directive: &'d Node<Directive>) {
        let schema = self.schema;
        if let Some(definition) = schema.directive_definitions.get(&directive.name) {
            self.arguments(&definition.arguments, &directive.arguments);
        }
    }

    fn arguments(&mut self, definitions: &'d [Node<InputValueDefinition>], arguments: &'d [Node<Argument>]) {
        for argument in arguments {
            if let Some(definition) = definitions.iter().find(|definition| definition.name == argument.name) {
                let has_default = definition.default_value.is_some();
                self.value(&argument.value, &Place { ty: &definition.ty, has_default, is_argument: true });
            }
        }
    }

    fn value(&mut self, value: &'d Node<Value>, place: &Place<'_>) {
        match (&**value, place.ty) {
            (Value::Variable(name), _) => self.variable(name, value.location(), place),
            (Value::Null, _) => {}
            (Value::List(items), Type::List(of) | Type::NonNullList(of)) => {
                for item in items {
                    self.value(item, &Place { ty: of, has_default: false, is_argument: false });
                }
            }
            (_, Type::List(of) | Type::NonNullList(of)) => {
                self.value(value, &Place { ty: of, has_default: false, is_argument: false });
            }
            (Value::Object(fields), Type::Named(name) | Type::NonNullNamed(name)) => {
                self.object(fields, name, value.location());
            }
            (_, Type::Named(name) | Type::NonNullNamed(name)) => self.leaf(value, name),
        }
    }

    fn object(&mut self, fields: &'d [(Name, Node<Value>)], ty: &Name, location: Option<SourceSpan>) {
        let mut seen = HashSet::new();
        let schema = self.schema;
        for (name, value) in fields {
            if !seen.insert(name) {
                self.complain(format!("The field '{name}' is given twice in one input object."), name.location());
            }
            if let Some(ExtendedType::InputObject(ty)) = schema.types.get(ty)
                && let Some(field) = ty.fields.get(name)
            {
                let has_default = field.default_value.is_some();
                self.value(value, &Place { ty: &field.ty, has_default, is_argument: false });
            }
        }
        if let Some(form) = form_of(ty) {
            self.complain(format!("Expected {}.", form.expected), location);
        }
    }

    fn leaf(&mut self, value: &Node<Value>, ty: &Name) {
        if let Some(form) = form_of(ty)
            && !value.as_str().is_some_and(form.is_good)
        {
            self.complain(format!("Expected {}.", form.expected), value.location());
        }
    }

    /// Whether a variable may stand here. One that is not declared, or of another type altogether, is validation's.
    fn variable(&mut self, name: &Name, location: Option<SourceSpan>, place: &Place<'_>) {
        let Some(definition) = self.variables.iter().find(|definition| definition.name == *name) else { return };
        if definition.ty.inner_named_type() != place.ty.inner_named_type() {
            return;
        }
        let default = definition.default_value.as_ref();
        let mut is_good = place.is_argument || definition.ty.is_assignable_to(place.ty);
        if place.ty.is_non_null() && !definition.ty.is_non_null() {
            let has_value = default.is_some_and(|default| !default.is_null());
            if has_value || place.has_default {
                is_good = place.is_argument || definition.ty.is_assignable_to(&place.ty.clone().nullable());
                if !self.not_null.contains(name) {
                    self.not_null.push(name.clone());
                }
            } else {
                // Validation takes any default of a variable for a value.
                is_good = place.is_argument && default.is_none();
            }
        }
        if !is_good {
            let message =
                format!("Variable '${name}' is of type '{}'; here stands one of type '{}'.", definition.ty, place.ty);
            self.complain(message, location);
        }
    }

    fn complain(&mut self, message: String, location: Option<SourceSpan>) {
        self.problems.add(message, self.positions.of(location));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        scalar DateTime
        type Query { a(n: Int, m: Int! = 3, ids: [ID!], at: [DateTime], in: In, need: Int!): Query }
        input In { n: Int at: DateTime need: Int! kept: Int! = 3 inner: In }";

    /// How many problems there are beside those of validation, and the variables that must not be null.
    fn check(source: &str) -> (usize, Vec<String>) {
        let schema = Schema::parse_and_validate(SCHEMA, "").expect("a schema");
        let tree = ExecutableDocument::parse(&schema, source, "").expect("a document");
        let mut problems = Problems::default();
        let positions = Positions::new(source);
        let operations = tree.operations.iter();
        let not_null = operations.flat_map(|one| super::check(&schema, &tree, one, &positions, &mut problems));
        let not_null = not_null.map(|name| name.to_string()).collect();
        (problems.finish().len(), not_null)
    }

    #[test]
    fn our_scalars_are_of_their_form_wherever_they_stand() {
        let good = "\"2026-11-25T12:00:00Z\"";
        assert_eq!(
            check(&format!("query($v: DateTime = {good}) {{ a(at: [{good}, null, $v], in: {{at: {good}}}) }}")).0,
            0
        );
        assert_eq!(check(&format!("{{ a(at: {good}) }}")).0, 0);
        for bad in
            ["\"today\"", "1", "1.5", "true", "NOW", "{}", "{x: 1}", "[[\"2026-11-25T12:00:00Z\"]]", "[\"today\"]"]
        {
            assert_eq!(check(&format!("{{ a(at: {bad}) }}")).0, 1, "{bad}");
            assert_eq!(check(&format!("query($v: [DateTime] = {bad}) {{ a(at: $v) }}")).0, 1, "{bad}");
            assert_eq!(
                check(&format!("{{ ...F ...F }} fragment F on Query {{ a(in: {{inner: {{at: {bad}}}}}) }}")).0,
                1,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_field_comes_once_in_an_input_object() {
        for bad in [
            "{ a(in: {n: 1, n: 2}) }",
            "{ a(in: {inner: {n: 1}, n: 2, inner: null}) }",
            "query($v: In = {n: 1, n: 1}) { a(in: $v) }",
        ] {
            assert_eq!(check(bad).0, 1, "{bad}");
        }
        assert_eq!(check("{ a(in: {n: 1, inner: {n: 2}}) b: a(in: {n: 1}) }").0, 0);
    }

    #[test]
    fn variables_stand_where_their_type_fits() {
        for good in [
            "query($v: Int!) { a(n: $v, in: {n: $v, need: $v, kept: $v}) }",
            "query($v: [ID!]!) { a(ids: $v) }",
            "query($v: ID!) { a(ids: [$v]) }",
            "query A($v: Int!) { ...F } fragment F on Query { a(in: {need: $v}) }",
            "{ a(in: {need: $unknown}) }",
            // Validation's to refuse.
            "query($v: String) { a(in: {need: $v}) }",
            "query($v: Int) { a(need: $v) }",
        ] {
            assert_eq!(check(good), (0, Vec::new()), "{good}");
        }
        for bad in [
            "query($v: Int) { a(in: {need: $v}) }",
            "query($v: Int = null) { a(need: $v) }",
            "query($v: Int = null) { a(in: {need: $v}) }",
            "query($v: ID) { a(ids: [$v]) }",
            "query($v: [ID!]!) { a(ids: [$v]) }",
            "query($v: [Int!]) { a(in: {n: $v}) }",
            "query A($v: Int) { ...F } query B($v: Int!) { ...F } fragment F on Query { a(in: {need: $v}) }",
        ] {
            assert_eq!(check(bad), (1, Vec::new()), "{bad}");
        }
    }

    #[test]
    fn a_variable_that_a_default_lets_in_must_not_be_null() {
        for only_not_null in [
            "query($v: Int = 1) { a(need: $v) }",
            "query($v: Int = 1) { a(in: {need: $v}) }",
            "query($v: Int) { a(m: $v) }",
            "query($v: Int) { a(in: {kept: $v}) }",
            "query($v: Boolean = true) { a @skip(if: $v) b: a @include(if: $v) }",
            "query($v: ID = 1) { a(ids: [$v]) }",
        ] {
            assert_eq!(check(only_not_null), (0, vec!["v".to_owned()]), "{only_not_null}");
        }
    }
}
