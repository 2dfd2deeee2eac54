//! Planning: selections become lists of fields, each with its key as it is written in the answer. A field that is selected
//! several times comes once, where it is selected first, with all that is selected of it (GraphQL, section 6.3.2).

use apollo_compiler::executable::Field;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use super::super::collect::Collect;
use crate::database::{ColumnRef, Columns};
use crate::entity::{Noun, task};

/// Fields of nouns that are no columns, and that the fast path writes all the same. A test sees to it that a field of a
/// noun is a column or stands here.
pub(super) const RESOLVED: [(&str, &str); 1] = [("Task", "owner")];

/// What is selected of objects of a type.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) ty: Name,
    pub(super) fields: Box<[Selected]>,
    /// What is read of the rows, where the type is a noun.
    pub(super) columns: Read,
}

/// Columns of a noun.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Nothing,
    Task(Columns<task::Entity>),
}

/// A selected field.
#[derive(Debug)]
pub(super) struct Selected {
    /// `"key":`
    pub(super) key: Box<str>,
    pub(super) shown: Shown,
}

/// What is shown.
#[derive(Debug)]
pub(super) enum Shown {
    /// The name of the type.
    Typename,
    /// A column of a noun.
    Column(ColumnRef),
    /// A field of another name, and what is selected of it.
    Field(Name, Box<[Selection]>),
}

/// Fields that the fast path writes, of types that are no nouns. Payloads of mutations have fields of their own, all of which
/// are written.
const WRITTEN: [(&str, &[&str]); 6] = [
    ("User", &["id", "email", "name"]),
    ("TaskConnection", &["edges", "nodes", "pageInfo", "totalCount", "syncToken"]),
    ("TaskEdge", &["cursor", "node"]),
    ("PageInfo", &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]),
    ("TaskChangePage", &["changes", "syncToken", "hasMore"]),
    ("TaskChange", &["kind", "taskId", "task", "syncToken"]),
];

/// Plans selections of one operation.
pub(super) struct Planner<'d> {
    collect: Collect<'d>,
    pub(super) selects_email: bool,
    pub(super) selects_name: bool,
}

impl<'d> Planner<'d> {
    pub(super) fn new(collect: Collect<'d>) -> Self {
        Self { collect, selects_email: false, selects_name: false }
    }

    /// What is selected of a field, wherever that is written: one selection for each type that it can be of. Nothing where
    /// something in it has no plan.
    pub(super) fn of_field(&mut self, fields: &[&'d Node<Field>]) -> Option<Box<[Selection]>> {
        possible_types(self.collect.schema, fields[0].definition.ty.inner_named_type())
            .iter()
            .map(|ty| self.of_type(ty, fields))
            .collect()
    }

    fn of_type(&mut self, ty: &Name, fields: &[&'d Node<Field>]) -> Option<Selection> {
        let sets = fields.iter().map(|field| &field.selection_set);
        let selected = self.collect.fields_of(ty, sets);
        let mut columns = match ty.as_str() {
            "Task" => Read::Task(Columns::NONE),
            _ => Read::Nothing,
        };
        let fields = selected.into_iter().map(|same| {
            let shown = self.shown(ty, &same, &mut columns)?;
            Some(Selected { key: key(same[0]), shown })
        });
        let fields = fields.collect::<Option<_>>()?;
        Some(Selection { ty: ty.clone(), fields, columns })
    }

    fn shown(&mut self, ty: &Name, same: &[&'d Node<Field>], columns: &mut Read) -> Option<Shown> {
        let name = &same[0].name;
        if name == "__typename" {
            return Some(Shown::Typename);
        }
        let column = match columns {
            Read::Task(columns) => add_column(columns, same[0]),
            Read::Nothing => None,
        };
        if let Some(column) = column {
            return Some(Shown::Column(column));
        }
        let is_written = RESOLVED.contains(&(ty.as_str(), name.as_str()))
            || WRITTEN.iter().any(|(of, fields)| *of == ty.as_str() && fields.contains(&name.as_str()))
            || ty.ends_with("Payload");
        if !is_written {
            return None;
        }
        self.selects_email |= ty == "User" && name == "email";
        self.selects_name |= ty == "User" && name == "name";
        Some(Shown::Field(name.clone(), self.of_field(same)?))
    }
}

/// The types of objects that a value of a type can be; none for a leaf.
fn possible_types(schema: &Schema, name: &Name) -> Vec<Name> {
    match schema.types.get(name) {
        Some(ExtendedType::Object(_)) => vec![name.clone()],
        Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
            let objects = schema.types.iter().filter(|(_, ty)| matches!(ty, ExtendedType::Object(_)));
            objects.filter(|(of, _)| schema.is_subtype(name, of)).map(|(of, _)| of.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// Adds the column that a field of a noun shows; nothing where it shows none.
fn add_column<N: Noun>(columns: &mut Columns<N>, field: &Field) -> Option<ColumnRef> {
    let is_plain = field.definition.arguments.is_empty() && field.selection_set.selections.is_empty();
    let column = N::column(&snake_case(&field.name)).filter(|_| is_plain)?;
    *columns = columns.with(column);
    Some(Columns::<N>::locate(column))
}

/// `dueDate` is `due_date`.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(char.to_ascii_lowercase());
    }
    text
}

/// A response key as it is written.
pub(super) fn key(field: &Field) -> Box<str> {
    format!("\"{}\":", field.response_key()).into()
}

#[cfg(test)]
mod tests {
    use apollo_compiler::schema::ExtendedType;

    use super::super::{mutation, query};
    use super::*;
    use crate::graphql::Api;

    /// The names of a type's fields.
    fn fields(schema: &Schema, ty: &str) -> Vec<String> {
        match schema.types.get(ty) {
            Some(ExtendedType::Object(object)) => object.fields.keys().map(ToString::to_string).collect(),
            _ => panic!("{ty} is no object type"),
        }
    }

    #[test]
    fn every_field_of_a_noun_is_a_column_or_stands_among_the_resolved_ones() {
        let schema = Schema::parse(Api::sdl(), "schema.graphql").expect("a schema");
        for field in fields(&schema, "Task") {
            let is_column = task::Entity::column(&snake_case(&field)).is_some();
            let is_resolved = RESOLVED.contains(&("Task", field.as_str()));
            assert!(is_column != is_resolved, "Task.{field} is neither a column nor resolved, or both");
        }
        for (ty, field) in RESOLVED {
            assert!(fields(&schema, ty).iter().any(|known| known == field), "there is no {ty}.{field}");
        }
    }

    #[test]
    fn everything_but_subscriptions_and_introspection_has_a_plan() {
        let schema = Schema::parse(Api::sdl(), "schema.graphql").expect("a schema");
        for (ty, written) in WRITTEN {
            assert_eq!(fields(&schema, ty), written, "the fields of {ty}");
        }
        for field in fields(&schema, "Query") {
            assert!(query::takes(&field), "Query.{field}");
        }
        for field in fields(&schema, "Mutation") {
            assert!(mutation::takes(&field), "Mutation.{field}");
        }
    }
}
