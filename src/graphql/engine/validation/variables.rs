//! Variables: each declared one is there, of its type, with its default where it is left out (GraphQL, section 6.1.2).

use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

use super::{Input, MAX_PROBLEMS, Types, wrong_leaf};
use crate::graphql::code::{Code, coded};

impl Types {
    /// The values of the declared variables. A variable that is left out and has no default stays out, which is not
    /// the same as null. Variables that nobody declared are dropped.
    ///
    /// # Errors
    /// All that is wrong, of code `GRAPHQL_VALIDATION_FAILED`.
    pub(in crate::graphql) fn variables(
        &self,
        definitions: &[Positioned<VariableDefinition>],
        mut given: serde_json::Map<String, serde_json::Value>,
    ) -> Result<Variables, Vec<ServerError>> {
        let mut variables = Variables::default();
        let mut errors = Vec::new();
        for Positioned { pos, node: definition } in definitions {
            let (name, ty) = (&definition.name.node, &definition.var_type.node);
            let mut wrong = |message: String| errors.push(coded(Code::ValidationFailed, message, Some(*pos)));
            let Some(json) = given.remove(name.as_str()) else {
                match &definition.default_value {
                    Some(default) => _ = variables.insert(name.clone(), default.node.clone()),
                    None if !ty.nullable => wrong(format!("Variable '${name}' of type '{ty}' is missing.")),
                    None => {}
                }
                continue;
            };
            let Ok(value) = Value::from_json(json) else {
                wrong(format!("Variable '${name}': a key in it is no name."));
                continue;
            };
            let mut problems = Vec::new();
            let value = self.coerced(ty, value, &Place::Root(name), &mut problems);
            problems.into_iter().for_each(&mut wrong);
            variables.insert(name.clone(), value);
        }
        errors.truncate(MAX_PROBLEMS);
        if errors.is_empty() { Ok(variables) } else { Err(errors) }
    }

    /// The value as its type has it; what is wrong goes to `problems`.
    fn coerced(&self, ty: &Type, value: Value, place: &Place<'_>, problems: &mut Vec<String>) -> Value {
        if problems.len() >= MAX_PROBLEMS {
            return value;
        }
        let wrong = |what: String| format!("Variable '{place}': {what}.");
        match (&ty.base, value) {
            (_, Value::Null) => {
                if !ty.nullable {
                    problems.push(wrong(format!("null is not a value of type '{ty}'")));
                }
                Value::Null
            }
            (BaseType::List(of), Value::List(items)) => {
                let items = items.into_iter().enumerate();
                Value::List(
                    items.map(|(nth, item)| self.coerced(of, item, &Place::Item(place, nth), problems)).collect(),
                )
            }
            (BaseType::List(of), item) => self.coerced(of, item, place, problems),
            (BaseType::Named(name), value) => match (self.inputs.get(name.as_str()), value) {
                // A type that there is not, or none for input: validation says so.
                (None, value) => value,
                (Some(Input::Object(fields)), Value::Object(mut given)) => {
                    for field in fields {
                        let (name, ty) = (&field.name.node, &field.ty.node);
                        let place = Place::Field(place, name);
                        if let Some(value) = given.get_mut(name) {
                            *value = self.coerced(ty, std::mem::take(value), &place, problems);
                        } else if !ty.nullable && field.default_value.is_none() {
                            problems.push(format!("Variable '{place}': this field is missing; it is of type '{ty}'."));
                        }
                    }
                    for name in given.keys().filter(|name| fields.iter().all(|field| field.name.node != **name)) {
                        problems.push(wrong(format!("'{ty}' has no field '{name}'")));
                    }
                    Value::Object(given)
                }
                (Some(input), value) => {
                    let value = if name == "Int" { whole(value) } else { value };
                    problems.extend(wrong_leaf(name, input, &value, true).map(wrong));
                    value
                }
            },
        }
    }
}

/// JSON knows one kind of number: 5.0 is 5 (GraphQL, section 3.5.1).
fn whole(value: Value) -> Value {
    if let Value::Number(number) = &value
        && let Some(float) = number.as_f64().filter(|float| !number.is_i64() && float.fract() == 0.0)
        && float.abs() <= f64::from(i32::MAX)
    {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 32 bits")]
        return Value::from(float as i32);
    }
    value
}

/// Where in the variables a value stands.
enum Place<'p> {
    Root(&'p Name),
    Field(&'p Place<'p>, &'p Name),
    Item(&'p Place<'p>, usize),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root(name) => write!(f, "${name}"),
            Self::Field(outer, name) => write!(f, "{outer}.{name}"),
            Self::Item(outer, nth) => write!(f, "{outer}[{nth}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;

    const SCHEMA: &str = "
        type Query { a(input: In): Int }
        scalar DateTime
        enum Size { SMALL LARGE }
        input In { name: String! size: Size many: [Int!] at: DateTime inner: In }";

    fn variables(declared: &str, given: Json) -> Result<Json, Vec<String>> {
        let document = parse_query(format!("query Q({declared}) {{ a }}")).expect("a document");
        let (_, operation) = document.operations.iter().next().expect("one operation");
        let Json::Object(given) = given else { panic!("variables are an object") };
        let checked = Types::of(SCHEMA).variables(&operation.node.variable_definitions, given);
        checked
            .map(|variables| variables.into_value().into_json().expect("values are JSON"))
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn what_is_left_out_stays_out_and_null_stays_null() {
        assert_eq!(
            variables("$i: In", json!({"i": {"name": "x", "size": null}})),
            Ok(json!({"i": {"name": "x", "size": null}}))
        );
        assert_eq!(variables("$i: Int, $j: Int", json!({"j": null, "other": 1})), Ok(json!({"j": null})));
        assert_eq!(variables("$i: Int! = 3, $b: Boolean = true", json!({})), Ok(json!({"i": 3, "b": true})));
    }

    #[test]
    fn whole_numbers_and_single_items_are_taken() {
        assert_eq!(variables("$i: Int", json!({"i": 5.0})), Ok(json!({"i": 5})));
        assert_eq!(variables("$i: [Int!]", json!({"i": 5})), Ok(json!({"i": 5})));
        assert_eq!(variables("$i: ID, $s: Size", json!({"i": 5, "s": "LARGE"})), Ok(json!({"i": 5, "s": "LARGE"})));
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let bad =
            json!({"i": {"size": "HUGE", "many": [1, 2.5], "at": "today", "inner": {"name": 1}, "more": 1}, "n": null});
        let errors = variables("$i: In!, $n: Int!, $m: Int!", bad).expect_err("refused");
        for place in
            ["$i.name'", "$i.size'", "$i.many[1]'", "$i.at'", "$i.inner.name'", "no field 'more'", "$n'", "$m'"]
        {
            assert!(errors.iter().any(|error| error.contains(place)), "{place} in {errors:?}");
        }
        assert_eq!(errors.len(), 8, "{errors:?}");
    }

    #[test]
    fn scalars_are_of_their_form() {
        for (ty, bad) in [
            ("Int", json!(2_147_483_648_i64)),
            ("Int", json!("1")),
            ("Int", json!(1.5)),
            ("String", json!(1)),
            ("Boolean", json!("true")),
            ("ID", json!(1.5)),
            ("ID", json!(true)),
            ("Size", json!(1)),
            ("DateTime", json!(1)),
            ("In", json!("x")),
            ("In", json!([{"name": "x"}])),
        ] {
            assert!(variables(&format!("$v: {ty}"), json!({"v": bad})).is_err(), "{ty} {bad}");
        }
    }
}
