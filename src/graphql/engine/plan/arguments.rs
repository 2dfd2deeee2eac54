//! The arguments of a field, with the values of their variables, read by the types that its resolver declares.

use apollo_compiler::Name;
use apollo_compiler::executable::Field;
use async_graphql::{InputType, Value, Variables};
use async_graphql_value::Value as InputValue;

use super::super::convert;
use super::NoPlan;

/// The arguments of one field.
pub(super) struct Arguments<'p> {
    pub(super) written: &'p [(Name, InputValue)],
    pub(super) variables: &'p Variables,
}

/// The arguments of a field as they are written.
pub(super) fn written(field: &Field) -> Box<[(Name, InputValue)]> {
    field.arguments.iter().map(|argument| (argument.name.clone(), convert::value(&argument.value))).collect()
}

impl Arguments<'_> {
    /// An argument. What is left out is the default of its type.
    pub(super) fn get<T: InputType>(&self, name: &str) -> Result<T, NoPlan> {
        let written = self.written.iter().find(|(written, _)| written == name);
        T::parse(written.and_then(|(_, value)| self.value(value))).map_err(|_| NoPlan)
    }

    /// A value; nothing where it is a variable that was left out.
    fn value(&self, value: &InputValue) -> Option<Value> {
        Some(match value {
            InputValue::Variable(name) => return self.variables.get(name).cloned(),
            InputValue::Null => Value::Null,
            InputValue::Number(number) => Value::Number(number.clone()),
            InputValue::String(text) => Value::String(text.clone()),
            InputValue::Boolean(boolean) => Value::Boolean(*boolean),
            InputValue::Binary(bytes) => Value::Binary(bytes.clone()),
            InputValue::Enum(name) => Value::Enum(name.clone()),
            InputValue::List(items) => {
                Value::List(items.iter().map(|item| self.value(item).unwrap_or(Value::Null)).collect())
            }
            InputValue::Object(fields) => Value::Object(
                fields.iter().filter_map(|(name, value)| Some((name.clone(), self.value(value)?))).collect(),
            ),
        })
    }
}
