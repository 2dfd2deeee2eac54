//! `__schema` and `__type`, written as JSON straight from the schema (GraphQL, section 4). Types within types multiply,
//! so what is written is counted on the way. apollo-compiler can answer these fields too, but neither counts nor knows
//! `isOneOf`; the tests compare with it.

use apollo_compiler::ast::{self, DirectiveList, EnumValueDefinition, FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::executable::{Field, Operation, SelectionSet};
use apollo_compiler::schema::{Component, ComponentName, DirectiveDefinition, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use async_graphql::{Name as AnswerName, ServerError, Value, Variables};

use super::collect::{Collect, Undecided};
use crate::graphql::code::{Code, coded};

/// What apollo-compiler's introspection types lack.
const MORE: &str = "\nextend type __Type { isOneOf: Boolean }\n";
/// The fields that it has in another order than the specification, which asks tools to expect any order; they are shown
/// in this one all the same.
const ORDERED: [(&str, &[&str]); 2] = [
    ("__Type", &["kind", "name", "description", "specifiedByURL", "fields"]),
    ("__Directive", &["name", "description", "isRepeatable", "locations", "args"]),
];
/// Most bytes of an answer.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Our schema from its text, with all that introspection shows of it.
pub(super) fn schema(sdl: String) -> Valid<Schema> {
    let schema = Schema::parse_and_validate(sdl + MORE, "schema.graphql");
    let mut schema = schema.expect("the schema that we print is valid").into_inner();
    for (name, order) in ORDERED {
        if let Some(ExtendedType::Object(ty)) = schema.types.get_mut(name) {
            // What is not named comes after what is, in the order that it has.
            let place = |name: &Name| order.iter().position(|other| name == other).unwrap_or(order.len());
            ty.make_mut().fields.sort_by_key(|name, _| place(name));
        }
    }
    Valid::assume_valid(schema)
}

/// What the introspection fields at an operation's root come to, as a JSON object. Other fields are passed over.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` where it is too large.
pub(super) fn answer(
    operation: &Operation,
    collect: Collect<'_>,
    variables: &Variables,
) -> Result<String, ServerError> {
    let select = Select { collect, variables };
    // Conditions are known where the variables are.
    let roots = select.fields(&[&operation.selection_set], &|field| field.name.starts_with("__")).unwrap_or_default();
    let mut writer = Writer { schema: collect.schema, text: String::with_capacity(1024) };
    match writer.object(&Item::Root(operation.object_type()), &roots) {
        Ok(()) => Ok(writer.text),
        Err(TooLarge) => {
            Err(coded(Code::QueryTooComplex, format!("The answer has more than {MAX_BYTES} bytes."), None))
        }
    }
}

/// Puts the answer to an operation's introspection fields among that to its other fields, in the order of the document.
pub(super) fn merged(data: Value, introspected: &str, operation: &Operation, collect: Collect<'_>) -> Value {
    let introspected = serde_json::from_str(introspected).ok().and_then(|json| Value::from_json(json).ok());
    let (Value::Object(mut data), Some(Value::Object(mut introspected))) = (data, introspected) else {
        // An error took the whole answer along.
        return Value::Null;
    };
    let roots = collect.fields([&operation.selection_set]).unwrap_or_default();
    let in_order = roots.iter().filter_map(|fields| {
        let key = fields[0].response_key().as_str();
        let value = data.swap_remove(key).or_else(|| introspected.swap_remove(key))?;
        Some((AnswerName::new(key), value))
    });
    Value::Object(in_order.collect())
}

/// A selected field, with all that is selected of it.
struct Selected<'d> {
    field: &'d Node<Field>,
    /// The argument `name` or `includeDeprecated`; no field of introspection has another one.
    argument: Option<Argument<'d>>,
    below: Vec<Self>,
}

enum Argument<'d> {
    Name(&'d str),
    IncludeDeprecated(bool),
}

struct Select<'d> {
    collect: Collect<'d>,
    variables: &'d Variables,
}

impl<'d> Select<'d> {
    /// The fields of several sets, each once. All types of introspection are objects.
    fn fields(
        &self,
        sets: &[&'d SelectionSet],
        is_wanted: &dyn Fn(&Field) -> bool,
    ) -> Result<Vec<Selected<'d>>, Undecided> {
        let fields = self.collect.fields(sets.iter().copied())?.into_iter().filter(|fields| is_wanted(fields[0]));
        let selected = fields.map(|fields| {
            let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
            let below = self.fields(&sets, &|_| true)?;
            Ok(Selected { field: fields[0], argument: self.argument(fields[0]), below })
        });
        selected.collect()
    }

    fn argument(&self, field: &'d Field) -> Option<Argument<'d>> {
        let written = &*field.arguments.first()?.value;
        let given = written.as_variable().and_then(|name| self.variables.get(name.as_str()));
        match (written, given) {
            (ast::Value::String(name), _) | (_, Some(Value::String(name))) => Some(Argument::Name(name)),
            (ast::Value::Boolean(boolean), _) | (_, Some(Value::Boolean(boolean))) => {
                Some(Argument::IncludeDeprecated(*boolean))
            }
            _ => None,
        }
    }
}

impl Selected<'_> {
    /// Whether something with these directives is to be shown.
    fn shows(&self, directives: &DirectiveList) -> bool {
        matches!(self.argument, Some(Argument::IncludeDeprecated(true))) || !directives.has("deprecated")
    }
}

