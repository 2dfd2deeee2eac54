//! An operation as async-graphql runs it. Fragments are spread out and fields of one response key are one field already,
//! so that nothing is resolved twice; what `@skip` and `@include` leave out is gone. Places are those of the document.

use std::collections::HashMap;

use apollo_compiler::ast::{self, OperationType as ApolloOperationType};
use apollo_compiler::executable::{Field as ApolloField, Operation, SelectionSet as ApolloSelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name as ApolloName, Node};
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, OperationType,
    Selection, SelectionSet, Type, TypeCondition, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::{Number, Value};

use super::collect::{Collect, Conditions, Part};
use super::position::Positions;

/// Converts one operation. Defaults of variables are gone: whoever runs it gives all values.
pub(super) fn operation(
    operation: &Node<Operation>,
    collect: Collect<'_>,
    positions: &Positions,
) -> ExecutableDocument {
    let convert = Convert { collect, positions };
    let pos = positions.of(operation.location());
    let definition = OperationDefinition {
        ty: kind(operation.operation_type),
        variable_definitions: operation.variables.iter().map(|definition| convert.variable(definition)).collect(),
        directives: Vec::new(),
        selection_set: convert.set([&operation.selection_set], pos, &is_resolved),
    };
    let operations = DocumentOperations::Single(Positioned::new(definition, pos));
    ExecutableDocument { operations, fragments: HashMap::new() }
}

/// Introspection is answered elsewhere.
fn is_resolved(field: &ApolloField) -> bool {
    !matches!(field.name.as_str(), "__schema" | "__type")
}

fn kind(kind: ApolloOperationType) -> OperationType {
    match kind {
        ApolloOperationType::Query => OperationType::Query,
        ApolloOperationType::Mutation => OperationType::Mutation,
        ApolloOperationType::Subscription => OperationType::Subscription,
    }
}

struct Convert<'d> {
    collect: Collect<'d>,
    positions: &'d Positions,
}

impl<'d> Convert<'d> {
    fn set(
        &self,
        sets: impl IntoIterator<Item = &'d ApolloSelectionSet>,
        pos: Pos,
        is_wanted: &dyn Fn(&ApolloField) -> bool,
    ) -> Positioned<SelectionSet> {
        let mut items = Vec::new();
        for part in self.collect.parts(sets) {
            match part {
                Part::Field(fields) if is_wanted(fields[0]) => items.push(self.field(&fields)),
                Part::Field(_) => {}
                Part::OnType(ty, sets) => {
                    let fragment = InlineFragment {
                        type_condition: Some(Positioned::new(TypeCondition { on: self.name(ty) }, pos)),
                        directives: Vec::new(),
                        selection_set: self.set(sets, pos, is_wanted),
                    };
                    items.push(Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos));
                }
            }
        }
        Positioned::new(SelectionSet { items }, pos)
    }

    fn field(&self, fields: &[&'d Node<ApolloField>]) -> Positioned<Selection> {
        let first = fields[0];
        let pos = self.pos(first.location());
        let arguments = first.arguments.iter().filter(|argument| !self.is_left_out(&argument.value)).map(|argument| {
            (self.name(&argument.name), Positioned::new(value(&argument.value), self.pos(argument.value.location())))
        });
        let field = Field {
            alias: first.alias.as_ref().map(|alias| self.name(alias)),
            name: self.name(&first.name),
            arguments: arguments.collect(),
            directives: Vec::new(),
            selection_set: self.set(fields.iter().map(|field| &field.selection_set), pos, &|_| true),
        };
        Positioned::new(Selection::Field(Positioned::new(field, pos)), pos)
    }

    /// Whether an argument is a variable that has no value: then the argument's default holds (GraphQL, section 6.4.1),
    /// which async-graphql takes only where the argument is not written at all.
    fn is_left_out(&self, value: &ast::Value) -> bool {
        match (self.collect.conditions, value) {
            (Conditions::Known(variables), ast::Value::Variable(name)) => !variables.contains_key(name.as_str()),
            _ => false,
        }
    }

    fn variable(&self, definition: &Node<ast::VariableDefinition>) -> Positioned<VariableDefinition> {
        let pos = self.pos(definition.location());
        let definition = VariableDefinition {
            name: self.name(&definition.name),
            var_type: Positioned::new(ty(&definition.ty), pos),
            directives: Vec::new(),
            default_value: None,
        };
        Positioned::new(definition, pos)
    }

    fn name(&self, name: &ApolloName) -> Positioned<Name> {
        Positioned::new(Name::new(name), self.pos(name.location()))
    }

    fn pos(&self, location: Option<SourceSpan>) -> Pos {
        self.positions.of(location)
    }
}

fn ty(ty: &ast::Type) -> Type {
    let base = match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => BaseType::Named(Name::new(name)),
        ast::Type::List(of) | ast::Type::NonNullList(of) => BaseType::List(Box::new(self::ty(of))),
    };
    Type { base, nullable: !ty.is_non_null() }
}

/// A value as it is written.
pub(super) fn value(value: &ast::Value) -> Value {
    match value {
        ast::Value::Null => Value::Null,
        ast::Value::Variable(name) => Value::Variable(Name::new(name)),
        ast::Value::Enum(name) => Value::Enum(Name::new(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        ast::Value::Boolean(boolean) => Value::Boolean(*boolean),
        // Only an id can be a larger number, and ids are texts.
        ast::Value::Int(number) => match number.as_str().parse::<i64>() {
            Ok(number) => Value::Number(number.into()),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        ast::Value::Float(number) => {
            number.try_to_f64().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        ast::Value::List(items) => Value::List(items.iter().map(|item| self::value(item)).collect()),
        ast::Value::Object(fields) => {
            let fields = fields.iter().map(|(name, item)| (Name::new(name), self::value(item)));
            Value::Object(fields.collect())
        }
    }
}
