//! Variables: each declared one is there, of its type, with its default where it is left out (GraphQL, section 6.1.2).

use apollo_compiler::ast::{Type, VariableDefinition};
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Name as ApolloName, Node, Schema};
use async_graphql::{Name, ServerError, Value, Variables};
use serde_json::{Map, Number, Value as Json};

use super::convert;
use super::position::Positions;
use super::problems::MAX_PROBLEMS;
use super::scalars::form_of;
use crate::graphql::code::{Code, coded};

/// What an operation declares.
#[derive(Clone, Copy)]
pub(super) struct Declared<'d> {
    pub(super) schema: &'d Schema,
    pub(super) definitions: &'d [Node<VariableDefinition>],
    /// Those that stand where null may not, although their type has it: a default allows that, unless null is sent.
    pub(super) not_null: &'d [ApolloName],
    pub(super) positions: &'d Positions,
}

impl Declared<'_> {
    /// The values of the declared variables. A variable that is left out and has no default stays out, which is not
    /// the same as null. Variables that nobody declared are dropped.
    ///
    /// # Errors
    /// All that is wrong, of code `GRAPHQL_VALIDATION_FAILED`.
    pub(super) fn values(self, mut given: Map<String, Json>) -> Result<Variables, Vec<ServerError>> {
        let mut variables = Variables::default();
        let mut errors = Vec::new();
        for definition in self.definitions {
            let (name, ty) = (&definition.name, &definition.ty);
            let mut wrong = Vec::new();
            let value = match (given.remove(name.as_str()), &definition.default_value) {
                (Some(Json::Null), _) if self.not_null.contains(name) => {
                    wrong.push(format!("Variable '${name}' stands where null is no value; leave it out instead."));
                    None
                }
                (Some(json), _) => Some(self.coerced(ty, json, &Place::Root(name), &mut wrong)),
                // Validation has looked at defaults.
                (None, Some(default)) => convert::value(default).into_const(),
                (None, None) if ty.is_non_null() => {
                    wrong.push(format!("Variable '${name}' of type '{ty}' is missing."));
                    None
                }
                (None, None) => None,
            };
            if let Some(value) = value {
                variables.insert(Name::new(name), value);
            }
            if !wrong.is_empty() {
                let pos = self.positions.of(definition.location());
                errors.extend(wrong.into_iter().map(|message| coded(Code::ValidationFailed, message, Some(pos))));
            }
        }
        errors.truncate(MAX_PROBLEMS);
        if errors.is_empty() { Ok(variables) } else { Err(errors) }
    }

    /// The value as its type has it; what is wrong goes to `wrong`.
    fn coerced(self, ty: &Type, json: Json, place: &Place<'_>, wrong: &mut Vec<String>) -> Value {
        if wrong.len() >= MAX_PROBLEMS {
            return Value::Null;
        }
        match (ty, json) {
            (_, Json::Null) => {
                if ty.is_non_null() {
                    wrong.push(format!("Variable '{place}': null is not a value of type '{ty}'."));
                }
                Value::Null
            }
            (Type::List(of) | Type::NonNullList(of), Json::Array(items)) => {
                let items = items.into_iter().enumerate();
                let item = |(nth, item)| self.coerced(of, item, &Place::Item(place, nth), wrong);
                Value::List(items.map(item).collect())
            }
            // One item stands for a list of one.
            (Type::List(of) | Type::NonNullList(of), item) => self.coerced(of, item, place, wrong),
            (Type::Named(name) | Type::NonNullNamed(name), json) => match (self.schema.types.get(name), json) {
                (Some(ExtendedType::InputObject(ty)), Json::Object(given)) => self.object(ty, given, place, wrong),
                (Some(ExtendedType::Enum(ty)), Json::String(text)) if ty.values.contains_key(text.as_str()) => {
                    Value::Enum(Name::new(text))
                }
                (ty, json) => scalar(name, json).unwrap_or_else(|| {
                    wrong.push(format!("Variable '{place}': expected {}.", expected(name, ty)));
                    Value::Null
                }),
            },
        }
    }

    fn object(
        self,
        ty: &InputObjectType,
        mut given: Map<String, Json>,
        place: &Place<'_>,
        wrong: &mut Vec<String>,
    ) -> Value {
        let mut object = Vec::with_capacity(given.len());
        for (name, field) in &ty.fields {
            let place = Place::Field(place, name);
            if let Some(json) = given.remove(name.as_str()) {
                object.push((Name::new(name), self.coerced(&field.ty, json, &place, wrong)));
            } else if field.is_required() {
                wrong.push(format!("Variable '{place}': this field is missing; it is of type '{}'.", field.ty));
            }
        }
        for name in given.keys().take(MAX_PROBLEMS) {
            wrong.push(format!("Variable '{place}': '{}' has no field '{name}'.", ty.name));
        }
        Value::Object(object.into_iter().collect())
    }
}