/// What a field is selected of.
#[derive(Clone, Copy)]
enum Item<'s> {
    /// A root type, by its name.
    Root(&'s Name),
    Schema,
    Type(&'s ExtendedType),
    /// A type around another one. `is_nullable`: its `!` was looked at before.
    Around {
        ty: &'s Type,
        is_nullable: bool,
    },
    Field(&'s FieldDefinition),
    Input(&'s InputValueDefinition),
    EnumValue(&'s EnumValueDefinition),
    Directive(&'s DirectiveDefinition),
}

impl<'s> Item<'s> {
    fn type_name(self) -> &'s str {
        match self {
            Self::Root(name) => name,
            Self::Schema => "__Schema",
            Self::Type(_) | Self::Around { .. } => "__Type",
            Self::Field(_) => "__Field",
            Self::Input(_) => "__InputValue",
            Self::EnumValue(_) => "__EnumValue",
            Self::Directive(_) => "__Directive",
        }
    }
}

/// The answer grows beyond its bound.
struct TooLarge;

type Written = Result<(), TooLarge>;

struct Writer<'s> {
    schema: &'s Schema,
    text: String,
}

impl<'s> Writer<'s> {
    fn object(&mut self, item: &Item<'s>, fields: &[Selected<'_>]) -> Written {
        if self.text.len() > MAX_BYTES {
            return Err(TooLarge);
        }
        let mut separator = '{';
        for selected in fields {
            self.text.push(separator);
            separator = ',';
            self.string(selected.field.response_key());
            self.text.push(':');
            if selected.field.name == "__typename" {
                self.string(item.type_name());
            } else {
                self.value(*item, selected)?;
            }
        }
        if fields.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        Ok(())
    }

    fn value(&mut self, item: Item<'s>, selected: &Selected<'_>) -> Written {
        let name = selected.field.name.as_str();
        match item {
            Item::Root(_) => match (name, &selected.argument) {
                ("__schema", _) => return self.object(&Item::Schema, &selected.below),
                (_, Some(Argument::Name(name))) => return self.named(Some(name), selected),
                _ => self.null(),
            },
            Item::Schema => return self.of_schema(name, selected),
            Item::Type(ty) => return self.of_type(ty, name, selected),
            Item::Around { ty, is_nullable } => return self.of_type_around(ty, is_nullable, name, selected),
            Item::Field(field) => match name {
                "name" => self.string(&field.name),
                "description" => self.optional(field.description.as_deref()),
                "args" => return self.inputs(&field.arguments, selected),
                "type" => return self.ty(&field.ty, false, selected),
                _ => self.deprecation(&field.directives, name),
            },
            Item::Input(input) => match name {
                "name" => self.string(&input.name),
                "description" => self.optional(input.description.as_deref()),
                "type" => return self.ty(&input.ty, false, selected),
                "defaultValue" => {
                    let default = input.default_value.as_ref().map(|value| value.serialize().no_indent().to_string());
                    self.optional(default.as_deref());
                }
                _ => self.deprecation(&input.directives, name),
            },
            Item::EnumValue(value) => match name {
                "name" => self.string(&value.value),
                "description" => self.optional(value.description.as_deref()),
                _ => self.deprecation(&value.directives, name),
            },
            Item::Directive(directive) => match name {
                "name" => self.string(&directive.name),
                "description" => self.optional(directive.description.as_deref()),
                "isRepeatable" => self.boolean(directive.repeatable),
                "locations" => {
                    let names = directive.locations.iter().map(|location| location.name());
                    self.list(names, |writer, name| {
                        writer.string(name);
                        Ok(())
                    })?;
                }
                "args" => return self.inputs(&directive.arguments, selected),
                _ => self.null(),
            },
        }
        Ok(())
    }

    fn of_schema(&mut self, name: &str, selected: &Selected<'_>) -> Written {
        let schema = self.schema;
        let definition = &schema.schema_definition;
        match name {
            "description" => self.optional(definition.description.as_deref()),
            "types" => return self.objects(schema.types.values().map(Item::Type), selected),
            "directives" => {
                let directives = schema.directive_definitions.values();
                return self.objects(directives.map(|directive| Item::Directive(directive)), selected);
            }
            "queryType" => return self.named(definition.query.as_deref().map(Name::as_str), selected),
            "mutationType" => return self.named(definition.mutation.as_deref().map(Name::as_str), selected),
            "subscriptionType" => return self.named(definition.subscription.as_deref().map(Name::as_str), selected),
            _ => self.null(),
        }
        Ok(())
    }

    fn of_type(&mut self, ty: &'s ExtendedType, name: &str, selected: &Selected<'_>) -> Written {
        match (name, ty) {
            ("kind", _) => self.string(kind(ty)),
            ("name", _) => self.string(ty.name()),
            ("description", _) => self.optional(ty.description().map(Node::as_str)),
            ("fields", ExtendedType::Object(ty)) => return self.fields(&ty.fields, selected),
            ("fields", ExtendedType::Interface(ty)) => return self.fields(&ty.fields, selected),
            ("interfaces", ExtendedType::Object(ty)) => return self.types(&ty.implements_interfaces, selected),
            ("interfaces", ExtendedType::Interface(ty)) => return self.types(&ty.implements_interfaces, selected),
            ("possibleTypes", ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                let schema = self.schema;
                let types =
                    schema.types.values().filter(|of| of.is_object() && schema.is_subtype(ty.name(), of.name()));
                return self.objects(types.map(Item::Type), selected);
            }
            ("enumValues", ExtendedType::Enum(ty)) => {
                let values = ty.values.values().filter(|value| selected.shows(&value.directives));
                return self.objects(values.map(|value| Item::EnumValue(value)), selected);
            }
            ("inputFields", ExtendedType::InputObject(ty)) => {
                let fields = ty.fields.values().filter(|field| selected.shows(&field.directives));
                return self.objects(fields.map(|field| Item::Input(field)), selected);
            }
            ("specifiedByURL", ExtendedType::Scalar(ty)) => {
                let directive = ty.directives.get("specifiedBy");
                let url = directive.and_then(|directive| directive.specified_argument_by_name("url"));
                self.optional(url.and_then(|url| url.as_str()));
            }
            ("isOneOf", ExtendedType::InputObject(ty)) => self.boolean(ty.directives.has("oneOf")),
            _ => self.null(),
        }
        Ok(())
    }

    fn of_type_around(&mut self, ty: &'s Type, is_nullable: bool, name: &str, selected: &Selected<'_>) -> Written {
        let is_non_null = ty.is_non_null() && !is_nullable;
        match name {
            "kind" => self.string(if is_non_null { "NON_NULL" } else { "LIST" }),
            "ofType" if is_non_null => return self.ty(ty, true, selected),
            "ofType" => return self.ty(ty.item_type(), false, selected),
            _ => self.null(),
        }
        Ok(())
    }

    fn ty(&mut self, ty: &'s Type, is_nullable: bool, selected: &Selected<'_>) -> Written {
        match ty {
            Type::Named(name) => self.named(Some(name), selected),
            Type::NonNullNamed(name) if is_nullable => self.named(Some(name), selected),
            _ => self.object(&Item::Around { ty, is_nullable }, &selected.below),
        }
    }

    fn named(&mut self, name: Option<&str>, selected: &Selected<'_>) -> Written {
        match name.and_then(|name| self.schema.types.get(name)) {
            Some(ty) => self.object(&Item::Type(ty), &selected.below),
            None => {
                self.null();
                Ok(())
            }
        }
    }

    fn inputs(&mut self, inputs: &'s [Node<InputValueDefinition>], selected: &Selected<'_>) -> Written {
        let inputs = inputs.iter().filter(|input| selected.shows(&input.directives));
        self.objects(inputs.map(|input| Item::Input(input)), selected)
    }

    fn fields(&mut self, fields: &'s IndexMap<Name, Component<FieldDefinition>>, selected: &Selected<'_>) -> Written {
        let fields = fields.values().filter(|field| selected.shows(&field.directives));
        self.objects(fields.map(|field| Item::Field(field)), selected)
    }

    fn types(&mut self, names: &'s IndexSet<ComponentName>, selected: &Selected<'_>) -> Written {
        let schema = self.schema;
        self.objects(names.iter().filter_map(|name| schema.types.get(&**name)).map(Item::Type), selected)
    }

    fn deprecation(&mut self, directives: &DirectiveList, name: &str) {
        let deprecated = directives.get("deprecated");
        match name {
            "isDeprecated" => self.boolean(deprecated.is_some()),
            "deprecationReason" => {
                let reason = deprecated.and_then(|directive| directive.argument_by_name("reason", self.schema).ok());
                let reason = reason.and_then(|reason| reason.as_str().map(str::to_owned));
                self.optional(reason.as_deref());
            }
            _ => self.null(),
        }
    }

    fn objects(&mut self, items: impl IntoIterator<Item = Item<'s>>, selected: &Selected<'_>) -> Written {
        self.list(items, |writer, item| writer.object(&item, &selected.below))
    }

    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Written,
    ) -> Written {
        self.text.push('[');
        for (nth, item) in items.into_iter().enumerate() {
            if nth > 0 {
                self.text.push(',');
            }
            write(self, item)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push_str(&serde_json::Value::from(text).to_string());
    }

    fn boolean(&mut self, boolean: bool) {
        self.text.push_str(if boolean { "true" } else { "false" });
    }

    fn null(&mut self) {
        self.text.push_str("null");
    }
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "SCALAR",
        ExtendedType::Object(_) => "OBJECT",
        ExtendedType::Interface(_) => "INTERFACE",
        ExtendedType::Union(_) => "UNION",
        ExtendedType::Enum(_) => "ENUM",
        ExtendedType::InputObject(_) => "INPUT_OBJECT",
    }
}
