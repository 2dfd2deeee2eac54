//! The writer: what is selected of the schema, as JSON.

use apollo_compiler::ast::{DirectiveList, EnumValueDefinition, FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{Component, ComponentName, DirectiveDefinition, ExtendedType};
use apollo_compiler::{Name, Node, Schema};

use super::{Argument, MAX_BYTES, Selected};

/// The fields that are selected of a root type, as a JSON object; nothing where it grows beyond its bound.
pub(super) fn object(schema: &Schema, root: &Name, fields: &[Selected<'_>]) -> Option<String> {
    let mut writer = Writer { schema, text: String::with_capacity(1024) };
    writer.object(&Item::Root(root), fields).ok().map(|()| writer.text)
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
            ("possibleTypes", ExtendedType::Union(ty)) => return self.types(&ty.members, selected),
            ("possibleTypes", ExtendedType::Interface(_)) => {
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
