//! Running queries: everything that its fields ask for is looked up first, look-ups by id all together, then written.

use std::collections::HashMap;

use async_graphql::{ID, Variables};
use futures_util::future::join_all;
use serde_json::value::RawValue;
use tokio::task::yield_now;

use super::arguments::Arguments;
use super::json::{ReadPage, Stop, Tasks, Writer};
use super::selection::{Read, Selection, Shown};
use super::{NoPlan, Outcome, Plan, Root, gives_up, too_large};
use crate::database::Columns;
use crate::domain::feed::{self, ChangePage};
use crate::domain::page::PageArguments;
use crate::domain::task::{List, TaskId};
use crate::domain::{Error, Store, Viewer, lookup};
use crate::entity::task;
use crate::graphql::schema::{connection, query};

/// The fields of the root that have a plan.
const FIELDS: [&str; 6] = ["viewer", "task", "tasks", "node", "nodes", "taskChanges"];

/// Whether a field of the root has a plan.
pub(super) fn takes(field: &str) -> bool {
    FIELDS.contains(&field)
}

/// What a field asks for.
enum Asked {
    Typename,
    Viewer,
    /// A task; a text that is no id is one that is not there.
    Task(Option<TaskId>),
    Node(NodeId),
    Nodes(Vec<NodeId>),
    /// More ids than may be asked for.
    TooMany(Error),
    Tasks(Box<List>),
    Changes(Option<String>, Option<i32>),
}

/// What an id of any object names.
enum NodeId {
    Viewer,
    Task(TaskId),
    Nothing,
}

/// What was looked up for a field.
enum Found {
    /// Nothing of its own.
    Nothing,
    Page(ReadPage),
    Changes(ChangePage),
}

/// Runs a query.
pub(super) async fn run(
    plan: &Plan,
    store: &Store,
    viewer: &Viewer,
    variables: &Variables,
    introspected: Option<&str>,
) -> Result<Outcome, NoPlan> {
    // Texts that are written as they are.
    let introspected: HashMap<String, &RawValue> =
        introspected.and_then(|object| serde_json::from_str(object).ok()).unwrap_or_default();
    let asked = plan.roots.iter().map(|root| root.asked(viewer, variables)).collect::<Result<Vec<_>, _>>()?;
    let mut writer = Writer::new(plan, viewer);
    let found = match (plan.roots.as_ref(), asked.as_slice()) {
        // The most usual case waits for one thing.
        ([root], [Asked::Tasks(_) | Asked::Changes(..)]) if !plan.needs_claims(viewer) => {
            vec![root.find(&asked[0], store, viewer).await]
        }
        (roots, _) => {
            let each = join_all(roots.iter().zip(&asked).map(|(root, asked)| root.find(asked, store, viewer)));
            let (tasks, claims) = (look_up(roots, &asked, store, viewer), plan.claims(store, viewer));
            let (tasks, claims, each) = tokio::join!(tasks, claims, each);
            match (tasks, claims) {
                (Ok(tasks), Ok(claims)) => (writer.tasks, writer.claims) = (tasks, claims),
                // Both fail only where the database does.
                (Err(error), _) | (_, Err(error)) => return Ok(Outcome::GivenUp(roots[0].error(error))),
            }
            each
        }
    };
    let mut errors = Vec::new();
    let mut is_null = false;
    for ((root, asked), found) in plan.roots.iter().zip(asked).zip(found) {
        writer.begin_root(&root.key);
        let written = match introspected.get(root.response_key()) {
            Some(text) => writer.raw(text.get()),
            None => found.map_err(Stop::from).and_then(|found| writer.field(root, asked, found)),
        };
        match written {
            Ok(()) => {}
            Err(Stop::TooLarge) => return Ok(too_large()),
            Err(Stop::Error(error)) if gives_up(&error) => return Ok(Outcome::GivenUp(root.error(error))),
            Err(Stop::Error(error)) => {
                is_null |= !root.is_nullable;
                writer.null_root(&root.key);
                errors.push(root.error(error));
            }
        }
        if writer.is_long() {
            yield_now().await;
        }
    }
    Ok(if is_null { Outcome::Null(errors) } else { Outcome::Written(writer.finish(), errors) })
}

/// Looks up the tasks that fields name by their ids. At most one statement.
async fn look_up(roots: &[Root], asked: &[Asked], store: &Store, viewer: &Viewer) -> Result<Tasks, Error> {
    let mut ids = Vec::new();
    let mut columns = Columns::<task::Entity>::NONE;
    for (root, asked) in roots.iter().zip(asked) {
        let before = ids.len();
        match asked {
            Asked::Task(id) => ids.extend(id),
            Asked::Node(node) => ids.extend(node.task()),
            Asked::Nodes(nodes) => ids.extend(nodes.iter().filter_map(NodeId::task)),
            _ => {}
        }
        if ids.len() > before {
            for selection in &root.selections {
                if let Read::Task(read) = selection.columns {
                    columns = columns.and(read);
                }
            }
        }
    }
    ids.sort_unstable_by_key(|id| id.uuid);
    ids.dedup();
    lookup::by_ids(store, viewer, &ids, columns).await
}

