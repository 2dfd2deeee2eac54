//! Preparing: selections become lists of fields, each with its key as it is written in the answer. A field that is selected
//! several times comes once, where it is selected first, with all that is selected of it (GraphQL, section 6.3.2).

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Pos, Positioned};

use super::{Prepared, Root, RootField, Verb};
use crate::domain::task::{Column, Columns};

/// A selected field.
#[derive(Debug)]
pub(super) struct Selected<F> {
    /// `"key":`
    pub(super) key: String,
    pub(super) pos: Pos,
    pub(super) field: F,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TaskField {
    Typename,
    Id,
    Title,
    Description,
    Completed,
    CompletedAt,
    Priority,
    DueDate,
    CreatedAt,
    UpdatedAt,
    Version,
}

/// A page of tasks.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) fields: Vec<Selected<ConnectionField>>,
    pub(super) needs_count: bool,
    pub(super) needs_sync_token: bool,
    /// What is read of the tasks.
    pub(super) columns: Columns,
}

#[derive(Debug)]
pub(super) enum ConnectionField {
    Typename,
    Nodes(Vec<Selected<TaskField>>),
    Edges(Vec<Selected<EdgeField>>),
    PageInfo(Vec<Selected<PageInfoField>>),
    TotalCount,
    SyncToken,
}

#[derive(Debug)]
pub(super) enum EdgeField {
    Typename,
    Cursor,
    Node(Vec<Selected<TaskField>>),
}

impl Selected<EdgeField> {
    /// The fields of its task.
    fn node(&self) -> Option<&Vec<Selected<TaskField>>> {
        match &self.field {
            EdgeField::Node(fields) => Some(fields),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum PageInfoField {
    Typename,
    HasNextPage,
    HasPreviousPage,
    StartCursor,
    EndCursor,
}

#[derive(Debug)]
pub(super) enum PayloadField {
    Typename,
    Task(Vec<Selected<TaskField>>),
    DeletedTaskId,
}

impl TaskField {
    /// The column that it shows.
    fn column(self) -> Option<Column> {
        Some(match self {
            Self::Typename => return None,
            Self::Id => Column::Id,
            Self::Title => Column::Title,
            Self::Description => Column::Description,
            Self::Completed => Column::Completed,
            Self::CompletedAt => Column::CompletedAt,
            Self::Priority => Column::Priority,
            Self::DueDate => Column::DueDate,
            Self::CreatedAt => Column::CreatedAt,
            Self::UpdatedAt => Column::UpdatedAt,
            Self::Version => Column::Version,
        })
    }
}

/// The columns that fields of tasks show.
pub(super) fn columns<'f>(fields: impl IntoIterator<Item = &'f Selected<TaskField>>) -> Columns {
    fields.into_iter().filter_map(|selected| selected.field.column()).fold(Columns::NONE, Columns::with)
}

/// Prepares an operation; nothing where it is none of the usual ones.
pub(in crate::graphql) fn prepare(document: &ExecutableDocument, operation: &OperationDefinition) -> Option<Prepared> {
    let prepare = Prepare { document };
    let is_plain = operation.directives.is_empty();
    let root_type = match operation.ty {
        OperationType::Query if is_plain => "Query",
        OperationType::Mutation if is_plain => "Mutation",
        _ => return None,
    };
    let root = |field: &[&Field]| {
        let sub = || selected_of(field);
        let payload = |verb: Verb| {
            Some(RootField::Write(
                verb,
                prepare.fields(verb.payload_type(), sub(), |field| prepare.payload(verb, field))?,
            ))
        };
        let name = field.first()?.name.node.as_str();
        let of_root = match (root_type, name) {
            (_, "__typename") => RootField::Typename,
            ("Query", "task") => RootField::Task(prepare.task(sub())?),
            ("Query", "tasks") => RootField::Tasks(prepare.connection(sub())?),
            ("Mutation", "createTask") => payload(Verb::Create)?,
            ("Mutation", "updateTask") => payload(Verb::Update)?,
            ("Mutation", "toggleTask") => payload(Verb::Toggle)?,
            ("Mutation", "deleteTask") => payload(Verb::Delete)?,
            _ => return None,
        };
        Some(Root { field: of_root, arguments: field.first()?.arguments.clone() })
    };
    let roots = prepare.fields(root_type, vec![&operation.selection_set.node], root)?;
    // Several writes follow each other, and go on when one is refused: the plain way does that.
    let is_one = operation.ty == OperationType::Query || roots.len() == 1;
    is_one.then_some(Prepared { kind: operation.ty, roots })
}

impl Verb {
    pub(super) fn payload_type(self) -> &'static str {
        match self {
            Self::Create => "CreateTaskPayload",
            Self::Update => "UpdateTaskPayload",
            Self::Toggle => "ToggleTaskPayload",
            Self::Delete => "DeleteTaskPayload",
        }
    }
}

struct Prepare<'d> {
    document: &'d ExecutableDocument,
}