/// The value of a scalar; nothing where it is none of it.
fn scalar(name: &str, json: Json) -> Option<Value> {
    match (name, json) {
        ("Int", Json::Number(number)) => whole(&number).and_then(|whole| i32::try_from(whole).ok()).map(Value::from),
        ("Float", Json::Number(number)) => Some(Value::Number(number)),
        ("String" | "ID", Json::String(text)) => Some(Value::String(text)),
        // An id is a text, and its number a whole one, which here 4.0 is not (GraphQL, section 3.5.5).
        ("ID", Json::Number(number)) if !number.is_f64() => Some(Value::String(number.to_string())),
        ("Boolean", Json::Bool(boolean)) => Some(Value::Boolean(boolean)),
        (name, Json::String(text)) => form_of(name).filter(|form| (form.is_good)(&text)).map(|_| Value::String(text)),
        _ => None,
    }
}

/// JSON knows one kind of number: 5.0 is 5 (GraphQL, section 3.5.1).
fn whole(number: &Number) -> Option<i64> {
    /// Beyond it not every whole number is one of 64 bits with a fraction.
    const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= MAX_EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 54 bits")]
        Some(float as i64)
    })
}

/// What a value of a type is.
fn expected(name: &str, ty: Option<&ExtendedType>) -> String {
    match (name, ty) {
        ("Int", _) => "a whole number of 32 bits".into(),
        (_, Some(ExtendedType::Enum(ty))) => format!("one of {}", values_of(ty)),
        _ => form_of(name).map_or_else(|| name.to_owned(), |form| form.expected.to_owned()),
    }
}

fn values_of(ty: &EnumType) -> String {
    let names: Vec<&str> = ty.values.keys().map(ApolloName::as_str).collect();
    names.join(", ")
}

/// Where in the variables a value stands.
enum Place<'p> {
    Root(&'p ApolloName),
    Field(&'p Place<'p>, &'p ApolloName),
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
    use apollo_compiler::ExecutableDocument;
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = "
        type Query { a(input: In): Int }
        scalar DateTime
        enum Size { SMALL LARGE }
        input In { name: String! size: Size many: [Int!] at: DateTime inner: In kept: Int! = 3 }";

    fn variables(declared: &str, given: Json) -> Result<Json, Vec<String>> {
        let schema = Schema::parse_and_validate(SCHEMA, "").expect("a schema");
        let source = format!("query Q({declared}) {{ a }}");
        let document = ExecutableDocument::parse(&schema, &source, "").expect("a document");
        let operation = document.operations.iter().next().expect("one operation");
        let Json::Object(given) = given else { panic!("variables are an object") };
        let declared = Declared {
            schema: &schema,
            definitions: &operation.variables,
            not_null: &[ApolloName::new("never").expect("a name")],
            positions: &Positions::new(&source),
        };
        let checked = declared.values(given);
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
        assert_eq!(
            variables("$s: Size = LARGE, $m: [Int] = [1, null]", json!({})),
            Ok(json!({"s": "LARGE", "m": [1, null]}))
        );
    }

    #[test]
    fn null_is_refused_where_only_a_default_allows_the_variable() {
        assert_eq!(variables("$never: Int = 1", json!({})), Ok(json!({"never": 1})));
        assert!(variables("$never: Int = 1", json!({"never": null})).is_err());
    }

    #[test]
    fn whole_numbers_and_single_items_are_taken() {
        for (given, whole) in [(json!(5.0), 5), (json!(-2_147_483_648.0), i32::MIN), (json!(2_147_483_647.0), i32::MAX)]
        {
            assert_eq!(variables("$i: Int", json!({"i": given})), Ok(json!({"i": whole})));
        }
        assert_eq!(variables("$i: [Int!]", json!({"i": 5})), Ok(json!({"i": 5})));
        assert_eq!(variables("$s: Size", json!({"s": "LARGE"})), Ok(json!({"s": "LARGE"})));
    }

    #[test]
    fn an_id_is_a_text_however_it_is_written() {
        for (given, text) in [(json!("x"), "x"), (json!(-5), "-5"), (json!(u64::MAX), "18446744073709551615")] {
            assert_eq!(variables("$i: ID", json!({"i": given})), Ok(json!({"i": text})));
        }
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
            ("Int", json!(2_147_483_648.0)),
            ("Int", json!("1")),
            ("Int", json!(1.5)),
            ("String", json!(1)),
            ("Boolean", json!("true")),
            ("ID", json!(1.0)),
            ("ID", json!(true)),
            ("Size", json!(1)),
            ("DateTime", json!(1)),
            ("DateTime", json!("2026-11-25")),
            ("In", json!("x")),
            ("In", json!([{"name": "x"}])),
        ] {
            assert!(variables(&format!("$v: {ty}"), json!({"v": bad})).is_err(), "{ty} {bad}");
        }
    }
}