impl NodeId {
    fn new(viewer: &Viewer, id: &str) -> Self {
        if viewer.id.as_str() == id {
            return Self::Viewer;
        }
        TaskId::parse(id).map_or(Self::Nothing, Self::Task)
    }

    fn task(&self) -> Option<TaskId> {
        match self {
            Self::Task(id) => Some(*id),
            Self::Viewer | Self::Nothing => None,
        }
    }
}

impl Root {
    fn asked(&self, viewer: &Viewer, variables: &Variables) -> Result<Asked, NoPlan> {
        let arguments = Arguments { written: &self.arguments, variables };
        Ok(match self.name.as_str() {
            "viewer" => Asked::Viewer,
            "task" => Asked::Task(TaskId::parse(&arguments.get::<ID>("id")?)),
            "node" => Asked::Node(NodeId::new(viewer, &arguments.get::<ID>("id")?)),
            "nodes" => {
                let ids: Vec<ID> = arguments.get("ids")?;
                match query::check_ids(&ids) {
                    Ok(()) => Asked::Nodes(ids.iter().map(|id| NodeId::new(viewer, id)).collect()),
                    Err(error) => Asked::TooMany(error),
                }
            }
            "tasks" => {
                let page = PageArguments {
                    first: arguments.get("first")?,
                    after: arguments.get("after")?,
                    last: arguments.get("last")?,
                    before: arguments.get("before")?,
                };
                let (status, sort_by) = (arguments.get("status")?, arguments.get("sortBy")?);
                let list = connection::list(status, sort_by, arguments.get("direction")?, page, self.columns());
                Asked::Tasks(Box::new(list))
            }
            "taskChanges" => Asked::Changes(arguments.get("since")?, arguments.get("first")?),
            _ => Asked::Typename,
        })
    }

    /// What a page has to read of its tasks.
    fn columns(&self) -> Columns<task::Entity> {
        fn add(selections: &[Selection], columns: &mut Columns<task::Entity>) {
            for selection in selections {
                if let Read::Task(read) = selection.columns {
                    *columns = columns.and(read);
                    continue;
                }
                for field in &selection.fields {
                    if let Shown::Field(_, below) = &field.shown {
                        add(below, columns);
                    }
                }
            }
        }
        let mut columns = Columns::NONE;
        add(&self.selections, &mut columns);
        columns
    }

    fn selects(&self, field: &str) -> bool {
        let mut fields = self.selections.iter().flat_map(|selection| &selection.fields);
        fields.any(|selected| matches!(&selected.shown, Shown::Field(name, _) if name == field))
    }

    /// Looks up what is a field's own.
    async fn find(&self, asked: &Asked, store: &Store, viewer: &Viewer) -> Result<Found, Error> {
        Ok(match asked {
            Asked::Tasks(list) => {
                let status = list.status;
                let read = connection::read(store, viewer, (**list).clone(), self.selects("syncToken"));
                let (page, sync_token) = read.await?;
                let is_counted = self.selects("totalCount");
                let count = if is_counted { Some(connection::count(store, viewer, status).await?) } else { None };
                Found::Page(ReadPage { page, sync_token, count })
            }
            Asked::Changes(since, first) => Found::Changes(feed::changes(store, viewer, since.clone(), *first).await?),
            _ => Found::Nothing,
        })
    }
}

impl Writer<'_> {
    fn field(&mut self, root: &Root, asked: Asked, found: Found) -> Result<(), Stop> {
        let selections = &root.selections;
        match (asked, found) {
            (Asked::Typename, _) => self.name("Query"),
            (Asked::Viewer, _) => self.user(&selections[0]),
            (Asked::Task(id), _) => {
                // Two fields may name one task.
                let tasks = std::mem::take(&mut self.tasks);
                let row = id.and_then(|id| tasks.get(&id)).ok_or(Stop::Error(Error::NotFound));
                let written = row.and_then(|row| self.task(&selections[0], row));
                self.tasks = tasks;
                written
            }
            (Asked::Node(id), _) => self.node(selections, &id),
            (Asked::Nodes(ids), _) => self.array(ids, |writer, id| writer.node(selections, &id)),
            (Asked::TooMany(error), _) => Err(error.into()),
            (_, Found::Page(page)) => self.connection(&selections[0], &page),
            (_, Found::Changes(page)) => self.change_page(&selections[0], &page),
            (Asked::Tasks(_) | Asked::Changes(..), Found::Nothing) => {
                Err(Error::Internal("a field was not looked up".into()).into())
            }
        }
    }

    /// Any object; null where there is none that the viewer can see.
    fn node(&mut self, selections: &[Selection], id: &NodeId) -> Result<(), Stop> {
        let of = |ty: &str| selections.iter().find(|selection| selection.ty == ty);
        let tasks = std::mem::take(&mut self.tasks);
        let written = match (id, id.task().and_then(|id| tasks.get(&id)), of("Task"), of("User")) {
            (NodeId::Viewer, _, _, Some(user)) => self.user(user),
            (_, Some(row), Some(task), _) => self.task(task, row),
            _ => self.null(),
        };
        self.tasks = tasks;
        written
    }
}