impl<'d> Prepare<'d> {
    /// The fields of a type that are selected, as `of` knows them.
    fn fields<F>(
        &self,
        ty: &str,
        sets: Vec<&'d SelectionSet>,
        of: impl Fn(&[&'d Field]) -> Option<F>,
    ) -> Option<Vec<Selected<F>>> {
        let mut collected: Vec<Vec<&Positioned<Field>>> = Vec::new();
        for set in sets {
            self.collect(ty, set, &mut collected)?;
        }
        let selected = collected.into_iter().map(|same| {
            let first = same.first()?;
            let fields: Vec<&Field> = same.iter().map(|field| &field.node).collect();
            Some(Selected {
                key: format!("\"{}\":", first.node.response_key().node),
                pos: first.pos,
                field: of(&fields)?,
            })
        });
        selected.collect()
    }

    /// Gathers the fields of a set by their keys, in the order in which the keys come.
    fn collect(&self, ty: &str, set: &'d SelectionSet, collected: &mut Vec<Vec<&'d Positioned<Field>>>) -> Option<()> {
        for Positioned { node: selection, .. } in &set.items {
            if !selection.directives().is_empty() {
                return None;
            }
            let (condition, set) = match selection {
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    match collected.iter_mut().find(|same| same[0].node.response_key().node == *key) {
                        Some(same) => same.push(field),
                        None => collected.push(vec![field]),
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments.get(&spread.node.fragment_name.node)?.node;
                    (Some(&fragment.type_condition), &fragment.selection_set.node)
                }
            };
            let on = condition.map(|condition| condition.node.on.node.as_str());
            if on.is_some_and(|on| on != ty && !(ty == "Task" && on == "Node")) {
                return None;
            }
            self.collect(ty, set, collected)?;
        }
        Some(())
    }

    fn task(&self, sets: Vec<&'d SelectionSet>) -> Option<Vec<Selected<TaskField>>> {
        self.fields("Task", sets, |field| {
            Some(match field.first()?.name.node.as_str() {
                "__typename" => TaskField::Typename,
                "id" => TaskField::Id,
                "title" => TaskField::Title,
                "description" => TaskField::Description,
                "completed" => TaskField::Completed,
                "completedAt" => TaskField::CompletedAt,
                "priority" => TaskField::Priority,
                "dueDate" => TaskField::DueDate,
                "createdAt" => TaskField::CreatedAt,
                "updatedAt" => TaskField::UpdatedAt,
                "version" => TaskField::Version,
                _ => return None,
            })
        })
    }

    fn connection(&self, sets: Vec<&'d SelectionSet>) -> Option<Connection> {
        let fields = self.fields("TaskConnection", sets, |field| {
            Some(match field.first()?.name.node.as_str() {
                "__typename" => ConnectionField::Typename,
                "nodes" => ConnectionField::Nodes(self.task(selected_of(field))?),
                "edges" => {
                    ConnectionField::Edges(self.fields("TaskEdge", selected_of(field), |field| self.edge(field))?)
                }
                "pageInfo" => ConnectionField::PageInfo(self.fields("PageInfo", selected_of(field), page_info)?),
                "totalCount" => ConnectionField::TotalCount,
                "syncToken" => ConnectionField::SyncToken,
                _ => return None,
            })
        })?;
        let has = |is: fn(&ConnectionField) -> bool| fields.iter().any(|selected| is(&selected.field));
        let needs_count = has(|field| matches!(field, ConnectionField::TotalCount));
        let needs_sync_token = has(|field| matches!(field, ConnectionField::SyncToken));
        let of_tasks = fields.iter().flat_map(|selected| match &selected.field {
            ConnectionField::Nodes(fields) => vec![fields],
            ConnectionField::Edges(edges) => edges.iter().filter_map(Selected::<EdgeField>::node).collect(),
            _ => Vec::new(),
        });
        let columns = columns(of_tasks.flatten());
        Some(Connection { fields, needs_count, needs_sync_token, columns })
    }

    fn edge(&self, field: &[&'d Field]) -> Option<EdgeField> {
        Some(match field.first()?.name.node.as_str() {
            "__typename" => EdgeField::Typename,
            "cursor" => EdgeField::Cursor,
            "node" => EdgeField::Node(self.task(selected_of(field))?),
            _ => return None,
        })
    }

    fn payload(&self, verb: Verb, field: &[&'d Field]) -> Option<PayloadField> {
        Some(match (verb, field.first()?.name.node.as_str()) {
            (_, "__typename") => PayloadField::Typename,
            (Verb::Delete, "deletedTaskId") => PayloadField::DeletedTaskId,
            (Verb::Create | Verb::Update | Verb::Toggle, "task") => PayloadField::Task(self.task(selected_of(field))?),
            _ => return None,
        })
    }
}

fn page_info(field: &[&Field]) -> Option<PageInfoField> {
    Some(match field.first()?.name.node.as_str() {
        "__typename" => PageInfoField::Typename,
        "hasNextPage" => PageInfoField::HasNextPage,
        "hasPreviousPage" => PageInfoField::HasPreviousPage,
        "startCursor" => PageInfoField::StartCursor,
        "endCursor" => PageInfoField::EndCursor,
        _ => return None,
    })
}

/// What is selected of a field, wherever that is written.
fn selected_of<'d>(fields: &[&'d Field]) -> Vec<&'d SelectionSet> {
    fields.iter().map(|field| &field.selection_set.node).collect()
}
